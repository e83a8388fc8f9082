/** `save`: an image with everything beside it, in a folder. */
import { defineCommand } from '../command.ts'
import { saveFlags } from '../images/storage-flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  long: `Write an image, the images that an index names, and every signature, attestation and other artifact beside each of them to a folder.

The folder is an OCI image layout: "countersign load", "cosign load" and other tools read it, and "countersign verify --local-image" verifies
it where there is no registry. A layout that is there keeps its list until everything is written. It takes as long as it takes, unless --timeout is given.`,
  examples: `  countersign save --dir ./app ghcr.io/org/app:v1`,
  flags: saveFlags,
  positional: exactly(1),
  untimed: 'unless-given',
  async run(context, flags, [image = '']) {
    const { saveImage } = await import('../images/save-image.ts')
    await saveImage(context, flags, image)
  },
})
