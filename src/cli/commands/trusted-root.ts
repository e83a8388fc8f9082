/** `trusted-root`: what verifiers believe, as a file. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Make trusted roots: the files that say which authorities and logs a verifier believes.',
  subcommands: [
    { name: 'create', short: 'Make a trusted root of certificates and keys', load: () => import('../trust/trusted-root-command.ts') },
  ],
})
