/** Which keys may sign what a log takes, and how: names of the Sigstore algorithm registry (PublicKeyDetails). */
import type { PublicKey } from '../../crypto/public-key.ts'
import { describeKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { defaultSignatureAlgorithm, keyDetailsOf } from '../../crypto/signature.ts'
import { CountersignError } from '../../error.ts'

/** What a Rekor v2 log takes: every key with its default algorithm. Pure Ed25519 signs no digest, so it is not there. */
export const defaultKeyDetails: readonly string[] = [
  'PKIX_RSA_PKCS1V15_2048_SHA256',
  'PKIX_RSA_PKCS1V15_3072_SHA256',
  'PKIX_RSA_PKCS1V15_4096_SHA256',
  'PKIX_ECDSA_P256_SHA_256',
  'PKIX_ECDSA_P384_SHA_384',
  'PKIX_ECDSA_P521_SHA_512',
  'PKIX_ED25519_PH',
]

/** What a Rekor v1 log takes besides: cosign before 3.1 signed everything over SHA-256. */
export const defaultKeyDetailsV1: readonly string[] = [...defaultKeyDetails, 'PKIX_ECDSA_P384_SHA_256', 'PKIX_ECDSA_P521_SHA_256']

/** The algorithm that the key signs digests with. */
export function digestSigningAlgorithm(key: PublicKey): SignatureAlgorithm {
  return key.kind === 'ed25519' ? 'ed25519ph' : defaultSignatureAlgorithm(key)
}

/**
 * The name of the key with this algorithm, which must be an allowed one.
 * @throws CountersignError REQUEST_INVALID
 */
export function allowedKeyDetails(key: PublicKey, algorithm: SignatureAlgorithm, allowed: readonly string[]): string {
  const name = keyDetailsName(key, algorithm)
  if (name !== undefined && allowed.includes(name)) return name
  throw new CountersignError(
    'REQUEST_INVALID',
    `entry algorithms are not allowed: ${describeKey(key)} with ${algorithm}${name === undefined ? '' : ` (${name})`}; this log takes ${allowed.join(', ')}`,
  )
}

function keyDetailsName(key: PublicKey, algorithm: SignatureAlgorithm): string | undefined {
  try {
    return keyDetailsOf(key, algorithm)
  } catch {
    // The registry has no name for such a key.
    return undefined
  }
}
