/** ECDSA (FIPS 186-5 section 6.4.2) over a digest that was given instead of the message, which `node:crypto` has no function for. */
import { verify } from 'node:crypto'
import { derInteger, derSequence } from '../encoding/der-writer.ts'
import type { Curve } from './curve.ts'
import { addPoints, curves, decodePoint, encodePoint, integerOfBytes, modulo, multiplyGenerator } from './curve.ts'
import { digest as hash } from './digest.ts'
import { invert } from './modular-inverse.ts'
import type { EcdsaPublicKey } from './public-key.ts'
import { importPoint } from './public-key.ts'

/**
 * Whether (r, s) is the key's signature over the digest. The digest is replaced by that of a message that is known, and the key
 * by one that makes up for it. With Q the key, z the digest and z' that of the known message,
 *
 *     (z·G + r·Q) / s  =  (z'·G + r·Q') / s     for     Q' = Q + ((z - z') / r)·G
 *
 * so (r, s) is a signature over z by Q exactly when it is one over the known message by Q'. This costs one multiplication of the
 * generator and one import more than a signature over a message, and OpenSSL decides.
 * @param digest of any length: of one longer than the order, the leftmost bits count
 */
export function verifyEcdsaDigest(key: EcdsaPublicKey, digest: Uint8Array, r: bigint, s: bigint): boolean {
  const curve = curves[key.curve]
  const { n } = curve
  if (r <= 0n || r >= n || s <= 0n || s >= n) return false
  const z = leftmostBits(digest, curve)
  const inverse = invert(r, n)
  const q = decodePoint(curve, key.point)
  for (const message of knownMessages) {
    const factor = modulo((z - leftmostBits(hash('sha256', message), curve)) * inverse, n)
    const shifted = factor === 0n ? q : addPoints(curve, q, multiplyGenerator(curve, factor))
    // Q' is the point at infinity, which is no key, for one message at most. Then the other message decides.
    if (shifted === undefined) continue
    const signature = derSequence(derInteger(r), derInteger(s))
    return verify('sha256', message, importPoint(key.curve, encodePoint(curve, shifted)), signature)
  }
  return false
}

const knownMessages = [new Uint8Array(0), Uint8Array.of(0)]

/** FIPS 186-5 section 6.4.2 step 2: of a digest longer than the order, only its leftmost bits count. */
function leftmostBits(value: Uint8Array, { orderBits }: Curve): bigint {
  const integer = integerOfBytes(value)
  const excess = value.length * 8 - orderBits
  return excess > 0 ? integer >> BigInt(excess) : integer
}
