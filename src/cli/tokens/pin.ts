/** The PIN of a token: from COSIGN_PKCS11_PIN, or typed. */
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { printableLine } from '../quote.ts'

/**
 * Gets the PIN. What is piped in is not taken for one: a token locks after a few wrong ones.
 * @param what it is for, to be asked with
 * @throws UsageError USAGE where nobody can be asked; CountersignError ABORTED when nothing is typed
 */
export async function readPin(context: CommandContext, what: string): Promise<string> {
  const given = context.env['COSIGN_PKCS11_PIN']
  if (given !== undefined && given !== '') return given
  if (!context.stdin.isTTY) throw new UsageError('USAGE', `the PIN for ${what} is needed: set COSIGN_PKCS11_PIN`)
  const typed = await context.stdin.readHidden(() => context.stderr.write(`Enter PIN for ${printableLine(what)}: `))
  context.stderr.write('\n')
  if (typed === undefined || typed.length === 0) throw new CountersignError('ABORTED', 'no PIN was entered')
  return decodeUtf8(typed, 'the PIN')
}
