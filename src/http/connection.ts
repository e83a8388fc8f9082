/** Connections to servers: pools kept for reuse, with TLS where the address says so. */
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import type { ClientRequestArgs } from 'node:http'
import type { AgentOptions } from 'node:https'
import { certificateAuthoritiesKey } from './certificate-authorities.ts'
import type { Environment } from './environment.ts'
import { destination } from './destination.ts'
import { proxyAuthorization, proxyFor } from './proxy.ts'
import type { TlsSettings } from './tls-settings.ts'

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
const defaultTls: TlsSettings = {}
const pools = new WeakMap<TlsSettings, Map<string, PlainAgent>>()

/**
 * How a URL is reached: directly, by CONNECT through a proxy (https, RFC 9110 section 9.3.6), or by asking a proxy for
 * the absolute URL (http, RFC 9112 section 3.2.2).
 * @throws UsageError USAGE for a proxy variable, TransportError FILE_UNREADABLE for a file of authorities that cannot be used
 */
export async function routeTo(url: URL, { env, tls = defaultTls, reuse }: RouteOptions): Promise<Route> {
  const proxy = proxyFor(url, env)
  const tunnel = url.protocol === 'https:' ? proxy : undefined
  const secureHop = (proxy !== undefined && url.protocol === 'http:' ? proxy : url).protocol === 'https:'
  const key = secureHop ? ['tls', reuse, tunnel?.href ?? '', certificateAuthoritiesKey(env)].join('\n') : `plain\n${reuse}`
  // TLS takes a millisecond to load, which registries and logs on this machine do without.
  const secure = secureHop ? await import('./secure-connection.ts') : undefined
  const agent = pooled(tls, key, () => {
    if (secure === undefined) return new PlainAgent(poolOptions(reuse))
    return secure.secureAgent(poolOptions(reuse), { env, tls, tunnel })
  })
  const send = secure?.secureRequest ?? plainRequest
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
