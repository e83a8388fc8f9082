/**
 * Certificate authorities, and the ways from those of their certificates that issue leaves up to the anchor (RFC 5280 section 6). Authorities
 * are few and fixed, so everything that does not depend on the leaf or on time is checked once, when it is first asked for.
 */
import { equalBytes } from '../encoding/bytes.ts'
import { VerificationError, messageOf } from '../error.ts'
import type { Certificate } from './certificate.ts'
import { isSelfIssued } from './certificate.ts'
import { certificateKey } from './certificate-key.ts'
import { checkNoUnknownCritical, isSignedBy, namesIssuer, untrusted } from './issuer.ts'
import { formatName } from './name.ts'
import { forbiddenName } from './name-constraints.ts'
import * as oid from './object-identifiers.ts'

/** Certificates from an issuer of leaves, first, to the anchor, last. */
export type IssuerPath = readonly Certificate[]

/** One certificate authority: the anchor that is trusted, and intermediates that it may have signed. */
export interface CertificateAuthority {
  readonly anchor: Certificate
  readonly intermediates: readonly Certificate[]
  /** Purpose that leaves are issued for: code signing or time stamping. */
  readonly purpose: string
  /** The ways up from those that may issue leaves, as far as they were looked for; an error says why one may not. */
  readonly paths: Map<Certificate, readonly IssuerPath[] | VerificationError>
  /** Those of leaves that are part of the trust material themselves, such as a timestamp authority's. */
  readonly knownLeaves: Map<Certificate, readonly IssuerPath[]>
}

/** How many intermediates there may be above the one that issued the leaf. */
const maxIntermediates = 8
/** Authorities that signed each other have more ways than anybody needs. */
const maxPaths = 16
const maxSteps = 256

/**
 * Makes an authority from a chain in the trusted root's order: leaf side first, the anchor last. Nothing is checked yet.
 * @param purpose object identifier that the extended key usage of leaves must hold
 */
export function createCertificateAuthority(chain: readonly Certificate[], purpose: string): CertificateAuthority {
  const anchor = chain.at(-1)
  if (anchor === undefined) throw new VerificationError('CERTIFICATE_UNTRUSTED', 'a certificate authority needs at least one certificate')
  return { anchor, intermediates: chain.slice(0, -1), purpose, paths: new Map(), knownLeaves: new Map() }
}

/** The certificates of the authority that a certificate may have been issued by. */
export function issuersOf(certificate: Certificate, { intermediates, anchor }: CertificateAuthority): Certificate[] {
  return [...intermediates, anchor].filter((issuer) => namesIssuer(certificate, issuer))
}

/**
 * All the ways from one of the authority's certificates to its anchor, with everything that RFC 5280 demands of issuers but for time: one may
 * have been renewed, or signed by several, and which way is good depends on the leaf and on when it is verified.
 * @returns at least one; an error that says why there is none
 */
export function issuerPaths(issuer: Certificate, authority: CertificateAuthority): readonly IssuerPath[] | VerificationError {
  const known = authority.paths.get(issuer)
  if (known !== undefined) return known
  const search: Search = { authority, paths: [], failure: undefined, stepsLeft: maxSteps }
  climb(search, [issuer], issuer)
  const found = search.paths.length > 0 ? search.paths : (search.failure ?? untrusted(issuer, 'has no path to the trusted anchor'))
  authority.paths.set(issuer, found)
  return found
}

interface Search {
  readonly authority: CertificateAuthority
  readonly paths: IssuerPath[]
  failure: VerificationError | undefined
  stepsLeft: number
}

/** Goes on with a way whose last certificate is `top`. */
function climb(search: Search, way: IssuerPath, top: Certificate): void {
  const { authority, paths } = search
  try {
    checkMayIssue(top, authority.purpose)
    if (top === authority.anchor) {
      checkWay(way)
      paths.push(way)
      return
    }
    if (way.length > maxIntermediates) throw untrusted(top, `has a path of more than ${maxIntermediates} certificates`)
    for (const parent of issuersOf(top, authority)) {
      if (paths.length === maxPaths || search.stepsLeft-- <= 0) return
      // Whoever comes a second time, renewed or signed by another, leads nowhere that the first time did not.
      if (way.some((certificate) => isSameAuthority(certificate, parent))) continue
      if (isSignedBy(top, certificateKey(parent))) climb(search, [...way, parent], parent)
    }
  } catch (error) {
    search.failure = error instanceof VerificationError ? error : unusable(top, error)
  }
}

function unusable(certificate: Certificate, cause: unknown): VerificationError {
  const message = `the certificate authority ${formatName(certificate.subject)} cannot be used: ${messageOf(cause)}`
  return new VerificationError('CERTIFICATE_UNTRUSTED', message, { cause })
}

function isSameAuthority(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.spki, b.spki) && equalBytes(a.subject, b.subject)
}

/** RFC 5280 6.1.4 (k), (n) and the nesting of extended key usages that code signing clients check. */
function checkMayIssue(issuer: Certificate, purpose: string): void {
  checkNoUnknownCritical(issuer)
  if (issuer.basicConstraints?.ca !== true) throw untrusted(issuer, 'is not a certificate authority (basic constraints)')
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.keyCertSign) throw untrusted(issuer, 'may not sign certificates (key usage)')
  const purposes = issuer.extendedKeyUsage
  if (purposes !== undefined && !purposes.includes(purpose) && !purposes.includes(oid.anyExtendedKeyUsage)) {
    throw untrusted(issuer, 'may not issue for this purpose (extended key usage)')
  }
  // One whose key is not supported cannot have issued anything that is.
  certificateKey(issuer)
}

/** What those above demand of those below: names and how many there may be. Self-issued certificates do not count (RFC 5280 6.1.4 (b), (l), (m)). */
function checkWay(way: IssuerPath): void {
  let below = 0
  for (const [index, certificate] of way.entries()) {
    const limit = certificate.basicConstraints?.pathLength
    if (limit !== undefined && below > limit)
      throw untrusted(certificate, `allows ${limit} certificate authorities below it, ${below} follow`)
    if (isSelfIssued(certificate)) continue
    below++
    // A new certificate for the same name is not held against what it replaces.
    const refusal = checkNames(certificate, way.slice(index + 1))
    if (refusal !== undefined) throw refusal
  }
}

/** RFC 5280 6.1.3 (b), (c): everybody above may limit the names. @returns what is wrong, so that another path may be looked for */
export function checkNames(certificate: Certificate, above: IssuerPath): VerificationError | undefined {
  for (const { nameConstraints, subject } of above) {
    if (nameConstraints === undefined) continue
    const alternativeNames = certificate.extensions.find((extension) => extension.oid === oid.subjectAlternativeName)?.value
    const name = forbiddenName({ subject: certificate.subject, alternativeNames }, nameConstraints)
    if (name !== undefined) return untrusted(certificate, `has ${name}, for which ${formatName(subject)} may not issue (name constraints)`)
  }
  return undefined
}
