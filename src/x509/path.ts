/** Certification paths (RFC 5280 section 6), as far as code signing and timestamping need them: from a leaf to the anchor of an authority. */
import { VerificationError } from '../error.ts'
import type { CertificateAuthority, IssuerPath } from './authority.ts'
import { checkNames, issuerPaths, issuersOf } from './authority.ts'
import type { Certificate } from './certificate.ts'
import { certificateKey } from './certificate-key.ts'
import { checkNoUnknownCritical, checkSignedByAhead, isSignedBy } from './issuer.ts'
import { formatName } from './name.ts'

/**
 * Verifies that the authority issued the leaf, through intermediates it knows, and that every certificate of the path
 * was valid at each of the instants.
 * @param instants epoch milliseconds, at least one
 * @returns the path: the leaf first, the anchor last
 * @throws VerificationError CERTIFICATE_UNTRUSTED or CERTIFICATE_EXPIRED
 */
export function verifyPath(leaf: Certificate, authority: CertificateAuthority, instants: readonly number[]): readonly Certificate[] {
  return validPath(leaf, findIssuerPaths(leaf, authority), instants)
}

/** As `verifyPath`, for a leaf that belongs to the trust material: its signature is checked once and remembered. */
export function verifyKnownLeafPath(
  leaf: Certificate,
  authority: CertificateAuthority,
  instants: readonly number[],
): readonly Certificate[] {
  let paths = authority.knownLeaves.get(leaf)
  if (paths === undefined) {
    paths = findIssuerPaths(leaf, authority)
    authority.knownLeaves.set(leaf, paths)
  }
  return validPath(leaf, paths, instants)
}

/** The first of the paths that was valid at every instant. */
function validPath(leaf: Certificate, paths: readonly IssuerPath[], instants: readonly number[]): readonly Certificate[] {
  for (const instant of instants) checkValidAt(leaf, instant)
  let failure: VerificationError | undefined
  for (const path of paths) {
    try {
      for (const instant of instants) for (const certificate of path) checkValidAt(certificate, instant)
      return [leaf, ...path]
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      failure = error
    }
  }
  throw failure ?? unknownIssuer(leaf)
}

/** Whether the authority has a certificate of the name and key identifier that the leaf gives its issuer. */
export function knowsIssuer(leaf: Certificate, authority: CertificateAuthority): boolean {
  return issuersOf(leaf, authority).length > 0
}

/**
 * Verifies the path but for time: who issued the leaf, with everything RFC 5280 demands of the issuers.
 * @returns the ways from its issuer to the anchor, at least one
 * @throws VerificationError CERTIFICATE_UNTRUSTED
 */
export function findIssuerPaths(leaf: Certificate, authority: CertificateAuthority): readonly IssuerPath[] {
  checkNoUnknownCritical(leaf)
  const found: IssuerPath[] = []
  let failure: VerificationError | undefined
  for (const issuer of issuersOf(leaf, authority)) {
    const paths = issuerPaths(issuer, authority)
    if (paths instanceof VerificationError) {
      failure = paths
      continue
    }
    if (!isSignedBy(leaf, certificateKey(issuer))) {
      failure = new VerificationError(
        'CERTIFICATE_UNTRUSTED',
        `the signature of the certificate does not verify with the key of ${formatName(issuer.subject)}`,
      )
      continue
    }
    for (const path of paths) {
      const refusal = checkNames(leaf, path)
      if (refusal === undefined) found.push(path)
      else failure = refusal
    }
  }
  if (found.length > 0) return found
  throw failure ?? unknownIssuer(leaf)
}

/**
 * Checks the signatures of the leaf and of those that may have issued it on other threads, where that is slow. Nothing is decided:
 * `verifyPath` does that, and does not check again what was found to be right.
 * @throws DecodingError KEY_UNSUPPORTED, KEY_INVALID
 */
export async function checkSignaturesAhead(leaf: Certificate, authority: CertificateAuthority): Promise<void> {
  const unknown = issuersOf(leaf, authority).filter((issuer) => !authority.paths.has(issuer))
  const checks: Promise<void>[] = []
  for (const certificate of [leaf, ...unknown]) {
    for (const issuer of issuersOf(certificate, authority)) {
      const check = checkSignedByAhead(certificate, certificateKey(issuer))
      if (check !== undefined) checks.push(check)
    }
  }
  await Promise.all(checks)
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

function unknownIssuer(leaf: Certificate): VerificationError {
  const issuer = formatName(leaf.issuer) || 'an unnamed issuer'
  return new VerificationError(
    'CERTIFICATE_UNTRUSTED',
    `the certificate was issued by ${issuer}, which is not a trusted certificate authority`,
  )
}
