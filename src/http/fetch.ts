/**
 * The HTTP client: every request that Countersign makes goes through here. It bounds time and size, retries what may be
 * repeated, follows redirects without taking credentials along, and honours proxies and private authorities.
 */
import { excerpt } from '../encoding/bytes.ts'
import { headOf, isSuccess, readAnswer, readChunks, refuseEncoding } from './exchange.ts'
import type { AnswerHead, HttpResponse } from './exchange.ts'
import { HttpStatusError, send } from './send.ts'
import type { SendOptions } from './send.ts'

export type { TlsSettings } from './tls-settings.ts'
export type { Environment } from './environment.ts'
export type { HttpResponse } from './exchange.ts'
export { isSuccess } from './exchange.ts'
export { HttpStatusError } from './send.ts'

export interface RequestOptions extends SendOptions {
  /** Largest answer in bytes; default 16 MiB. */
  readonly maxBytes?: number
}

export interface StreamOptions extends SendOptions {
  /** Longest time between two chunks of the answer; default 30 s. `timeoutMs` ends with the answer's head. */
  readonly idleTimeoutMs?: number
}

const defaultMaxBytes = 16 * 1024 * 1024
const defaultIdleTimeoutMs = 30_000

/**
 * Sends a request and returns the complete answer, whatever its status. Connection errors and the statuses 408, 429, 500,
 * 502, 503 and 504 are retried if the request is idempotent.
 * @throws TransportError NETWORK_FAILED, TOO_LARGE or ABORTED, FILE_UNREADABLE for a file of authorities; UsageError USAGE for
 * an address or a proxy that cannot be used
 */
export function request(url: string | URL, options: RequestOptions = {}): Promise<HttpResponse> {
  const { maxBytes = defaultMaxBytes } = options
  return send(url, options, (response, hop) => readAnswer(response, hop, maxBytes))
}

/**
 * The body of a successful answer.
 * @throws HttpStatusError NETWORK_FAILED for any status but 2xx; otherwise as `request`
 */
export async function fetchBytes(url: string | URL, options: RequestOptions = {}): Promise<Uint8Array> {
  const response = await request(url, options)
  if (!isSuccess(response)) throw statusError(response, options.method)
  return response.body
}

/**
 * The body of a successful answer as it arrives, of any length. It must be read to the end, or the loop over it be left.
 * Once it has begun, nothing is retried.
 * @throws as `fetchBytes`; while reading, TransportError NETWORK_FAILED or ABORTED
 */
export async function openUrl(url: string | URL, options: StreamOptions = {}): Promise<AsyncIterable<Uint8Array>> {
  return (await openAnswer(url, options)).chunks
}

/** A successful answer whose body is still arriving. */
export interface OpenAnswer extends AnswerHead {
  readonly chunks: AsyncIterable<Uint8Array>
}

/** As `openUrl`, with what the answer says before its body. */
export async function openAnswer(url: string | URL, options: StreamOptions = {}): Promise<OpenAnswer> {
  const { idleTimeoutMs = defaultIdleTimeoutMs, signal } = options
  const answer = await send(url, options, async (response, hop) => {
    const head = headOf(response, hop)
    if (isSuccess(head)) refuseEncoding(response, hop)
    else response.destroy()
    return { ...head, chunks: readChunks(response, hop, idleTimeoutMs, signal) }
  })
  if (!isSuccess(answer)) throw statusError({ ...answer, body: new Uint8Array() }, options.method)
  return answer
}

/** The error for an answer whose status the caller cannot use: it names the host, the path and the status. */
export function statusError(response: HttpResponse, method = 'GET'): HttpStatusError {
  // The query may hold credentials, as presigned addresses do.
  const { host, pathname } = new URL(response.url)
  return new HttpStatusError(`${host} answered ${response.status} to ${method} ${excerpt(pathname)}`, response)
}
