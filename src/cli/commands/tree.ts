/** `tree`: what lies beside an image. */
import { defineCommand } from '../command.ts'
import { treeFlags } from '../images/storage-flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  long: `Show the signatures, attestations, SBOMs and other artifacts beside an image, and what lies beside those. Nothing is verified.`,
  examples: `  countersign tree ghcr.io/org/app:v1`,
  flags: treeFlags,
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { printTree } = await import('../images/image-tree.ts')
    await printTree(context, flags, image)
  },
})
