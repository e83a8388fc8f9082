/** The signing certificate: profile, path at every verified time, SCTs (client specification 4.3). */
import { equalBytes } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { CountersignError, VerificationError } from '../error.ts'
import { verifySignature } from '../crypto/signature.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { isWithin, formatWindow } from '../trust/time-window.ts'
import type { TrustedCertificateAuthority, TrustedLog, TrustMaterial } from '../trust/trust-material.ts'
import { findLogs } from '../trust/trust-material.ts'
import type { Certificate } from '../x509/certificate.ts'
import { isSelfIssued, parseCertificate } from '../x509/certificate.ts'
import { formatName } from '../x509/name.ts'
import * as oid from '../x509/object-identifiers.ts'
import type { CertificateAuthority } from '../x509/authority.ts'
import { checkNoUnknownCritical } from '../x509/issuer.ts'
import { checkSignaturesAhead, checkValidAt, knowsIssuer, verifyPath } from '../x509/path.ts'
import type { SignedCertificateTimestamp } from '../x509/sct.ts'
import { detachedSctSignedBytes, embeddedSctSignedBytes, parseDetachedSct, parseEmbeddedScts } from '../x509/sct.ts'
import type { VerifiedCertificateTimestamp } from './evidence.ts'

/** A certificate whose path was verified, the leaf first. */
export interface VerifiedPath {
  readonly path: readonly Certificate[]
  readonly authority: TrustedCertificateAuthority
}

/**
 * Verifies that a trusted authority issued the certificate, and that it and the whole path were valid at each instant.
 * @param instants epoch milliseconds
 * @throws VerificationError CERTIFICATE_UNTRUSTED, CERTIFICATE_EXPIRED
 */
export function verifyCertificate(leaf: Certificate, trust: TrustMaterial, instants: readonly number[]): VerifiedPath {
  // Most roots have authorities of the past: those are passed over without the cost of an error each.
  const namesakes = authoritiesOver(leaf, trust)
  if (namesakes.length === 0) throw unknownIssuer(leaf)
  let failure: VerificationError | undefined
  for (const candidate of namesakes) {
    if (!instants.every((instant) => isWithin(candidate.window, instant))) {
      failure ??= outsideWindow(candidate, instants)
      continue
    }
    try {
      const path = isAnchor(leaf, candidate.authority) ? verifyAnchor(leaf, instants) : verifyPath(leaf, candidate.authority, instants)
      checkLeafProfile(leaf, candidate)
      return { path, authority: candidate }
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      failure = error
    }
  }
  throw failure ?? unknownIssuer(leaf)
}

/** The authorities that have issued the certificate, by the names in it: nothing is checked. */
export function authoritiesOver(leaf: Certificate, trust: TrustMaterial): readonly TrustedCertificateAuthority[] {
  return trust.certificateAuthorities.filter(({ authority }) => isAnchor(leaf, authority) || knowsIssuer(leaf, authority))
}

/** Begins with the slowest part of `verifyCertificate` on another thread. What is wrong is left for that one to say. */
export async function prepareCertificate(leaf: Certificate, trust: TrustMaterial): Promise<void> {
  try {
    await Promise.all(trust.certificateAuthorities.map(({ authority }) => checkSignaturesAhead(leaf, authority)))
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
  }
}

function unknownIssuer(leaf: Certificate): VerificationError {
  const issuer = formatName(leaf.issuer) || 'an unnamed issuer'
  return new VerificationError(
    'CERTIFICATE_UNTRUSTED',
    `the certificate was issued by ${issuer}, which is not a certificate authority of the trusted root`,
  )
}

function outsideWindow({ window, authority }: TrustedCertificateAuthority, instants: readonly number[]): VerificationError {
  const outside = instants.find((instant) => !isWithin(window, instant)) ?? 0
  return new VerificationError(
    'CERTIFICATE_EXPIRED',
    `the certificate authority ${formatName(authority.anchor.subject)} is trusted from ${formatWindow(window)}, not at the time of the signature, ${new Date(outside).toISOString()}`,
  )
}

