/**
 * The redirect that ends a sign-in in the browser: a server on 127.0.0.1, for one request (RFC 8252 section 7.3). It gives out
 * nothing, and takes only the first request that repeats the state it was told. The browser waits until it is known how the sign-in ended.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { messageOf, TransportError } from '../error.ts'
import { sendCallbackPage } from './callback-page.ts'

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
  /** Tells the browser how it ended. Resolves when it knows, or does not listen any more. */
  answer(ending: 'signedIn' | 'failed'): Promise<void>
  close(): void
}

const maxHeaderBytes = 16 * 1024
const requestTimeoutMs = 10_000
/** How long the browser may take to read its answer before the program goes on. */
const answerTimeoutMs = 1_000

/**
 * Starts to listen.
 * @throws TransportError NETWORK_FAILED when the port is taken
 */
export async function listenForCallback(options: LoopbackOptions): Promise<LoopbackCallback> {
  let waiting: ServerResponse | undefined
  let receive: (query: URLSearchParams) => void = () => undefined
  const query = new Promise<URLSearchParams>((resolve) => {
    receive = resolve
  })
  const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: requestTimeoutMs }, (request, response) => {
    const redirect = redirectOf(request, options)
    if (redirect === 'nothing' || redirect === 'foreign') return sendCallbackPage(response, redirect)
    if (waiting !== undefined) return sendCallbackPage(response, 'taken')
    waiting = response
    return receive(redirect)
  })
  const port = await listen(server, options.port)
  return {
    port,
    query,
    answer: (ending) => (waiting === undefined ? Promise.resolve() : finish(waiting, ending)),
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

/** The query of a redirect that is the answer, or what else the request is. */
function redirectOf(
  { method, url: target = '' }: IncomingMessage,
  { path, state }: LoopbackOptions,
): URLSearchParams | 'nothing' | 'foreign' {
  const url = URL.canParse(target, 'http://127.0.0.1') ? new URL(target, 'http://127.0.0.1') : undefined
  if (method !== 'GET' || url?.pathname !== path) return 'nothing'
  // Any page may make a browser come here: without the state it is not the answer that is waited for.
  return isSame(url.searchParams.get('state') ?? '', state) ? url.searchParams : 'foreign'
}

async function finish(response: ServerResponse, ending: 'signedIn' | 'failed'): Promise<void> {
  if (response.destroyed) return
  const told = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, answerTimeoutMs)
    response.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  sendCallbackPage(response, ending)
  await told
}

function isSame(found: string, expected: string): boolean {
  const [a, b] = [encodeUtf8(found), encodeUtf8(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
