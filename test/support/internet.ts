/** The internet as a program sees it behind a proxy: every host is answered by one function, over TLS with a certificate of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createProxy } from 'node:http'
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

/** @param answer gives an answer, or undefined to close the connection without one */
export async function startInternet(
  hosts: readonly string[],
  answer: (request: InternetRequest) => InternetAnswer | undefined,
): Promise<Internet> {
  const { certificate, key } = selfSigned(hosts)
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-internet-'))
  writeFileSync(path.join(folder, 'authority.pem'), certificate)
  const site = createSecureServer({ cert: certificate, key }, (request, response) => void respond(request, response, answer))
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

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: InternetRequest) => InternetAnswer | undefined,
): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
  const { method = '', url = '', headers } = request
  const answered = answer({ host: headers.host ?? '', method, path: url, headers, body: Buffer.concat(chunks) })
  if (answered === undefined) return void request.socket.destroy()
  response.writeHead(answered.status ?? 200, { 'content-type': 'application/json', ...answered.headers })
  response.end(answered.body)
}
