/**
 * Public keys: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) and PKCS#1, parsed strictly, imported when first used. Every key
 * has exactly one encoding here, so that comparing and hashing the encoded bytes compares keys.
 */
import { KeyObject, createPublicKey, webcrypto } from 'node:crypto'
import { encodeBase64, encodeBase64Url } from '../encoding/base64.ts'
import { asBuffer, equalBytes, excerpt } from '../encoding/bytes.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { derBitString, derNull, derOid, derSequence } from '../encoding/der-writer.ts'
import { encodePem, parsePem } from '../encoding/pem.ts'
import { DecodingError } from '../error.ts'
import type { CurveName } from './curve.ts'
import { curves, decodePoint, isOnCurve } from './curve.ts'
import { digest } from './digest.ts'
import { ed25519PointComplaint } from './ed25519-point.ts'

/** A key that passed every check of its kind. Its bytes are copies: the caller's may change. */
export type PublicKey = EcdsaPublicKey | RsaPublicKey | Ed25519PublicKey

export interface EcdsaPublicKey {
  readonly kind: 'ecdsa'
  readonly curve: CurveName
  /** The uncompressed point: 04, x, y. It is on the curve. */
  readonly point: Uint8Array
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
}

export interface RsaPublicKey {
  readonly kind: 'rsa'
  /** From 2048 to 4096. */
  readonly modulusBits: number
  /** RSAPublicKey (RFC 8017 appendix A.1.1), DER. */
  readonly pkcs1: Uint8Array
  readonly spki: Uint8Array
}

export interface Ed25519PublicKey {
  readonly kind: 'ed25519'
  /** The 32 bytes of RFC 8032. It is reduced, and not of small order. */
  readonly point: Uint8Array
  readonly spki: Uint8Array
}

const ecPublicKey = '1.2.840.10045.2.1'
const rsaEncryption = '1.2.840.113549.1.1.1'
const ed25519 = '1.3.101.112'
const maxSpkiBytes = 2048

/**
 * Parses a SubjectPublicKeyInfo.
 * @throws DecodingError KEY_INVALID when it is malformed, KEY_UNSUPPORTED for other kinds and sizes of keys
 */
export function parsePublicKey(spki: Uint8Array): PublicKey {
  if (spki.length > maxSpkiBytes) throw invalid(`the public key is ${spki.length} bytes long, more than the limit of ${maxSpkiBytes}`)
  try {
    return parseSpki(Uint8Array.from(spki))
  } catch (cause) {
    if (cause instanceof DecodingError && cause.code === 'DER_INVALID') throw new DecodingError('KEY_INVALID', cause.message, { cause })
    throw cause
  }
}

/** Parses an RSAPublicKey (RFC 8017 appendix A.1.1), the encoding of old log keys. */
export function parsePkcs1PublicKey(der: Uint8Array): PublicKey {
  return parsePublicKey(derSequence(derSequence(derOid(rsaEncryption), derNull()), derBitString(der)))
}

/**
 * Parses a PEM text with one block, `PUBLIC KEY` or `RSA PUBLIC KEY`.
 * @throws DecodingError PEM_INVALID, KEY_INVALID, KEY_UNSUPPORTED
 */
export function parsePublicKeyPem(text: string): PublicKey {
  const [block, ...others] = parsePem(text, 'the public key')
  if (others.length > 0) throw invalid(`expected one PUBLIC KEY, found ${others.length + 1} PEM blocks`)
  if (block?.label === 'PUBLIC KEY') return parsePublicKey(block.der)
  if (block?.label === 'RSA PUBLIC KEY') return parsePkcs1PublicKey(block.der)
  throw invalid(`expected a PUBLIC KEY, found a ${excerpt(block?.label ?? '')}${hintFor(block?.label ?? '')}`)
}

/** The key as PEM, label `PUBLIC KEY`. */
export function encodePublicKeyPem(key: PublicKey): string {
  return encodePem('PUBLIC KEY', key.spki)
}

/** The hint by which bundles name a key: base64 of the SHA-256 of its SubjectPublicKeyInfo. */
export function keyHint(key: PublicKey): string {
  return encodeBase64(digest('sha256', key.spki))
}

/** Whether two keys are the same key. */
export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return equalBytes(a.spki, b.spki)
}

/** What the key is, for messages: `an ECDSA key on P-256`, `an RSA key of 2048 bits`, `an Ed25519 key`. */
export function describeKey(key: PublicKey): string {
  if (key.kind === 'ecdsa') return `an ECDSA key on ${key.curve}`
  return key.kind === 'rsa' ? `an RSA key of ${key.modulusBits} bits` : 'an Ed25519 key'
}

const imported = new WeakMap<PublicKey, KeyObject>()

/** The key as `node:crypto` uses it, imported once, in the form that OpenSSL takes fastest. */
export function importPublicKey(key: PublicKey): KeyObject {
  const known = imported.get(key)
  if (known !== undefined) return known
  const object = importKey(key)
  imported.set(key, object)
  return object
}

