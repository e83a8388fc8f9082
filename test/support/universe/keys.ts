/** Key pairs for tests, made once per process and reused where a test does not need its own. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export type KeyKind = 'p256' | 'p384' | 'p521' | 'rsa' | 'ed25519'

export interface TestKey {
  readonly kind: KeyKind
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly pem: string
}

const pools = new Map<string, TestKey>()

/** A fresh key pair. RSA keys are slow to make: prefer `namedKey`. */
export function newKey(kind: KeyKind = 'p256'): TestKey {
  const { privateKey, publicKey } = generate(kind)
  return {
    kind,
    privateKey,
    publicKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** The key pair of this name and kind: the same one on every call. */
export function namedKey(name: string, kind: KeyKind = 'p256'): TestKey {
  const key = pools.get(`${kind} ${name}`) ?? newKey(kind)
  pools.set(`${kind} ${name}`, key)
  return key
}

const usualDigests: Readonly<Record<KeyKind, string | null>> = { p256: 'sha256', p384: 'sha384', p521: 'sha512', rsa: 'sha256', ed25519: null }

/** Signs with the key's usual digest, or with another one. */
export function signWith(key: TestKey, data: Uint8Array, digest: string | null = usualDigests[key.kind]): Uint8Array {
  return sign(digest, data, key.privateKey)
}

/** PublicKeyDetails of protobuf-specs for the key's usual algorithm. */
export function keyDetailsOf(kind: KeyKind): string {
  const details: Readonly<Record<KeyKind, string>> = {
    p256: 'PKIX_ECDSA_P256_SHA_256',
    p384: 'PKIX_ECDSA_P384_SHA_384',
    p521: 'PKIX_ECDSA_P521_SHA_512',
    rsa: 'PKIX_RSA_PKCS1V15_2048_SHA256',
    ed25519: 'PKIX_ED25519',
  }
  return details[kind]
}

function generate(kind: KeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('ec', { namedCurve: { p256: 'P-256', p384: 'P-384', p521: 'P-521' }[kind] })
}
