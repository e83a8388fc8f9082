/** Identity tokens (OpenID Connect Core section 2): what a client reads in one. The certificate authority verifies it. */
import { Buffer } from 'node:buffer'
import { excerpt } from '../encoding/bytes.ts'
import type { JsonObject, JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { CountersignError } from '../error.ts'

export interface IdentityToken {
  /** The token itself: a secret. */
  readonly raw: string
  readonly issuer: string
  readonly audiences: readonly string[]
  /** Whom the token is about, as proof of possession is made over it: the verified e-mail address, otherwise `sub`. */
  readonly principal: string
  /** The verified e-mail address. */
  readonly email: string | undefined
  /** Epoch milliseconds. */
  readonly expires: number
}

/** Whom Fulcio expects tokens to be for. */
export const defaultAudience = 'sigstore'

const maxTokenLength = 64 * 1024
/** How far an issuer's clock may be ahead, as Fulcio has it. */
const clockToleranceMs = 5 * 60_000
const segment = /^[A-Za-z0-9_-]+$/

/** Whether a text has the shape of a token: three parts, the first of which is a JOSE header. */
export function looksLikeToken(text: string): boolean {
  const parts = text.trim().split('.', 4)
  return parts.length === 3 && parts.every((part) => segment.test(part)) && typeof readPart(parts[0] ?? '')?.['alg'] === 'string'
}

/** Whom a token is for, whatever else is in it. */
export function audiencesOfToken(text: string): readonly string[] {
  return audiencesOf(readPart(text.trim().split('.', 3)[1] ?? '')?.['aud'])
}

/**
 * Reads a token. No error shows any of it but issuer, audience and time.
 * @param now epoch milliseconds
 * @throws CountersignError TOKEN_INVALID when it is no token, has expired, is not valid yet, or is of an e-mail address that was not verified
 */
export function parseIdentityToken(text: string, now: number): IdentityToken {
  const raw = text.trim()
  if (raw.length > maxTokenLength) throw invalid(`it is ${raw.length} characters long, more than the limit of ${maxTokenLength}`)
  // Counted before anything is decoded.
  const parts = raw.split('.', 4)
  const claims = looksLikeToken(raw) ? readPart(parts[1] ?? '') : undefined
  if (claims === undefined) throw invalid('it is not a JSON Web Token of three parts')
  const issuer = claims['iss']
  if (typeof issuer !== 'string' || issuer === '') throw invalid('it names no issuer (iss)')
  const expires = claims['exp']
  if (typeof expires !== 'number' || expires < 0 || expires > 253_402_300_799) throw invalid('it has no time of expiry (exp)')
  if (expires * 1000 <= now) {
    throw invalid(`it expired at ${instant(expires * 1000)}, and it is ${instant(now)} now; get a new one`)
  }
  const begins = claims['nbf']
  if (typeof begins === 'number' && begins * 1000 > now + clockToleranceMs) {
    throw invalid(`it is not valid before ${instant(begins * 1000)}, and it is ${instant(now)} now; check the clock of this machine`)
  }
  const email = verifiedEmail(claims, issuer)
  const principal = email ?? claims['sub']
  if (typeof principal !== 'string' || principal === '') throw invalid('it names neither an e-mail address (email) nor a subject (sub)')
  return { raw, issuer, audiences: audiencesOf(claims['aud']), principal, email, expires: expires * 1000 }
}

/** What a message may tell about a token, for whoever wonders why it was refused. */
export function describeToken({ issuer, audiences, expires }: IdentityToken): string {
  const expected = audiences.includes(defaultAudience) ? '' : ` (certificate authorities expect ${excerpt(defaultAudience)} as a rule)`
  return `a token of the issuer ${excerpt(issuer, 120)} for ${audienceNames(audiences)}${expected}, valid until ${instant(expires)}`
}

/** Whom a token is for, in words. */
export function audienceNames(audiences: readonly string[]): string {
  if (audiences.length === 0) return 'no audience'
  return `the audience ${audiences
    .slice(0, 4)
    .map((name) => excerpt(name))
    .join(', ')}`
}

/** As Sigstore's other clients: an address counts when the issuer says that it is verified, and is refused when it does not. */
function verifiedEmail(claims: JsonObject, issuer: string): string | undefined {
  const email = claims['email']
  if (typeof email !== 'string' || email === '') return undefined
  const verified = claims['email_verified']
  // Some issuers write it as a string.
  if (verified === true || verified === 'true') return email
  throw invalid(`its e-mail address is not verified by the issuer ${excerpt(issuer, 120)}`)
}

/** A time, however far away. */
function instant(milliseconds: number): string {
  return milliseconds > 8.64e15 ? `the year ${new Date(8.64e15).getUTCFullYear()}` : new Date(milliseconds).toISOString()
}

function audiencesOf(value: JsonValue | undefined): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function readPart(part: string): JsonObject | undefined {
  try {
    const value = parseJson(Buffer.from(part, 'base64url'), 'the token', { maxBytes: maxTokenLength, maxDepth: 16 })
    return isJsonObject(value) ? value : undefined
  } catch {
    // The reason may quote what is in the token.
    return undefined
  }
}

function invalid(reason: string): CountersignError {
  return new CountersignError('TOKEN_INVALID', `the identity token cannot be used: ${reason}`)
}
