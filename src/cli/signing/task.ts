/** What the steps of a verb that signs know of its command line. */
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { Confirmation } from './confirmation.ts'
import type { attestBlobFlags, signingFlags, signBlobFlags } from './flags.ts'

/** The flags that all of them have. */
export type SigningFlags = FlagValues<typeof signingFlags>
export type SignBlobFlags = FlagValues<typeof signBlobFlags>
export type AttestBlobFlags = FlagValues<typeof attestBlobFlags>

/** A command line that was checked. */
export interface Task<Flags extends SigningFlags = SigningFlags> {
  readonly context: CommandContext
  readonly flags: Flags
  readonly confirmation: Confirmation
  /** Standard input is what is signed, or a part of it. */
  readonly inputIsTaken: boolean
  /** Standard output gets a signature or JSON. */
  readonly outputIsTaken: boolean
}
