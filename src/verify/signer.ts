/** The signer's key as the checks use it: from the certificate of the bundle, or from the caller. */
import type { PublicKey } from '../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { defaultSignatureAlgorithm } from '../crypto/signature.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { VerificationError } from '../error.ts'
import type { Certificate } from '../x509/certificate.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { certificateKey } from '../x509/certificate-key.ts'
import type { Policy } from './policy.ts'

export interface Signer {
  readonly key: PublicKey
  /** Undefined when the caller's key is what must have signed. */
  readonly certificate: Certificate | undefined
  /** The algorithms the signature may be made with, the likeliest first. */
  readonly algorithms: readonly SignatureAlgorithm[]
}

/**
 * Decides whose key the signature is checked with. A key and a certificate are two different claims: whoever asks for
 * one is never answered with the other.
 * @throws VerificationError KEY_MISMATCH; DecodingError for a malformed certificate
 */
export function signerOf(entity: SignedEntity, policy: Policy): Signer {
  const { keyMaterial } = entity
  if (policy.signer.kind === 'key') {
    if (keyMaterial.kind === 'certificate') {
      throw new VerificationError(
        'KEY_MISMATCH',
        'expected a signature with the given key, found one with a certificate (verify it with --certificate-identity and --certificate-oidc-issuer)',
      )
    }
    const { key, algorithm } = policy.signer
    return { key, certificate: undefined, algorithms: algorithm === undefined ? usualAlgorithms(key) : [algorithm].flat() }
  }
  if (keyMaterial.kind !== 'certificate') {
    throw new VerificationError(
      'KEY_MISMATCH',
      'expected a signature with a certificate, found one with a public key (verify it with --key)',
    )
  }
  const certificate = parseCertificate(keyMaterial.leaf)
  const key = certificateKey(certificate)
  return { key, certificate, algorithms: usualAlgorithms(key) }
}

/**
 * The algorithm registry has one algorithm per kind of key; cosign before 3.1 used SHA-256 with every curve, Ed25519 keys
 * sign with Ed25519ph where a log takes only digests, and a KMS decides itself how its RSA keys sign.
 */
function usualAlgorithms(key: PublicKey): readonly SignatureAlgorithm[] {
  const usual = defaultSignatureAlgorithm(key)
  switch (key.kind) {
    case 'ecdsa':
      return usual === 'ecdsa-sha256' ? [usual] : [usual, 'ecdsa-sha256']
    case 'ed25519':
      return ['ed25519', 'ed25519ph']
    case 'rsa':
      return ['rsa-pkcs1-sha256', 'rsa-pss-sha256', 'rsa-pkcs1-sha384', 'rsa-pss-sha384', 'rsa-pkcs1-sha512', 'rsa-pss-sha512']
  }
}
