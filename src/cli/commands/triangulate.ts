/** `triangulate`: where cosign 1 and 2 keep the signatures of an image. */
import { defineCommand } from '../command.ts'
import { triangulateFlags } from '../images/storage-flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  long: `Print the tag under which cosign 1 and 2 keep the signatures of an image, whether there are any or not; COSIGN_REPOSITORY counts.`,
  examples: `  countersign triangulate ghcr.io/org/app:v1
  countersign triangulate --type attestation ghcr.io/org/app:v1`,
  flags: triangulateFlags,
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { triangulateImage } = await import('../images/triangulate-image.ts')
    await triangulateImage(context, flags, image)
  },
})
