/**
 * Certification paths (RFC 5280 section 6), as far as code signing and timestamping need them: the authorities are few
 * and fixed, so everything about a path that does not depend on the leaf or on time is checked once, when the
 * authority is loaded, and only the leaf's own signature and the instants are checked per verification.
 */
import type { PublicKey } from '../crypto/public-key.ts'
import { isSlow, signatureAlgorithmFromOid, verifySignature, verifySlowSignature } from '../crypto/signature.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { VerificationError, messageOf } from '../error.ts'
import type { Certificate } from './certificate.ts'
import { isSelfIssued } from './certificate.ts'
import { certificateKey } from './certificate-key.ts'
import { formatName } from './name.ts'
import { forbiddenName } from './name-constraints.ts'
import { oid } from './object-identifiers.ts'

/** An issuer with its checked path: itself first, the anchor last. */
export interface IssuerPath {
  readonly key: PublicKey
  readonly certificates: readonly Certificate[]
}

/** One certificate authority: the anchor that is trusted, and intermediates that it may have signed. */
export interface CertificateAuthority {
  readonly anchor: Certificate
  readonly intermediates: readonly Certificate[]
  /** Purpose that leaves are issued for: code signing or time stamping. */
  readonly purpose: string
  /** Paths of those that may issue leaves, as far as they were looked for; an error says why one may not. */
  readonly paths: Map<Certificate, IssuerPath | VerificationError>
  /** Issuers of leaves that are part of the trust material themselves, such as a timestamp authority's. */
  readonly knownLeaves: Map<Certificate, IssuerPath>
}

/** Longest path from leaf to anchor. */
const maxPathLength = 8

/**
 * Makes an authority from a chain in the trusted root's order: leaf side first, the anchor last. Nothing is checked yet.
 * @param purpose object identifier that the extended key usage of leaves must hold
 */
export function createCertificateAuthority(chain: readonly Certificate[], purpose: string): CertificateAuthority {
  const anchor = chain.at(-1)
  if (anchor === undefined) throw new VerificationError('CERTIFICATE_UNTRUSTED', 'a certificate authority needs at least one certificate')
  return { anchor, intermediates: chain.slice(0, -1), purpose, paths: new Map(), knownLeaves: new Map() }
}

/**
 * Verifies that the authority issued the leaf, through intermediates it knows, and that every certificate of the path
 * was valid at each of the instants.
 * @param instants epoch milliseconds, at least one
 * @returns the path: the leaf first, the anchor last
 * @throws VerificationError CERTIFICATE_UNTRUSTED or CERTIFICATE_EXPIRED
 */
export function verifyPath(leaf: Certificate, authority: CertificateAuthority, instants: readonly number[]): readonly Certificate[] {
  return checkPathAt(leaf, findIssuerPath(leaf, authority), instants)
}

/** As `verifyPath`, for a leaf that belongs to the trust material: its signature is checked once and remembered. */
export function verifyKnownLeafPath(
  leaf: Certificate,
  authority: CertificateAuthority,
  instants: readonly number[],
): readonly Certificate[] {
  let path = authority.knownLeaves.get(leaf)
  if (path === undefined) {
    path = findIssuerPath(leaf, authority)
    authority.knownLeaves.set(leaf, path)
  }
  return checkPathAt(leaf, path, instants)
}

function checkPathAt(leaf: Certificate, path: IssuerPath, instants: readonly number[]): readonly Certificate[] {
  for (const instant of instants) {
    checkValidAt(leaf, instant)
    for (const certificate of path.certificates) checkValidAt(certificate, instant)
  }
  return [leaf, ...path.certificates]
}

/** Whether the authority has a certificate of the name and key identifier that the leaf gives its issuer. */
export function knowsIssuer(leaf: Certificate, authority: CertificateAuthority): boolean {
  return namesIssuer(leaf, authority.anchor) || authority.intermediates.some((intermediate) => namesIssuer(leaf, intermediate))
}

/** Verifies the path but for time: who issued the leaf, with everything RFC 5280 demands of the issuers. */
export function findIssuerPath(leaf: Certificate, authority: CertificateAuthority): IssuerPath {
  checkNoUnknownCritical(leaf)
  let failure: VerificationError | undefined
  for (const issuer of [...authority.intermediates, authority.anchor]) {
    if (!namesIssuer(leaf, issuer)) continue
    const path = issuerPath(issuer, authority, maxPathLength)
    if (path instanceof VerificationError) {
      failure = path
      continue
    }
    if (isSignedBy(leaf, path.key)) {
      failure = checkNames(leaf, path.certificates)
      if (failure === undefined) return path
      continue
    }
    failure = new VerificationError(
      'CERTIFICATE_UNTRUSTED',
      `the signature of the certificate does not verify with the key of ${formatName(issuer.subject)}`,
    )
  }
  throw (
    failure ??
    new VerificationError(
      'CERTIFICATE_UNTRUSTED',
      `the certificate was issued by ${formatName(leaf.issuer) || 'an unnamed issuer'}, which is not a trusted certificate authority`,
    )
  )
}

/**
 * Checks the leaf's signature on another thread, where that is slow. Nothing is decided: `verifyPath` does that, and does not check again
 * what was found to be right.
 */
export async function checkSignatureAhead(leaf: Certificate, authority: CertificateAuthority): Promise<void> {
  for (const issuer of [...authority.intermediates, authority.anchor]) {
    if (!namesIssuer(leaf, issuer)) continue
    const path = issuerPath(issuer, authority, maxPathLength)
    if (path instanceof VerificationError || !isSlow(path.key)) continue
    const algorithm = algorithmOf(leaf)
    if (await verifySlowSignature(path.key, algorithm, leaf.tbs, leaf.signature)) signedBy.set(leaf, path.key)
  }
}

