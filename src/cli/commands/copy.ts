/** `copy`: an image with everything beside it, from one registry to another. */
import { defineCommand } from '../command.ts'
import { copyFlags } from '../images/storage-flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'SOURCE DESTINATION',
  long: `Copy an image, the images that an index names, and every signature, attestation and other artifact beside each of them.

Bundles that refer to the image are copied as well as the tags of cosign 1 and 2. What the destination has beside the image stays.

Credentials of --registry-username, --registry-password and --registry-token are for both registries; "countersign login" gives each its
own. It takes as long as it takes, unless --timeout is given.`,
  examples: `  countersign copy ghcr.io/org/app:v1 registry.internal/org/app:v1

  # Only its signatures
  countersign copy --only=sig ghcr.io/org/app:v1 registry.internal/org/app:v1`,
  flags: copyFlags,
  positional: exactly(2),
  untimed: 'unless-given',
  async run(context, flags, images) {
    const { copyToRegistry } = await import('../images/copy-images.ts')
    await copyToRegistry(context, flags, images)
  },
})
