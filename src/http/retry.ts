/** When a request is sent again, and how long to wait before. */

const repeatableMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const busyStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])
const firstDelayMs = 250
const longestDelayMs = 5_000

/** Whether sending the request twice has the effect of sending it once (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return repeatableMethods.has(method)
}

/** Whether the status says that the same request may succeed later. */
export function isBusy(status: number): boolean {
  return busyStatuses.has(status)
}

/** Milliseconds to wait after a failed attempt (the first is 0): doubling, with jitter so that clients do not march in step. */
export function backoff(attempt: number): number {
  return Math.min(firstDelayMs * 2 ** attempt, longestDelayMs) * (0.5 + Math.random() / 2)
}

/**
 * Milliseconds that a `Retry-After` header asks for (RFC 9110 section 10.2.3), as seconds or as a date.
 * @returns undefined when the header is absent or says nothing usable
 */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
