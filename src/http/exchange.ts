/** One request and its answer: no retry, no redirect. */
import type { IncomingMessage } from 'node:http'
import { excerpt } from '../encoding/bytes.ts'
import { TransportError } from '../error.ts'
import type { Route } from './connection.ts'
import { whenAborted } from './deadline.ts'
import type { Deadline } from './deadline.ts'
import { networkFailure, truncated } from './failure.ts'
import type { Hop } from './redirect.ts'

/** What is known of an answer before its body. */
export interface AnswerHead {
  readonly status: number
  /** By lower-case name; a header that came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Where the answer came from, after redirects. */
  readonly url: string
}

/** A complete answer, whatever its status. */
export interface HttpResponse extends AnswerHead {
  readonly body: Uint8Array
}

/** Of an answer without success. */
const maxExplanationBytes = 64 * 1024

/**
 * Sends a request and waits for the head of its answer, whose body must then be read or destroyed.
 * @param deadline ends the exchange, also while the body is read
 * @throws Node's own errors as they come
 */
export function exchange(hop: Hop, route: Route, deadline: Deadline): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | number> = { ...hop.headers, 'accept-encoding': 'identity' }
    if (hop.body !== undefined) headers['content-length'] = hop.body.length
    else if (hop.method !== 'GET' && hop.method !== 'HEAD') headers['content-length'] = 0
    const request = route.send({ ...route.options, method: hop.method, headers: { ...headers, ...route.headers } })
    request.on('error', reject)
    request.on('response', resolve)
    request.on(
      'close',
      deadline.whenOver((failure) => request.destroy(failure)),
    )
    request.end(hop.body)
  })
}

/** The head of an answer that Node has received. */
export function headOf(response: IncomingMessage, hop: Hop): AnswerHead {
  const headers: Record<string, string> = {}
  for (const name in response.headers) {
    const value = response.headers[name]
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { status: response.statusCode ?? 0, headers, url: hop.url.href }
}

/**
 * Reads an answer to its end. Of one without success, whose body only explains it, the beginning is enough.
 * @throws TransportError TOO_LARGE as soon as a successful one exceeds `maxBytes`, NETWORK_FAILED for an encoding that was not
 * asked for; Node's own errors as they come
 */
export async function readAnswer(response: IncomingMessage, hop: Hop, maxBytes: number): Promise<HttpResponse> {
  const head = headOf(response, hop)
  try {
    if (!isSuccess(head)) return { ...head, body: isEncoded(response) ? new Uint8Array() : await readBeginning(response) }
    if (hop.method === 'HEAD') return { ...head, body: await collect(response, hop, maxBytes) }
    refuseEncoding(response, hop)
    const length = Number(response.headers['content-length'] ?? 0)
    if (length > maxBytes) throw tooLarge(hop, String(length), maxBytes)
    return { ...head, body: await collect(response, hop, maxBytes) }
  } finally {
    // A connection with an unread rest of an answer cannot be used again.
    if (!response.readableEnded) response.destroy()
  }
}

/** Whether the answer is one of success, 2xx. */
export function isSuccess({ status }: AnswerHead): boolean {
  return status >= 200 && status < 300
}

function collect(response: IncomingMessage, hop: Hop, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    response.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxBytes) reject(tooLarge(hop, `at least ${size}`, maxBytes))
      else chunks.push(chunk)
    })
    response.on('end', () => (response.complete ? resolve(joined(chunks, size)) : reject(truncated())))
    response.on('error', reject)
    response.on('close', () => {
      // An error costs more than the rest of this, and after the end nobody would see it.
      if (!response.readableEnded) reject(truncated())
    })
  })
}

/** Most answers are small and come in one piece. */
function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, size)
}

function readBeginning(response: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let size = 0
    const finish = () => resolve(Buffer.concat(chunks).subarray(0, maxExplanationBytes))
    response.on('data', (chunk: Uint8Array) => {
      chunks.push(chunk)
      size += chunk.length
      if (size >= maxExplanationBytes) finish()
    })
    response.once('end', finish)
    // The status says enough, whatever became of its explanation.
    response.once('error', finish)
    response.once('close', finish)
  })
}

/**
 * The body of an answer, chunk by chunk. Leaving the loop early closes the connection.
 * @param idleTimeoutMs the longest time between two chunks
 * @throws TransportError NETWORK_FAILED when the connection fails or falls silent, ABORTED when the caller stops
 */
export async function* readChunks(
  response: IncomingMessage,
  hop: Hop,
  idleTimeoutMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { host } = hop.url
  const fallSilent = () =>
    response.destroy(new TransportError('NETWORK_FAILED', `${host} sent nothing for ${idleTimeoutMs / 1000} s in the middle of an answer`))
  const abort = () => response.destroy(new TransportError('ABORTED', `the answer of ${host} was aborted`, { cause: signal?.reason }))
  let timer = setTimeout(fallSilent, idleTimeoutMs)
  const ignore = signal === undefined ? undefined : whenAborted(signal, abort)
  try {
    if (signal?.aborted === true) abort()
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      // The time that the caller takes over a chunk is not the server's.
      clearTimeout(timer)
      yield chunk
      timer = setTimeout(fallSilent, idleTimeoutMs)
    }
    if (!response.complete) throw truncated()
  } catch (error) {
    throw error instanceof TransportError ? error : networkFailure(hop.url, error, 1)
  } finally {
    clearTimeout(timer)
    ignore?.()
    response.destroy()
  }
}

/**
 * Refuses, and ends, an answer in a content encoding: none is ever asked for.
 * @throws TransportError NETWORK_FAILED
 */
export function refuseEncoding(response: IncomingMessage, hop: Hop): void {
  if (!isEncoded(response)) return
  response.destroy()
  const encoding = response.headers['content-encoding'] ?? ''
  const message = `${hop.url.host} answered in the content encoding ${excerpt(encoding, 20)}, which was not asked for`
  throw new TransportError('NETWORK_FAILED', message)
}

function isEncoded(response: IncomingMessage): boolean {
  return (response.headers['content-encoding'] ?? 'identity') !== 'identity'
}

function tooLarge(hop: Hop, size: string, maxBytes: number): TransportError {
  return new TransportError('TOO_LARGE', `${hop.url.host} answered with ${size} bytes, more than the limit of ${maxBytes}`)
}
