/** Signatures: verified over bytes, or over a digest that was given instead of them. */
import { constants, verify } from 'node:crypto'
import { parseDerSequence } from '../encoding/der.ts'
import { UsageError } from '../error.ts'
import { digest as hash, digestLength } from './digest.ts'
import { verifyEcdsaDigest } from './ecdsa-digest.ts'
import { verifyEd25519phDigest } from './ed25519ph.ts'
import type { PublicKey } from './public-key.ts'
import { importPublicKey } from './public-key.ts'
import { hasModulusLength, verifyPkcs1Digest, verifyPssDigest } from './rsa-digest.ts'
import type { SignatureAlgorithm } from './signature-algorithm.ts'
import { digestOf } from './signature-algorithm.ts'

export type { SignatureAlgorithm } from './signature-algorithm.ts'
export { loadEd25519ph } from './ed25519ph.ts'
export {
  defaultSignatureAlgorithm,
  digestOf,
  keyDetailsOf,
  signatureAlgorithmFromKeyDetails,
  signatureAlgorithmFromOid,
  signatureAlgorithmsOver,
} from './signature-algorithm.ts'

/**
 * Whether it is the key's signature over the data.
 * @param signature DER for ECDSA (OpenSSL compares it with its own encoding of the numbers, so there is exactly one), as long as
 *   the modulus for RSA, 64 bytes for Ed25519
 * @returns false too when the key cannot make signatures of this algorithm, or the signature is malformed
 * @throws CountersignError KEY_UNSUPPORTED for `ed25519ph` before `loadEd25519ph` was awaited
 */
export function verifySignature(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): boolean {
  if (!fits(key, algorithm)) return false
  if (algorithm === 'ed25519ph') return verifyDigest(key, algorithm, hash('sha512', data), signature)
  const object = importPublicKey(key)
  const digestName = digestOf(algorithm) ?? null
  if (!algorithm.startsWith('rsa-pss')) return verify(digestName, data, object, signature)
  if (!hasModulusLength(object, signature)) return false
  return verify(
    digestName,
    data,
    { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
    signature,
  )
}

/**
 * As `verifySignature`, on another thread, where that is worth while: ECDSA on the larger curves takes half a millisecond and more, what
 * else there is a tenth, which is less than handing it over.
 * @returns undefined for what else there is
 */
export function verifySlowSignature(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> | undefined {
  if (key.kind !== 'ecdsa' || key.curve === 'P-256') return undefined
  if (!fits(key, algorithm)) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    verify(digestOf(algorithm) ?? null, data, importPublicKey(key), signature, (error, holds) => {
      if (error === null) resolve(holds)
      else reject(error)
    })
  })
}

/**
 * Whether it is the key's signature over the data that has this digest.
 * @param digest of the algorithm's own digest algorithm (`digestOf`)
 * @throws UsageError ARTIFACT_REQUIRED for pure Ed25519, which signs no digest; USAGE for a digest of another length
 * @throws CountersignError KEY_UNSUPPORTED for `ed25519ph` before `loadEd25519ph` was awaited
 */
export function verifyDigest(key: PublicKey, algorithm: SignatureAlgorithm, digest: Uint8Array, signature: Uint8Array): boolean {
  const digestAlgorithm = digestOf(algorithm)
  if (digestAlgorithm === undefined) {
    throw new UsageError(
      'ARTIFACT_REQUIRED',
      'an Ed25519 signature can only be verified with the signed bytes themselves, not with their digest',
    )
  }
  const expected = digestLength(digestAlgorithm)
  if (digest.length !== expected)
    throw new UsageError('USAGE', `${algorithm} signs a digest of ${expected} bytes, found one of ${digest.length}`)
  if (!fits(key, algorithm)) return false
  switch (key.kind) {
    case 'ecdsa': {
      const values = parseEcdsaSignature(signature)
      if (values === undefined) return false
      return verifyEcdsaDigest(key, digest, values.r, values.s)
    }
    case 'rsa': {
      const verifyRsa = algorithm.startsWith('rsa-pss') ? verifyPssDigest : verifyPkcs1Digest
      return verifyRsa(importPublicKey(key), digestAlgorithm, digest, signature)
    }
    case 'ed25519':
      return verifyEd25519phDigest(key.point, digest, signature)
  }
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
