/** `piv-tool`: cosign's verb for YubiKeys, whose place PKCS#11 takes here. */
import { UsageError } from '../../error.ts'
import { defineCommand } from '../command.ts'
import { anyArguments } from '../positional.ts'

const instead = `piv-tool is not supported: set up the token with the tool of its maker (ykman for a YubiKey), and sign through its PKCS#11
module (ykcs11) with --key 'pkcs11:…', whose URI pkcs11-tool list-keys-uris prints`

export const command = defineCommand({
  long: `Not supported. A YubiKey is set up with ykman, and signs through its PKCS#11 module, ykcs11: pkcs11-tool list-keys-uris
prints the reference that --key takes.`,
  flags: {},
  positional: anyArguments,
  raw: true,
  run() {
    throw new UsageError('USAGE', instead.replace('\n', ' '))
  },
})
