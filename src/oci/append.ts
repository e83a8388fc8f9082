/** Adding to something that others add to as well, where nobody can compare and swap: tags of a registry. */
import { CountersignError } from '../error.ts'
import { pause } from '../http/deadline.ts'
import { RegistryBusyError } from './registry-busy.ts'

/** Something that others add to, too, and what is to be added. What the functions throw is thrown, but for a RegistryBusyError. */
export interface Appending<T> {
  /** What is there now. */
  readonly read: () => Promise<T>
  /** A text that is the same for the same contents only. */
  readonly version: (current: T) => string
  /** Whether what is to be added is among it. */
  readonly isThere: (current: T) => boolean
  /** Does what has to be done before `write`, and takes time in which others may write. */
  readonly prepare?: (current: T) => Promise<void>
  /** Replaces what is there by that and what is to be added, and returns it. */
  readonly write: (current: T) => Promise<T>
  /** What it is, for the error: `the signatures of ghcr.io/owner/app`. */
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

const maxAttempts = 80
const maxPreparations = 5
/** How often in a row a registry may fail. */
const maxFailures = 8
const shortestSettlingMs = 60
const longestSettlingMs = 3_000

/**
 * Adds, and makes sure that it stays. Whoever read before our write and writes after it removes what we added; so one looks again
 * when everybody who had read before must have written, which takes them about as long as it took us, and adds again what is gone.
 * Where others are seen to write at the same time, it must be there in two looks between which nothing has changed.
 * @throws CountersignError CONFLICT when others keep removing it
 */
export async function appendUntilThere<T>(appending: Appending<T>): Promise<void> {
  const { read, version, isThere, write, what, signal = new AbortController().signal } = appending
  let longest = 0
  let seen: string | undefined
  let isContended = false
  let quiet = 0
  let failures = 0
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const started = performance.now()
    try {
      const current = await read()
      if (isThere(current)) {
        if (seen === undefined) return
        const isAlike = version(current) === seen
        isContended ||= !isAlike
        quiet = isAlike ? quiet + 1 : 0
        if (quiet >= (isContended ? 2 : 1)) return
        seen = version(current)
      } else {
        isContended = seen !== undefined
        quiet = 0
        seen = version(await write(await prepared(appending, current)))
        longest = Math.max(longest, performance.now() - started)
      }
      failures = 0
    } catch (error) {
      // Some registries fail where they are read and written at once; whether something was written is seen at the next look.
      if (!(error instanceof RegistryBusyError) || ++failures > maxFailures) throw error
      isContended = true
      quiet = 0
    }
    // Those who lost against each other must not meet again in step.
    const settling = Math.min(Math.max(longest * 3, shortestSettlingMs), longestSettlingMs)
    await pause(settling * (1 + Math.random() * Math.min(attempt, 8)), signal)
    signal.throwIfAborted()
  }
  throw new CountersignError('CONFLICT', `${what}: others kept overwriting what was added, ${maxAttempts} times in a row; try again`)
}

/** What is there when everything is prepared to write: the less time is between reading and writing, the less is overwritten. */
async function prepared<T>({ read, version, prepare }: Appending<T>, first: T): Promise<T> {
  let current = first
  if (prepare === undefined) return current
  for (let attempt = 1; ; attempt++) {
    await prepare(current)
    const now = await read()
    if (version(now) === version(current)) return now
    current = now
    if (attempt < maxPreparations) continue
    await prepare(current)
    return current
  }
}
