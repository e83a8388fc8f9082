/** Servers on 127.0.0.1 for tests, with a certificate made on the spot where they speak TLS. */
import { createServer as createPlainServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { generateKeyPairSync, sign } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import {
  derBitString,
  derExplicit,
  derElement,
  derImplicit,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from '../../../src/encoding/der-writer.ts'
import { encodePem } from '../../../src/encoding/pem.ts'

export interface TestServer {
  readonly origin: string
  readonly port: number
  /** Requests seen so far, as `METHOD path`. */
  readonly requests: readonly string[]
}

/** Starts an HTTP server that ends with the test. */
export async function startServer(listener: RequestListener): Promise<TestServer> {
  const requests: string[] = []
  const server = createPlainServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  const port = await listen(server)
  return { origin: `http://127.0.0.1:${port}`, port, requests }
}

/** Starts an HTTPS server with a self-signed certificate for `repo.example` and 127.0.0.1. */
export async function startSecureServer(listener: RequestListener): Promise<TestServer & { readonly certificate: string }> {
  const requests: string[] = []
  const { certificate, key } = selfSigned()
  const server = createSecureServer({ cert: certificate, key }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  const port = await listen(server)
  return { origin: `https://127.0.0.1:${port}`, port, requests, certificate }
}

/** Starts a proxy that opens every tunnel to `target` and answers plain requests itself. */
export async function startProxy(
  target: number,
  refuseWith?: number,
): Promise<TestServer & { readonly authorizations: readonly string[] }> {
  const requests: string[] = []
  const authorizations: string[] = []
  const server = createPlainServer((request, response) => {
    requests.push(`${request.method} ${request.url} for ${request.headers.host}`)
    authorizations.push(request.headers['proxy-authorization'] ?? '')
    response.end('by proxy')
  })
  server.on('connect', (request, client: Socket) => {
    requests.push(`CONNECT ${request.url}`)
    authorizations.push(request.headers['proxy-authorization'] ?? '')
    if (refuseWith !== undefined) return client.end(`HTTP/1.1 ${refuseWith} No\r\n\r\n`)
    const upstream = connect(target, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
    upstream.pipe(client).pipe(upstream)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    return undefined
  })
  const port = await listen(server)
  return { origin: `http://127.0.0.1:${port}`, port, requests, authorizations }
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on no port')
  return address.port
}

/** A self-signed ECDSA P-256 certificate for 127.0.0.1 and these hosts, PEM, valid for a day around now. */
export function selfSigned(hosts: readonly string[] = ['repo.example']): { readonly certificate: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = derSequence(derOid('1.2.840.10045.4.3.2'))
  const name = derSequence(derSet(derSequence(derOid('2.5.4.3'), derUtf8String('test server'))))
  const names = derSequence(
    ...hosts.map((host) => derImplicit(2, new TextEncoder().encode(host))),
    derImplicit(7, Uint8Array.of(127, 0, 0, 1)),
  )
  const day = 86_400_000
  const body = derSequence(
    derExplicit(0, derInteger(2n)),
    derInteger(1n),
    algorithm,
    name,
    derSequence(derTime(Date.now() - day), derTime(Date.now() + day)),
    name,
    new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    derExplicit(
      3,
      derSequence(
        derSequence(derOid('2.5.29.17'), derOctetString(names)),
        derSequence(
          derOid('2.5.29.19'),
          derElement(0x01, Uint8Array.of(255)),
          derOctetString(derSequence(derElement(0x01, Uint8Array.of(255)))),
        ),
      ),
    ),
  )
  const certificate = derSequence(body, algorithm, derBitString(sign('sha256', body, privateKey)))
  return { certificate: encodePem('CERTIFICATE', certificate), key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() }
}
