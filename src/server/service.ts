/** What a service of the server is to `app.ts`, which mounts it. */
import type { Hono } from 'hono'
import type { Exchange } from './request/exchange.ts'

export interface Service {
  /** Its routes, by their full paths on the origin. */
  readonly routes: Hono
  /** Those of its routes that come by the thousand; they are among `routes` too. */
  readonly exchanges?: readonly Exchange[]
  /** What paths begin with whose reads are limited as writes are: they store something, as those that begin a sign-in, or cost much. */
  readonly limitedReads?: readonly string[]
  /** Starts its timers, if it has any. */
  start?(): Promise<void> | void
  /** Ends its timers and lets go of what it holds. */
  close?(): Promise<void> | void
}
