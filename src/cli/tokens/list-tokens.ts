/** `pkcs11-tool list-tokens`. */
import { defineCommand } from '../command.ts'
import { exactly } from '../positional.ts'
import { printableLine } from '../quote.ts'
import { modulePathOf, tokenFlags } from './flags.ts'

export const command = defineCommand({
  examples: `  # The tokens that p11-kit knows of
  countersign pkcs11-tool list-tokens --module-path /usr/lib/x86_64-linux-gnu/p11-kit-proxy.so`,
  flags: tokenFlags,
  positional: exactly(0),
  async run(context, flags) {
    const modulePath = modulePathOf(context, flags['module-path'])
    const { listPkcs11Tokens } = await import('../../keys/pkcs11-listing.ts')
    const tokens = await listPkcs11Tokens(modulePath)
    const blocks = tokens.map(({ slotId, label, manufacturer, model, serial }) =>
      [
        `Token in slot ${slotId}`,
        `\tLabel: ${printableLine(label)}`,
        `\tManufacturer: ${printableLine(manufacturer)}`,
        `\tModel: ${printableLine(model)}`,
        `\tS/N: ${printableLine(serial)}`,
        '\n',
      ].join('\n'),
    )
    context.stdout.write(`\nListing tokens of PKCS11 module '${modulePath}'\n${blocks.join('')}`)
  },
})
