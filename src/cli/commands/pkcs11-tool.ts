/** `pkcs11-tool`: what is on PKCS#11 tokens. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: `Find out how the keys of a PKCS#11 token are called: the URIs that --key takes. The token's library is loaded for it (SoftHSM,
OpenSC, ykcs11 for a YubiKey, that of a hardware security module); the package pkcs11js must be installed.`,
  subcommands: [
    { name: 'list-keys-uris', short: 'List the URIs of the keys on a token', load: () => import('../tokens/list-keys-uris.ts') },
    { name: 'list-tokens', short: 'List the tokens that a library finds', load: () => import('../tokens/list-tokens.ts') },
  ],
})
