/** Signatures: verified over bytes, or over a digest that was given instead of them. */
import { constants, verify } from 'node:crypto'
import { parseDerSequence } from '../encoding/der.ts'
import { CountersignError, UsageError } from '../error.ts'
import { digest as hash } from './digest.ts'
import { verifyEcdsaDigest } from './ecdsa-digest.ts'
import type { Ed25519PublicKey, PublicKey } from './public-key.ts'
import { importPublicKey } from './public-key.ts'
import { verifyPkcs1Digest, verifyPssDigest } from './rsa-digest.ts'
import type { SignatureAlgorithm } from './signature-algorithm.ts'
import { digestOf } from './signature-algorithm.ts'

export type { SignatureAlgorithm } from './signature-algorithm.ts'
export { defaultSignatureAlgorithm, digestOf, signatureAlgorithmFromKeyDetails, signatureAlgorithmFromOid } from './signature-algorithm.ts'

/**
 * Whether it is the key's signature over the data.
 * @returns false too when the key cannot make signatures of this algorithm, or the signature is malformed
 * @throws DecodingError KEY_INVALID when the key itself is not valid
 */
export function verifySignature(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): boolean {
  if (!fits(key, algorithm)) return false
  if (algorithm === 'ed25519ph') return verifyDigest(key, algorithm, hash('sha512', data), signature)
  // OpenSSL is lenient with BER in places; one signature shall have one encoding.
  if (key.kind === 'ecdsa' && parseEcdsaSignature(signature) === undefined) return false
  const object = importPublicKey(key)
  const digestName = digestOf(algorithm) ?? null
  if (!algorithm.startsWith('rsa-pss')) return verify(digestName, data, object, signature)
  return verify(
    digestName,
    data,
    { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
    signature,
  )
}

/**
 * Whether it is the key's signature over the data that has this digest.
 * @param digest of the algorithm's own digest algorithm (`digestOf`)
 * @throws UsageError ARTIFACT_REQUIRED for pure Ed25519, which signs no digest
 */
export function verifyDigest(key: PublicKey, algorithm: SignatureAlgorithm, digest: Uint8Array, signature: Uint8Array): boolean {
  const digestAlgorithm = digestOf(algorithm)
  if (digestAlgorithm === undefined) {
    throw new UsageError(
      'ARTIFACT_REQUIRED',
      'an Ed25519 signature can only be verified with the signed bytes themselves, not with their digest',
    )
  }
  if (!fits(key, algorithm)) return false
  switch (key.kind) {
    case 'ecdsa': {
      const values = parseEcdsaSignature(signature)
      if (values === undefined) return false
      importPublicKey(key)
      return verifyEcdsaDigest(key, digest, values.r, values.s)
    }
    case 'rsa': {
      const verifyRsa = algorithm.startsWith('rsa-pss') ? verifyPssDigest : verifyPkcs1Digest
      return verifyRsa(importPublicKey(key), digestAlgorithm, digest, signature)
    }
    case 'ed25519':
      return prehashed()(key.point, digest, signature)
  }
}

/** Verifies an Ed25519ph signature over a SHA-512 digest, given the 32 bytes of the key. */
export type Ed25519phVerifier = (point: Ed25519PublicKey['point'], digest: Uint8Array, signature: Uint8Array) => boolean

let ed25519ph: Ed25519phVerifier | undefined

/** Loads what Ed25519ph needs, which OpenSSL before 3.2 has not. To be awaited before an Ed25519 key is used. */
export async function loadEd25519ph(): Promise<void> {
  ed25519ph ??= (await import('./ed25519ph.ts')).verifyEd25519ph
}

function prehashed(): Ed25519phVerifier {
  if (ed25519ph === undefined) throw new CountersignError('KEY_UNSUPPORTED', 'Ed25519ph was not loaded (await loadEd25519ph() first)')
  return ed25519ph
}

function fits(key: PublicKey, algorithm: SignatureAlgorithm): boolean {
  return algorithm.startsWith(key.kind)
}

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3): two positive INTEGERs and nothing else. */
function parseEcdsaSignature(signature: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  if (signature.length > 150) return undefined
  try {
    const reader = parseDerSequence(signature, 'the signature')
    const r = reader.integer('r')
    const s = reader.integer('s')
    reader.end()
    return r > 0n && s > 0n ? { r, s } : undefined
  } catch {
    return undefined
  }
}
