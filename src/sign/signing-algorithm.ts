/** Which keys are made for a single signature, and how a key signs where its signature is to be logged. */
import type { KeyKind } from '../crypto/private-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { defaultSignatureAlgorithm } from '../crypto/signature.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import type { LogService } from './signing-services.ts'

/** The keys that are made for one signature, by the names of `--signing-algorithm` (the Sigstore algorithm registry). */
export const ephemeralKeyKinds = {
  'ecdsa-sha2-256-nistp256': 'ecdsa-p256',
  'ecdsa-sha2-384-nistp384': 'ecdsa-p384',
  'ecdsa-sha2-512-nistp521': 'ecdsa-p521',
  'rsa-sign-pkcs1-2048-sha256': 'rsa-2048',
  'rsa-sign-pkcs1-3072-sha256': 'rsa-3072',
  'rsa-sign-pkcs1-4096-sha256': 'rsa-4096',
} as const satisfies Readonly<Record<string, KeyKind>>

export type SigningAlgorithmName = keyof typeof ephemeralKeyKinds

/**
 * How a key signs a message. A log sees the digest only, which pure Ed25519 does not sign: there it is Ed25519ph, which other
 * places do not know.
 */
export function messageAlgorithm(key: PublicKey, logs: readonly LogService[]): SignatureAlgorithm {
  return key.kind === 'ed25519' && logs.length > 0 ? 'ed25519ph' : defaultSignatureAlgorithm(key)
}

/**
 * How a key signs an envelope. Rekor v1 is given the envelope as a whole, and checks it with pure Ed25519; Rekor v2 sees a digest
 * of what was signed.
 */
export function envelopeAlgorithm(key: PublicKey, logs: readonly LogService[]): SignatureAlgorithm {
  return logs.every(({ apiVersion }) => apiVersion === 2) ? messageAlgorithm(key, logs) : defaultSignatureAlgorithm(key)
}
