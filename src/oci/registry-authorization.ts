/** What is shown to a registry so that it lets us in: nothing before it asks, and then no more than it asks for. */
import { CountersignError } from '../error.ts'
import type { HttpResponse, RequestOptions } from '../http/fetch.ts'
import { isLoopbackHost } from '../http/host.ts'
import { parseChallenges } from './auth-challenge.ts'
import type { Challenge } from './auth-challenge.ts'
import { basicHeader, requestAccessToken } from './registry-login.ts'
import type { AccessToken, RegistryCredentials } from './registry-login.ts'
import { registryRefusal } from './registry-refusal.ts'
import { hostName } from './registry-scheme.ts'

export type RegistryAction = 'pull' | 'pull,push' | 'delete'

/** What a request is to be allowed. */
export interface RegistryScope {
  /** The repository that the request is about. */
  readonly repository: string
  readonly action: RegistryAction
  /** Another repository that must be readable, too: for mounting. */
  readonly alsoPull?: string | undefined
}

export interface AuthorizationOptions {
  /** Credentials for a repository, asked for once each. */
  readonly credentials?: ((repository: string) => Promise<RegistryCredentials | undefined>) | undefined
  readonly allowHttp?: boolean | undefined
  /** Whether requests go over plain HTTP. */
  readonly isPlain: () => Promise<boolean>
  /** What every request has: limits, and no credentials. */
  readonly request: RequestOptions
}

/** Of one registry. What it demands is learnt from its first refusal and remembered. */
export class RegistryAuthorization {
  readonly #host: string
  readonly #options: AuthorizationOptions
  #challenge: Challenge | undefined
  readonly #credentials = new Map<string, Promise<RegistryCredentials | undefined>>()
  readonly #tokens = new Map<string, Promise<AccessToken>>()

  constructor(host: string, options: AuthorizationOptions) {
    this.#host = host
    this.#options = options
  }

  /** Takes notice of what an answer demands, if it does. */
  notice(response: HttpResponse): void {
    if (response.status === 401) this.#challenge ??= challengeOf(response)
  }

  /**
   * The value of the `Authorization` header; undefined as long as nothing was demanded, or there is nothing to show.
   * @throws CountersignError SERVICE_REFUSED
   */
  async header(scope: RegistryScope): Promise<string | undefined> {
    const challenge = this.#challenge
    if (challenge === undefined) return undefined
    const credentials = await this.#credentialsFor(scope.repository)
    const isPlain = await this.#options.isPlain()
    const { allowHttp = false } = this.#options
    if (isPlain && credentials !== undefined && !isLoopbackHost(hostName(this.#host)) && !allowHttp) {
      throw new CountersignError(
        'SERVICE_REFUSED',
        `the registry ${this.#host} does not speak TLS, so no credentials are sent to it; use --allow-http-registry if the network is safe`,
      )
    }
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`
    if (challenge.scheme === 'basic') return credentials?.kind === 'password' ? basicHeader(credentials) : undefined
    const key = scopeKey(scope)
    const now = Date.now()
    const known = this.#tokens.get(key)
    if (known !== undefined) {
      const token = await known
      if (token.expiresAt > now) return `Bearer ${token.token}`
      // Whoever waited with us may have asked for the next one already.
      if (this.#tokens.get(key) !== known) return this.header(scope)
    }
    const fresh = requestAccessToken(
      { registry: this.#host, challenge, scopes: scopesOf(scope), credentials, isPlain, allowHttp, now },
      this.#options.request,
    )
    this.#tokens.set(key, fresh)
    fresh.catch(() => {
      if (this.#tokens.get(key) === fresh) this.#tokens.delete(key)
    })
    return `Bearer ${(await fresh).token}`
  }

  /**
   * What to show after a refusal.
   * @param shown before
   * @throws CountersignError SERVICE_REFUSED when there is nothing else to show
   */
  async headerAfter(refusal: HttpResponse, scope: RegistryScope, shown: string | undefined): Promise<string> {
    const challenge = challengeOf(refusal)
    if (challenge === undefined) throw registryRefusal(this.#host, refusal, 'asking')
    this.#challenge = challenge
    await this.#forget(scope, shown)
    const header = await this.header(scope)
    if (header === undefined || header === shown) throw registryRefusal(this.#host, refusal, 'asking')
    return header
  }

  /** A token that was good a moment ago may have been revoked, or have been for less. Another request may have got a new one already. */
  async #forget(scope: RegistryScope, refused: string | undefined): Promise<void> {
    const key = scopeKey(scope)
    const known = this.#tokens.get(key)
    if (known === undefined || refused === undefined) return
    const current = await known.catch(() => undefined)
    if (current !== undefined && `Bearer ${current.token}` === refused && this.#tokens.get(key) === known) this.#tokens.delete(key)
  }

  #credentialsFor(repository: string): Promise<RegistryCredentials | undefined> {
    let known = this.#credentials.get(repository)
    if (known === undefined) {
      known = this.#options.credentials?.(repository) ?? Promise.resolve(undefined)
      this.#credentials.set(repository, known)
    }
    return known
  }
}

/** Bearer where there is a choice: its tokens are for one repository and a few minutes. */
function challengeOf({ headers }: HttpResponse): Challenge | undefined {
  const challenges = parseChallenges(headers['www-authenticate'] ?? '')
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic')
}

function scopesOf({ repository, action, alsoPull }: RegistryScope): string[] {
  if (repository === '') return []
  const own = `repository:${repository}:${action === 'delete' ? 'pull,push,delete' : action}`
  return alsoPull === undefined || alsoPull === repository ? [own] : [own, `repository:${alsoPull}:pull`]
}

function scopeKey(scope: RegistryScope): string {
  return scopesOf(scope).join(' ')
}
