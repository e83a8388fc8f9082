/**
 * The three curves of FIPS 186-5 that Sigstore's keys are on (SP 800-186 section 3.2.1): y² = x³ - 3x + b over a prime field, with
 * a generator G of prime order n. The affine arithmetic here is on public values only and takes no care to hide them; every
 * multiplication of a point is left to OpenSSL.
 */
import { Buffer } from 'node:buffer'
import { createECDH } from 'node:crypto'
import type { ECDH } from 'node:crypto'
import { asBuffer } from '../encoding/bytes.ts'
import { invert } from './modular-inverse.ts'

export type CurveName = 'P-256' | 'P-384' | 'P-521'

export interface Curve {
  readonly name: CurveName
  /** Object identifier of the named curve (RFC 5480 section 2.1.1.1). */
  readonly oid: string
  readonly opensslName: string
  /** Bytes of one coordinate, and of a scalar. */
  readonly size: number
  /** Bits of the order n. */
  readonly orderBits: number
  /** The prime of the field. */
  readonly p: bigint
  readonly b: bigint
  /** The order of the generator. */
  readonly n: bigint
}

/** A point other than the one at infinity. */
export interface AffinePoint {
  readonly x: bigint
  readonly y: bigint
}

export const curves: Readonly<Record<CurveName, Curve>> = {
  'P-256': {
    name: 'P-256',
    oid: '1.2.840.10045.3.1.7',
    opensslName: 'prime256v1',
    size: 32,
    orderBits: 256,
    // 2²⁵⁶ - 2²²⁴ + 2¹⁹² + 2⁹⁶ - 1
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    name: 'P-384',
    oid: '1.3.132.0.34',
    opensslName: 'secp384r1',
    size: 48,
    orderBits: 384,
    // 2³⁸⁴ - 2¹²⁸ - 2⁹⁶ + 2³² - 1
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  'P-521': {
    name: 'P-521',
    oid: '1.3.132.0.35',
    opensslName: 'secp521r1',
    size: 66,
    orderBits: 521,
    // 2⁵²¹ - 1
    p: 0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffn,
    b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
}

/** Whether both coordinates are reduced and satisfy the curve's equation. */
export function isOnCurve({ p, b }: Curve, { x, y }: AffinePoint): boolean {
  return x < p && y < p && modulo((x * x - 3n) * x + b - y * y, p) === 0n
}

/** What multiplies generators, by curve: making one costs as much as multiplying. */
const multipliers = new Map<CurveName, ECDH>()

/** scalar·G, by OpenSSL. */
export function multiplyGenerator(curve: Curve, scalar: bigint): AffinePoint {
  const multiplier = multipliers.get(curve.name) ?? createECDH(curve.opensslName)
  multipliers.set(curve.name, multiplier)
  multiplier.setPrivateKey(hexOfInteger(scalar, curve.size), 'hex')
  return decodePoint(curve, multiplier.getPublicKey())
}

/** The sum of two points, undefined where it is the point at infinity. */
export function addPoints({ p }: Curve, first: AffinePoint, second: AffinePoint): AffinePoint | undefined {
  const isSameX = first.x === second.x
  if (isSameX && first.y !== second.y) return undefined
  // No point of these curves has y = 0: their order is an odd prime. So a tangent always has a slope.
  const slope = isSameX
    ? modulo((3n * first.x * first.x - 3n) * invert(2n * first.y, p), p)
    : modulo((second.y - first.y) * invert(modulo(second.x - first.x, p), p), p)
  const x = modulo(slope * slope - first.x - second.x, p)
  return { x, y: modulo(slope * (first.x - x) - first.y, p) }
}

/** The least non-negative residue. */
export function modulo(value: bigint, modulus: bigint): bigint {
  const residue = value % modulus
  return residue < 0n ? residue + modulus : residue
}

/** Big-endian bytes, at least one, as an integer. */
export function integerOfBytes(bytes: Uint8Array): bigint {
  return BigInt(`0x${asBuffer(bytes).toString('hex')}`)
}

/** The coordinates of 04 ‖ x ‖ y (SEC 1 section 2.3.3), as many bytes as the curve asks for. */
export function decodePoint({ size }: Curve, uncompressed: Uint8Array): AffinePoint {
  return { x: integerOfBytes(uncompressed.subarray(1, 1 + size)), y: integerOfBytes(uncompressed.subarray(1 + size)) }
}

/** 04 ‖ x ‖ y. */
export function encodePoint({ size }: Curve, { x, y }: AffinePoint): Uint8Array {
  return Buffer.from(`04${hexOfInteger(x, size)}${hexOfInteger(y, size)}`, 'hex')
}

function hexOfInteger(value: bigint, size: number): string {
  return value.toString(16).padStart(2 * size, '0')
}