/**
 * Imports a key before it is used, where that can be waited for: WebCrypto takes a point of P-256 as it is, so that import and first use
 * together cost an eighth less.
 * @returns undefined where there is nothing to wait for
 */
export function prepareKey(key: PublicKey): Promise<void> | undefined {
  if (key.kind !== 'ecdsa' || key.curve !== 'P-256' || imported.has(key)) return undefined
  return prepareP256(key)
}

async function prepareP256(key: EcdsaPublicKey): Promise<void> {
  const algorithm = { name: 'ECDSA', namedCurve: key.curve }
  imported.set(key, KeyObject.from(await webcrypto.subtle.importKey('raw', key.point, algorithm, true, ['verify'])))
}

/**
 * Imports an uncompressed point that is on the curve. OpenSSL 3.0 takes half the time for P-256 as JWK, and four times that for
 * P-384, whose coordinates it multiplies by the order.
 */
export function importPoint(curve: CurveName, point: Uint8Array): KeyObject {
  if (curve === 'P-256') {
    const x = encodeBase64Url(point.subarray(1, 33))
    const y = encodeBase64Url(point.subarray(33))
    return createPublicKey({ key: { kty: 'EC', crv: curve, x, y }, format: 'jwk' })
  }
  const spki = derSequence(derSequence(derOid(ecPublicKey), derOid(curves[curve].oid)), derBitString(point))
  return importSpki(spki)
}

function importSpki(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: asBuffer(spki), format: 'der', type: 'spki' })
}

function importKey(key: PublicKey): KeyObject {
  if (key.kind === 'ecdsa') return key.curve === 'P-256' ? importPoint(key.curve, key.point) : importSpki(key.spki)
  // 3 µs, where OpenSSL 3.0 takes 100 for the same key as SubjectPublicKeyInfo; 6 against 74 for Ed25519.
  if (key.kind === 'rsa') return createPublicKey({ key: asBuffer(key.pkcs1), format: 'der', type: 'pkcs1' })
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(key.point) }, format: 'jwk' })
}

function parseSpki(spki: Uint8Array): PublicKey {
  const reader = parseDerSequence(spki, 'the public key')
  const algorithm = reader.sequence('the algorithm of the key')
  const kind = algorithm.oid('the kind of key')
  const bits = reader.bitString('the key bits')
  reader.end()
  switch (kind) {
    case ecPublicKey: {
      const curveOid = algorithm.oid('the curve (only named curves are allowed)')
      algorithm.end()
      const curve = [curves['P-256'], curves['P-384'], curves['P-521']].find((candidate) => candidate.oid === curveOid)
      if (curve === undefined) throw unsupported(`keys on the curve ${curveOid} are not supported, only P-256, P-384 and P-521`)
      if (bits[0] !== 0x04 || bits.length !== 1 + 2 * curve.size) throw invalid(`the ${curve.name} key is not an uncompressed point`)
      if (!isOnCurve(curve, decodePoint(curve, bits))) throw invalid(`the ${curve.name} key is not a point on its curve`)
      return { kind: 'ecdsa', curve: curve.name, point: bits, spki }
    }
    case rsaEncryption:
      algorithm.null('the parameters of the RSA key')
      algorithm.end()
      return { kind: 'rsa', modulusBits: checkRsaKey(bits), pkcs1: bits, spki }
    case ed25519: {
      algorithm.end()
      if (bits.length !== 32) throw invalid(`the Ed25519 key has ${bits.length} bytes, expected 32`)
      const complaint = ed25519PointComplaint(bits)
      if (complaint !== undefined) throw invalid(complaint)
      return { kind: 'ed25519', point: bits, spki }
    }
    default:
      throw unsupported(`keys of the kind ${kind} are not supported, only ECDSA, RSA and Ed25519`)
  }
}

function checkRsaKey(bits: Uint8Array): number {
  const reader = parseDerSequence(bits, 'the RSA key')
  const modulus = reader.integer('the modulus')
  const exponent = reader.integer('the exponent')
  reader.end()
  const modulusBits = modulus <= 0n ? 0 : modulus.toString(2).length
  if (modulusBits < 2048 || modulusBits > 4096) throw unsupported(`RSA keys have 2048 to 4096 bits, found ${modulusBits}`)
  if (modulus % 2n === 0n) throw invalid('the modulus of the RSA key is even')
  if (exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 64n)
    throw invalid('the exponent of the RSA key is not an odd number from 3')
  return modulusBits
}

function hintFor(label: string): string {
  if (label.endsWith('PRIVATE KEY')) return ', which belongs to its owner alone: give the public key that was made with it'
  return label === 'CERTIFICATE' ? ', which is not a bare key: give it with --certificate' : ''
}

function invalid(message: string): DecodingError {
  return new DecodingError('KEY_INVALID', message)
}

function unsupported(message: string): DecodingError {
  return new DecodingError('KEY_UNSUPPORTED', message)
}
