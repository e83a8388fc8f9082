/** The end of a command's time. */
import { CountersignError, TransportError } from '../error.ts'
import { formatDuration } from './duration.ts'
import { causesOf } from './failure.ts'

/** The longest that a timer of the runtime can wait, 24.8 days. */
const LONGEST_TIMER = 2 ** 31 - 1

/** A signal that is aborted when the time is over or when an outer signal is. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Rejects with the reason of the abort as soon as there is one. */
  readonly expired: Promise<never>
  /** Releases the timer. */
  stop(): void
}

/**
 * Starts the time of a command.
 * @param context what holds the signal of the process
 * @param milliseconds how long; a time that is not positive is over at once, and `undefined` is never over
 * @param beginning `when-asked`: the time begins when the signal is first asked for. Timer and listeners take a millisecond to
 *   make, which is long for a verification that never waits
 */
export function startDeadline(
  context: { readonly signal: AbortSignal },
  milliseconds: number | undefined,
  beginning: 'at-once' | 'when-asked',
): Deadline {
  const { promise: expired, reject } = withRejection()
  let watch: Watch | undefined
  const start = (): Watch => (watch ??= startWatch(context.signal, milliseconds, reject))
  if (beginning === 'at-once' || (milliseconds !== undefined && milliseconds <= 0)) start()
  return {
    get signal() {
      return start().signal
    },
    expired,
    stop: () => watch?.stop(),
  }
}

/** The error to report: why the signal was aborted, when the given error is only what the abort interrupted. */
export function reasonFor(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted && isInterruption(error) ? signal.reason : error
}

function isInterruption(error: unknown): boolean {
  for (const link of causesOf(error)) {
    if (link instanceof CountersignError && link.code === 'ABORTED') return true
    if (link instanceof Error && (link.name === 'AbortError' || link.name === 'TimeoutError')) return true
  }
  return false
}

/** What can end the command, while it waits. */
type Watch = Omit<Deadline, 'expired'>

function startWatch(outer: AbortSignal, milliseconds: number | undefined, expire: (reason: unknown) => void): Watch {
  const controller = new AbortController()
  const abort = (reason: unknown): void => {
    controller.abort(reason)
    expire(reason)
  }
  const forward = (): void => abort(outer.reason)
  if (outer.aborted) forward()
  outer.addEventListener('abort', forward, { once: true })
  const timer = milliseconds === undefined ? undefined : startTimer(milliseconds, () => abort(timedOut(milliseconds)))
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer)
      outer.removeEventListener('abort', forward)
    },
  }
}

function timedOut(milliseconds: number): TransportError {
  return new TransportError('ABORTED', `the command did not finish within ${formatDuration(milliseconds)}, which --timeout can extend`)
}

function startTimer(milliseconds: number, expire: () => void): ReturnType<typeof setTimeout> | undefined {
  if (milliseconds <= 0) {
    expire()
    return undefined
  }
  // The timer alone must not keep a process alive whose command waits for something that can no longer happen.
  return milliseconds > LONGEST_TIMER ? undefined : setTimeout(expire, milliseconds).unref()
}

function withRejection(): { readonly promise: Promise<never>; readonly reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise
  })
  // A command may end before anybody waits for the deadline.
  promise.catch(() => undefined)
  return { promise, reject }
}
