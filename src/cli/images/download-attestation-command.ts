/** `download attestation`. */
import { defineCommand } from '../command.ts'
import { exactly } from '../positional.ts'
import { downloadAttestationFlags } from './storage-flags.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  examples: `  countersign download attestation ghcr.io/org/app:v1`,
  flags: downloadAttestationFlags,
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { downloadAttestations } = await import('./download-images.ts')
    await downloadAttestations(context, flags, image)
  },
})
