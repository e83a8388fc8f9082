/**
 * ID tokens of other issuers, verified: form before content, only issuers that the configuration names, only keys that the issuer
 * publishes where the configuration lets it, only asymmetric algorithms. No claim and no header decides where a request goes.
 */
import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { decodeBase64Url } from '../../encoding/base64.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { CountersignError, messageOf } from '../../error.ts'
import type { HttpResponse, RequestOptions } from '../../http/fetch.ts'
import type { Clock } from '../clock.ts'

/** An issuer whose tokens are accepted. */
export interface ForeignIssuer {
  /** The `iss` of its tokens, to the byte. */
  readonly url: string
  /** Hosts beside its own that its keys may be fetched from. */
  readonly hosts: readonly string[]
}

export interface ForeignTokenVerifier {
  /**
   * The claims of a token.
   * @throws CountersignError TOKEN_INVALID, whose message says why and holds nothing of the token but its issuer; NETWORK_FAILED and
   *   the other codes of the HTTP client when the issuer cannot be asked for its keys
   */
  verify(token: string): Promise<JWTPayload>
}

export interface ForeignTokenOptions {
  readonly issuers: readonly ForeignIssuer[]
  /** Must be among the token's `aud`. */
  readonly audience: string
  readonly clock: Clock
  readonly send: (url: string | URL, options: RequestOptions) => Promise<HttpResponse>
}

interface Keys {
  readonly jwks: JSONWebKeySet
  readonly algorithms: readonly string[]
  readonly fetchedMs: number
}

const maxTokenCharacters = 16 * 1024
const maxDocumentBytes = 256 * 1024
const maxKeys = 100
const clockToleranceSeconds = 30
const timeoutMs = 10_000
/** How long keys are believed, and how soon an unknown key makes us ask again. */
const keysLifetimeMs = 10 * 60_000
const keysPauseMs = 30_000

/** No symmetric one: with those, whoever knows a public key could sign. */
const asymmetric = new Set(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])

/** A verifier that remembers each issuer's keys for ten minutes. */
export function createForeignTokenVerifier(options: ForeignTokenOptions): ForeignTokenVerifier {
  const known = new Map<string, Keys>()
  const pending = new Map<string, Promise<Keys>>()
  const fetchOnce = (issuer: ForeignIssuer): Promise<Keys> => {
    const running = pending.get(issuer.url) ?? fetchKeys(issuer, options).finally(() => pending.delete(issuer.url))
    pending.set(issuer.url, running)
    return running.then((keys) => {
      known.set(issuer.url, keys)
      return keys
    })
  }
  return {
    verify: async (token) => {
      const { issuer: name, keyId } = readForm(token)
      const issuer = options.issuers.find(({ url }) => url === name)
      if (issuer === undefined) throw invalid(`its issuer ${excerpt(name)} is not configured`)
      let keys = known.get(issuer.url)
      const age = keys === undefined ? Number.POSITIVE_INFINITY : Math.abs(options.clock() - keys.fetchedMs)
      const isUnknown = keys !== undefined && keyId !== undefined && !keys.jwks.keys.some(({ kid }) => kid === keyId)
      if (keys === undefined || age > keysLifetimeMs || (isUnknown && age > keysPauseMs)) keys = await fetchOnce(issuer)
      return verifyWith(token, issuer.url, keys, options)
    },
  }
}

/** What has to be known of a token before its signature: the text is bounded and counted before anything is decoded. */
function readForm(token: string): { readonly issuer: string; readonly keyId: string | undefined } {
  if (token.length > maxTokenCharacters) throw invalid(`it has more than ${maxTokenCharacters} characters`)
  let dots = 0
  for (let at = token.indexOf('.'); at !== -1 && dots <= 2; at = token.indexOf('.', at + 1)) dots++
  if (dots !== 2) throw invalid('it has not three parts')
  const [header = '', payload = ''] = token.split('.')
  const { alg, kid } = decodePart(header, 'header')
  const { iss } = decodePart(payload, 'payload')
  if (typeof alg !== 'string' || !asymmetric.has(alg)) throw invalid(`it is signed with ${excerpt(String(alg))}, which is not accepted`)
  if (typeof iss !== 'string') throw invalid('it has no issuer')
  return { issuer: iss, keyId: typeof kid === 'string' ? kid : undefined }
}

