/** The server's socket: plain or TLS, with the limits that keep slow and idle clients from taking it over. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import { CountersignError, UsageError, messageOf } from '../error.ts'
import { isLoopback } from './request/client-address.ts'
import { limitConnections } from './request/connection-limit.ts'

/** Where to listen. */
export interface ListenOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** PEM files; they are read again when the process is told to reload. */
  readonly tls: TlsFiles | undefined
  /** Whether a proxy in front does TLS. */
  readonly behindProxy: boolean
}

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
}

export interface Listener {
  readonly options: ListenOptions
  /** The port that it has. */
  readonly port: number
  /** Requests are answered by `answerer` from now on; until then each gets 503. */
  answer(answerer: Answerer | Answerer['fetch']): void
  /** Reads the TLS files again. The old ones stay in use when the new ones cannot be used. @throws CountersignError FILE_UNREADABLE */
  reload(): Promise<void>
  /** Answers what is under way for up to `graceMs`, then closes. */
  close(graceMs?: number): Promise<void>
}

/** Who answers. */
export interface Answerer {
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>
  /** Answers a request itself, if it can. @returns whether it does */
  readonly answerDirectly?: (message: IncomingMessage, response: ServerResponse) => boolean
}

const maxConnections = 10_000
const maxConnectionsOfClient = maxConnections / 4

/** How often it is looked whether somebody takes too long; half a minute by default. */
const timing = { connectionsCheckingInterval: 5_000 }

/** What is said before there is somebody who answers. */
const notYet: Answerer['fetch'] = () => new Response('the server is starting\n', { status: 503, headers: { 'retry-after': '1' } })

/**
 * Opens the socket, before there is somebody who answers: an address that cannot be had is known before anything is written.
 * @throws UsageError USAGE for an address that is open to others without TLS; CountersignError NETWORK_FAILED when the address is
 *   taken or not of this machine, FILE_UNREADABLE for the TLS files
 */
export async function openListener(options: ListenOptions): Promise<Listener> {
  refuseOpenPlaintext(options)
  let answerer: Answerer = { fetch: notYet }
  const handler = getRequestListener((request, env) => answerer.fetch(request, env), { overrideGlobalObjects: false })
  const requestListener = (message: IncomingMessage, response: ServerResponse): void => {
    if (answerer.answerDirectly?.(message, response) !== true) void handler(message, response)
  }
  const server =
    options.tls === undefined
      ? createServer(timing, requestListener)
      : createTlsServer({ ...timing, ...(await readTls(options.tls)) }, requestListener)
  server.headersTimeout = 15_000
  server.requestTimeout = 60_000
  server.keepAliveTimeout = 75_000
  server.maxConnections = maxConnections
  // A proxy has the connections of all clients.
  if (!options.behindProxy) limitConnections(server, maxConnectionsOfClient)
  await bind(server, options)
  return {
    options,
    port: (server.address() as AddressInfo).port,
    answer: (given) => {
      answerer = typeof given === 'function' ? { fetch: given } : given
    },
    reload: async () => {
      if (options.tls !== undefined && 'setSecureContext' in server) server.setSecureContext(await readTls(options.tls))
    },
    close: (graceMs = 10_000) => close(server, graceMs),
  }
}

/** Parses `HOST:PORT`, `:PORT`, `[IPV6]:PORT` or `PORT`. @throws UsageError USAGE */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):)?([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new UsageError('USAGE', `--listen takes HOST:PORT, such as 127.0.0.1:8080, found ${text}`)
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port }
}

function refuseOpenPlaintext({ host, tls, behindProxy }: ListenOptions): void {
  if (tls !== undefined || behindProxy || host === 'localhost' || isLoopback(host)) return
  throw new UsageError(
    'USAGE',
    `listening on ${host === '' ? 'every address' : host} shows tokens to the network without TLS: give --tls-cert and --tls-key, or --behind-proxy when a proxy does TLS`,
  )
}

interface TlsContext {
  readonly cert: Buffer
  readonly key: Buffer
  readonly minVersion: 'TLSv1.2'
}

async function readTls({ certificate, key }: TlsFiles): Promise<TlsContext> {
  const context = await readTlsFiles(certificate, key)
  try {
    createSecureContext(context)
  } catch (cause) {
    const reason = `the TLS files ${certificate} and ${key} cannot be used: ${messageOf(cause)}; expected a certificate chain and its private key, PEM, without a passphrase`
    throw new CountersignError('FILE_UNREADABLE', reason, { cause })
  }
  return context
}

async function readTlsFiles(certificate: string, key: string): Promise<TlsContext> {
  try {
    return { cert: await readFile(certificate), key: await readFile(key), minVersion: 'TLSv1.2' }
  } catch (cause) {
    throw new CountersignError('FILE_UNREADABLE', `the TLS files cannot be read: ${messageOf(cause)}`, { cause })
  }
}

function bind(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'EADDRINUSE'
          ? `another program listens on ${host}:${port}: stop it, or choose another address with --listen`
          : cause.message
      reject(new CountersignError('NETWORK_FAILED', reason, { cause }))
    })
    server.listen({ host: host === '' ? undefined : host, port }, resolve)
  })
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs)
    // Clients keep connections open after their last answer.
    const idle = setInterval(() => server.closeIdleConnections(), 50)
    server.close(() => {
      clearTimeout(force)
      clearInterval(idle)
      resolve()
    })
  })
}
