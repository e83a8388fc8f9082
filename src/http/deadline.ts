/** A time limit for a whole exchange, joined with the caller's wish to stop. */
import { hrtime } from 'node:process'
import { TransportError } from '../error.ts'

/** Running until `stop` is called. */
export interface Deadline {
  /** Says whether time ran out or the caller stopped; undefined as long as neither is so. */
  readonly failure: TransportError | undefined
  /** Aborted with the failure as its reason. */
  readonly signal: AbortSignal
  /** Calls back when it ends early, at once where it has. @returns what takes that back */
  whenOver(listener: (failure: TransportError) => void): () => void
  /** Milliseconds until time runs out. */
  remaining(): number
  stop(): void
}

/**
 * Starts a time limit.
 * @param what names the exchange in the error, such as `the request to example.com`
 * @param caller aborts early: the failure is then a TransportError ABORTED, with the caller's own reason as its cause
 */
export function startDeadline(what: string, timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  return new RunningDeadline(what, timeoutMs, caller)
}

class RunningDeadline implements Deadline {
  failure: TransportError | undefined
  readonly #end: number
  readonly #listeners = new Set<(failure: TransportError) => void>()
  readonly #timer: NodeJS.Timeout
  readonly #ignoreCaller: () => void
  /** Made for those who ask: a request has no use for it, and there are thousands of them. */
  #controller: AbortController | undefined

  constructor(what: string, timeoutMs: number, caller: AbortSignal | undefined) {
    this.#end = monotonicMs() + timeoutMs
    this.#timer = setTimeout(() => {
      const message = `${what} was not complete within ${timeoutMs / 1000} s; check the network, or try again later`
      this.#fail(new TransportError('NETWORK_FAILED', message))
    }, timeoutMs)
    const abort = (): void => this.#fail(new TransportError('ABORTED', `${what} was aborted`, { cause: caller?.reason }))
    this.#ignoreCaller = caller === undefined ? () => undefined : whenAborted(caller, abort)
    if (caller?.aborted === true) abort()
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.failure !== undefined) this.#controller.abort(this.failure)
    return this.#controller.signal
  }

  whenOver(listener: (failure: TransportError) => void): () => void {
    if (this.failure !== undefined) listener(this.failure)
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  remaining(): number {
    return this.#end - monotonicMs()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#ignoreCaller()
  }

  #fail(failure: TransportError): void {
    if (this.failure !== undefined) return
    this.failure = failure
    this.#controller?.abort(failure)
    for (const listener of this.#listeners) listener(failure)
  }
}

/** As `performance.now`, whose library takes two milliseconds to load. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** Waits; ends early, without an error, when the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      ignore()
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    const ignore = whenAborted(signal, done)
  })
}

interface Listeners {
  readonly all: Set<() => void>
  readonly notify: () => void
}

/** Many exchanges at a time share the caller's signal: they have one listener, because to Node more than ten look like a leak. */
const listened = new WeakMap<AbortSignal, Listeners>()

/** Calls back when the signal aborts. @returns what takes that back */
export function whenAborted(signal: AbortSignal, listener: () => void): () => void {
  let listeners = listened.get(signal)
  if (listeners === undefined) {
    const all = new Set<() => void>()
    const notify = (): void => {
      for (const one of all) one()
    }
    listened.set(signal, (listeners = { all, notify }))
  }
  const { all, notify } = listeners
  if (all.size === 0) signal.addEventListener('abort', notify, { once: true })
  all.add(listener)
  return () => {
    if (all.delete(listener) && all.size === 0) signal.removeEventListener('abort', notify)
  }
}
