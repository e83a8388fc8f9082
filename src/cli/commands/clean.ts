/** `clean`: removes what lies beside an image. */
import { defineCommand } from '../command.ts'
import { cleanFlags } from '../images/storage-flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  long: `Remove the signatures, attestations and SBOMs beside an image, under the tags of cosign 1 and 2 and as OCI referrers.

The image stays, and so does what refers to it and is not Sigstore's. Verification fails afterwards.`,
  examples: `  countersign clean ghcr.io/org/app:v1
  countersign clean --type signature --force ghcr.io/org/app:v1`,
  flags: cleanFlags,
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { cleanImage } = await import('../images/clean-image.ts')
    await cleanImage(context, flags, image)
  },
})
