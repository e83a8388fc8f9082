/** Rate limits: a bucket of tokens for each client, refilled evenly. */

export interface RateLimit {
  /** Requests a second that a client may make for ever. */
  readonly perSecond: number
  /** Requests that it may make at once after a pause. */
  readonly burst: number
}

export interface RateLimiter {
  /**
   * Takes tokens, one by default. Of a full bucket more can be taken than it holds: what it owes is filled first.
   * @returns 0, or after how many milliseconds there are as many again
   */
  take(client: string, nowMs: number, tokens?: number): number
  /** Takes tokens whether they are there or not. */
  charge(client: string, nowMs: number, tokens: number): void
}

interface Bucket {
  tokens: number
  filledMs: number
}

const maxClients = 10_000

/** A limiter that remembers the 10,000 clients seen last. */
export function createRateLimiter({ perSecond, burst }: RateLimit): RateLimiter {
  const buckets = new Map<string, Bucket>()
  const bucketOf = (client: string, nowMs: number): Bucket => {
    const bucket = buckets.get(client) ?? { tokens: burst, filledMs: nowMs }
    buckets.delete(client)
    // A Map keeps the order of insertion: the first is the one that was silent longest.
    if (buckets.size >= maxClients) forgetOldest(buckets)
    buckets.set(client, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.filledMs) * perSecond) / 1000)
    bucket.filledMs = nowMs
    return bucket
  }
  return {
    take: (client, nowMs, tokens = 1) => {
      const bucket = bucketOf(client, nowMs)
      const missing = Math.min(tokens, Math.max(1, Math.floor(burst))) - bucket.tokens
      if (missing > 0) return Math.ceil((missing * 1000) / perSecond)
      bucket.tokens -= tokens
      return 0
    },
    charge: (client, nowMs, tokens) => {
      bucketOf(client, nowMs).tokens -= tokens
    },
  }
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  const { value, done } = buckets.keys().next()
  if (done !== true) buckets.delete(value)
}
