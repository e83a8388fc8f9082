/**
 * ECDSA over a digest that was given instead of the message, which `node:crypto` has no function for. The scalar
 * multiplications are OpenSSL's, through `createECDH`: u1·G with both coordinates, u2·Q and (u2+1)·Q with x only. From
 * those two x follows the y of u2·Q, and what is left is one addition of points (SEC 1 section 4.1.4).
 */
import { createECDH } from 'node:crypto'
import { asBuffer } from '../encoding/bytes.ts'
import type { EcdsaPublicKey } from './public-key.ts'

interface Curve {
  readonly name: string
  /** The field's prime, the order of the group, and b of y² = x³ - 3x + b. */
  readonly p: bigint
  readonly n: bigint
  readonly b: bigint
  readonly bytes: number
  readonly orderBits: number
}

const parameters: Readonly<Record<EcdsaPublicKey['curve'], Curve>> = {
  'P-256': {
    name: 'prime256v1',
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    bytes: 32,
    orderBits: 256,
  },
  'P-384': {
    name: 'secp384r1',
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    bytes: 48,
    orderBits: 384,
  },
  'P-521': {
    name: 'secp521r1',
    p: (1n << 521n) - 1n,
    n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    bytes: 66,
    orderBits: 521,
  },
}

/**
 * Whether (r, s) is the key's signature over the digest.
 * @param key must be a valid key: its point is on the curve
 */
export function verifyEcdsaDigest(key: EcdsaPublicKey, digest: Uint8Array, r: bigint, s: bigint): boolean {
  const curve = parameters[key.curve]
  const { p, n } = curve
  if (r <= 0n || r >= n || s <= 0n || s >= n) return false
  const w = inverse(s, n)
  const u1 = (leftmostBits(digest, curve.orderBits) * w) % n
  const u2 = (r * w) % n
  const sum = pointSum(key, curve, u1, u2)
  if (sum === undefined) return false
  // x mod n = r has one or two solutions below p; compared without dividing by the denominator.
  const { numerator, denominator } = sum
  if ((r * denominator - numerator) % p === 0n) return true
  return r + n < p && ((r + n) * denominator - numerator) % p === 0n
}

interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** x of u1·G + u2·Q as a fraction modulo p; undefined when the sum is the point at infinity. */
function pointSum(key: EcdsaPublicKey, curve: Curve, u1: bigint, u2: bigint): Fraction | undefined {
  const { p } = curve
  const q = { x: toBigint(key.point.subarray(1, 1 + curve.bytes)), y: toBigint(key.point.subarray(1 + curve.bytes)) }
  const a = multiple(key, curve, q, u2)
  if (u1 === 0n) return { numerator: a.x, denominator: 1n }
  const g = baseMultiple(curve, u1)
  const dx = modulo(g.x - a.x, p)
  if (dx !== 0n) {
    // The chord through both points; a.y is the fraction a.yn / a.yd.
    const dy = modulo(g.y * a.yd - a.yn, p)
    const scale = (dx * dx * (a.yd * a.yd)) % p
    return { numerator: modulo(dy * dy - (g.x + a.x) * scale, p), denominator: scale }
  }
  if (modulo(g.y * a.yd - a.yn, p) !== 0n) return undefined
  // The same point twice: the tangent.
  const slope = modulo(3n * g.x * g.x - 3n, p)
  const scale = (4n * g.y * g.y) % p
  return { numerator: modulo(slope * slope - 2n * g.x * scale, p), denominator: scale }
}

interface HalfPoint {
  readonly x: bigint
  /** y is yn / yd modulo p. */
  readonly yn: bigint
  readonly yd: bigint
}

/** scalar·Q, its y as a fraction. */
function multiple(key: EcdsaPublicKey, { name, n, p, b, bytes }: Curve, q: { x: bigint; y: bigint }, scalar: bigint): HalfPoint {
  if (scalar === 1n) return { x: q.x, yn: q.y, yd: 1n }
  if (scalar === n - 1n) return { x: q.x, yn: modulo(-q.y, p), yd: 1n }
  const x = xOfMultiple(name, bytes, key.point, scalar)
  const next = xOfMultiple(name, bytes, key.point, scalar + 1n)
  // A + Q has x3 = ((yQ - yA) / (xQ - xA))² - xA - xQ. Squared out, with yA² from the curve's equation, yA is linear in it.
  const dx = q.x - x
  const squared = modulo((next + x + q.x) * dx * dx, p)
  return { x, yn: modulo(q.y * q.y + x * x * x - 3n * x + b - squared, p), yd: (2n * q.y) % p }
}

function xOfMultiple(name: string, bytes: number, point: Uint8Array, scalar: bigint): bigint {
  const ecdh = createECDH(name)
  ecdh.setPrivateKey(toHex(scalar, bytes), 'hex')
  return toBigint(ecdh.computeSecret(point))
}

function baseMultiple({ name, bytes }: Curve, scalar: bigint): { x: bigint; y: bigint } {
  const ecdh = createECDH(name)
  ecdh.setPrivateKey(toHex(scalar, bytes), 'hex')
  const point = ecdh.getPublicKey()
  return { x: toBigint(point.subarray(1, 1 + bytes)), y: toBigint(point.subarray(1 + bytes)) }
}

/** SEC 1 section 4.1.4 step 3: of a digest longer than the order, only its leftmost bits count. */
function leftmostBits(digest: Uint8Array, bits: number): bigint {
  const value = toBigint(digest)
  const excess = digest.length * 8 - bits
  return excess > 0 ? value >> BigInt(excess) : value
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [value, modulus]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return modulo(x, modulus)
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

function toBigint(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${asBuffer(bytes).toString('hex')}`)
}

function toHex(value: bigint, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0')
}
