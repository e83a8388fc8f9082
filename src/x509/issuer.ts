/** Whether one certificate was issued by another: by what it says, and by its signature. */
import type { PublicKey } from '../crypto/public-key.ts'
import { isSameKey } from '../crypto/public-key.ts'
import { signatureAlgorithmFromOid, verifySignature, verifySlowSignature } from '../crypto/signature.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { VerificationError } from '../error.ts'
import type { Certificate } from './certificate.ts'
import { formatName } from './name.ts'

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
  const known = signedBy.get(certificate)
  if (known !== undefined && isSameKey(known, issuerKey)) return true
  return verifySignature(issuerKey, algorithmOf(certificate), certificate.tbs, certificate.signature)
}

/** Signatures that are being checked on another thread. */
const underWay = new WeakMap<Certificate, Promise<void>>()

/** Checks the signature on another thread, where that is slow. Nothing is decided: `isSignedBy` will not check again what was right. */
export function checkSignedByAhead(certificate: Certificate, issuerKey: PublicKey): Promise<void> | undefined {
  const { tbs, signature } = certificate
  if (signedBy.has(certificate)) return undefined
  const known = underWay.get(certificate)
  if (known !== undefined) return known
  const verified = verifySlowSignature(issuerKey, algorithmOf(certificate), tbs, signature)
  if (verified === undefined) return undefined
  const checked = keepResult(certificate, issuerKey, verified)
  underWay.set(certificate, checked)
  return checked
}

async function keepResult(certificate: Certificate, issuerKey: PublicKey, verified: Promise<boolean>): Promise<void> {
  try {
    if (await verified) signedBy.set(certificate, issuerKey)
  } catch {
    // For `isSignedBy` to say.
  } finally {
    underWay.delete(certificate)
  }
}

function algorithmOf({ signatureAlgorithm: { oid: algorithm, parameters } }: Certificate): SignatureAlgorithm {
  return signatureAlgorithmFromOid(algorithm, parameters)
}

/** @throws VerificationError CERTIFICATE_UNTRUSTED for a critical extension that nothing here understands (RFC 5280 4.2) */
export function checkNoUnknownCritical(certificate: Certificate): void {
  const [unknown] = certificate.unknownCritical
  if (unknown !== undefined) throw untrusted(certificate, `has the critical extension ${unknown}, which is not understood`)
}

/** The error about a certificate. @param reason goes on from `the certificate of …` */
export function untrusted(certificate: Certificate, reason: string): VerificationError {
  return new VerificationError('CERTIFICATE_UNTRUSTED', `the certificate of ${formatName(certificate.subject) || 'the signer'} ${reason}`)
}
