/** `pkcs11-tool list-keys-uris`. */
import { encodeHex } from '../../encoding/hex.ts'
import { defineCommand } from '../command.ts'
import { intFlag, stringFlag } from '../flags.ts'
import { exactly } from '../positional.ts'
import { printableLine } from '../quote.ts'
import { modulePathOf, tokenFlags } from './flags.ts'
import { readPin } from './pin.ts'

export const command = defineCommand({
  long: `Lists the URIs of the private keys on a token, for --key. The PIN is not part of them: it is asked for when the key is used, or
taken from COSIGN_PKCS11_PIN.`,
  examples: `  # The keys on the token in slot 0
  countersign pkcs11-tool list-keys-uris --module-path /usr/lib/libykcs11.so --slot-id 0`,
  flags: {
    ...tokenFlags,
    'slot-id': intFlag('number of the slot that the token is in, as list-tokens prints it'),
    pin: stringFlag('PIN of the token (that of COSIGN_PKCS11_PIN when empty); others can read it in the list of processes', {
      placeholder: 'pin',
      completion: 'none',
    }),
  },
  positional: exactly(0),
  async run(context, flags) {
    const modulePath = modulePathOf(context, flags['module-path'])
    const slotId = flags['slot-id']
    const { listPkcs11Keys } = await import('../../keys/pkcs11-listing.ts')
    const keys = await listPkcs11Keys(modulePath, slotId, (label) =>
      flags.pin === '' ? readPin(context, `PKCS11 token '${label}'`) : Promise.resolve(flags.pin),
    )
    const blocks = keys.map(({ label, id, uri }, number) => {
      const lines = [
        `Object ${number}`,
        ...(label === '' ? [] : [`\tLabel: ${printableLine(label)}`]),
        ...(id.length === 0 ? [] : [`\tID: ${encodeHex(id)}`]),
        `\tURI: ${uri}`,
      ]
      return `${lines.join('\n')}\n`
    })
    context.stdout.write(`\nListing URIs of keys in slot '${slotId}' of PKCS11 module '${modulePath}'\n${blocks.join('')}`)
  },
})
