/** `download sbom`. */
import { defineCommand } from '../command.ts'
import { exactly } from '../positional.ts'
import { downloadSbomFlags } from './storage-flags.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  examples: `  countersign download sbom ghcr.io/org/app:v1`,
  flags: downloadSbomFlags,
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { downloadSbom } = await import('./download-sbom.ts')
    await downloadSbom(context, flags, image)
  },
})
