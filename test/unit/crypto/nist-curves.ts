/** The three curves in `@noble/curves`, the oracle, and ECDSA with every number chosen by the test. */
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import type { EcdsaPublicKey } from '../../../src/crypto/public-key.ts'
import type { CurveName } from '../../../src/crypto/curve.ts'
import { curves, modulo } from '../../../src/crypto/curve.ts'
import { invert } from '../../../src/crypto/modular-inverse.ts'
import { derBitString, derInteger, derOid, derSequence } from '../../../src/encoding/der-writer.ts'

export const noble = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

export const curveNames: readonly CurveName[] = ['P-256', 'P-384', 'P-521']

/** SubjectPublicKeyInfo of any bytes as a point on a named curve. */
export function ecSpki(curveOid: string, point: Uint8Array): Uint8Array {
  return derSequence(derSequence(derOid('1.2.840.10045.2.1'), derOid(curveOid)), derBitString(point))
}

/** The public key of a private scalar. */
export function publicKeyOf(name: CurveName, scalar: bigint): EcdsaPublicKey {
  return keyOfPoint(name, noble[name].Point.BASE.multiply(scalar).toBytes(false))
}

export function keyOfPoint(name: CurveName, point: Uint8Array): EcdsaPublicKey {
  const key = parsePublicKey(ecSpki(curves[name].oid, point))
  if (key.kind !== 'ecdsa') throw new Error(`expected an ECDSA key, found ${key.kind}`)
  return key
}

export interface EcdsaValues {
  readonly r: bigint
  readonly s: bigint
}

/** The signature over z by the private scalar d with the random number k (FIPS 186-5 section 6.4.1). */
export function signWith(name: CurveName, z: bigint, d: bigint, k: bigint): EcdsaValues {
  const { n } = curves[name]
  const r = rOf(name, k)
  return { r, s: modulo((z + r * d) * invert(k, n), n) }
}

/** r for a random number k. */
export function rOf(name: CurveName, k: bigint): bigint {
  return modulo(noble[name].Point.BASE.multiply(k).toAffine().x, curves[name].n)
}

export function encodeValues({ r, s }: EcdsaValues): Uint8Array {
  return derSequence(derInteger(r), derInteger(s))
}

/** An integer as the digest that it is the value of: as many bytes as asked for. */
export function digestOfInteger(value: bigint, bytes: number): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
}
