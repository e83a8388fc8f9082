/** Adding to something that others add to as well, where nobody can compare and swap: tags of a registry. */
import { CountersignError } from '../error.ts'
import { pause } from '../http/deadline.ts'

export interface Appending<T> {
  /** What is there now. */
  readonly read: () => Promise<T>
  /** Whether what is to be added is among it. */
  readonly isThere: (current: T) => boolean
  /** Replaces what is there by that and what is to be added. */
  readonly write: (current: T) => Promise<void>
  /** What it is, for the error: `the signatures of ghcr.io/owner/app`. */
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

const maxAttempts = 40
const shortestSettlingMs = 60
const longestSettlingMs = 3_000

/**
 * Adds, and makes sure that it stays. Whoever read before our write and writes after it removes what we added; so one looks again
 * when everybody who had read before must have written, which takes them about as long as it took us, and adds again what is gone.
 * @throws CountersignError CONFLICT when others keep removing it
 */
export async function appendUntilThere<T>({
  read,
  isThere,
  write,
  what,
  signal = new AbortController().signal,
}: Appending<T>): Promise<void> {
  let longest = 0
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const started = performance.now()
    const current = await read()
    if (isThere(current)) return
    await write(current)
    longest = Math.max(longest, performance.now() - started)
    // Those who lost against each other must not meet again in step.
    const settling = Math.min(Math.max(longest * 3, shortestSettlingMs), longestSettlingMs)
    await pause(settling * (1 + Math.random() * Math.min(attempt, 8)), signal)
    signal.throwIfAborted()
  }
  throw new CountersignError('CONFLICT', `${what}: others kept overwriting what was added, ${maxAttempts} times in a row; try again`)
}
