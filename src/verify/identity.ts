/** The identity in a certificate against the ones that the caller accepts (client specification 4.3, Fulcio 2.2). */
import { excerpt } from '../encoding/bytes.ts'
import { UsageError, VerificationError } from '../error.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { SigstoreExtensionName } from '../x509/sigstore-extensions.ts'
import { issuerOf } from '../x509/sigstore-extensions.ts'
import type { CertificateIdentity, Pattern, TextMatcher } from './policy.ts'
import { invalidDemand, kindOf } from './policy-check.ts'

/**
 * Finds the name of the certificate that one of the identities describes.
 * @throws VerificationError IDENTITY_MISMATCH, saying what the certificate has and what was expected
 * @throws UsageError POLICY_INVALID when no identity was given
 */
export function verifyIdentity(certificate: Certificate, identities: readonly CertificateIdentity[]): GeneralName {
  if (identities.length === 0) throw new UsageError('POLICY_INVALID', 'at least one certificate identity with its issuer is needed')
  const failures: string[] = []
  for (const identity of identities) {
    const failure = mismatchOf(certificate, identity)
    if (typeof failure !== 'string') return failure
    failures.push(failure)
  }
  const subjects = certificate.subjectAlternativeNames.map((name) => name.value).join(', ')
  throw new VerificationError(
    'IDENTITY_MISMATCH',
    `none of the expected identities matched what was in the certificate, got subjects [${subjects}] with issuer ${issuerOf(certificate.sigstore) ?? '(none)'}: no matching CertificateIdentity found, last error: ${failures.at(-1)}`,
  )
}

function mismatchOf(certificate: Certificate, identity: CertificateIdentity): GeneralName | string {
  const name = certificate.subjectAlternativeNames.find(
    (candidate) => candidate.kind !== 'other' && matches(identity.subjectAlternativeName, candidate.value),
  )
  if (name === undefined) {
    return `expected SAN value ${describe(identity.subjectAlternativeName)}, got ${certificate.subjectAlternativeNames.map((candidate) => excerpt(candidate.value, 200)).join(', ') || 'none'}`
  }
  // Authorities other than Fulcio name no issuer: a pattern that matches the empty text takes their certificates, as in other clients.
  const issuer = issuerOf(certificate.sigstore)
  if (!matches(identity.issuer, issuer ?? '')) {
    return `expected issuer value ${describe(identity.issuer)}, got ${issuer === undefined ? 'none' : excerpt(issuer, 200)}`
  }
  for (const [extension, matcher] of Object.entries(identity.extensions ?? {})) {
    const value = certificate.sigstore[extension as SigstoreExtensionName]
    if (value === undefined || !matches(matcher, value)) {
      return `expected ${extension} ${describe(matcher)}, got ${value === undefined ? 'none' : excerpt(value, 200)}`
    }
  }
  return name
}

function matches(matcher: TextMatcher, text: string): boolean {
  if (typeof matcher === 'string') return matcher === text
  if ('matches' in matcher) return answerOf(matcher, text)
  return matcher[0] === text && answerOf(matcher[1], text)
}

/** A pattern of the caller's own may give a promise, which is as good as yes for whoever does not wait for it. */
function answerOf(pattern: Pattern, text: string): boolean {
  const answer: unknown = pattern.matches(text)
  if (typeof answer === 'boolean') return answer
  throw invalidDemand(`the pattern ${JSON.stringify(pattern.source)} should answer true or false, found ${kindOf(answer)}`)
}

function describe(matcher: TextMatcher): string {
  if (typeof matcher === 'string') return JSON.stringify(matcher)
  if ('matches' in matcher) return `to match regex ${JSON.stringify(matcher.source)}`
  return `${JSON.stringify(matcher[0])} and to match regex ${JSON.stringify(matcher[1].source)}`
}
