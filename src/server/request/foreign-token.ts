/**
 * ID tokens of other issuers, verified: form before content, only issuers that the configuration names, only keys that the issuer
 * publishes where the configuration lets it, only asymmetric algorithms. No claim and no header decides where a request goes.
 */
import { errors } from 'jose'
import type { JWK, JWTPayload } from 'jose'
import { decodeBase64Url } from '../../encoding/base64.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { CountersignError, messageOf } from '../../error.ts'
import type { HttpResponse, RequestOptions } from '../../http/fetch.ts'
import type { Clock } from '../clock.ts'
import { claimsComplaint } from './token-claims.ts'
import type { SignedToken, TokenKeys } from './token-signature.ts'
import { createTokenKeys, tokenAlgorithms } from './token-signature.ts'

/** An issuer whose tokens are accepted. */
export interface ForeignIssuer {
  /** The `iss` of its tokens, to the byte. */
  readonly url: string
  /** Hosts beside its own that its keys may be fetched from, with the port where it is not the usual one. */
  readonly hosts: readonly string[]
  /** Must be among the token's `aud`. */
  readonly audience: string
  /** PEM of the authority of its TLS certificate, when the system does not know it. */
  readonly caCertificate?: string | undefined
  /** Whether the configuration names a family of issuers, not this one. */
  readonly isOfFamily?: boolean
  /** Its keys, where it is in this process: nothing is fetched then. */
  readonly localKeys?: (() => Promise<{ readonly keys: readonly JWK[] }>) | undefined
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
  /** The issuer of this name, if its tokens are accepted. */
  readonly find: (url: string) => ForeignIssuer | undefined
  /** Claims that a token must have beside its issuer and audience; default `exp`, `iat` and `sub`. */
  readonly requiredClaims?: readonly string[]
  readonly clock: Clock
  readonly send: (url: string | URL, options: RequestOptions) => Promise<HttpResponse>
}

interface Keys {
  readonly signatures: TokenKeys
  readonly fetchedMs: number
}

const maxTokenCharacters = 16 * 1024
const maxDocumentBytes = 256 * 1024
const maxKeys = 100
const timeoutMs = 10_000
/** How long keys are believed, and how soon an unknown key makes us ask again. */
const keysLifetimeMs = 10 * 60_000
const keysPauseMs = 30_000
/** For how long an issuer that could not be asked is left alone. */
const failurePauseMs = 5_000
/** Issuers whose keys are kept: families of issuers have any number of them. */
const maxIssuers = 1_000
/**
 * Issuers of families that are asked at the same time: whoever makes up their names must not make us send any number of requests. Those
 * that the configuration names are no more than it has lines, and are asked whatever others wait for.
 */
const maxPending = 100

/** A verifier that remembers each issuer's keys for ten minutes. An issuer that is down breaks its own tokens only. */
export function createForeignTokenVerifier(options: ForeignTokenOptions): ForeignTokenVerifier {
  const known = new Map<string, Keys>()
  const pending = new Map<string, Promise<Keys>>()
  let pendingOfFamilies = 0
  const failed = new Map<string, { readonly atMs: number; readonly error: unknown }>()
  const ask = async (issuer: ForeignIssuer): Promise<Keys> => {
    try {
      const keys = await fetchKeys(issuer, options)
      remember(known, issuer.url, keys)
      failed.delete(issuer.url)
      return keys
    } catch (error) {
      remember(failed, issuer.url, { atMs: options.clock(), error })
      throw error
    } finally {
      pending.delete(issuer.url)
      if (issuer.isOfFamily === true) pendingOfFamilies--
    }
  }
  const askOnce = (issuer: ForeignIssuer): Promise<Keys> => {
    const failure = failed.get(issuer.url)
    if (failure !== undefined && Math.abs(options.clock() - failure.atMs) < failurePauseMs) return Promise.reject(failure.error)
    const running = pending.get(issuer.url)
    if (running !== undefined) return running
    if (issuer.isOfFamily === true) {
      if (pendingOfFamilies >= maxPending)
        return Promise.reject(invalid('too many other issuers are being asked for their keys at this moment'))
      pendingOfFamilies++
    }
    const started = ask(issuer)
    pending.set(issuer.url, started)
    return started
  }
  const keysFor = async (issuer: ForeignIssuer, keyId: string | undefined): Promise<Keys> => {
    const keys = known.get(issuer.url)
    if (keys === undefined) return askOnce(issuer)
    const age = Math.abs(options.clock() - keys.fetchedMs)
    const isUnknown = keyId !== undefined && !keys.signatures.ids.has(keyId)
    const mayAsk = issuer.localKeys !== undefined || age > keysPauseMs
    return age > keysLifetimeMs || (isUnknown && mayAsk) ? askOnce(issuer) : keys
  }
  return {
    verify: async (token) => {
      const form = readForm(token)
      const found = options.find(form.issuer)
      if (found === undefined) throw invalid(`its issuer ${excerpt(form.issuer)} is not configured`)
      // Of a family, the one that the token names.
      const issuer = { ...found, url: form.issuer }
      return verifyWith(form, issuer, await keysFor(issuer, form.keyId), options)
    },
  }
}

/**
 * Asks an issuer for its keys, as for a token of it.
 * @returns how many there are
 * @throws as `ForeignTokenVerifier.verify`
 */
export async function countIssuerKeys(issuer: ForeignIssuer, options: Pick<ForeignTokenOptions, 'clock' | 'send'>): Promise<number> {
  return (await fetchKeys(issuer, options)).signatures.ids.size
}

/** Keeps the newest. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  for (const oldest of map.keys()) {
    if (map.size < maxIssuers) break
    map.delete(oldest)
  }
  map.set(key, value)
}

/** A token in its parts. */
interface TokenForm extends SignedToken {
  readonly issuer: string
  readonly keyId: string | undefined
  readonly payload: JsonObject
}

