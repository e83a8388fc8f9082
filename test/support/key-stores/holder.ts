/** Who holds keys in tests: keys of every kind, and signatures over digests as services make them, by other code than what is tested. */
import { constants, createHash, createPublicKey, generateKeyPairSync, privateEncrypt, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { signEd25519phDigest } from '../../../src/crypto/ed25519ph.ts'
import type { KeyKind } from '../../../src/crypto/private-key.ts'

export type Scheme = 'ecdsa' | 'pkcs1' | 'pss' | 'ed25519'
export type Digest = 'sha256' | 'sha384' | 'sha512'

const digestInfos: Readonly<Record<Digest, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
}

const made = new Map<string, KeyObject>()

/** The same key for the same name and kind: RSA keys take a while. */
export function testKey(kind: KeyKind, name = 'usual'): KeyObject {
  const known = made.get(`${kind} ${name}`)
  if (known !== undefined) return known
  const size = kind.slice(kind.indexOf('-') + 1)
  const key =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519').privateKey
      : kind.startsWith('rsa')
        ? generateKeyPairSync('rsa', { modulusLength: Number(size) }).privateKey
        : generateKeyPairSync('ec', { namedCurve: size.replace('p', 'P-') }).privateKey
  made.set(`${kind} ${name}`, key)
  return key
}

export function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}

export function pemOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
}

/**
 * Signs what a holder is asked to sign. For Ed25519ph, `loadEd25519ph` must have been awaited.
 * @param digest that the input is; undefined when the input is a message, for Ed25519
 * @returns DER for ECDSA
 */
export function signAsHolder(key: KeyObject, scheme: Scheme, digest: Digest | undefined, input: Uint8Array): Uint8Array {
  if (scheme === 'ed25519') return digest === undefined ? sign(null, input, key) : signEd25519phDigest(secretOf(key), input)
  if (digest === undefined) throw new TypeError(`${scheme} signs digests`)
  if (scheme === 'ecdsa') {
    const curve = { 'P-256': p256, 'P-384': p384, 'P-521': p521 }[String(key.export({ format: 'jwk' }).crv)] ?? p256
    return curve.sign(input, secretOf(key), { prehash: false, lowS: false, format: 'der' })
  }
  const padded =
    scheme === 'pkcs1' ? Buffer.concat([Buffer.from(digestInfos[digest], 'hex'), input]) : encodePss(modulusBits(key), digest, input)
  return privateEncrypt({ key, padding: scheme === 'pkcs1' ? constants.RSA_PKCS1_PADDING : constants.RSA_NO_PADDING }, padded)
}

/** r and s side by side. */
export function rawSignature(key: KeyObject, der: Uint8Array): Uint8Array {
  const curve = { 'P-256': p256, 'P-384': p384, 'P-521': p521 }[String(key.export({ format: 'jwk' }).crv)] ?? p256
  return curve.Signature.fromBytes(der, 'der').toBytes('compact')
}

function secretOf(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
}

function modulusBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}

/** RFC 8017 section 9.1.1, for moduli of whole bytes. */
function encodePss(bits: number, digest: Digest, mHash: Uint8Array): Buffer {
  const hash = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((state, part) => state.update(part), createHash(digest)).digest()
  const salt = randomBytes(mHash.length)
  const h = hash(new Uint8Array(8), mHash, salt)
  const dbLength = bits / 8 - h.length - 1
  const db = Buffer.concat([Buffer.alloc(dbLength - salt.length - 1), Buffer.of(1), salt])
  for (let counter = 0, at = 0; at < dbLength; counter++) {
    for (const byte of hash(h, Buffer.of(0, 0, 0, counter))) if (at < dbLength) db[at] = (db[at++] ?? 0) ^ byte
  }
  db[0] = (db[0] ?? 0) & 0x7f
  return Buffer.concat([db, h, Buffer.of(0xbc)])
}
