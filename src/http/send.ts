/** The life of a request: attempts, pauses and redirects, all within one deadline. */
import type { IncomingMessage } from 'node:http'
import { env as processEnvironment } from 'node:process'
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError, TransportError, UsageError } from '../error.ts'
import { withoutSecrets } from './address.ts'
import { routeTo } from './connection.ts'
import type { TlsSettings } from './tls-settings.ts'
import { pause, startDeadline } from './deadline.ts'
import type { Deadline } from './deadline.ts'
import type { Environment } from './environment.ts'
import { exchange } from './exchange.ts'
import type { AnswerHead, HttpResponse } from './exchange.ts'
import { isTransient, networkFailure } from './failure.ts'
import { basicAuthorization } from './proxy.ts'
import { followRedirect, isRedirect } from './redirect.ts'
import type { Hop } from './redirect.ts'
import { backoff, isBusy, isIdempotent, retryAfter } from './retry.ts'

export interface SendOptions {
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** For everything together: all attempts, redirects and pauses; default 30 s. */
  readonly timeoutMs?: number
  /** How many times a request is sent again; default 2. Only an idempotent one ever is. */
  readonly retries?: number
  /** Whether the request may be repeated; default by its method (RFC 9110 section 9.2.2). */
  readonly idempotent?: boolean
  /** `follow` (default, up to 5), `manual` returns the redirect as the answer, `error` refuses it. */
  readonly redirect?: 'follow' | 'manual' | 'error'
  readonly tls?: TlsSettings
  /** Where proxies and authorities are read from; default the process's environment. */
  readonly env?: Environment
  readonly signal?: AbortSignal
}

/** An answer with a status that the caller cannot use. */
export class HttpStatusError extends TransportError {
  override name = 'HttpStatusError'
  readonly status: number
  /** The answer; its body is empty where the answer was to be streamed. */
  readonly response: HttpResponse

  constructor(message: string, response: HttpResponse) {
    super('NETWORK_FAILED', message)
    this.status = response.status
    this.response = response
  }
}

/** Takes over an answer from its head on. Errors of the connection are retried, others are final. */
export type Receive<Answer extends AnswerHead> = (response: IncomingMessage, hop: Hop) => Promise<Answer>

const defaultTimeoutMs = 30_000
const defaultRetries = 2
const maxRedirects = 5

/**
 * Sends a request until there is a final answer. Connection errors and the statuses 408, 429, 500, 502, 503 and 504 are
 * retried, after the time the server asks for if it names one; when attempts or time run out, such an answer is final.
 * @throws TransportError NETWORK_FAILED, ABORTED; UsageError USAGE for an address or a proxy that cannot be used
 */
export async function send<Answer extends AnswerHead>(
  address: string | URL,
  options: SendOptions,
  receive: Receive<Answer>,
): Promise<Answer> {
  let hop = firstHop(address, options)
  const deadline = startDeadline(`the request to ${hop.url.host}`, options.timeoutMs ?? defaultTimeoutMs, options.signal)
  try {
    for (let redirects = 0; ; redirects++) {
      const answer = await attempt(hop, options, deadline, receive)
      const mode = options.redirect ?? 'follow'
      if (!isRedirect(answer.status) || mode === 'manual') return answer
      if (mode === 'error') throw redirectError(answer, hop, 'a redirect, which is not allowed here')
      if (redirects >= maxRedirects) throw redirectError(answer, hop, `more than ${maxRedirects} redirects`)
      hop = followRedirect(hop, answer.status, answer.headers['location'])
    }
  } finally {
    deadline.stop()
  }
}

function firstHop(address: string | URL, options: SendOptions): Hop {
  const url = typeof address === 'string' ? parseAddress(address) : new URL(address)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new UsageError('USAGE', `expected an http:// or https:// address, found the scheme ${excerpt(url.protocol.slice(0, -1), 20)}`)
  }
  const authorization = basicAuthorization(url)
  url.username = ''
  url.password = ''
  const headers: Record<string, string> = { 'user-agent': 'countersign' }
  if (authorization !== undefined) headers['authorization'] = authorization
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value
  return { url, method: options.method ?? 'GET', headers, body: options.body }
}

function parseAddress(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw new UsageError('USAGE', `expected an http:// or https:// address, found ${excerpt(withoutSecrets(text))}`)
  }
}

function checkTime({ failure }: Deadline): void {
  if (failure !== undefined) throw failure
}

/** One hop, sent as often as its method and the options allow. */
async function attempt<Answer extends AnswerHead>(
  hop: Hop,
  options: SendOptions,
  deadline: Deadline,
  receive: Receive<Answer>,
): Promise<Answer> {
  const repeatable = options.idempotent ?? isIdempotent(hop.method)
  const attempts = repeatable ? 1 + (options.retries ?? defaultRetries) : 1
  // A kept connection may be closing just as a request is written to it: no harm if the request can be repeated.
  let reuse = repeatable
  for (let made = 1; ; made++) {
    checkTime(deadline)
    let delay = backoff(made - 1)
    try {
      const route = await routeTo(hop.url, { env: options.env ?? processEnvironment, tls: options.tls, reuse })
      // Nothing is sent for a caller who gave up meanwhile.
      checkTime(deadline)
      const answer = await receive(await exchange(hop, route, deadline), hop)
      if (!isBusy(answer.status) || made >= attempts) return answer
      delay = retryAfter(answer.headers['retry-after'], Date.now()) ?? delay
      if (delay >= deadline.remaining()) return answer
    } catch (error) {
      checkTime(deadline)
      if (error instanceof CountersignError) throw error
      if (!isTransient(error) || made >= attempts) throw networkFailure(hop.url, error, made)
      // Where one connection was closed meanwhile, the others that were kept may be, too.
      reuse = false
    }
    await pause(delay, deadline.signal)
  }
}

function redirectError(answer: AnswerHead, hop: Hop, found: string): HttpStatusError {
  return new HttpStatusError(`${hop.url.host} answered with ${found}`, { ...answer, body: new Uint8Array() })
}