/** What has to be known of a token before its signature: the text is bounded and counted before anything is decoded. */
function readForm(token: string): TokenForm {
  if (token.length > maxTokenCharacters) throw invalid(`it has more than ${maxTokenCharacters} characters`)
  let dots = 0
  for (let at = token.indexOf('.'); at !== -1 && dots <= 2; at = token.indexOf('.', at + 1)) dots++
  if (dots !== 2) throw invalid('it has not three parts')
  const [encodedHeader = '', encodedPayload = '', encodedSignature = ''] = token.split('.')
  const header = parsePart(encodedHeader, 'header')
  const payload = parsePart(encodedPayload, 'payload')
  const signature = decodePart(encodedSignature, 'signature is not base64url')
  const { alg, kid } = header
  const { iss } = payload
  if (typeof alg !== 'string' || !tokenAlgorithms.has(alg))
    throw invalid(`it is signed with ${typeof alg === 'string' ? excerpt(alg) : 'nothing'}, which is not accepted`)
  if (typeof iss !== 'string') throw invalid('it has no issuer')
  const signed = token.slice(0, token.lastIndexOf('.'))
  return { issuer: iss, keyId: typeof kid === 'string' ? kid : undefined, header, payload, signed, signature }
}

/** The reasons of the decoders are left out: they quote what they found, and this goes into the log. */
function parsePart(part: string, what: string): JsonObject {
  const bytes = decodePart(part, `${what} is not JSON in base64url`)
  try {
    const value = parseJson(bytes, what, { maxBytes: maxTokenCharacters, maxDepth: 20, maxValues: 2_000 })
    if (isJsonObject(value)) return value
  } catch {
    throw invalid(`its ${what} is not JSON in base64url`)
  }
  throw invalid(`its ${what} is not an object`)
}

function decodePart(part: string, complaint: string): Uint8Array {
  try {
    return decodeBase64Url(part, 'a part of the token')
  } catch {
    throw invalid(`its ${complaint}`)
  }
}

async function verifyWith(form: TokenForm, issuer: ForeignIssuer, keys: Keys, options: ForeignTokenOptions): Promise<JWTPayload> {
  const complaint = (await signatureComplaint(form, keys)) ?? claimsComplaint(form.payload, issuer, options)
  if (complaint !== undefined) throw invalid(complaint)
  return form.payload
}

async function signatureComplaint(form: TokenForm, { signatures }: Keys): Promise<string | undefined> {
  try {
    return await signatures.complaint(form)
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw invalid(messageOf(cause), cause)
    throw invalid('its signature could not be checked', cause)
  }
}

/** Asks an issuer for its keys (OpenID Connect Discovery 1.0 section 4), without following a redirect. */
async function fetchKeys(issuer: ForeignIssuer, options: Pick<ForeignTokenOptions, 'clock' | 'send'>): Promise<Keys> {
  if (issuer.localKeys !== undefined) return keysOf((await issuer.localKeys()).keys, [...tokenAlgorithms], options.clock())
  const base = issuer.url.endsWith('/') ? issuer.url.slice(0, -1) : issuer.url
  const metadata = await fetchDocument(`${base}/.well-known/openid-configuration`, issuer, options)
  if (metadata['issuer'] !== issuer.url) throw invalid(`its issuer ${excerpt(issuer.url)} calls itself otherwise`)
  const supported = metadata['id_token_signing_alg_values_supported']
  const named = Array.isArray(supported) ? supported.filter((name): name is string => typeof name === 'string') : ['RS256']
  const jwks = await fetchDocument(keysUrl(issuer, metadata['jwks_uri']), issuer, options)
  const keys = jwks['keys']
  if (!Array.isArray(keys) || keys.length > maxKeys || !keys.every(isJsonObject))
    throw invalid(`its issuer ${excerpt(issuer.url)} publishes no keys`)
  return keysOf(keys, named, options.clock())
}

function keysOf(published: readonly JWK[], algorithms: readonly string[], fetchedMs: number): Keys {
  return { signatures: createTokenKeys(published, algorithms), fetchedMs }
}

function keysUrl(issuer: ForeignIssuer, value: unknown): URL {
  const own = new URL(issuer.url)
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isAllowed = url !== undefined && (url.host === own.host || issuer.hosts.includes(url.host))
  if (url === undefined || !isAllowed || url.username !== '' || (url.protocol !== 'https:' && url.protocol !== own.protocol)) {
    throw invalid(`its issuer ${excerpt(issuer.url)} has its keys at ${excerpt(String(value))}, which the configuration does not allow`)
  }
  return url
}

async function fetchDocument(
  url: string | URL,
  { caCertificate }: ForeignIssuer,
  { send }: Pick<ForeignTokenOptions, 'send'>,
): Promise<JsonObject> {
  const answer = await send(url, {
    redirect: 'error',
    maxBytes: maxDocumentBytes,
    timeoutMs,
    headers: { accept: 'application/json' },
    ...(caCertificate === undefined ? {} : { tls: { certificateAuthorities: caCertificate } }),
  })
  if (answer.status !== 200) throw new CountersignError('NETWORK_FAILED', `${new URL(url).host} answered ${answer.status}`)
  const value = parseJson(answer.body, 'the answer of an issuer', { maxBytes: maxDocumentBytes, maxDepth: 20 })
  if (!isJsonObject(value)) throw invalid('its issuer answered something else than an object')
  return value
}

function invalid(reason: string, cause?: unknown): CountersignError {
  return new CountersignError('TOKEN_INVALID', `the token cannot be accepted: ${reason}`, { cause })
}
