/** `bundle upgrade BUNDLE`. */
import { defineCommand } from '../command.ts'
import { exactly } from '../positional.ts'
import { bundleUpgradeFlags } from './bundle-flags.ts'

export const command = defineCommand({
  synopsis: 'BUNDLE',
  long: `Makes a Sigstore bundle of version 0.3 of one of version 0.1 or 0.2: with the signer's certificate alone, and with the inclusion
proofs that it lacks, which are fetched from the transparency log. A bundle of version 0.3 stays as it is.

Nothing is verified but that what the log answers is the entry that the bundle has.`,
  examples: `  countersign bundle upgrade app.sigstore --out app.sigstore.json`,
  flags: bundleUpgradeFlags,
  positional: exactly(1),
  async run(context, flags, [file = '']) {
    const { upgradeBundle } = await import('./upgrade-bundle.ts')
    await upgradeBundle(context, flags, file)
  },
})
