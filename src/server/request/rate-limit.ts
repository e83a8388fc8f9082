/** Rate limits: a bucket of tokens for each client, refilled evenly. */

export interface RateLimit {
  /** Requests a second that a client may make for ever. */
  readonly perSecond: number
  /** Requests that it may make at once after a pause. */
  readonly burst: number
}

export interface RateLimiter {
  /** Takes a token. @returns 0, or after how many milliseconds there is one again */
  take(client: string, nowMs: number): number
}

interface Bucket {
  tokens: number
  filledMs: number
}

const maxClients = 10_000

/** A limiter that remembers the 10,000 clients seen last. */
export function createRateLimiter({ perSecond, burst }: RateLimit): RateLimiter {
  const buckets = new Map<string, Bucket>()
  return {
    take: (client, nowMs) => {
      const bucket = buckets.get(client) ?? { tokens: burst, filledMs: nowMs }
      buckets.delete(client)
      // A Map keeps the order of insertion: the first is the one that was silent longest.
      if (buckets.size >= maxClients) forgetOldest(buckets)
      buckets.set(client, bucket)
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.filledMs) * perSecond) / 1000)
      bucket.filledMs = nowMs
      if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1000) / perSecond)
      bucket.tokens -= 1
      return 0
    },
  }
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  const { value, done } = buckets.keys().next()
  if (done !== true) buckets.delete(value)
}