/** Refuses an instant outside the certificate's own validity, ends included (RFC 5280 section 4.1.2.5). */
export function checkValidAt(certificate: Certificate, instant: number): void {
  if (instant >= certificate.notBefore && instant <= certificate.notAfter) return
  const when = new Date(instant).toISOString()
  const subject = formatName(certificate.subject)
  throw new VerificationError(
    'CERTIFICATE_EXPIRED',
    `the ${subject === '' ? 'signing certificate' : `certificate of ${subject}`} was valid from ${new Date(certificate.notBefore).toISOString()} to ${new Date(certificate.notAfter).toISOString()}, not at the time of the signature, ${when}`,
  )
}

function issuerPath(issuer: Certificate, authority: CertificateAuthority, depthLeft: number): IssuerPath | VerificationError {
  const known = authority.paths.get(issuer)
  if (known !== undefined) return known
  let path: IssuerPath | VerificationError
  try {
    path = buildIssuerPath(issuer, authority, depthLeft)
  } catch (error) {
    path =
      error instanceof VerificationError
        ? error
        : new VerificationError(
            'CERTIFICATE_UNTRUSTED',
            `the certificate authority ${formatName(issuer.subject)} cannot be used: ${messageOf(error)}`,
            { cause: error },
          )
  }
  authority.paths.set(issuer, path)
  return path
}

function buildIssuerPath(issuer: Certificate, authority: CertificateAuthority, depthLeft: number): IssuerPath {
  checkMayIssue(issuer, authority.purpose)
  const key = certificateKey(issuer)
  if (issuer === authority.anchor) return { key, certificates: [issuer] }
  if (depthLeft === 0) throw untrusted(issuer, `has a path of more than ${maxPathLength} certificates`)
  let failure: VerificationError | undefined
  for (const parent of [...authority.intermediates, authority.anchor]) {
    if (parent === issuer || !namesIssuer(issuer, parent)) continue
    const path = issuerPath(parent, authority, depthLeft - 1)
    if (path instanceof VerificationError) {
      failure = path
    } else if (isSignedBy(issuer, path.key)) {
      checkPathLengths(path.certificates, issuer)
      // RFC 5280 6.1.4 (b): a new certificate for the same name is not held against what it replaces.
      failure = isSelfIssued(issuer) ? undefined : checkNames(issuer, path.certificates)
      if (failure !== undefined) continue
      return { key, certificates: [issuer, ...path.certificates] }
    }
  }
  throw failure ?? untrusted(issuer, 'has no path to the trusted anchor')
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
}

/** RFC 5280 6.1.3 (b), (c): everybody above may limit the names. @returns what is wrong, so that another path may be looked for */
function checkNames(certificate: Certificate, above: readonly Certificate[]): VerificationError | undefined {
  for (const { nameConstraints, subject } of above) {
    if (nameConstraints === undefined) continue
    const alternativeNames = certificate.extensions.find((extension) => extension.oid === oid.subjectAlternativeName)?.value
    const name = forbiddenName({ subject: certificate.subject, alternativeNames }, nameConstraints)
    if (name !== undefined) return untrusted(certificate, `has ${name}, for which ${formatName(subject)} may not issue (name constraints)`)
  }
  return undefined
}

/** RFC 5280 6.1.4 (l), (m): how many intermediates may follow. Self-issued certificates do not count. */
function checkPathLengths(above: readonly Certificate[], issuer: Certificate): void {
  let below = 1
  if (equalBytes(issuer.subject, issuer.issuer)) below = 0
  for (const certificate of above) {
    const limit = certificate.basicConstraints?.pathLength
    if (limit !== undefined && below > limit)
      throw untrusted(certificate, `allows ${limit} certificate authorities below it, ${below} follow`)
    if (!equalBytes(certificate.subject, certificate.issuer)) below++
  }
}

/** Whether the certificate names this issuer: by its name, and by key identifier where both have one (RFC 5280 4.2.1.1). */
export function namesIssuer(certificate: Certificate, issuer: Certificate): boolean {
  if (!equalBytes(certificate.issuer, issuer.subject)) return false
  const wanted = certificate.authorityKeyIdentifier
  const found = issuer.subjectKeyIdentifier
  return wanted === undefined || found === undefined || equalBytes(wanted, found)
}

/** Keys that certificates, these very objects, are known to be signed with. */
const signedBy = new WeakMap<Certificate, PublicKey>()

/** Whether the certificate is signed with the key of its issuer. @throws DecodingError KEY_UNSUPPORTED, KEY_INVALID */
export function isSignedBy(certificate: Certificate, issuerKey: PublicKey): boolean {
  if (signedBy.get(certificate) === issuerKey) return true
  return verifySignature(issuerKey, algorithmOf(certificate), certificate.tbs, certificate.signature)
}

function algorithmOf({ signatureAlgorithm: { oid: algorithm, parameters } }: Certificate): SignatureAlgorithm {
  return signatureAlgorithmFromOid(algorithm, parameters)
}

/** @throws VerificationError CERTIFICATE_UNTRUSTED for a critical extension that nothing here understands (RFC 5280 4.2) */
export function checkNoUnknownCritical(certificate: Certificate): void {
  const [unknown] = certificate.unknownCritical
  if (unknown !== undefined) throw untrusted(certificate, `has the critical extension ${unknown}, which is not understood`)
}

function untrusted(certificate: Certificate, reason: string): VerificationError {
  return new VerificationError('CERTIFICATE_UNTRUSTED', `the certificate of ${formatName(certificate.subject) || 'the signer'} ${reason}`)
}
