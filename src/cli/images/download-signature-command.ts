/** `download signature`. */
import { defineCommand } from '../command.ts'
import { exactly } from '../positional.ts'
import { downloadSignatureFlags } from './storage-flags.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  examples: `  countersign download signature ghcr.io/org/app:v1`,
  flags: downloadSignatureFlags,
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { downloadSignatures } = await import('./download-images.ts')
    await downloadSignatures(context, flags, image)
  },
})
