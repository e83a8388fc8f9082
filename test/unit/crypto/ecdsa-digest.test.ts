import { createHash, createECDH, randomBytes, sign } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verifyEcdsaDigest } from '../../../src/crypto/ecdsa-digest.ts'
import type { EcdsaPublicKey } from '../../../src/crypto/public-key.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { derBitString, derOid, derSequence } from '../../../src/encoding/der-writer.ts'
import { newKey } from '../../support/universe/keys.ts'

const curves = [
  { name: 'P-256', kind: 'p256', noble: p256, node: 'prime256v1', oid: '1.2.840.10045.3.1.7', bytes: 32, digest: 'sha256' },
  { name: 'P-384', kind: 'p384', noble: p384, node: 'secp384r1', oid: '1.3.132.0.34', bytes: 48, digest: 'sha384' },
  { name: 'P-521', kind: 'p521', noble: p521, node: 'secp521r1', oid: '1.3.132.0.35', bytes: 66, digest: 'sha512' },
] as const

type Curve = (typeof curves)[number]

/** The public key of a private scalar. */
function keyOf(curve: Curve, scalar: bigint): EcdsaPublicKey {
  const ecdh = createECDH(curve.node)
  ecdh.setPrivateKey(scalar.toString(16).padStart(2 * curve.bytes, '0'), 'hex')
  const spki = derSequence(derSequence(derOid('1.2.840.10045.2.1'), derOid(curve.oid)), derBitString(ecdh.getPublicKey()))
  const key = parsePublicKey(spki)
  if (key.kind !== 'ecdsa') throw new Error('an ECDSA key was expected')
  return key
}

/** ECDSA itself, for chosen nonces: (r, s) of a digest under a private scalar. */
function signDigest(curve: Curve, scalar: bigint, nonce: bigint, digest: Uint8Array): { r: bigint; s: bigint } {
  const { n } = curve.noble.Point.CURVE()
  const r = curve.noble.Point.BASE.multiply(nonce).toAffine().x % n
  const excess = digest.length * 8 - n.toString(2).length
  const e = BigInt(`0x${Buffer.from(digest).toString('hex')}`) >> BigInt(Math.max(0, excess))
  return { r, s: (inverse(nonce, n) * (e + r * scalar)) % n }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let result = 1n
  let base = value % modulus
  for (let exponent = modulus - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}

for (const curve of curves) {
  const { n } = curve.noble.Point.CURVE()

  describe(`ECDSA over a digest, ${curve.name}`, () => {
    it('agrees with signatures that node:crypto made over the message', () => {
      for (let round = 0; round < 8; round++) {
        const pair = newKey(curve.kind)
        const key = parsePublicKey(pair.spki)
        if (key.kind !== 'ecdsa') throw new Error('an ECDSA key was expected')
        const message = randomBytes(40)
        const raw = sign(curve.digest, message, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
        const r = BigInt(`0x${raw.subarray(0, curve.bytes).toString('hex')}`)
        const s = BigInt(`0x${raw.subarray(curve.bytes).toString('hex')}`)
        const digest = createHash(curve.digest).update(message).digest()
        expect(verifyEcdsaDigest(key, digest, r, s)).toBe(true)
        expect(verifyEcdsaDigest(key, digest, r, n - s)).toBe(true)
        expect(verifyEcdsaDigest(key, digest, r + 1n, s)).toBe(false)
        expect(verifyEcdsaDigest(key, digest, s, r)).toBe(false)
        digest[0] = (digest[0] ?? 0) ^ 1
        expect(verifyEcdsaDigest(key, digest, r, s)).toBe(false)
      }
    })

    it('agrees with noble for random digests of any length', () => {
      const scalar = 0x1234567890abcdefn
      const key = keyOf(curve, scalar)
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 20, maxLength: 80 }), fc.bigInt({ min: 1n, max: 1n << 200n }), (digest, nonce) => {
          const { r, s } = signDigest(curve, scalar, nonce, digest)
          if (r === 0n || s === 0n) return
          expect(verifyEcdsaDigest(key, digest, r, s)).toBe(true)
          const oracle = new curve.noble.Signature(r, s)
          expect(curve.noble.verify(oracle.toBytes('compact'), digest, key.point, { prehash: false, lowS: false })).toBe(true)
          expect(verifyEcdsaDigest(key, digest, r, (s + 1n) % n)).toBe(false)
        }),
        { numRuns: 15 },
      )
    })

    it('refuses r and s out of range', () => {
      const key = keyOf(curve, 5n)
      const digest = new Uint8Array(curve.bytes).fill(1)
      for (const r of [0n, n, n + 1n, -1n]) expect(verifyEcdsaDigest(key, digest, r, 1n)).toBe(false)
      for (const s of [0n, n, n + 1n, -1n]) expect(verifyEcdsaDigest(key, digest, 1n, s)).toBe(false)
    })

    // u1 = e/s and u2 = r/s, so with s and r chosen the digest follows. R = u1·G + u2·d·G.
    const chosen: readonly (readonly [string, (r: bigint, d: bigint) => { u1: bigint; u2: bigint }])[] = [
      ['u2 = 1', () => ({ u1: 7n, u2: 1n })],
      ['u2 = n - 1', () => ({ u1: 7n, u2: n - 1n })],
      ['u2 = n - 2, so that u2 + 1 = n - 1', () => ({ u1: 7n, u2: n - 2n })],
      ['u1 = 0', () => ({ u1: 0n, u2: 9n })],
      ['u1 = 1', () => ({ u1: 1n, u2: 9n })],
      ['u1·G = u2·Q, a doubling', (_, d) => ({ u1: (9n * d) % n, u2: 9n })],
      ['u1·G = Q, with u2 = 1, a doubling', (_, d) => ({ u1: d, u2: 1n })],
    ]
    for (const [what, choose] of chosen) {
      it(`is right where ${what}`, () => {
        const d = 12_345n
        const key = keyOf(curve, d)
        const { u1, u2 } = choose(0n, d)
        const scalar = (u1 + u2 * d) % n
        const r = curve.noble.Point.BASE.multiply(scalar).toAffine().x % n
        const s = (r * inverse(u2, n)) % n
        const e = (u1 * s) % n
        // A digest as long as the order: nothing of it is cut off but for P-521, whose 521 bits need 528.
        const shifted = curve.name === 'P-521' ? e << 7n : e
        const digest = Buffer.from(shifted.toString(16).padStart(2 * curve.bytes, '0'), 'hex')
        expect(verifyEcdsaDigest(key, digest, r, s)).toBe(true)
        expect(verifyEcdsaDigest(key, digest, (r + 1n) % n, s)).toBe(false)
      })
    }

    it('refuses a sum at infinity: u1·G = -u2·Q', () => {
      const d = 12_345n
      const key = keyOf(curve, d)
      const u2 = 9n
      const u1 = n - ((u2 * d) % n)
      for (const r of [1n, 2n, n - 1n]) {
        const s = (r * inverse(u2, n)) % n
        const e = (u1 * s) % n
        const shifted = curve.name === 'P-521' ? e << 7n : e
        expect(verifyEcdsaDigest(key, Buffer.from(shifted.toString(16).padStart(2 * curve.bytes, '0'), 'hex'), r, s)).toBe(false)
      }
    })
  })
}
