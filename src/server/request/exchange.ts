/**
 * Exchanges: the few kinds of requests that come by the thousand. They need none of the web framework's objects, which cost more than
 * what the services do, so the socket's listener answers them directly; in-process callers reach them through the framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import { readBody, readIncomingBody } from './body.ts'

export interface ExchangeRequest {
  /** A header by its name in lower case. */
  header(name: string): string | undefined
  /** The body. @throws CountersignError TOO_LARGE, REQUEST_INVALID, LOG_OVERLOADED, as `readBody` */
  readBody(maxBytes: number): Promise<Uint8Array>
}

export interface ExchangeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** A POST to one path. */
export interface Exchange {
  readonly path: string
  answer(request: ExchangeRequest): Promise<ExchangeAnswer>
}

/** Lets the framework answer it too. */
export function mountExchange(routes: Hono, exchange: Exchange): void {
  routes.post(exchange.path, async (c) => {
    return responseOf(await exchange.answer({ header: (name) => c.req.header(name), readBody: (max) => readBody(c.req.raw, max) }))
  })
}

/** An answer as the framework has it. */
export function responseOf({ status, headers, body }: ExchangeAnswer): Response {
  return new Response(body, { status, headers })
}

/** The request of a connection. */
export function exchangeRequestOf(message: IncomingMessage): ExchangeRequest {
  return {
    header: (name) => {
      const value = message.headers[name]
      return typeof value === 'string' ? value : undefined
    },
    readBody: (maxBytes) => readMessage(message, maxBytes),
  }
}

/** Sends an answer. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: ExchangeAnswer): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  // As a flat list: an object would be taken apart again.
  const lines = ['content-length', String(length), 'x-content-type-options', 'nosniff']
  for (const name in headers) lines.push(name, headers[name] ?? '')
  response.writeHead(status, lines)
  response.end(body)
}

function readMessage(message: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const incoming = { announced: message.headers['content-length'], whole: () => wholeMessage(message), chunks: () => message }
  return readIncomingBody(incoming, maxBytes)
}

function wholeMessage(message: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let isWhole = false
    message.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    message.on('end', () => {
      isWhole = true
      const [only] = chunks
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks))
    })
    message.on('error', reject)
    message.on('close', () => {
      if (!isWhole) reject(new Error('the client went away'))
    })
  })
}
