/**
 * The way of an SDK to its service: through the HTTP client of everything else, with its limits, proxies and authorities. What
 * happened on the way says what an SDK's error means, in the same words for all of them.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { excerpt } from '../../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { CountersignError, DecodingError, messageOf, TransportError, UsageError } from '../../error.ts'
import { request } from '../../http/fetch.ts'
import type { HttpResponse, TlsSettings } from '../../http/fetch.ts'
import type { KeyStoreOptions } from '../key-store.ts'

/** One request of an SDK. */
export interface SdkRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  readonly timeoutMs?: number | undefined
}

export interface SdkConnection {
  /** Sends a request and gives the answer, whatever its status. For the SDK to call. */
  send(request: SdkRequest): Promise<HttpResponse>
  /**
   * Calls the SDK, and says what its failure means.
   * @throws TransportError when the service is out of reach or answers too much; CountersignError SERVICE_REFUSED for its refusal;
   *   DecodingError ENCODING_INVALID for an answer that the SDK cannot read; UsageError USAGE when nothing was asked, as without
   *   credentials
   */
  run<T>(work: () => Promise<T>): Promise<T>
}

export interface SdkConnectionOptions {
  /** What it is called in messages: `AWS KMS`. */
  readonly service: string
  /** Tells requests to the service from those for credentials, where the SDK sends both. */
  readonly isService?: (url: URL) => boolean
  readonly tls?: TlsSettings
  /** What to do about something that the SDK says before it asks anybody, where that is known. */
  readonly advice?: (said: string) => string | undefined
}

/** A service said no. */
export class ServiceRefusedError extends CountersignError {
  override name = 'ServiceRefusedError'
  /** Of the HTTP answer. */
  readonly status: number
  /** The service's own name for the reason, such as `NotFoundException`; empty where it has none. */
  readonly reason: string

  constructor(message: string, status: number, reason: string) {
    super('SERVICE_REFUSED', message)
    this.status = status
    this.reason = reason
  }
}

/** Keys and signatures take a few KiB. Discovery documents of identity services are the longest of what is read. */
const maxAnswerBytes = 256 * 1024
const maxMessageLength = 300

/** How far a call has come: what the service last did. */
interface Progress {
  outcome: 'nothing asked' | 'answered' | CountersignError
}

export function createSdkConnection(connection: SdkConnectionOptions, { env, signal }: KeyStoreOptions): SdkConnection {
  const { service, isService = () => true, tls, advice = () => undefined } = connection
  const calls = new AsyncLocalStorage<Progress>()
  return {
    async send({ url, method, headers, body, timeoutMs }) {
      const progress = isService(new URL(url)) ? calls.getStore() : undefined
      try {
        const answer = await request(url, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          ...(timeoutMs === undefined || timeoutMs === 0 ? {} : { timeoutMs }),
          ...(tls === undefined ? {} : { tls }),
          ...(signal === undefined ? {} : { signal }),
          env: isOfMachine(new URL(url)) ? withoutProxies(env) : env,
          maxBytes: maxAnswerBytes,
          redirect: 'error',
          // Signing twice gives a second signature that nobody gets.
          idempotent: true,
        })
        if (progress !== undefined) progress.outcome = answer.status < 400 ? 'answered' : refusal(service, answer)
        return answer
      } catch (cause) {
        if (!(cause instanceof TransportError)) throw cause
        const error = new TransportError(cause.code, `${service} cannot be used: ${cause.message}`, { cause })
        if (progress !== undefined) progress.outcome = error
        throw error
      }
    },
    async run(work) {
      const progress: Progress = { outcome: 'nothing asked' }
      try {
        return await calls.run(progress, work)
      } catch (cause) {
        const said = excerpt(messageOf(cause), maxMessageLength)
        // Azure's SDK asks without a token first, to learn whose token is wanted.
        const hasCredentials = !(cause instanceof Error && /Credential|Authentication/.test(cause.name))
        if (hasCredentials && progress.outcome instanceof CountersignError) throw progress.outcome
        if (cause instanceof CountersignError) throw cause
        if (hasCredentials && progress.outcome === 'answered')
          throw new DecodingError('ENCODING_INVALID', `${service} answered what cannot be used: ${said}`, { cause })
        const what = advice(messageOf(cause)) ?? `check its credentials and settings: ${said}`
        throw new UsageError('USAGE', `${service} could not be asked, ${what}`, { cause })
      }
    },
  }
}

/** The error for what a service left out of its answer, or answered about something else. */
export function unusableAnswer(service: string, what: string): DecodingError {
  return new DecodingError('ENCODING_INVALID', `${service} answered what cannot be used: ${what}`)
}

function refusal(service: string, { status, body }: HttpResponse): ServiceRefusedError {
  const { reason, message } = explanationIn(body)
  const said = [reason, message].filter((part) => part !== '').join(': ')
  const text = `${service} refused with status ${status}${said === '' ? '' : `: ${excerpt(said, maxMessageLength)}`}`
  return new ServiceRefusedError(text, status, reason)
}

/** `{ "__type", "message" }` of AWS, `{ "error": { "code" or "status", "message" } }` of Azure and Google. */
function explanationIn(body: Uint8Array): { reason: string; message: string } {
  let value: JsonValue | undefined
  try {
    value = parseJson(body, 'the error', { maxDepth: 20 })
  } catch {
    // The page of a proxy says nothing worth repeating.
    return { reason: '', message: '' }
  }
  const error = isJsonObject(value) && isJsonObject(value['error']) ? value['error'] : value
  if (!isJsonObject(error)) return { reason: '', message: '' }
  const reason = firstText(error['__type'], error['status'], error['code'])
  return { reason: reason.replace(/^.*#/, ''), message: firstText(error['message'], error['Message']) }
}

function firstText(...values: readonly (JsonValue | undefined)[]): string {
  return values.find((value) => typeof value === 'string') ?? ''
}

/** Where clouds answer for the machine that asks: no proxy stands between. */
function isOfMachine({ hostname }: URL): boolean {
  return hostname.startsWith('169.254.') || hostname === 'metadata.google.internal'
}

function withoutProxies(env: KeyStoreOptions['env']): KeyStoreOptions['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)))
}
