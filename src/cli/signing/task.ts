/** What the steps of `sign-blob` know of its command line. */
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { Confirmation } from './confirmation.ts'
import type { signBlobFlags } from './flags.ts'

export type SignBlobFlags = FlagValues<typeof signBlobFlags>

/** A command line of `sign-blob` that was checked. */
export interface Task {
  readonly context: CommandContext
  readonly flags: SignBlobFlags
  readonly confirmation: Confirmation
  /** Standard input is one of the blobs. */
  readonly inputIsTaken: boolean
  /** Standard output gets a signature or JSON. */
  readonly outputIsTaken: boolean
}
