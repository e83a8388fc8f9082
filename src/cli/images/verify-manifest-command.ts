/** `manifest verify`: the images that a file names. */
import { defineCommand } from '../command.ts'
import { certificateExclusions } from '../flag-groups.ts'
import { exactly } from '../positional.ts'
import { verifyFlags } from './flags.ts'

export const command = defineCommand({
  synopsis: 'MANIFEST',
  long: `Verify the signatures of every image that Kubernetes resources in YAML or JSON run: of containers of all kinds, in resources of any kind, and of
volumes that are images. What else is called an image is told, and not verified.

The first image that is refused ends it. Everything else, exit codes too, is as with "verify".`,
  examples: `  countersign manifest verify --key cosign.pub deployment.yaml`,
  flags: verifyFlags,
  positional: exactly(1),
  exclusive: certificateExclusions,
  async run(context, flags, [file = '']) {
    const { verifyManifest } = await import('./verify-named-images.ts')
    await verifyManifest(context, flags, file)
  },
})
