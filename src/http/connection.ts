/** Connections to servers: pools kept for reuse, TLS settings, and tunnels through a proxy. */
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import type { ClientRequestArgs } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { AgentOptions, RequestOptions } from 'node:https'
import { PassThrough } from 'node:stream'
import type { Duplex } from 'node:stream'
import { TransportError } from '../error.ts'
import { certificateAuthorities, certificateAuthoritiesKey } from './certificate-authorities.ts'
import type { Environment } from './environment.ts'
import { proxyAuthorization, proxyFor } from './proxy.ts'

/** How a TLS connection is made beyond the defaults. Pass the same object again to reuse its connections. */
export interface TlsSettings {
  /** PEM certificates that replace the authorities of the environment. */
  readonly certificateAuthorities?: string
  /** PEM certificate chain that the client presents. */
  readonly clientCertificate?: string
  /** PEM private key of the client certificate. */
  readonly clientKey?: string
  /** The name that the server's certificate must be for, instead of the host's. */
  readonly serverName?: string
  /** Takes any certificate: only where a user asked for it by an "insecure" flag. */
  readonly insecure?: boolean
}

/** What a request needs to be sent: how to connect, and what to write on the request line. */
export interface Route {
  readonly send: typeof plainRequest
  readonly options: ClientRequestArgs
  /** Beside those of the request. */
  readonly headers: Readonly<Record<string, string>>
}

interface RouteOptions {
  readonly env: Environment
  readonly tls?: TlsSettings | undefined
  /** Whether the request may ride on a connection that was used before. */
  readonly reuse: boolean
}

const idleTimeoutMs = 15_000
const tunnelTimeoutMs = 30_000
const defaultTls: TlsSettings = {}
const pools = new WeakMap<TlsSettings, Map<string, PlainAgent>>()

/**
 * How a URL is reached: directly, by CONNECT through a proxy (https, RFC 9110 section 9.3.6), or by asking a proxy for
 * the absolute URL (http, RFC 9112 section 3.2.2).
 * @throws UsageError USAGE for a proxy variable, TransportError FILE_UNREADABLE for a file of authorities that cannot be used
 */
export function routeTo(url: URL, { env, tls = defaultTls, reuse }: RouteOptions): Route {
  const proxy = proxyFor(url, env)
  const secureHop = (proxy !== undefined && url.protocol === 'http:' ? proxy : url).protocol === 'https:'
  const key = [secureHop, reuse, url.protocol === 'https:' ? (proxy?.href ?? '') : '', certificateAuthoritiesKey(env)].join('\n')
  const agent = pooled(tls, key, () => {
    if (!secureHop) return new PlainAgent(poolOptions(reuse))
    const options = { ...poolOptions(reuse), ...secureOptions(env, tls) }
    return proxy !== undefined && url.protocol === 'https:' ? new TunnelAgent(proxy, options, env) : new SecureAgent(options)
  })
  const send = secureHop ? secureRequest : plainRequest
  if (proxy === undefined || url.protocol === 'https:') {
    return { send, options: { agent, ...destination(url), path: `${url.pathname}${url.search}` }, headers: { host: url.host } }
  }
  const authorization = proxyAuthorization(proxy)
  const headers = { host: url.host, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) }
  return { send, options: { agent, ...destination(proxy), path: `${url.origin}${url.pathname}${url.search}` }, headers }
}

function pooled(tls: TlsSettings, key: string, create: () => PlainAgent): PlainAgent {
  let agents = pools.get(tls)
  if (agents === undefined) pools.set(tls, (agents = new Map()))
  let agent = agents.get(key)
  if (agent === undefined) agents.set(key, (agent = create()))
  return agent
}

function poolOptions(reuse: boolean): AgentOptions {
  return reuse ? { keepAlive: true, timeout: idleTimeoutMs } : { keepAlive: false }
}

function secureOptions(env: Environment, tls: TlsSettings): AgentOptions {
  const authorities = tls.certificateAuthorities ?? certificateAuthorities(env)
  return {
    minVersion: 'TLSv1.2',
    ...(authorities === undefined ? {} : { ca: typeof authorities === 'string' ? authorities : [...authorities] }),
    ...(tls.clientCertificate === undefined ? {} : { cert: tls.clientCertificate }),
    ...(tls.clientKey === undefined ? {} : { key: tls.clientKey }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecure === true ? { rejectUnauthorized: false } : {}),
  }
}

function destination(url: URL): { protocol: string; hostname: string; port: number } {
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  return { protocol: url.protocol, hostname, port }
}

/** Makes TLS connections inside tunnels that a proxy opens. */
class TunnelAgent extends SecureAgent {
  readonly #proxy: URL
  readonly #env: Environment

  constructor(proxy: URL, options: AgentOptions, env: Environment) {
    super(options)
    this.#proxy = proxy
    this.#env = env
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const authorization = proxyAuthorization(this.#proxy)
    const host = String(options.host).includes(':') ? `[${options.host}]` : options.host
    const target = `${host}:${options.port}`
    const toProxy =
      this.#proxy.protocol === 'https:' ? { ...secureOptions(this.#env, defaultTls), agent: false as const } : { agent: false as const }
    const request = (this.#proxy.protocol === 'https:' ? secureRequest : plainRequest)({
      ...toProxy,
      ...destination(this.#proxy),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
      timeout: tunnelTimeoutMs,
    })
    const fail = (reason: string, cause?: unknown) => {
      const message = `the proxy ${this.#proxy.host} did not open a tunnel to ${target}: ${reason}`
      // Node takes no notice of the stream beside an error, but its type demands one.
      callback?.(new TransportError('NETWORK_FAILED', message, { cause }), new PassThrough())
    }
    request.once('timeout', () => request.destroy(new Error(`no answer within ${tunnelTimeoutMs / 1000} s`)))
    request.once('error', (error) => fail(error.message, error))
    request.once('connect', (response, socket) => {
      socket.setTimeout(0)
      if (response.statusCode === 200) {
        const stream = super.createConnection({ ...options, socket } as RequestOptions)
        if (stream) return callback?.(null, stream)
      }
      socket.destroy()
      const hint = response.statusCode === 407 ? '; put the user and password for it into HTTPS_PROXY' : ''
      fail(`it answered ${response.statusCode}${hint}`)
    })
    request.end()
    return undefined
  }
}
