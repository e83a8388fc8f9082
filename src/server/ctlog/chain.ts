/** Which certificates a log takes: those that an accepted root has issued, itself or through intermediates. */
import { digest } from '../../crypto/digest.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { VerificationError } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { isSelfIssued, parseCertificate } from '../../x509/certificate.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import { formatName } from '../../x509/name.ts'
import { isSignedBy, namesIssuer } from '../../x509/issuer.ts'

/** A certificate and who issued it. */
export interface AcceptedChain {
  readonly leaf: Certificate
  readonly path: SubmittedPath
}

/** The issuers of a certificate; the same object for the same issuers, while they are remembered. */
export interface SubmittedPath {
  /** Who issued it. */
  readonly issuer: Certificate
  /** SHA-256 of the issuer's SubjectPublicKeyInfo. */
  readonly issuerKeyHash: Uint8Array
  /** The issuer first, the accepted root last. */
  readonly issuers: readonly Certificate[]
  /** SHA-256 of each of them. */
  readonly fingerprints: readonly Uint8Array[]
}

/**
 * Verifies a submitted chain: each certificate is signed by the next, which may issue, and the last one is an accepted root or
 * issued by one. Time plays no part: a certificate of ten minutes is logged like any other (RFC 6962 section 3.1).
 * @param chain the submitted certificate first, DER
 * @throws VerificationError CERTIFICATE_UNTRUSTED; DecodingError DER_INVALID, CERTIFICATE_INVALID, KEY_UNSUPPORTED, KEY_INVALID, TOO_LARGE
 */
export type ChainVerifier = (chain: readonly Uint8Array[], options?: ChainOptions) => AcceptedChain

export interface ChainOptions {
  /**
   * Whether the submitted certificate was signed in this process just now: that signature alone is not verified again, and its issuers are
   * known by their byte strings, which do not change.
   */
  readonly isOurs?: boolean
}

/** Issuers' paths that are remembered: a certificate authority has a few. */
const maxKnownPaths = 64

/** Makes a verifier. @param acceptedRoots the certificates that chains may end in */
export function createChainVerifier(acceptedRoots: readonly Certificate[]): ChainVerifier {
  const knownPaths = new Map<string, SubmittedPath>()
  const ownNames = new WeakMap<Uint8Array, string>()
  const nameOfOwn = (der: Uint8Array): string => {
    const name = ownNames.get(der) ?? nameOfIssuer(der)
    ownNames.set(der, name)
    return name
  }
  return ([submitted, ...submittedIssuers], { isOurs = false } = {}) => {
    if (submitted === undefined) throw untrusted('the chain is empty')
    const leaf = parseCertificate(submitted)
    const name = submittedIssuers.map(isOurs ? nameOfOwn : nameOfIssuer).join('')
    const known = knownPaths.get(name)
    const path = known ?? pathOf(verifyIssuers(submittedIssuers.map(parseCertificate), leaf, acceptedRoots))
    if (!isOurs || known === undefined) checkIssued(leaf, path.issuer)
    else checkNames(leaf, path.issuer)
    // Without submitted issuers the path depends on the leaf.
    if (known === undefined && submittedIssuers.length > 0 && knownPaths.size < maxKnownPaths) knownPaths.set(name, path)
    return { leaf, path }
  }
}

function nameOfIssuer(der: Uint8Array): string {
  return encodeHex(digest('sha256', der))
}

function pathOf(issuers: readonly Certificate[]): SubmittedPath {
  const [issuer] = issuers
  if (issuer === undefined) throw untrusted('the chain has no issuer')
  const fingerprints = issuers.map(({ bytes }) => digest('sha256', bytes))
  return { issuer, issuerKeyHash: digest('sha256', issuer.spki), issuers, fingerprints }
}

/** The path from the issuer of the leaf to an accepted root. */
function verifyIssuers(
  submitted: readonly Certificate[],
  leaf: Certificate,
  acceptedRoots: readonly Certificate[],
): readonly Certificate[] {
  const last = submitted.at(-1) ?? leaf
  const isRoot = acceptedRoots.some((root) => equalBytes(root.bytes, last.bytes))
  const issuers = isRoot && submitted.length > 0 ? submitted : [...submitted, findRoot(last, acceptedRoots)]
  let below = 0
  for (const [index, issuer] of issuers.entries()) {
    checkMayIssue(issuer, below)
    const next = issuers[index + 1]
    if (next !== undefined) checkIssued(issuer, next)
    // RFC 5280 section 4.2.1.9: those that are self-issued do not count.
    if (!isSelfIssued(issuer)) below++
  }
  return issuers
}

function findRoot(certificate: Certificate, acceptedRoots: readonly Certificate[]): Certificate {
  const root = acceptedRoots.find((candidate) => namesIssuer(certificate, candidate) && isSignedBy(certificate, certificateKey(candidate)))
  if (root === undefined)
    throw untrusted(`the chain ends in ${nameOf(certificate)}, which is neither an accepted root nor issued by one (see get-roots)`)
  return root
}

function checkIssued(certificate: Certificate, issuer: Certificate): void {
  checkNames(certificate, issuer)
  if (!isSignedBy(certificate, certificateKey(issuer)))
    throw untrusted(`the signature of ${nameOf(certificate)} does not verify with the key of ${nameOf(issuer)}`)
}

function checkNames(certificate: Certificate, issuer: Certificate): void {
  if (!namesIssuer(certificate, issuer)) throw untrusted(`${nameOf(certificate)} is not issued by ${nameOf(issuer)}, which follows it`)
}

/** @param below how many certificate authorities stand below it in the chain */
function checkMayIssue({ basicConstraints, keyUsage, subject }: Certificate, below: number): void {
  if (basicConstraints?.ca !== true) throw untrusted(`${formatName(subject)} is not a certificate authority (basic constraints)`)
  if (keyUsage !== undefined && !keyUsage.keyCertSign) throw untrusted(`${formatName(subject)} may not sign certificates (key usage)`)
  const { pathLength } = basicConstraints
  if (pathLength !== undefined && below > pathLength)
    throw untrusted(`${formatName(subject)} allows ${pathLength} certificate authorities below it, ${below} follow`)
}

function nameOf(certificate: Certificate): string {
  return formatName(certificate.subject) || 'the submitted certificate'
}

function untrusted(message: string): VerificationError {
  return new VerificationError('CERTIFICATE_UNTRUSTED', message)
}
