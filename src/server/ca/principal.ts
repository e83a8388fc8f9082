/** Whom a verified token is about, as a certificate says it (Fulcio's certificate specification). */
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'
import type { IssuedName } from '../../x509/certificate-writer.ts'
import type { SigstoreExtensions } from '../../x509/sigstore-extensions.ts'
import type { Claims } from './claim-template.ts'
import type { TrustedIssuer } from './issuer-configuration.ts'
import type { SubjectRule } from './subject-rule.ts'
import { parseUri } from './uri.ts'

export interface Principal {
  readonly name: IssuedName
  readonly extensions: SigstoreExtensions
  /** The texts whose signature proves that the key is held. No authority comes from them. */
  readonly challenges: readonly string[]
}

/** The payload of a token whose signature, audience and times were verified. */
export type TokenPayload = Readonly<Record<string, unknown>>

const maxNameLength = 2_048

/**
 * Makes the principal of a token.
 * @param issuerUrl the token's `iss`
 * @throws CountersignError TOKEN_INVALID when the token lacks what the issuer's type demands
 */
export function principalOf(issuer: TrustedIssuer, issuerUrl: string, payload: TokenPayload): Principal {
  const subject = text(payload, 'sub') ?? ''
  const email = text(payload, 'email')
  const name = nameOf(issuer.rule, issuerUrl, payload)
  if (name.value.length > maxNameLength) throw refused(`names of more than ${maxNameLength} characters are not certified`)
  // What a certificate cannot say, or what looks the same as something else.
  if (name.kind !== 'username' && !/^[\u0021-\u007e]+$/.test(name.value)) throw refused('its name has characters that no certificate has')
  if (/[\p{C}\p{Z}]/u.test(name.value)) throw refused('its name has blanks or control characters')
  const { rule } = issuer
  const named = rule.kind === 'email' && rule.issuerClaim !== undefined ? claimAt(payload, rule.issuerClaim) : issuerUrl
  const ci = rule.kind === 'ci' ? ciExtensions(rule, claimsOf(payload)) : {}
  const challenge = issuer.challengeClaim === 'email' ? email : subject
  return {
    name,
    extensions: withoutEmpty({ ...ci, issuerV1: named, issuerV2: named, tokenSubject: subject }),
    // Clients sign the e-mail address where there is one, even for issuers of other types.
    challenges: [challenge, email, subject].filter((one): one is string => one !== undefined && one !== ''),
  }
}

function nameOf(rule: SubjectRule, issuerUrl: string, payload: TokenPayload): IssuedName {
  switch (rule.kind) {
    case 'email':
      return { kind: 'email', value: verifiedEmail(payload, rule.skipEmailVerification) }
    case 'uri':
      return { kind: 'uri', value: uriSubject(payload, rule.subjectDomain) }
    case 'username':
      return { kind: 'username', value: `${usernameSubject(payload)}!${rule.subjectDomain}` }
    case 'spiffe':
      return { kind: 'uri', value: spiffeId(payload, rule.trustDomain) }
    case 'kubernetes':
      return { kind: 'uri', value: serviceAccount(payload) }
    case 'chainguard':
      return { kind: 'uri', value: chainguardIdentity(issuerUrl, required(payload, 'sub')) }
    case 'ci': {
      const value = rule.subject(claimsOf(payload))
      const uri = parseUri(value)
      if (uri === undefined) throw refused(`the name made of its claims is no URI: ${excerpt(value)}`)
      return { kind: 'uri', value: uri.text }
    }
  }
}

