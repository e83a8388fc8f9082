/**
 * Ed25519ph with an empty context (RFC 8032 section 5.1), which OpenSSL 3.0 does not have. The arithmetic is that of `@noble/curves`, which is
 * loaded only when somebody asks for it: few signatures are of this kind, and every start of the program would pay.
 */
import type { ed25519 } from '@noble/curves/ed25519.js'
import { concatBytes, encodeUtf8, equalBytes } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { digest } from './digest.ts'
import { littleEndian } from './ed25519-point.ts'

/** Where the library is once it is loaded. Parts of the command line are built apart, each with a copy of this file: one loads for all. */
const place = Symbol.for('countersign.ed25519ph')
const shared = globalThis as typeof globalThis & { [place]?: typeof ed25519 }

/**
 * Loads what Ed25519ph needs. Signing and verifying are synchronous, so whoever may meet such a signature (every signature by
 * an Ed25519 key may be one) awaits this once beforehand.
 */
export async function loadEd25519ph(): Promise<void> {
  shared[place] ??= (await import('@noble/curves/ed25519.js')).ed25519
}

/**
 * Verifies a signature over a SHA-512 digest. As OpenSSL does for Ed25519, and Go for both: s must be reduced, the key must be
 * a canonical point, and the equation is the one without the cofactor.
 * @param publicKey 32 bytes
 * @param digestValue 64 bytes
 * @throws CountersignError KEY_UNSUPPORTED when `loadEd25519ph` was not awaited
 */
export function verifyEd25519phDigest(publicKey: Uint8Array, digestValue: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = loaded()
  if (signature.length !== 64) return false
  const encodedR = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= Point.Fn.ORDER) return false
  const a = decodePoint(publicKey)
  if (a === undefined) return false
  const k = challenge(encodedR, publicKey, digestValue)
  return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), encodedR)
}

/**
 * Signs a SHA-512 digest.
 * @param seed the 32 bytes of the private key
 * @param digestValue 64 bytes
 * @throws CountersignError KEY_UNSUPPORTED when `loadEd25519ph` was not awaited
 */
export function signEd25519phDigest(seed: Uint8Array, digestValue: Uint8Array): Uint8Array {
  const { Point, utils } = loaded()
  const { prefix, scalar, pointBytes } = utils.getExtendedPublicKey(seed)
  const r = challenge(prefix, digestValue)
  const encodedR = Point.BASE.multiply(r).toBytes()
  const k = challenge(encodedR, pointBytes, digestValue)
  return concatBytes(encodedR, Point.Fn.toBytes(Point.Fn.create(r + k * scalar)))
}

/** RFC 8032 section 5.1, dom2(1, ''): text, phflag, length of the context. */
const domain = 'SigEd25519 no Ed25519 collisions\u0001\0'

/** SHA-512 of the domain and the parts, as a scalar. */
function challenge(...parts: readonly Uint8Array[]): bigint {
  return littleEndian(digest('sha512', encodeUtf8(domain), ...parts)) % loaded().Point.Fn.ORDER
}

function decodePoint(bytes: Uint8Array): InstanceType<typeof ed25519.Point> | undefined {
  try {
    return loaded().Point.fromBytes(bytes)
  } catch {
    // The bytes are the encoding of no point: no signature verifies with such a key.
    return undefined
  }
}

function loaded(): typeof ed25519 {
  const library = shared[place]
  if (library === undefined) throw new CountersignError('KEY_UNSUPPORTED', 'Ed25519ph was not loaded (await loadEd25519ph() first)')
  return library
}
