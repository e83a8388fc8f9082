/** Which scheme a registry speaks: https, or plain HTTP where that can be. */
import { TransportError } from '../error.ts'
import type { HttpResponse, RequestOptions, TlsSettings } from '../http/fetch.ts'
import { request } from '../http/fetch.ts'
import { isLoopbackHost, isPrivateHost } from '../http/host.ts'
import { maxErrorBytes } from './registry-refusal.ts'

export type Scheme = 'https' | 'http'

export interface SchemeOptions {
  readonly allowHttp?: boolean | undefined
  readonly tls?: TlsSettings | undefined
  /** What every request has: limits, and no credentials. */
  readonly request: RequestOptions
  /** Told of the answers to the questions that find it out. */
  readonly onAnswer: (response: HttpResponse) => void
}

/** Of one registry: found out once. */
export class RegistryScheme {
  readonly #host: string
  readonly #options: SchemeOptions
  #found: Promise<Scheme> | undefined

  constructor(host: string, options: SchemeOptions) {
    this.#host = host
    this.#options = options
  }

  /** Whether it is known, or being found out. */
  get isAsked(): boolean {
    return this.#found !== undefined
  }

  find(): Promise<Scheme> {
    return (this.#found ??= this.#ask())
  }

  /**
   * The first question to a registry on this machine, which is likely to speak plain HTTP, tells that with its answer.
   * @param path of the question, which must be harmless
   * @returns undefined where it does not: the scheme has to be asked for then
   */
  firstAnswer(path: string, options: RequestOptions): Promise<HttpResponse | undefined> {
    if (!isLoopbackHost(hostName(this.#host))) return Promise.resolve(undefined)
    const answer = request(`http://${this.#host}${path}`, { ...options, retries: 0 }).then(
      // What expects TLS answers with 400, or not at all; what is busy is asked again as usual.
      (response) => (response.status === 400 || response.status === 429 || response.status >= 500 ? undefined : response),
      (error: unknown) => {
        if (error instanceof TransportError && error.code === 'NETWORK_FAILED') return undefined
        throw error
      },
    )
    this.#found = answer.then(
      (answered) => (answered === undefined ? this.#ask() : 'http'),
      // An answer that is too large says nothing of those that follow.
      () => this.#ask(),
    )
    this.#found.catch(() => undefined)
    return answer
  }

  async #ask(): Promise<Scheme> {
    const { allowHttp = false, tls } = this.#options
    const name = hostName(this.#host)
    if (isLoopbackHost(name)) return (await this.#failureOf('http')) === undefined ? 'http' : 'https'
    if (!allowHttp && tls?.insecure !== true && !isPrivateHost(name)) return 'https'
    const failure = await this.#failureOf('https')
    if (failure === undefined) return 'https'
    if ((await this.#failureOf('http')) === undefined) return 'http'
    throw failure
  }

  /** Asks whether this is a registry, with nothing that could be stolen. @returns what went wrong */
  async #failureOf(scheme: Scheme): Promise<Error | undefined> {
    try {
      const options = { ...this.#options.request, redirect: 'manual', retries: 0, maxBytes: maxErrorBytes } as const
      const response = await request(`${scheme}://${this.#host}/v2/`, options)
      this.#options.onAnswer(response)
      // A server that expects TLS answers plain requests with 400.
      return response.status === 400 ? new TransportError('NETWORK_FAILED', `${this.#host} does not answer over ${scheme}`) : undefined
    } catch (error) {
      if (error instanceof TransportError && error.code === 'NETWORK_FAILED') return error
      throw error
    }
  }
}

/** The host without its port. */
export function hostName(host: string): string {
  return host.replace(/:[0-9]+$/, '')
}
