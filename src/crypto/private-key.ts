/** Private keys that live in memory: making them, and signing with them. */
import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { asBuffer } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import type { PublicKey } from './public-key.ts'
import { parsePublicKey } from './public-key.ts'
import type { SignatureAlgorithm } from './signature-algorithm.ts'
import { defaultSignatureAlgorithm, digestOf } from './signature-algorithm.ts'

/** Whatever can sign: three members are all it takes. */
export interface Signer {
  readonly publicKey: PublicKey
  readonly algorithm: SignatureAlgorithm
  sign(data: Uint8Array): Uint8Array
}

export type KeyKind = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'ed25519'

/** Makes a new key pair. It exists in memory only. */
export function generateSigner(kind: KeyKind): Signer {
  return createSigner(generate(kind))
}

/**
 * A signer for a PKCS#8 private key.
 * @throws DecodingError KEY_INVALID, KEY_UNSUPPORTED
 */
export function parseSigner(pkcs8: Uint8Array, algorithm?: SignatureAlgorithm): Signer {
  try {
    return createSigner(createPrivateKey({ key: asBuffer(pkcs8), format: 'der', type: 'pkcs8' }), algorithm)
  } catch (cause) {
    // OpenSSL's messages may quote the input, which is a secret here.
    throw cause instanceof DecodingError ? cause : new DecodingError('KEY_INVALID', 'the private key is not a valid PKCS#8 key')
  }
}

function createSigner(privateKey: KeyObject, chosen?: SignatureAlgorithm): Signer {
  const publicKey = parsePublicKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }))
  const algorithm = chosen ?? defaultSignatureAlgorithm(publicKey)
  if (!algorithm.startsWith(publicKey.kind) || algorithm === 'ed25519ph') {
    throw new DecodingError('KEY_UNSUPPORTED', `a key of the kind ${publicKey.kind} cannot sign with ${algorithm} here`)
  }
  const options = algorithm.startsWith('rsa-pss')
    ? { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : privateKey
  return { publicKey, algorithm, sign: (data) => sign(digestOf(algorithm) ?? null, data, options) }
}

function generate(kind: KeyKind): KeyObject {
  switch (kind) {
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    case 'ecdsa-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    case 'ecdsa-p521':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4)) }).privateKey
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey
  }
}