/** One address without a display name: RFC 5322's dot-atom of at most 64 characters, and a domain of DNS labels. */
const emailAddress =
  /^(?=[^@]{1,64}@.{1,253}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

function verifiedEmail(payload: TokenPayload, skipVerification: boolean): string {
  const email = required(payload, 'email')
  const verified = payload['email_verified']
  if (!skipVerification && verified !== true && verified !== 'true') throw refused('its e-mail address is not verified')
  if (!emailAddress.test(email)) throw refused(`${excerpt(email)} is not one e-mail address`)
  return email
}

function uriSubject(payload: TokenPayload, domain: string): string {
  const subject = required(payload, 'sub')
  const uri = parseUri(subject)
  if (uri?.origin !== domain) throw refused(`its subject ${excerpt(subject)} should be a URI of ${domain}`)
  return uri.text
}

function usernameSubject(payload: TokenPayload): string {
  const subject = required(payload, 'sub')
  if (subject.includes('!') || subject.includes('@')) throw refused(`its subject ${excerpt(subject)} is no user name: it has ! or @`)
  return subject
}

/** Identities below the issuer: a path that means what it says. */
function chainguardIdentity(issuerUrl: string, subject: string): string {
  const isPath = subject.split('/').every((segment) => /^[A-Za-z0-9._~-]+$/.test(segment) && segment !== '.' && segment !== '..')
  if (!isPath) throw refused(`its subject ${excerpt(subject)} is no path`)
  return `${issuerUrl.replace(/\/$/, '')}/${subject}`
}

function spiffeId(payload: TokenPayload, trustDomain: string): string {
  const subject = required(payload, 'sub')
  // SPIFFE-ID section 2: lower-case trust domain, no empty segments, no dot segments, no query.
  const match = /^spiffe:\/\/([a-z0-9._-]+)(?:\/[a-zA-Z0-9._-]+)+$/.exec(subject)
  const hasDots = subject.split('/').some((segment) => segment === '.' || segment === '..')
  if (match === null || hasDots || match[1] !== trustDomain)
    throw refused(`its subject ${excerpt(subject)} is no SPIFFE ID of ${trustDomain}`)
  return subject
}

function serviceAccount(payload: TokenPayload): string {
  const cluster = payload['kubernetes.io']
  const account = isRecord(cluster) ? cluster['serviceaccount'] : undefined
  const namespace = isRecord(cluster) ? cluster['namespace'] : undefined
  const name = isRecord(account) ? account['name'] : undefined
  if (!isDnsLabel(namespace) || !isDnsLabel(name)) throw refused('it names no service account of Kubernetes')
  return `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${name}`
}

function ciExtensions(rule: Extract<SubjectRule, { kind: 'ci' }>, claims: Claims): SigstoreExtensions {
  return Object.fromEntries([...rule.extensions].map(([name, template]) => [name, template(claims)]))
}

/** Claims as templates see them: texts, and numbers and booleans as Go prints them, without exponent. */
function claimsOf(payload: TokenPayload): Claims {
  const claims: Record<string, string> = {}
  for (const [name, value] of Object.entries(payload)) {
    if (typeof value === 'string') claims[name] = value
    else if (typeof value === 'number' && Number.isSafeInteger(value)) claims[name] = String(value)
    else if (typeof value === 'boolean') claims[name] = String(value)
  }
  return claims
}

function claimAt(payload: TokenPayload, path: readonly string[]): string {
  let value: unknown = payload
  for (const name of path) value = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined
  if (typeof value === 'string' && value !== '') return value
  throw refused(`it has no claim ${path.join('.')}, which names its issuer`)
}

function withoutEmpty(extensions: SigstoreExtensions): SigstoreExtensions {
  return Object.fromEntries(Object.entries(extensions).filter(([, value]) => value !== ''))
}

function text(payload: TokenPayload, name: string): string | undefined {
  const value = payload[name]
  return typeof value === 'string' ? value : undefined
}

function required(payload: TokenPayload, name: string): string {
  const value = text(payload, name)
  if (value === undefined || value === '') throw refused(`it has no claim ${name}`)
  return value
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDnsLabel(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(value)
}

function refused(reason: string): CountersignError {
  return new CountersignError('TOKEN_INVALID', `the token cannot be accepted: ${reason}`)
}
