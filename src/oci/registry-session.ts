/** Requests to one registry: which scheme it speaks, how it lets us in, and what its refusals mean. */
import { excerpt } from '../encoding/bytes.ts'
import type { JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { CountersignError, TransportError } from '../error.ts'
import { HttpStatusError, openAnswer, request } from '../http/fetch.ts'
import type { Environment, HttpResponse, OpenAnswer, RequestOptions, TlsSettings } from '../http/fetch.ts'
import { isLoopbackHost, isPrivateHost } from '../http/host.ts'
import { parseChallenges } from './auth-challenge.ts'
import type { Challenge } from './auth-challenge.ts'
import { RegistryBusyError } from './registry-busy.ts'
import { basicHeader, requestAccessToken } from './registry-login.ts'
import type { AccessToken, RegistryCredentials } from './registry-login.ts'

export interface RegistryOptions {
  readonly env?: Environment
  readonly signal?: AbortSignal
  /** For each request with its repetitions, and more for what is large; default 60 s. */
  readonly timeoutMs?: number
  /** For a list of referrers or tags with all its pages; default three minutes. */
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

export type RegistryAction = 'pull' | 'pull,push' | 'delete'

export interface RegistryRequest extends Pick<RequestOptions, 'method' | 'headers' | 'body' | 'maxBytes' | 'idempotent'> {
  /** The repository that the request is about. */
  readonly repository: string
  readonly action: RegistryAction
  /** Another repository that must be readable, too: for mounting. */
  readonly alsoPull?: string | undefined
}

const defaultTimeoutMs = 60_000
const defaultListTimeoutMs = 180_000
const defaultConcurrency = 16
const maxErrorBytes = 64 * 1024
/** The slowest network that large bodies get their time for: 32 KB/s. */
const slowestBytesPerMs = 32
const maxMessageLength = 300

/** One registry. What it demands is learnt from its first answer and remembered. */
export class RegistrySession {
  readonly host: string
  readonly #options: RegistryOptions
  #scheme: Promise<'https' | 'http'> | undefined
  #challenge: Challenge | undefined
  readonly #credentials = new Map<string, Promise<RegistryCredentials | undefined>>()
  readonly #tokens = new Map<string, Promise<AccessToken>>()
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(host: string, options: RegistryOptions) {
    this.host = host
    this.#options = options
    this.#free = options.concurrency ?? defaultConcurrency
  }

  /**
   * Sends a request, with credentials where the registry wants them.
   * @param target a path below the registry's address, or an absolute address that the registry has given as where to go on
   * @returns the answer, whatever its status but 401
   * @throws CountersignError SERVICE_REFUSED when the registry does not let us in; TransportError
   */
  request(target: string, asked: RegistryRequest): Promise<HttpResponse> {
    return this.#authorized(asked, async (authorization) => {
      const first = this.#scheme === undefined && authorization === undefined ? await this.#firstAnswer(target, asked) : undefined
      return (
        first ??
        (await request(await this.#address(target), this.#requestOptions(await this.#headersFor(target, asked, authorization), asked)))
      )
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

  /** Milliseconds that a list may take with all its pages. */
  get listTimeoutMs(): number {
    return this.#options.listTimeoutMs ?? defaultListTimeoutMs
  }

  /** Whether requests go over plain HTTP. */
  async isPlain(): Promise<boolean> {
    return (await this.#useScheme()) === 'http'
  }

  /** The error for an answer that is a refusal. @param doing what was to be done: `pushing the manifest` */
  refusal(response: HttpResponse | undefined, doing: string): CountersignError {
    const status = response?.status ?? 0
    const said = response === undefined ? undefined : messageIn(response.body)
    const hint = status === 401 || status === 403 ? '; check the credentials (docker login, or --registry-username and the like)' : ''
    const code = status === 404 ? 'NOT_FOUND' : 'SERVICE_REFUSED'
    const reason = said === undefined ? '' : `: ${said}`
    const message = `${doing}: the registry ${this.host} answered with status ${status}${reason}${hint}`
    return status === 429 || status >= 500 ? new RegistryBusyError(code, message) : new CountersignError(code, message)
  }

  /** One of the few requests at a time, repeated once with what the registry demands. */
  async #authorized<T extends HttpResponse | undefined>(
    asked: RegistryRequest,
    send: (authorization: string | undefined) => Promise<T>,
  ): Promise<T> {
    await this.#enter()
    try {
      const refused = await this.#authorization(asked)
      const first = await send(refused)
      if (first?.status !== 401) return first
      const challenge = choose(parseChallenges(first.headers['www-authenticate'] ?? ''))
      if (challenge === undefined) throw this.refusal(first, 'asking')
      this.#challenge = challenge
      await this.#forget(asked, refused)
      const authorization = await this.#authorization(asked)
      if (authorization === undefined || authorization === refused) throw this.refusal(first, 'asking')
      const second = await send(authorization)
      if (second?.status === 401) throw this.refusal(second, 'asking')
      return second
    } finally {
      this.#leave()
    }
  }

  /** A token that was good a moment ago may have been revoked, or have been for less. Another request may have got a new one already. */
  async #forget(asked: RegistryRequest, refused: string | undefined): Promise<void> {
    const key = scopeKey(asked)
    const known = this.#tokens.get(key)
    if (known === undefined || refused === undefined) return
    const current = await known.catch(() => undefined)
    if (current !== undefined && `Bearer ${current.token}` === refused && this.#tokens.get(key) === known) this.#tokens.delete(key)
  }

  async #authorization(asked: RegistryRequest): Promise<string | undefined> {
    const challenge = this.#challenge
    if (challenge === undefined) return undefined
    const credentials = await this.#credentialsFor(asked.repository)
    const isPlain = await this.isPlain()
    if (isPlain && credentials !== undefined && !isLoopbackHost(nameOf(this.host)) && this.#options.allowHttp !== true) {
      throw new CountersignError(
        'SERVICE_REFUSED',
        `the registry ${this.host} does not speak TLS, so no credentials are sent to it; use --allow-http-registry if the network is safe`,
      )
    }
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`
    if (challenge.scheme === 'basic') return credentials?.kind === 'password' ? basicHeader(credentials) : undefined
    const key = scopeKey(asked)
    const now = Date.now()
    const known = this.#tokens.get(key)
    if (known !== undefined) {
      const token = await known
      if (token.expiresAt > now) return `Bearer ${token.token}`
      // Whoever waited with us may have asked for the next one already.
      if (this.#tokens.get(key) !== known) return this.#authorization(asked)
    }
    const { allowHttp = false } = this.#options
    const fresh = requestAccessToken(
      { registry: this.host, challenge, scopes: scopesOf(asked), credentials, isPlain, allowHttp, now },
      this.#requestOptions({}, {}),
    )
    this.#tokens.set(key, fresh)
    fresh.catch(() => {
      if (this.#tokens.get(key) === fresh) this.#tokens.delete(key)
    })
    return `Bearer ${(await fresh).token}`
  }

  #credentialsFor(repository: string): Promise<RegistryCredentials | undefined> {
    let known = this.#credentials.get(repository)
    if (known === undefined) {
      known = this.#options.credentials?.(repository) ?? Promise.resolve(undefined)
      this.#credentials.set(repository, known)
    }
    return known
  }

  /** Credentials go to the registry itself, not to where it sends us for an upload. */
  async #headersFor(target: string, asked: RegistryRequest, authorization: string | undefined): Promise<Readonly<Record<string, string>>> {
    const isOwn = target.startsWith('/') || new URL(await this.#address(target)).origin === new URL(await this.#address('/')).origin
    return { ...asked.headers, ...(authorization === undefined || !isOwn ? {} : { authorization }) }
  }

  #requestOptions(headers: Readonly<Record<string, string>>, asked: Partial<RegistryRequest>): RequestOptions {
    const { env, signal, tls, timeoutMs = defaultTimeoutMs, userAgent = 'countersign' } = this.#options
    const { method, body, maxBytes, idempotent } = asked
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
    const base = `${await this.#useScheme()}://${this.host}`
    if (target.startsWith('/')) return `${base}${target}`
    const url = URL.canParse(target, base) ? new URL(target, base) : undefined
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && base.startsWith('http:'))
    if (url === undefined || !isSafe) {
      throw new CountersignError('SERVICE_REFUSED', `the registry ${this.host} names an address that is not used: ${excerpt(target, 120)}`)
    }
    return url.href
  }

  /**
   * The first question to a registry on this machine, which is likely to speak plain HTTP, tells that with its answer.
   * @returns undefined where it does not: the scheme has to be asked for then
   */
  #firstAnswer(target: string, { method = 'GET', headers = {}, maxBytes }: RegistryRequest): Promise<HttpResponse | undefined> {
    const isHarmless = (method === 'GET' || method === 'HEAD') && target.startsWith('/')
    if (!isHarmless || !isLoopbackHost(nameOf(this.host))) return Promise.resolve(undefined)
    const options = { ...this.#requestOptions(headers, { method, ...(maxBytes === undefined ? {} : { maxBytes }) }), retries: 0 }
    const answer = request(`http://${this.host}${target}`, options).then(
      // What expects TLS answers with 400, or not at all; what is busy is asked again as usual.
      ({ status, ...rest }) => (status === 400 || status === 429 || status >= 500 ? undefined : { status, ...rest }),
      (error: unknown) => {
        if (error instanceof TransportError && error.code === 'NETWORK_FAILED') return undefined
        throw error
      },
    )
    this.#scheme = answer.then(
      (answered) => (answered === undefined ? this.#findScheme() : 'http'),
      // An answer that is too large says nothing of those that follow.
      () => this.#findScheme(),
    )
    this.#scheme.catch(() => undefined)
    return answer
  }

  #useScheme(): Promise<'https' | 'http'> {
    return (this.#scheme ??= this.#findScheme())
  }

  async #findScheme(): Promise<'https' | 'http'> {
    const { allowHttp = false, tls } = this.#options
    if (isLoopbackHost(nameOf(this.host))) return (await this.#answers('http')) === undefined ? 'http' : 'https'
    if (!allowHttp && tls?.insecure !== true && !isPrivateHost(nameOf(this.host))) return 'https'
    const failure = await this.#answers('https')
    if (failure === undefined) return 'https'
    if ((await this.#answers('http')) === undefined) return 'http'
    throw failure
  }

  /** Asks whether this is a registry, with nothing that could be stolen. @returns what went wrong */
  async #answers(scheme: 'https' | 'http'): Promise<Error | undefined> {
    try {
      const options = { ...this.#requestOptions({}, {}), redirect: 'manual', retries: 0, maxBytes: maxErrorBytes } as const
      const response = await request(`${scheme}://${this.host}/v2/`, options)
      const challenge = response.status === 401 ? choose(parseChallenges(response.headers['www-authenticate'] ?? '')) : undefined
      if (challenge !== undefined) this.#challenge ??= challenge
      // A server that expects TLS answers plain requests with 400.
      return response.status === 400 ? new TransportError('NETWORK_FAILED', `${this.host} does not answer over ${scheme}`) : undefined
    } catch (error) {
      if (error instanceof TransportError && error.code === 'NETWORK_FAILED') return error
      throw error
    }
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

/** Bearer where there is a choice: its tokens are for one repository and a few minutes. */
function choose(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic')
}

function scopesOf({ repository, action, alsoPull }: RegistryRequest): string[] {
  if (repository === '') return []
  const own = `repository:${repository}:${action === 'delete' ? 'pull,push,delete' : action}`
  return alsoPull === undefined || alsoPull === repository ? [own] : [own, `repository:${alsoPull}:pull`]
}

function scopeKey(asked: RegistryRequest): string {
  return scopesOf(asked).join(' ')
}

/** What the errors of a registry say (distribution specification, "Error Codes"). */
function messageIn(body: Uint8Array): string | undefined {
  const texts = errorsIn(body).map(({ code, message }) => (code === '' || message === '' ? `${code}${message}` : `${code}: ${message}`))
  const text = texts.filter((part) => part !== '').join('; ')
  return text === '' ? undefined : excerpt(text, maxMessageLength).slice(1, -1)
}

/** The codes of the errors in an answer: `BLOB_UNKNOWN`. */
export function errorCodes({ body }: HttpResponse): readonly string[] {
  return errorsIn(body).map(({ code }) => code)
}

function errorsIn(body: Uint8Array): { readonly code: string; readonly message: string }[] {
  try {
    const value = parseJson(body, 'the error', { maxBytes: maxErrorBytes, maxDepth: 16 })
    const errors = isJsonObject(value) && Array.isArray(value['errors']) ? value['errors'].slice(0, 3) : []
    return errors.map((error) =>
      isJsonObject(error) ? { code: textOf(error['code']), message: textOf(error['message']) } : { code: '', message: '' },
    )
  } catch {
    // What is no JSON of the specification explains nothing; the status does.
    return []
  }
}

/** The host without its port. */
function nameOf(host: string): string {
  return host.replace(/:[0-9]+$/, '')
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