/**
 * Refuses a bundle that brings a root of its own: a certificate that issued itself and that the trusted root does not
 * have. Other certificates beside the leaf are not used at all, since intermediates come from the trusted root.
 */
export function checkExtraCertificates(chain: readonly Uint8Array[], trust: TrustMaterial): void {
  for (const der of chain) {
    const isKnown = trust.certificateAuthorities.some(({ authority }) =>
      [...authority.intermediates, authority.anchor].some((certificate) => equalBytes(certificate.bytes, der)),
    )
    if (isKnown) continue
    const certificate = parseCertificate(der)
    if (isSelfIssued(certificate)) {
      throw new VerificationError(
        'CERTIFICATE_UNTRUSTED',
        `the bundle brings its own root certificate, ${formatName(certificate.subject)}, which the trusted root does not have`,
      )
    }
  }
}

/** Whether the signer's certificate is what is trusted, and not something below it: a self-signed certificate, for one. */
function isAnchor(leaf: Certificate, { anchor }: CertificateAuthority): boolean {
  return equalBytes(leaf.bytes, anchor.bytes)
}

function verifyAnchor(leaf: Certificate, instants: readonly number[]): readonly Certificate[] {
  checkNoUnknownCritical(leaf)
  for (const instant of instants) checkValidAt(leaf, instant)
  return [leaf]
}

/**
 * What a signer's certificate must be, beside its path.
 *
 * Every one: not that of a certificate authority, unless it is itself what is trusted; with a name; and for code signing, where it says
 * what it is for at all (RFC 5280 sections 4.2.1.3 and 4.2.1.12: key usage with digital signature or content commitment, extended key
 * usage with code signing or any). Names may be several, of any kind: whoever is trusted says them all, and the policy says which is
 * wanted. Other clients ask for less: they take keys that are for encryption, and certificates of authorities.
 *
 * One with extensions of Fulcio's, by an authority of a trusted root, also follows the profile of Fulcio's specification, 7.3: nothing
 * is left unsaid, and there is one name. Authorities that know nothing of Fulcio are in trusted roots too, and issue no such certificates.
 */
function checkLeafProfile(leaf: Certificate, { authority, profile }: TrustedCertificateAuthority): void {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectAlternativeNames: names } = leaf
  const isFulcios = profile === 'fulcio' && Object.keys(leaf.sigstore).length > 0
  if (basicConstraints?.ca === true && !isAnchor(leaf, authority)) throw untrusted('is that of a certificate authority, not of a signer')
  const maySign = keyUsage === undefined ? !isFulcios : keyUsage.digitalSignature || (keyUsage.contentCommitment && !isFulcios)
  if (!maySign) throw untrusted('is not for digital signatures (key usage)')
  const isForCode =
    extendedKeyUsage === undefined
      ? !isFulcios
      : extendedKeyUsage.includes(oid.codeSigning) || (extendedKeyUsage.includes(oid.anyExtendedKeyUsage) && !isFulcios)
  if (!isForCode) throw untrusted('is not for code signing (extended key usage)')
  if (names.length === 0) throw untrusted('has no subject alternative name')
  if (!isFulcios) return
  if (names.length > 1) throw untrusted(`has ${names.length} subject alternative names, exactly one was expected`)
  if (names[0]?.kind !== 'email' && names[0]?.kind !== 'uri' && names[0]?.kind !== 'username') {
    throw untrusted('has a subject alternative name that is neither an e-mail address, a URI nor a user name')
  }
  // RFC 5280 4.2.1.6: with an empty subject the name stands only there, so whoever does not understand it must refuse.
  const hasEmptySubject = leaf.subject.length === 2
  if (hasEmptySubject && !leaf.subjectAlternativeNameCritical)
    throw untrusted('has an empty subject and a subject alternative name that is not critical')
}

