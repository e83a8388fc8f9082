/**
 * The redirect that ends a sign-in in the browser: a server on 127.0.0.1, for one request (RFC 8252 section 7.3). It gives out
 * nothing, and takes only a request that repeats the state it was told.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { messageOf, TransportError } from '../error.ts'

export interface LoopbackOptions {
  /** 0 for any free port. */
  readonly port: number
  /** Of the redirect URL, such as `/auth/callback`. */
  readonly path: string
  /** The `state` that the redirect must repeat. */
  readonly state: string
}

/** Listening until it is closed. */
export interface LoopbackCallback {
  readonly port: number
  /** Resolves to the query of the redirect. */
  readonly query: Promise<URLSearchParams>
  close(): void
}

const maxHeaderBytes = 16 * 1024
const requestTimeoutMs = 10_000

/**
 * Starts to listen.
 * @throws TransportError NETWORK_FAILED when the port is taken
 */
export async function listenForCallback(options: LoopbackOptions): Promise<LoopbackCallback> {
  let receive: (query: URLSearchParams) => void = () => undefined
  const query = new Promise<URLSearchParams>((resolve) => {
    receive = resolve
  })
  const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: requestTimeoutMs }, (request, response) =>
    answer(request, response, options, receive),
  )
  const port = await listen(server, options.port)
  return {
    port,
    query,
    close() {
      server.close()
      server.closeIdleConnections()
      // The browser has had its answer; whoever else keeps a connection open is not waited for.
      setTimeout(() => server.closeAllConnections(), 500).unref()
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new TransportError('NETWORK_FAILED', `cannot listen on 127.0.0.1:${port} for the end of the sign-in: ${messageOf(cause)}`, {
          cause,
        }),
      ),
    )
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(address === null || typeof address === 'string' ? port : address.port)
    })
  })
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { path, state }: LoopbackOptions,
  receive: (query: URLSearchParams) => void,
): void {
  const target = request.url ?? ''
  const url = URL.canParse(target, 'http://127.0.0.1') ? new URL(target, 'http://127.0.0.1') : undefined
  if (request.method !== 'GET' || url?.pathname !== path) return send(response, 404, 'Nothing is here.')
  // Any page may make a browser come here: without the state it is not the answer that is waited for.
  if (!isSame(url.searchParams.get('state') ?? '', state))
    return send(response, 400, 'This is not the answer to a sign-in that was started here.')
  // Not before the browser has its answer, since the server ends then.
  response.once('close', () => receive(url.searchParams))
  const failed = url.searchParams.has('error')
  send(
    response,
    failed ? 400 : 200,
    failed ? 'The sign-in failed. The terminal says why.' : 'You are signed in. You may close this window and go back to the terminal.',
  )
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Countersign</title></head><body><main><h1>Countersign</h1><p>${text}</p></main></body></html>\n`,
  )
}

function isSame(found: string, expected: string): boolean {
  const [a, b] = [encodeUtf8(found), encodeUtf8(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
