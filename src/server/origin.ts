/** The one origin that all services share: what every request meets before and after the service it is for. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context, Next } from 'hono'
import { Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import { CountersignError } from '../error.ts'
import type { Clock } from './clock.ts'
import type { Metrics } from './metrics.ts'
import { clientAddress, clientNetwork, isLoopback } from './request/client-address.ts'
import type { Exchange, ExchangeAnswer } from './request/exchange.ts'
import { exchangeRequestOf, responseOf, sendAnswer } from './request/exchange.ts'
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
  /** For requests that change something, by client, large ones counted several times; clients on this machine are not limited. */
  readonly rateLimit: RateLimit | undefined
}

type App = Hono<{ Bindings: Partial<HttpBindings> }>

/** The services behind one address. */
export interface Origin {
  /** Answers any request. */
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>
  /** Answers a request from the socket itself, if it is one of the services' exchanges. @returns whether it is */
  readonly answerDirectly: (message: IncomingMessage, response: ServerResponse) => boolean
}

/** Mounts the services. */
export function createOrigin(options: OriginOptions): Origin {
  const limit = options.rateLimit === undefined ? noLimit : createLimit(options, options.rateLimit)
  const app = createApp(options, limit)
  const exchanges = new Map(options.services.flatMap((service) => service.exchanges ?? []).map((exchange) => [exchange.path, exchange]))
  return {
    fetch: (request, env) => app.fetch(request, env),
    answerDirectly: (message, response) => {
      const exchange = message.method === 'POST' ? exchanges.get(message.url ?? '') : undefined
      if (exchange === undefined) return false
      void answerExchange(exchange, message, response, options, limit)
      return true
    },
  }
}

function createApp(options: OriginOptions, limit: Limit): App {
  // Clients put their paths behind a base address as it was given, which may end with a slash.
  const app: App = new Hono<{ Bindings: Partial<HttpBindings> }>({ getPath: (request) => getPath(request).replaceAll(/\/{2,}/g, '/') })
  app.use(observe(options))
  app.use(
    limitRate(
      limit,
      options.services.flatMap(({ limitedReads = [] }) => limitedReads),
    ),
  )
  app.get('/healthz', (c) => c.json({ status: 'SERVING' }))
  app.get('/readyz', (c) => answerReadiness(c, options.readiness))
  if (options.serveMetrics) app.get('/metrics', (c) => answerMetrics(c, options.metrics))
  for (const service of options.services) app.route('/', service.routes)
  app.notFound((c) => c.json({ code: 404, message: `there is nothing at ${c.req.path.slice(0, 200)}` }, 404))
  app.onError((error, c) => responseOf(failureOf(error, c.req.routePath, options.log)))
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

/** What a request counts by. */
interface Sender {
  /** Of a request that is made in this process there is none. */
  readonly socket: Socket | undefined
  readonly header: (name: string) => string | undefined
}

/** Holds clients to what they may write. */
interface Limit {
  /** @returns for how many milliseconds the client has to wait before it may write again */
  take(sender: Sender): number
  /** Counts a body whose length was not announced, once it is there. @param before what the connection had brought until the request began */
  settle(sender: Sender, before: number): void
}

const noLimit: Limit = { take: () => 0, settle: () => {} }

/** So much of a body counts as another request: reading a large one takes as long as a hundred small ones. */
const bytesOfRequest = 64 * 1024
/** No service reads more, whatever is announced. */
const maxFurtherRequests = 64

function furtherRequests(bytes: number): number {
  return bytes > 0 ? Math.min(maxFurtherRequests, Math.floor(bytes / bytesOfRequest)) : 0
}

function createLimit({ clock, behindProxy }: OriginOptions, rate: RateLimit): Limit {
  const limiter = createRateLimiter(rate)
  const clientOf = ({ socket, header }: Sender): string | undefined => {
    const client = clientAddress(socket?.remoteAddress, header('x-forwarded-for'), behindProxy)
    return isLoopback(client) ? undefined : clientNetwork(client)
  }
  return {
    take: (sender) => {
      const client = clientOf(sender)
      const announced = Number(sender.header('content-length') ?? 0)
      return client === undefined ? 0 : limiter.take(client, clock(), 1 + furtherRequests(announced))
    },
    settle: (sender, before) => {
      const client = clientOf(sender)
      if (client === undefined || sender.header('content-length') !== undefined) return
      const tokens = furtherRequests((sender.socket?.bytesRead ?? 0) - before)
      if (tokens > 0) limiter.charge(client, clock(), tokens)
    },
  }
}

function limitRate(limit: Limit, limitedReads: readonly string[]) {
  return async (c: Context<{ Bindings: Partial<HttpBindings> }>, next: Next): Promise<Response | void> => {
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
    if (isRead && !limitedReads.some((start) => c.req.path.startsWith(start))) return next()
    // Requests that are made in this process have no connection, and no environment.
    const socket = (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket
    const sender: Sender = { socket, header: (name) => c.req.header(name) }
    const before = socket?.bytesRead ?? 0
    const waitMs = limit.take(sender)
    if (waitMs > 0) return responseOf(tooMany(waitMs))
    await next()
    limit.settle(sender, before)
  }
}

function tooMany(waitMs: number): ExchangeAnswer {
  return json(
    429,
    { code: 429, message: 'too many requests from this address, try again later' },
    { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  )
}

async function answerExchange(
  exchange: Exchange,
  message: IncomingMessage,
  response: ServerResponse,
  { metrics, log }: OriginOptions,
  limit: Limit,
): Promise<void> {
  const start = performance.now()
  const request = exchangeRequestOf(message)
  const { socket } = message
  const sender: Sender = { socket, header: (name) => request.header(name) }
  const before = socket.bytesRead
  const waitMs = limit.take(sender)
  const answer =
    waitMs > 0 ? tooMany(waitMs) : await exchange.answer(request).catch((error: unknown) => failureOf(error, exchange.path, log))
  limit.settle(sender, before)
  sendAnswer(response, answer)
  metrics.countRequest('POST', exchange.path, answer.status, (performance.now() - start) / 1000)
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
function failureOf(error: unknown, route: string, log: ServerLog): ExchangeAnswer {
  if (error instanceof CountersignError) {
    if (error.code === 'TOO_LARGE') return json(413, { code: 413, message: error.message })
    if (error.code === 'REQUEST_INVALID') return json(400, { code: 400, message: error.message })
    if (error.code === 'LOG_OVERLOADED') return json(503, { code: 503, message: error.message }, { 'retry-after': '1' })
  }
  const id = randomUUID()
  log.error({ id, route, ...errorFields(error) }, 'a request failed')
  return json(500, { code: 500, message: `internal error, logged under ${id}` })
}

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): ExchangeAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}