function decodePart(part: string, what: string): JsonObject {
  try {
    const value = parseJson(decodeBase64Url(part, what), what, { maxBytes: maxTokenCharacters, maxDepth: 20, maxValues: 2_000 })
    if (isJsonObject(value)) return value
  } catch (cause) {
    throw invalid(`its ${what} is not JSON in base64url`, cause)
  }
  throw invalid(`its ${what} is not an object`)
}

async function verifyWith(token: string, issuer: string, keys: Keys, { audience, clock }: ForeignTokenOptions): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.jwks), {
      algorithms: [...keys.algorithms],
      issuer,
      audience,
      currentDate: new Date(clock()),
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp', 'iat', 'sub'],
    })
    return payload
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw invalid(messageOf(cause), cause)
    throw invalid('its signature could not be checked', cause)
  }
}

/** Asks an issuer for its keys (OpenID Connect Discovery 1.0 section 4), without following a redirect. */
async function fetchKeys(issuer: ForeignIssuer, options: ForeignTokenOptions): Promise<Keys> {
  const base = issuer.url.endsWith('/') ? issuer.url.slice(0, -1) : issuer.url
  const metadata = await fetchDocument(`${base}/.well-known/openid-configuration`, options)
  if (metadata['issuer'] !== issuer.url) throw invalid(`its issuer ${excerpt(issuer.url)} calls itself otherwise`)
  const supported = metadata['id_token_signing_alg_values_supported']
  const named = Array.isArray(supported) ? supported.filter((name): name is string => typeof name === 'string') : ['RS256']
  const jwks = await fetchDocument(keysUrl(issuer, metadata['jwks_uri']), options)
  const keys = jwks['keys']
  if (!Array.isArray(keys) || keys.length > maxKeys || !keys.every(isJsonObject))
    throw invalid(`its issuer ${excerpt(issuer.url)} publishes no keys`)
  return {
    // Symmetric keys have no place in public.
    jwks: { keys: keys.filter(({ kty }) => kty === 'RSA' || kty === 'EC' || kty === 'OKP') as unknown as JSONWebKeySet['keys'] },
    algorithms: named.filter((name) => asymmetric.has(name)),
    fetchedMs: options.clock(),
  }
}

function keysUrl(issuer: ForeignIssuer, value: unknown): URL {
  const own = new URL(issuer.url)
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isAllowed = url !== undefined && (url.host === own.host || (url.port === '' && issuer.hosts.includes(url.hostname)))
  if (url === undefined || !isAllowed || url.username !== '' || (url.protocol !== 'https:' && url.protocol !== own.protocol)) {
    throw invalid(`its issuer ${excerpt(issuer.url)} has its keys at ${excerpt(String(value))}, which the configuration does not allow`)
  }
  return url
}

async function fetchDocument(url: string | URL, { send }: ForeignTokenOptions): Promise<JsonObject> {
  const answer = await send(url, { redirect: 'error', maxBytes: maxDocumentBytes, timeoutMs, headers: { accept: 'application/json' } })
  if (answer.status !== 200) throw new CountersignError('NETWORK_FAILED', `${new URL(url).host} answered ${answer.status}`)
  const value = parseJson(answer.body, 'the answer of an issuer', { maxBytes: maxDocumentBytes, maxDepth: 20 })
  if (!isJsonObject(value)) throw invalid('its issuer answered something else than an object')
  return value
}

function invalid(reason: string, cause?: unknown): CountersignError {
  return new CountersignError('TOKEN_INVALID', `the token cannot be accepted: ${reason}`, { cause })
}
