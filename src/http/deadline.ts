/** A time limit for a whole exchange, joined with the caller's wish to stop. */
import { setMaxListeners } from 'node:events'
import { TransportError } from '../error.ts'

/** Running until `stop` is called. */
export interface Deadline {
  /** Aborted with a TransportError as its reason, which says whether time ran out or the caller stopped. */
  readonly signal: AbortSignal
  /** Milliseconds until time runs out. */
  remaining(): number
  stop(): void
}

/**
 * Starts a time limit.
 * @param what names the exchange in the error, such as `the request to example.com`
 * @param caller aborts early: the reason is then a TransportError ABORTED, with the caller's own reason as its cause
 */
export function startDeadline(what: string, timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const end = performance.now() + timeoutMs
  const expire = () => {
    const message = `${what} was not complete within ${timeoutMs / 1000} s; check the network, or try again later`
    controller.abort(new TransportError('NETWORK_FAILED', message))
  }
  const abort = () => controller.abort(new TransportError('ABORTED', `${what} was aborted`, { cause: caller?.reason }))
  const timer = setTimeout(expire, timeoutMs)
  if (caller?.aborted === true) abort()
  else if (caller !== undefined) listen(caller, abort)
  return {
    signal: controller.signal,
    remaining: () => end - performance.now(),
    stop() {
      clearTimeout(timer)
      caller?.removeEventListener('abort', abort)
    },
  }
}

/** Waits; ends early, without an error, when the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    listen(signal, done)
  })
}

/** Many exchanges at a time share the caller's signal; to Node more than ten listeners look like a leak, and it prints so. */
function listen(signal: AbortSignal, listener: () => void): void {
  setMaxListeners(0, signal)
  signal.addEventListener('abort', listener, { once: true })
}
