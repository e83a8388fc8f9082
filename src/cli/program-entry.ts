/** The program as the parent of its verbs, and the verb that also has a build of its own. */
import type { CommandEntry } from './command.ts'
import { defineGroup } from './command.ts'

/** The program with these verbs. */
export function programEntry(verbs: readonly CommandEntry[]): CommandEntry {
  const command = defineGroup({ subcommands: verbs })
  return {
    name: 'countersign',
    short: 'Sign and verify software artefacts, run a private Sigstore, enforce signature policies',
    load: () => Promise.resolve({ command }),
  }
}

/** How the verb is listed that is run most often, once for every file that is checked. */
export const verifyBlob = { name: 'verify-blob', short: 'Verify the signature on a file' } as const
