/** `load`: what `save` has written, into a registry. */
import { defineCommand } from '../command.ts'
import { loadFlags } from '../images/storage-flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  long: `Push an image from a folder that "save" has written, with everything beside it, to a registry.

Any OCI image layout will do, and archives: of one, or by "docker save", also compressed with gzip or zstd. Signatures that the registry has
already stay; the tag is moved when everything is there. It takes as long as it takes, unless --timeout is given.`,
  examples: `  countersign load --dir ./app registry.internal/org/app:v1`,
  flags: loadFlags,
  positional: exactly(1),
  untimed: 'unless-given',
  async run(context, flags, [image = '']) {
    const { loadImage } = await import('../images/load-image.ts')
    await loadImage(context, flags, image)
  },
})
