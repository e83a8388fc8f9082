/** Requests to one registry: a few at a time, over the scheme that it speaks, with what it demands. */
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { pause } from '../http/deadline.ts'
import { HttpStatusError, openAnswer, request } from '../http/fetch.ts'
import type { Environment, HttpResponse, OpenAnswer, RequestOptions, TlsSettings } from '../http/fetch.ts'
import { backoff } from '../http/retry.ts'
import { RegistryAuthorization } from './registry-authorization.ts'
import type { RegistryScope } from './registry-authorization.ts'
import type { RegistryCredentials } from './registry-login.ts'
import { maxErrorBytes, registryRefusal } from './registry-refusal.ts'
import { RegistryScheme } from './registry-scheme.ts'

/** How a registry is reached. Everything has a default; that of the credentials is to have none. */
export interface RegistryOptions {
  readonly env?: Environment
  readonly signal?: AbortSignal
  /** For each request with its repetitions, and more for what is large; default 60 s. */
  readonly timeoutMs?: number
  /** For all pages of a list together; default 3 minutes. */
  readonly listTimeoutMs?: number
  readonly tls?: TlsSettings
  /** Plain HTTP for hosts that are not this machine, too, with credentials: only where the user asked for it. */
  readonly allowHttp?: boolean
  readonly userAgent?: string
  /** Credentials for a repository, asked for once each. Default none. */
  readonly credentials?: (repository: string) => Promise<RegistryCredentials | undefined>
  /** How many requests to this registry are under way at a time; default 16. */
  readonly concurrency?: number
}

export interface RegistryRequest extends Pick<RequestOptions, 'method' | 'headers' | 'body' | 'maxBytes' | 'idempotent'>, RegistryScope {
  /** Ends this request, instead of the session's. */
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 60_000
const defaultListTimeoutMs = 180_000
const defaultConcurrency = 16
/** The slowest network that large bodies get their time for: 32 KB/s. */
const slowestBytesPerMs = 32

/** One registry. What it demands is learnt from its first answer and remembered. */
export class RegistrySession {
  readonly host: string
  readonly #options: RegistryOptions
  readonly #scheme: RegistryScheme
  readonly #authorization: RegistryAuthorization
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(host: string, options: RegistryOptions) {
    this.host = host
    this.#options = options
    this.#free = options.concurrency ?? defaultConcurrency
    const { allowHttp, tls, credentials } = options
    const common = this.#requestOptions({}, {})
    this.#authorization = new RegistryAuthorization(host, { allowHttp, credentials, request: common, isPlain: () => this.isPlain() })
    const onAnswer = (response: HttpResponse): void => this.#authorization.notice(response)
    this.#scheme = new RegistryScheme(host, { allowHttp, tls, request: common, onAnswer })
  }

  /**
   * Sends a request, with credentials where the registry wants them.
   * @param target a path below the registry's address, or an absolute address that the registry has given as where to go on
   * @returns the answer, whatever its status but 401
   * @throws CountersignError SERVICE_REFUSED when the registry does not let us in; TransportError
   */
  request(target: string, asked: RegistryRequest): Promise<HttpResponse> {
    return this.#authorized(asked, async (authorization) => {
      const isFirst = !this.#scheme.isAsked && authorization === undefined && isHarmless(target, asked)
      const first = isFirst ? await this.#scheme.firstAnswer(target, this.#requestOptions(asked.headers, asked)) : undefined
      if (first !== undefined) return first
      return request(await this.#address(target), this.#requestOptions(await this.#headersFor(target, asked, authorization), asked))
    })
  }

