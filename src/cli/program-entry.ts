/** The program as the parent of its verbs, and the verbs that also have a build of their own. */
import type { CommandEntry } from './command.ts'
import { defineGroup } from './command.ts'

/** The program with these verbs. */
export function programEntry(verbs: readonly CommandEntry[]): CommandEntry {
  const command = defineGroup({ subcommands: verbs })
  return {
    name: 'countersign',
    short: 'Sign and verify software artifacts, run a private Sigstore, enforce signature policies',
    load: () => Promise.resolve({ command }),
  }
}

/** How the verbs are listed that are run most often: once for every file that is checked or signed, and for every image that is checked. */
export const signBlob = { name: 'sign-blob', short: 'Sign files, with an identity or a key' } as const
export const verifyBlob = { name: 'verify-blob', short: 'Verify the signature on a file' } as const
export const verifyImage = { name: 'verify', short: 'Verify the signatures of container images and everything else in a registry' } as const
