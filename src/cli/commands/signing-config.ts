/** `signing-config`: the services that signers use, as a file. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Make signing configs: the files that say which services a signer uses.',
  subcommands: [{ name: 'create', short: 'Make a signing config of addresses', load: () => import('../trust/signing-config-command.ts') }],
})
