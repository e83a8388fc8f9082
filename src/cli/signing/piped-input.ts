/** What is piped in, read whole. */
import { concatBytes } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'

/**
 * Reads standard input to its end.
 * @param what what it is, such as `the password`
 * @throws UsageError USAGE when it is too long
 */
export async function readPiped(context: CommandContext, what: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of context.stdin.read()) {
    length += chunk.length
    if (length > maxBytes) throw new UsageError('USAGE', `${what} on standard input is longer than the limit of ${maxBytes} bytes`)
    chunks.push(Uint8Array.from(chunk))
    context.signal.throwIfAborted()
  }
  return concatBytes(...chunks)
}
