/** Signing with a key that `node:crypto` holds. */
import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { constants, createSign, sign } from 'node:crypto'
import { decodeBase64Url } from '../encoding/base64.ts'
import { UsageError } from '../error.ts'
import { createDigest, digest } from './digest.ts'
import { signEd25519phDigest } from './ed25519ph.ts'
import type { PublicKey } from './public-key.ts'
import { describeKey } from './public-key.ts'
import type { SignatureAlgorithm } from './signature-algorithm.ts'
import { digestOf } from './signature-algorithm.ts'

/** Whatever can sign: three members are all it takes. A key that somebody else holds answers later, one in memory at once. */
export interface Signer {
  readonly publicKey: PublicKey
  readonly algorithm: SignatureAlgorithm
  /** The signature over these bytes, encoded as `verifySignature` takes it. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Starts a signature over bytes that come piece by piece; not there where all of them are needed at once, as for pure Ed25519. */
  start?(): SignatureState
}

/** A signature over bytes that come piece by piece. */
export interface SignatureState {
  /** Takes the next bytes. They are not kept: the caller may overwrite them. */
  update(chunk: Uint8Array): void
  /** The signature over everything that was taken. To be called once. */
  finish(): Uint8Array | Promise<Uint8Array>
}

/** A signer whose key is in memory. */
export interface LocalSigner extends Signer {
  sign(data: Uint8Array): Uint8Array
  start?(): LocalSignatureState
}

export interface LocalSignatureState extends SignatureState {
  finish(): Uint8Array
}

/**
 * A signer for a private key. PSS salts are as long as the digest.
 * @param publicKey that of the private key
 * @throws UsageError USAGE when the algorithm is not for such a key. Signing with `ed25519ph` throws
 *   CountersignError KEY_UNSUPPORTED before `loadEd25519ph` was awaited
 */
export function createNativeSigner(privateKey: KeyObject, publicKey: PublicKey, algorithm: SignatureAlgorithm): LocalSigner {
  if (!algorithm.startsWith(publicKey.kind)) throw new UsageError('USAGE', `${describeKey(publicKey)} cannot sign with ${algorithm}`)
  if (algorithm === 'ed25519ph') return createPrehashedSigner(privateKey, publicKey)
  const digestAlgorithm = digestOf(algorithm)
  if (digestAlgorithm === undefined) return { publicKey, algorithm, sign: (data) => sign(null, data, privateKey) }
  const key: SignKeyObjectInput = algorithm.startsWith('rsa-pss')
    ? { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key: privateKey }
  return {
    publicKey,
    algorithm,
    sign: (data) => sign(digestAlgorithm, data, key),
    start: () => {
      const state = createSign(digestAlgorithm)
      return {
        update: (chunk) => {
          state.update(chunk)
        },
        finish: () => state.sign(key),
      }
    },
  }
}

function createPrehashedSigner(privateKey: KeyObject, publicKey: PublicKey): LocalSigner {
  const signDigest = (value: Uint8Array): Uint8Array => {
    const seed = decodeBase64Url(privateKey.export({ format: 'jwk' }).d ?? '', 'the private key')
    try {
      return signEd25519phDigest(seed, value)
    } finally {
      seed.fill(0)
    }
  }
  return {
    publicKey,
    algorithm: 'ed25519ph',
    sign: (data) => signDigest(digest('sha512', data)),
    start: () => {
      const state = createDigest('sha512')
      return { update: (chunk) => state.update(chunk), finish: () => signDigest(state.finish()) }
    },
  }
}
