/** What TUF distributes, as the beginning of a file of one's own. */
import { CountersignError } from '../../error.ts'
import { fetchTarget, targetName } from '../../tuf/trusted-root.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'

/**
 * Fetches a target of the repository that `initialize` chose.
 * @param what what it is, for messages
 * @throws CountersignError as `fetchTarget`
 */
export async function fetchDefaults(context: CommandContext, name: keyof typeof targetName, what: string): Promise<Uint8Array> {
  try {
    const { bytes, warnings } = await fetchTarget(targetName[name], { env: context.env, signal: context.signal, now: context.now() })
    for (const warning of warnings) warn(context, warning)
    return bytes
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    throw new CountersignError(cause.code, `getting ${what}: ${cause.message}`, { cause })
  }
}
