/** Key pairs for tests, made once per process and reused where a test does not need its own. */
import { ed25519ph } from '@noble/curves/ed25519.js'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** The kinds of keys there are; RSA has 2048 bits. */
export type KeyKind = 'p256' | 'p384' | 'p521' | 'rsa' | 'ed25519'

/** The digests of signatures and artifacts. */
export type DigestName = 'sha256' | 'sha384' | 'sha512'

/** A key pair in the forms that tests ask for. */
export interface TestKey {
  readonly kind: KeyKind
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly pem: string
}

const pools = new Map<string, TestKey>()

/** A fresh key pair. RSA keys (2048 bits) are slow to make: prefer `namedKey`. */
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
  const label = `${kind} ${name}`
  const key = pools.get(label) ?? newKey(kind)
  pools.set(label, key)
  return key
}

const signatureDigests: Readonly<Record<KeyKind, DigestName | null>> = {
  p256: 'sha256',
  p384: 'sha384',
  p521: 'sha512',
  rsa: 'sha256',
  ed25519: null,
}

/** Signs with the key's usual digest, or with another one; Ed25519 hashes by itself. RSA is PKCS #1 v1.5. */
export function signWith(key: TestKey, data: Uint8Array, digest: string | null = signatureDigests[key.kind]): Uint8Array {
  return sign(key.kind === 'ed25519' ? null : digest, data, key.privateKey)
}

/** Signs with Ed25519ph (RFC 8032 section 5.1), which is what Rekor v1 asks of Ed25519 keys. */
export function signPrehashed(key: TestKey, data: Uint8Array): Uint8Array {
  // PKCS #8 of Ed25519 ends with the seed (RFC 8410 section 7).
  return ed25519ph.sign(data, key.privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32))
}

/** The digest that goes with the key's kind, also where the signature needs none. */
export function usualDigest(key: TestKey): DigestName {
  return signatureDigests[key.kind] ?? 'sha256'
}

/** Hash of the parts in a row. */
export function digestOf(algorithm: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** An RSA key as staging's trusted root has it: RSAPublicKey of PKCS #1, DER, with keyDetails PKCS1_RSA_PKCS1V5. */
export function pkcs1Of(key: TestKey): Uint8Array {
  return key.publicKey.export({ type: 'pkcs1', format: 'der' })
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
