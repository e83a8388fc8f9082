/** Connections with TLS, and tunnels through a proxy: apart, because they are loaded only where they are needed. */
import { request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { AgentOptions, RequestOptions } from 'node:https'
import { PassThrough } from 'node:stream'
import type { Duplex } from 'node:stream'
import { TransportError } from '../error.ts'
import { certificateAuthorities } from './certificate-authorities.ts'
import { destination } from './destination.ts'
import type { Environment } from './environment.ts'
import { proxyAuthorization } from './proxy.ts'
import type { TlsSettings } from './tls-settings.ts'

export { request as secureRequest } from 'node:https'

const tunnelTimeoutMs = 30_000

/** @param tunnel the proxy to go through */
export function secureAgent(
  pool: AgentOptions,
  { env, tls, tunnel }: { readonly env: Environment; readonly tls: TlsSettings; readonly tunnel: URL | undefined },
): SecureAgent {
  const options = { ...pool, ...secureOptions(env, tls) }
  return tunnel === undefined ? new SecureAgent(options) : new TunnelAgent(tunnel, options, env)
}

function secureOptions(env: Environment, tls: TlsSettings): AgentOptions {
  const authorities = tls.certificateAuthorities ?? certificateAuthorities(env)
  return {
    minVersion: 'TLSv1.2',
    ...(authorities === undefined ? {} : { ca: typeof authorities === 'string' ? authorities : [...authorities] }),
    ...(tls.clientCertificate === undefined ? {} : { cert: tls.clientCertificate }),
    ...(tls.clientKey === undefined ? {} : { key: tls.clientKey }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    // Said in any case: otherwise NODE_TLS_REJECT_UNAUTHORIZED would decide.
    rejectUnauthorized: tls.insecure !== true,
  }
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
      this.#proxy.protocol === 'https:' ? { ...secureOptions(this.#env, {}), agent: false as const } : { agent: false as const }
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
