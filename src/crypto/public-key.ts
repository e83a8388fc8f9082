/** Public keys: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) and PKCS#1, parsed strictly, imported when first used. */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { encodeBase64, encodeBase64Url } from '../encoding/base64.ts'
import { asBuffer, excerpt } from '../encoding/bytes.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { derBitString, derNull, derOid, derSequence } from '../encoding/der-writer.ts'
import { encodePem, parsePem } from '../encoding/pem.ts'
import { DecodingError } from '../error.ts'
import { digest } from './digest.ts'

export type PublicKey = EcdsaPublicKey | RsaPublicKey | Ed25519PublicKey

export interface EcdsaPublicKey {
  readonly kind: 'ecdsa'
  readonly curve: 'P-256' | 'P-384' | 'P-521'
  /** The uncompressed point: 04, x, y. */
  readonly point: Uint8Array
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
}

export interface RsaPublicKey {
  readonly kind: 'rsa'
  readonly modulusBits: number
  readonly spki: Uint8Array
}

export interface Ed25519PublicKey {
  readonly kind: 'ed25519'
  /** The 32 bytes of RFC 8032. */
  readonly point: Uint8Array
  readonly spki: Uint8Array
}

const ecPublicKey = '1.2.840.10045.2.1'
const rsaEncryption = '1.2.840.113549.1.1.1'
const ed25519 = '1.3.101.112'
const curves: Readonly<Record<string, EcdsaPublicKey['curve']>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
}
const coordinateLengths: Readonly<Record<EcdsaPublicKey['curve'], number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }
const maxSpkiBytes = 2048

/**
 * Parses a SubjectPublicKeyInfo.
 * @throws DecodingError KEY_INVALID when it is malformed, KEY_UNSUPPORTED for other kinds and sizes of keys
 */
export function parsePublicKey(spki: Uint8Array): PublicKey {
  if (spki.length > maxSpkiBytes) throw invalid(`the public key is ${spki.length} bytes long, more than the limit of ${maxSpkiBytes}`)
  try {
    return parseSpki(spki)
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
 * Parses the first block of a PEM text: `PUBLIC KEY` or `RSA PUBLIC KEY`.
 * @throws DecodingError PEM_INVALID, KEY_INVALID, KEY_UNSUPPORTED
 */
export function parsePublicKeyPem(text: string): PublicKey {
  const [block] = parsePem(text, 'the public key')
  if (block?.label === 'PUBLIC KEY') return parsePublicKey(block.der)
  if (block?.label === 'RSA PUBLIC KEY') return parsePkcs1PublicKey(block.der)
  throw invalid(`expected a PUBLIC KEY, found a ${excerpt(block?.label ?? '')}`)
}

/** The key as PEM, label `PUBLIC KEY`. */
export function encodePublicKeyPem(key: PublicKey): string {
  return encodePem('PUBLIC KEY', key.spki)
}

/** The hint by which bundles name a key: base64 of the SHA-256 of its SubjectPublicKeyInfo. */
export function keyHint(key: PublicKey): string {
  return encodeBase64(digest('sha256', key.spki))
}

const imported = new WeakMap<PublicKey, KeyObject>()

/**
 * The key as `node:crypto` uses it, imported once.
 * @throws DecodingError KEY_INVALID when OpenSSL refuses it, because its point is not on the curve, say
 */
export function importPublicKey(key: PublicKey): KeyObject {
  const known = imported.get(key)
  if (known !== undefined) return known
  try {
    const object =
      key.kind === 'ecdsa' && key.curve === 'P-256'
        ? importPoint(key)
        : createPublicKey({ key: asBuffer(key.spki), format: 'der', type: 'spki' })
    imported.set(key, object)
    return object
  } catch (cause) {
    throw new DecodingError('KEY_INVALID', 'the public key is not a valid key of its kind', { cause })
  }
}

/** As JWK, which OpenSSL 3 takes in half the time of SubjectPublicKeyInfo for P-256, and in four times that for P-384. */
function importPoint({ curve, point }: EcdsaPublicKey): KeyObject {
  const length = coordinateLengths[curve]
  const x = encodeBase64Url(point.subarray(1, 1 + length))
  const y = encodeBase64Url(point.subarray(1 + length))
  return createPublicKey({ key: { kty: 'EC', crv: curve, x, y }, format: 'jwk' })
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
      const curve = curves[curveOid]
      if (curve === undefined) throw unsupported(`keys on the curve ${curveOid} are not supported, only P-256, P-384 and P-521`)
      if (bits[0] !== 0x04 || bits.length !== 1 + 2 * coordinateLengths[curve])
        throw invalid(`the ${curve} key is not an uncompressed point`)
      return { kind: 'ecdsa', curve, point: bits, spki }
    }
    case rsaEncryption:
      algorithm.null('the parameters of the RSA key')
      algorithm.end()
      return { kind: 'rsa', modulusBits: checkRsaKey(bits), spki }
    case ed25519:
      algorithm.end()
      if (bits.length !== 32) throw invalid(`the Ed25519 key has ${bits.length} bytes, expected 32`)
      return { kind: 'ed25519', point: bits, spki }
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
  if (exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 64n)
    throw invalid('the exponent of the RSA key is not an odd number from 3')
  return modulusBits
}

function invalid(message: string): DecodingError {
  return new DecodingError('KEY_INVALID', message)
}

function unsupported(message: string): DecodingError {
  return new DecodingError('KEY_UNSUPPORTED', message)
}
