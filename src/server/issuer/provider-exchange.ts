/**
 * The OIDC library speaks to Node's request and response objects, the server to Fetch's. The request is made anew: its host, scheme and
 * mount point are those of the issuer's URL, whatever a client or a proxy put into headers.
 */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { CountersignError } from '../../error.ts'
import { readBody } from '../request/body.ts'

export interface ProviderExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What was written to `response`, once it was ended. */
  readonly answer: Promise<Response>
  /** The headers set on `response` so far, such as cookies, for an answer of our own. */
  headers(): Headers
}

/** Larger than any request of the protocol. */
export const maxRequestBytes = 32 * 1024

/** What the library is to see in place of what was sent. */
export interface ChangedRequest {
  /** Path and query below the issuer. */
  readonly target?: string
  readonly body?: Uint8Array
  /** Headers that no client can send. */
  readonly headers?: Readonly<Record<string, string>>
}

// What the library reads; others, such as Forwarded and X-Forwarded-Host, have no say.
const forwardedHeaders = ['accept', 'authorization', 'content-type', 'cookie', 'origin', 'user-agent']

/**
 * Makes the library's request of one of ours.
 * @param issuer the issuer's URL, without a slash at its end
 * @throws CountersignError TOO_LARGE
 */
export async function openExchange(request: Request, issuer: string, changed: ChangedRequest = {}): Promise<ProviderExchange> {
  const { host, pathname, protocol } = new URL(issuer)
  const mount = pathname === '/' ? '' : pathname
  const sent = new URL(request.url)
  // The origin takes several slashes for one; the library does not.
  const path = sent.pathname.replaceAll(/\/{2,}/g, '/').slice(mount.length) || '/'
  const target = changed.target ?? `${path}${sent.search}`
  const body = changed.body ?? (request.method === 'POST' ? await readBody(request, maxRequestBytes) : undefined)

  const socket = new Socket()
  Object.defineProperty(socket, 'encrypted', { value: protocol === 'https:' })
  const incoming = new IncomingMessage(socket)
  incoming.method = request.method
  incoming.url = target
  Object.defineProperty(incoming, 'originalUrl', { value: `${mount}${target}` })
  incoming.headers = { ...changed.headers, host }
  for (const name of forwardedHeaders) {
    const value = request.headers.get(name)
    if (value !== null) incoming.headers[name] = value
  }
  if (body !== undefined) {
    incoming.headers['content-length'] = String(body.length)
    incoming.push(body)
  }
  incoming.push(null)

  const response = new ServerResponse(incoming)
  return { request: incoming, response, answer: captureAnswer(response), headers: () => headersOf(response) }
}

function captureAnswer(response: ServerResponse): Promise<Response> {
  return new Promise((resolve, reject) => {
    response.end = (body?: unknown): ServerResponse => {
      if (body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array) resolve(answerOf(response, body))
      else reject(new CountersignError('REQUEST_REFUSED', 'the OIDC library answered with something else than text'))
      return response
    }
  })
}

function answerOf(response: ServerResponse, body: string | Uint8Array | null | undefined): Response {
  const bodyless = response.statusCode === 204 || response.statusCode === 304
  const content = typeof body === 'string' || body === null || body === undefined ? body : new Uint8Array(body)
  return new Response(bodyless ? null : (content ?? null), { status: response.statusCode, headers: headersOf(response) })
}

function headersOf(response: ServerResponse): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (name === 'content-length' || value === undefined) continue
    for (const single of Array.isArray(value) ? value : [String(value)]) headers.append(name, single)
  }
  return headers
}
