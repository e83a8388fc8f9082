/** The one origin that all services share: what every request meets before and after the service it is for. */
import { randomUUID } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import type { Context, Next } from 'hono'
import { Hono } from 'hono'
import { CountersignError } from '../error.ts'
import type { Clock } from './clock.ts'
import type { Metrics } from './metrics.ts'
import { clientAddress, clientNetwork, isLoopback } from './request/client-address.ts'
import type { RateLimit } from './request/rate-limit.ts'
import { createRateLimiter } from './request/rate-limit.ts'
import { errorFields } from './request-log.ts'
import type { ServerLog } from './request-log.ts'
import type { Service } from './service.ts'

/** A condition of readiness. */
export interface ReadinessCheck {
  readonly name: string
  /** Why the server is not ready, or undefined when this is fine. */
  readonly check: () => Promise<string | undefined> | string | undefined
}

export interface OriginOptions {
  readonly services: readonly Service[]
  readonly readiness: readonly ReadinessCheck[]
  readonly log: ServerLog
  readonly metrics: Metrics
  /** Whether `/metrics` is served here. */
  readonly serveMetrics: boolean
  readonly clock: Clock
  /** Whether a proxy stands in front, whose `X-Forwarded-For` is believed. */
  readonly behindProxy: boolean
  /** For requests that change something, by client; clients on this machine are not limited. */
  readonly rateLimit: RateLimit | undefined
}

type Origin = Hono<{ Bindings: Partial<HttpBindings> }>

/** Mounts the services. */
export function createOrigin(options: OriginOptions): Origin {
  const app: Origin = new Hono<{ Bindings: Partial<HttpBindings> }>()
  app.use(observe(options))
  if (options.rateLimit !== undefined) app.use(limitRate(options, options.rateLimit))
  app.get('/healthz', (c) => c.json({ status: 'SERVING' }))
  app.get('/readyz', (c) => answerReadiness(c, options.readiness))
  if (options.serveMetrics) app.get('/metrics', (c) => answerMetrics(c, options.metrics))
  for (const service of options.services) app.route('/', service.routes)
  app.notFound((c) => c.json({ code: 404, message: `there is nothing at ${c.req.path.slice(0, 200)}` }, 404))
  app.onError((error, c) => answerError(error, c, options.log))
  return app
}

/** The metrics alone, for an address of their own. */
export function createMetricsOrigin(metrics: Metrics): Hono {
  const app = new Hono()
  app.get('/metrics', (c) => answerMetrics(c, metrics))
  return app
}

function observe({ log, metrics }: OriginOptions) {
  return async (c: Context, next: Next): Promise<void> => {
    const start = performance.now()
    await next()
    const seconds = (performance.now() - start) / 1000
    // Wildcards are middleware; the last pattern is that of the handler.
    const route = c.res.status === 404 ? 'none' : c.req.routePath
    metrics.countRequest(c.req.method, route, c.res.status, seconds)
    c.header('x-content-type-options', 'nosniff')
    if (c.res.status >= 500) log.warn({ method: c.req.method, route, status: c.res.status, ms: Math.round(seconds * 1000) }, 'answered')
  }
}

function limitRate({ clock, behindProxy }: OriginOptions, limit: RateLimit) {
  const limiter = createRateLimiter(limit)
  return async (c: Context<{ Bindings: Partial<HttpBindings> }>, next: Next): Promise<Response | void> => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const client = clientAddress(c.env.incoming?.socket.remoteAddress, c.req.header('x-forwarded-for'), behindProxy)
    const waitMs = isLoopback(client) ? 0 : limiter.take(clientNetwork(client), clock())
    if (waitMs === 0) return next()
    c.header('retry-after', String(Math.ceil(waitMs / 1000)))
    return c.json({ code: 429, message: 'too many requests from this address, try again later' }, 429)
  }
}

async function answerReadiness(c: Context, checks: readonly ReadinessCheck[]): Promise<Response> {
  const reasons = await Promise.all(checks.map(async ({ name, check }) => ({ name, reason: await check() })))
  const failed = reasons.filter(({ reason }) => reason !== undefined)
  return c.json({ status: failed.length === 0 ? 'READY' : 'NOT_READY', reasons: failed }, failed.length === 0 ? 200 : 503)
}

async function answerMetrics(c: Context, metrics: Metrics): Promise<Response> {
  const { text, contentType } = await metrics.render()
  return c.body(text, 200, { 'content-type': contentType })
}

/** What no service has answered itself: a body that is too large or never came, or a bug. */
function answerError(error: Error, c: Context, log: ServerLog): Response {
  if (error instanceof CountersignError) {
    if (error.code === 'TOO_LARGE') return c.json({ code: 413, message: error.message }, 413)
    if (error.code === 'REQUEST_INVALID') return c.json({ code: 400, message: error.message }, 400)
    if (error.code === 'LOG_OVERLOADED') return c.json({ code: 503, message: error.message }, 503, { 'retry-after': '1' })
  }
  const id = randomUUID()
  log.error({ id, method: c.req.method, route: c.req.routePath, ...errorFields(error) }, 'a request failed')
  return c.json({ code: 500, message: `internal error, logged under ${id}` }, 500)
}
