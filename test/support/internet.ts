/** The internet as a program sees it behind a proxy: every host is answered by one function, over TLS with a certificate of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createProxy, request as sendPlain } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { selfSigned } from '../unit/http/test-server.ts'

export interface InternetRequest {
  readonly host: string
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Uint8Array
}

export interface InternetAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export interface Internet {
  /** What leads there: HTTPS_PROXY, and SSL_CERT_FILE with the one authority. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** What answers for the hosts; undefined closes the connection without an answer. */
export type InternetSite = (request: InternetRequest) => InternetAnswer | undefined | Promise<InternetAnswer | undefined>

/** Starts it. @param hosts whose names the certificate has */
export async function startInternet(hosts: readonly string[], answer: InternetSite): Promise<Internet> {
  const { certificate, key } = selfSigned(hosts)
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-internet-'))
  writeFileSync(path.join(folder, 'authority.pem'), certificate)
  const site = createSecureServer({ cert: certificate, key }, (request, response) => {
    // Whoever asks may be gone, and what is asked may be, too: both look like a broken connection.
    respond(request, response, answer).catch(() => request.socket.destroy())
  })
  const sockets = new Set<Duplex>()
  const proxy = createProxy()
  proxy.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    site.emit('connection', socket)
  })
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  return {
    env: { HTTPS_PROXY: `http://127.0.0.1:${port}`, SSL_CERT_FILE: path.join(folder, 'authority.pem'), SSL_CERT_DIR: folder },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A site that passes everything on to a server on this machine, as a proxy that ends TLS does. @param server `127.0.0.1:5000` */
export function forwardTo(server: string): InternetSite {
  return ({ method, path: target, headers, body }) =>
    new Promise((resolve, reject) => {
      const { 'transfer-encoding': _, ...passed } = headers
      const options = { method, headers: { ...passed, 'content-length': body.length, 'x-forwarded-proto': 'https' } }
      const request = sendPlain(`http://${server}${target}`, options, (response) => {
        response
          .toArray()
          .then((chunks) => resolve({ status: response.statusCode ?? 502, headers: fieldsOf(response), body: Buffer.concat(chunks) }))
          .catch(reject)
      })
      request.on('error', reject).end(body)
    })
}

/** Header fields, without what is about the connection only. */
function fieldsOf({ headers }: IncomingMessage): Record<string, string> {
  const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding'])
  const fields = Object.entries(headers).filter(([name]) => !ofConnection.has(name))
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]))
}

async function respond(request: IncomingMessage, response: ServerResponse, answer: InternetSite): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
  const { method = '', url = '', headers } = request
  const answered = await answer({ host: headers.host ?? '', method, path: url, headers, body: Buffer.concat(chunks) })
  if (answered === undefined) return void request.socket.destroy()
  response.writeHead(answered.status ?? 200, { 'content-type': 'application/json', ...answered.headers })
  response.end(answered.body)
}
