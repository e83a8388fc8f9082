/** What a service of the server is to `app.ts`, which mounts it. */
import type { Hono } from 'hono'

export interface Service {
  /** Its routes, by their full paths on the origin. */
  readonly routes: Hono
  /** Starts its timers, if it has any. */
  start?(): Promise<void> | void
  /** Ends its timers and lets go of what it holds. */
  close?(): Promise<void> | void
}
