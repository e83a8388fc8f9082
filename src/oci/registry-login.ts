/** How a registry lets its clients in: anonymously, with a password, or with tokens of its authorization service (distribution, "Token Authentication"). */
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { request } from '../http/fetch.ts'
import type { RequestOptions } from '../http/fetch.ts'
import { isInternalHost } from '../http/host.ts'
import type { Challenge } from './auth-challenge.ts'

/** What a client may show to a registry. */
export type RegistryCredentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** What `docker login` keeps for some registries: to be exchanged for access tokens. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** An access token to be shown as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }

/** An access token, and until when it is good. */
export interface AccessToken {
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface TokenRequest {
  readonly registry: string
  readonly challenge: Challenge
  /** `repository:owner/app:pull,push`; several where content comes from another repository. */
  readonly scopes: readonly string[]
  readonly credentials: RegistryCredentials | undefined
  /** Whether the registry itself is reached without TLS. */
  readonly isPlain: boolean
  /** Whether the user allows credentials without TLS anywhere. */
  readonly allowHttp: boolean
  readonly now: number
}

const maxTokenBytes = 256 * 1024
/** What the specification says where the answer says nothing. */
const defaultLifetimeSeconds = 60
/** A token is not used in its last seconds. */
const reserveMs = 5_000

/** The value of an `Authorization` header for a password. */
export function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

/**
 * Gets an access token from the service that a challenge names.
 * @throws CountersignError SERVICE_REFUSED when the service does not give one, or the challenge names none that may be asked
 */
export async function requestAccessToken(asked: TokenRequest, options: RequestOptions): Promise<AccessToken> {
  const { registry, challenge, scopes, credentials, now } = asked
  const realm = realmOf(asked)
  const service = challenge.parameters['service']
  const response =
    credentials?.kind === 'identity-token'
      ? await request(realm, {
          ...options,
          method: 'POST',
          idempotent: true,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(
            new URLSearchParams({
              grant_type: 'refresh_token',
              refresh_token: credentials.token,
              client_id: 'countersign',
              ...(service === undefined ? {} : { service }),
              scope: scopes.join(' '),
            }).toString(),
          ),
          redirect: 'error',
          maxBytes: maxTokenBytes,
        })
      : await request(withQuery(realm, service, scopes), {
          ...options,
          headers: credentials?.kind === 'password' ? { authorization: basicHeader(credentials) } : {},
          redirect: 'error',
          maxBytes: maxTokenBytes,
        })
  if (response.status !== 200) {
    const who = credentials === undefined ? 'without credentials' : 'for the credentials given'
    throw refused(registry, `its token service ${realm.host} answered ${response.status} ${who}`)
  }
  const fields = new JsonFields(
    parseJson(response.body, `the answer of ${realm.host}`, { maxBytes: maxTokenBytes, maxDepth: 16 }),
    'token',
    'SERVICE_REFUSED',
  )
  const token = fields.optionalString('token') ?? fields.optionalString('access_token') ?? ''
  if (!/^[\x21-\x7e]+$/.test(token)) throw refused(registry, `its token service ${realm.host} answered without a usable token`)
  const lifetime = fields.raw('expires_in')
  const seconds = typeof lifetime === 'number' && lifetime > 0 ? lifetime : defaultLifetimeSeconds
  return { token, expiresAt: now + seconds * 1000 - reserveMs }
}

/**
 * The registry chooses which address is asked, so it must be one that it could be asked at: none inside this machine or network for a
 * registry outside of it, and none without TLS for a registry with it. Without TLS, credentials go to the registry's own host only.
 */
function realmOf({ registry, challenge, credentials, isPlain, allowHttp }: TokenRequest): URL {
  const text = challenge.parameters['realm'] ?? ''
  const realm = URL.canParse(text) ? new URL(text) : undefined
  const own = new URL(`https://${registry}`).hostname
  if (
    realm === undefined ||
    realm.username !== '' ||
    realm.password !== '' ||
    (isInternalHost(realm.hostname) && !isInternalHost(own)) ||
    !(realm.protocol === 'https:' || (realm.protocol === 'http:' && isPlain)) ||
    (realm.protocol === 'http:' && credentials !== undefined && realm.hostname !== own && !allowHttp)
  ) {
    throw refused(registry, `it names a token service that is not asked: ${excerpt(text, 120)}`)
  }
  return realm
}

function withQuery(realm: URL, service: string | undefined, scopes: readonly string[]): URL {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  return url
}

function refused(registry: string, reason: string): CountersignError {
  return new CountersignError('SERVICE_REFUSED', `the registry ${registry} does not let us in: ${reason}`)
}