  /**
   * Opens a body of any size.
   * @throws HttpStatusError for any status but 2xx; otherwise as `request`
   */
  async open(target: string, asked: RegistryRequest): Promise<OpenAnswer> {
    let opened: OpenAnswer | undefined
    const response = await this.#authorized(asked, async (authorization) => {
      try {
        opened = await openAnswer(
          await this.#address(target),
          this.#requestOptions(await this.#headersFor(target, asked, authorization), asked),
        )
        return undefined
      } catch (error) {
        if (error instanceof HttpStatusError && error.status === 401) return error.response
        throw error
      }
    })
    if (opened === undefined) throw this.refusal(response, 'reading')
    return opened
  }

  /**
   * Asks whether the credentials are good, without asking for anything.
   * @throws CountersignError SERVICE_REFUSED when they are not, or when this is no registry
   */
  async checkLogin(): Promise<void> {
    const response = await this.request('/v2/', { repository: '', action: 'pull', maxBytes: maxErrorBytes })
    if (response.status !== 200) throw this.refusal(response, 'logging in')
  }

  /** The caller's wish to stop. */
  get signal(): AbortSignal | undefined {
    return this.#options.signal
  }

  /** Milliseconds for all pages of a list together. */
  get listTimeoutMs(): number {
    return this.#options.listTimeoutMs ?? defaultListTimeoutMs
  }

  /** Waits before something is tried again. @param failed how often it was tried, from 1 @throws the caller's reason to stop */
  async pauseAfter(failed: number): Promise<void> {
    await pause(backoff(failed - 1), this.signal ?? new AbortController().signal)
    this.signal?.throwIfAborted()
  }

  /** Whether requests go over plain HTTP. */
  async isPlain(): Promise<boolean> {
    return (await this.#scheme.find()) === 'http'
  }

  /** The error for an answer that is a refusal. @param doing what was to be done: `pushing the manifest` */
  refusal(response: HttpResponse | undefined, doing: string): CountersignError {
    return registryRefusal(this.host, response, doing)
  }

  /** One of the few requests at a time, repeated once with what the registry demands. */
  async #authorized<T extends HttpResponse | undefined>(
    asked: RegistryRequest,
    send: (authorization: string | undefined) => Promise<T>,
  ): Promise<T> {
    await this.#enter()
    try {
      const shown = await this.#authorization.header(asked)
      const first = await send(shown)
      if (first?.status !== 401) return first
      await this.#refuseElsewhere(first.url)
      const second = await send(await this.#authorization.headerAfter(first, asked, shown))
      if (second?.status === 401) throw this.refusal(second, 'asking')
      return second
    } finally {
      this.#leave()
    }
  }

  /** Credentials go to the registry itself, not to where it sends us for an upload. */
  async #headersFor(target: string, asked: RegistryRequest, authorization: string | undefined): Promise<Readonly<Record<string, string>>> {
    const isOwn = target.startsWith('/') || (await this.#isOwn(await this.#address(target)))
    return { ...asked.headers, ...(authorization === undefined || !isOwn ? {} : { authorization }) }
  }

  /** Only the registry may demand credentials: who keeps its blobs, and is asked for one, could name a token service of his own. */
  async #refuseElsewhere(address: string): Promise<void> {
    if (await this.#isOwn(address)) return
    const reason = `${new URL(address).host}, where the registry ${this.host} sent us, asks for credentials, which are for the registry alone`
    throw new CountersignError('SERVICE_REFUSED', reason)
  }

  async #isOwn(address: string): Promise<boolean> {
    return new URL(address).origin === new URL(await this.#address('/')).origin
  }

  #requestOptions(headers: Readonly<Record<string, string>> | undefined, asked: Partial<RegistryRequest>): RequestOptions {
    const { env, tls, timeoutMs = defaultTimeoutMs, userAgent = 'countersign' } = this.#options
    const { method, body, maxBytes, idempotent, signal = this.signal } = asked
    return {
      headers: { 'user-agent': userAgent, ...headers },
      timeoutMs: timeoutMs + ((body?.length ?? 0) + (maxBytes ?? 0)) / slowestBytesPerMs,
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(idempotent === undefined ? {} : { idempotent }),
      ...(env === undefined ? {} : { env }),
      ...(signal === undefined ? {} : { signal }),
      ...(tls === undefined ? {} : { tls }),
    }
  }

  async #address(target: string): Promise<string> {
    const base = `${await this.#scheme.find()}://${this.host}`
    if (target.startsWith('/')) return `${base}${target}`
    const url = URL.canParse(target, base) ? new URL(target, base) : undefined
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && base.startsWith('http:'))
    if (url === undefined || !isSafe) {
      throw new CountersignError('SERVICE_REFUSED', `the registry ${this.host} names an address that is not used: ${excerpt(target, 120)}`)
    }
    return url.href
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

/** Whether it may go over plain HTTP before anything is known of the registry. */
function isHarmless(target: string, { method = 'GET' }: RegistryRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && target.startsWith('/')
}