/**
 * Verifies the SCTs of the certificate (RFC 6962 section 3.2). Those of unknown logs and algorithms, or outside the log's
 * window, do not count; one that a known log did not sign is refused.
 * @param threshold distinct operators that are needed
 * @throws VerificationError SCT_UNVERIFIED
 */
export function verifyScts(
  { path }: VerifiedPath,
  trust: TrustMaterial,
  threshold: number,
  detachedSct: Uint8Array | undefined,
  notes: string[],
): VerifiedCertificateTimestamp[] {
  const [leaf, issuer] = path
  if (leaf === undefined || issuer === undefined)
    throw new VerificationError('SCT_UNVERIFIED', 'the certificate is its own authority, so no SCT can be verified')
  const embedded = parseEmbeddedScts(leaf)
  const detached = detachedSct === undefined ? [] : [parseDetachedSct(detachedSct)]
  const verified: VerifiedCertificateTimestamp[] = []
  const operators = new Set<string>()
  for (const sct of [...embedded, ...detached]) {
    if ('unknownAlgorithm' in sct) {
      notes.push(`an SCT that is signed with an unknown algorithm (${sct.unknownAlgorithm}) was not counted`)
      continue
    }
    const isEmbedded = embedded.includes(sct)
    const logs = findLogs(trust.certificateTransparencyLogs, sct.logId)
    const time = new Date(sct.timestamp)
    if (logs.length === 0) {
      notes.push(`an SCT of the unknown CT log ${encodeHex(sct.logId)} was not counted`)
      continue
    }
    if (Number.isNaN(time.getTime())) {
      notes.push(`an SCT of ${sct.timestamp} ms after 1970, which is no date, was not counted`)
      continue
    }
    const log = logs.find(({ window }) => isWithin(window, sct.timestamp))
    if (log === undefined) {
      const windows = logs.map(({ window }) => formatWindow(window)).join(' and ')
      notes.push(`an SCT of ${time.toISOString()} was not counted: the CT log is trusted from ${windows}`)
      continue
    }
    const signed = isEmbedded ? embeddedSctSignedBytes(sct, leaf, issuer.spki) : detachedSctSignedBytes(sct, leaf)
    if (!verifySignature(log.key, sctAlgorithm(sct, log), signed, sct.signature)) {
      throw new VerificationError(
        'SCT_UNVERIFIED',
        `the signature of the SCT does not verify with the key of the CT log ${log.baseUrl || encodeHex(sct.logId)}`,
      )
    }
    operators.add(log.operator)
    verified.push({ logUrl: log.baseUrl, logId: encodeHex(sct.logId), time })
  }
  if (operators.size < threshold) {
    const none = leaf.embeddedScts === undefined ? 'the certificate has none' : 'the certificate has none of version 1'
    const had = embedded.length + detached.length === 0 ? none : (notes.at(-1) ?? 'they are of one operator')
    throw new VerificationError(
      'SCT_UNVERIFIED',
      `only able to verify ${operators.size} SCT entries; unable to meet threshold of ${threshold}: ${had}`,
    )
  }
  return verified
}

function sctAlgorithm(sct: SignedCertificateTimestamp, log: TrustedLog): SignatureAlgorithm {
  if (sct.signatureKind !== log.key.kind) {
    throw new VerificationError(
      'SCT_UNVERIFIED',
      `the SCT says it is signed with ${sct.signatureKind}, the CT log has an ${log.key.kind} key`,
    )
  }
  return sct.signatureKind === 'rsa' ? `rsa-pkcs1-${sct.hashAlgorithm}` : `ecdsa-${sct.hashAlgorithm}`
}

function untrusted(reason: string): VerificationError {
  return new VerificationError('CERTIFICATE_UNTRUSTED', `the signing certificate ${reason}`)
}
