import { generateKeyPairSync, sign } from 'node:crypto'
import { ED25519_TORSION_SUBGROUP, ed25519, ed25519ph } from '@noble/curves/ed25519.js'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { digest } from '../../../src/crypto/digest.ts'
import { loadEd25519ph, signEd25519phDigest } from '../../../src/crypto/ed25519ph.ts'
import type { PublicKey } from '../../../src/crypto/public-key.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { verifyDigest, verifySignature } from '../../../src/crypto/signature.ts'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { derBitString, derOid, derSequence } from '../../../src/encoding/der-writer.ts'
import { decodeHex } from '../../../src/encoding/hex.ts'
import { failureOf } from './failure.ts'

const message = encodeUtf8('what is signed')
const otherMessage = encodeUtf8('what is not signed')
const order = ed25519.Point.Fn.ORDER

/** A key of any point, also of one that no key may have. */
function keyOf(point: Uint8Array): PublicKey {
  return { kind: 'ed25519', point, spki: spkiOf(point) }
}

function spkiOf(point: Uint8Array): Uint8Array {
  return derSequence(derSequence(derOid('1.3.101.112')), derBitString(point))
}

function withScalar(signature: Uint8Array, change: (s: bigint) => bigint): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`)
  return concatBytes(signature.subarray(0, 32), Buffer.from(change(s).toString(16).padStart(64, '0'), 'hex').toReversed())
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}

describe('a point of Ed25519', () => {
  it('of small order is no key: one signature is right for everything', () => {
    const neutral = Uint8Array.of(1, ...new Uint8Array(31))
    for (const text of [message, otherMessage]) {
      expect(verifySignature(keyOf(neutral), 'ed25519', text, concatBytes(neutral, new Uint8Array(32)))).toBe(true)
    }
    expect(new Set(ED25519_TORSION_SUBGROUP).size).toBe(8)
    for (const point of ED25519_TORSION_SUBGROUP) expect(() => parsePublicKey(spkiOf(decodeHex(point, 'a point')))).toThrow('small order')
  })

  it('is no key when it is not reduced', () => {
    for (const [lowest, highest] of [
      [0xed, 0x7f],
      [0xee, 0xff],
      [0xff, 0x7f],
    ] as const) {
      const point = Uint8Array.of(lowest, ...new Uint8Array(30).fill(0xff), highest)
      expect(() => parsePublicKey(spkiOf(point))).toThrow('is not reduced')
    }
  })
})

describe('Ed25519', () => {
  const pair = generateKeyPairSync('ed25519')
  const key = parsePublicKey(pair.publicKey.export({ type: 'spki', format: 'der' }))
  const signature = sign(null, message, pair.privateKey)

  it('verifies the second test of RFC 8032 section 7.1', () => {
    const by = keyOf(decodeHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'key'))
    const known = decodeHex(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      'signature',
    )
    expect(verifySignature(by, 'ed25519', Uint8Array.of(0x72), known)).toBe(true)
    expect(verifySignature(by, 'ed25519', Uint8Array.of(0x73), known)).toBe(false)
  })

  it('verifies what OpenSSL signed and nothing else', () => {
    expect(verifySignature(key, 'ed25519', message, signature)).toBe(true)
    expect(verifySignature(key, 'ed25519', otherMessage, signature)).toBe(false)
    expect(verifySignature(keyOf(new Uint8Array(32).fill(1)), 'ed25519', message, signature)).toBe(false)
  })

  it('refuses a signature of another length, a scalar that is not reduced, and every flipped bit', () => {
    for (const bent of [
      new Uint8Array(0),
      signature.subarray(1),
      signature.subarray(0, 63),
      concatBytes(signature, Uint8Array.of(0)),
      withScalar(signature, (s) => s + order),
    ]) {
      expect(verifySignature(key, 'ed25519', message, bent)).toBe(false)
    }
    fc.assert(
      fc.property(fc.nat(63), fc.nat(7), (at, bit) => {
        expect(verifySignature(key, 'ed25519', message, flipped(signature, at, bit))).toBe(false)
      }),
    )
  })

  it('cannot be verified with a digest, which says what is needed instead', () => {
    expect(failureOf(() => verifyDigest(key, 'ed25519', digest('sha512', message), signature))).toBe(
      'UsageError ARTIFACT_REQUIRED: an Ed25519 signature can only be verified with the signed bytes themselves, not with their digest',
    )
  })
})

describe('Ed25519ph before it was loaded', () => {
  it('is an error that says so, not a signature that does not verify', async () => {
    vi.resetModules()
    const fresh = await import('../../../src/crypto/signature.ts')
    const key = keyOf(ed25519.getPublicKey(new Uint8Array(32).fill(3)))
    const expected = 'Ed25519ph was not loaded (await loadEd25519ph() first)'
    expect(() => fresh.verifySignature(key, 'ed25519ph', message, new Uint8Array(64))).toThrow(expected)
    expect(() => fresh.verifyDigest(key, 'ed25519ph', new Uint8Array(64), new Uint8Array(64))).toThrow(expected)
    await fresh.loadEd25519ph()
    expect(fresh.verifySignature(key, 'ed25519ph', message, new Uint8Array(64))).toBe(false)
  })
})

describe('Ed25519ph', () => {
  beforeAll(loadEd25519ph)

  const seed = new Uint8Array(32).fill(5)
  const key = keyOf(ed25519.getPublicKey(seed))
  const value = digest('sha512', message)
  const signature = ed25519ph.sign(message, seed)

  it('makes and verifies the signature of RFC 8032 section 7.3', () => {
    const secret = decodeHex('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42', 'seed')
    const by = keyOf(decodeHex('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf', 'key'))
    const known = decodeHex(
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
      'signature',
    )
    expect(Uint8Array.from(signEd25519phDigest(secret, digest('sha512', encodeUtf8('abc'))))).toEqual(Uint8Array.from(known))
    expect(verifySignature(by, 'ed25519ph', encodeUtf8('abc'), known)).toBe(true)
    expect(verifySignature(by, 'ed25519ph', encodeUtf8('abd'), known)).toBe(false)
  })

  it('verifies what noble signed, over the message and over its digest, and signs the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 100 }), (secret, data) => {
        const by = keyOf(ed25519.getPublicKey(secret))
        const made = signEd25519phDigest(secret, digest('sha512', data))
        expect(Uint8Array.from(made)).toEqual(Uint8Array.from(ed25519ph.sign(data, secret)))
        expect(verifySignature(by, 'ed25519ph', data, made)).toBe(true)
        expect(verifyDigest(by, 'ed25519ph', digest('sha512', data), made)).toBe(true)
        expect(verifySignature(by, 'ed25519', data, made)).toBe(false)
      }),
      { numRuns: 5 },
    )
  })

  it('refuses another message, a pure signature, one with a context, and another key', () => {
    expect(verifyDigest(key, 'ed25519ph', digest('sha512', otherMessage), signature)).toBe(false)
    expect(verifySignature(key, 'ed25519ph', message, ed25519.sign(message, seed))).toBe(false)
    expect(verifySignature(key, 'ed25519ph', message, ed25519.sign(value, seed))).toBe(false)
    expect(verifySignature(key, 'ed25519ph', message, ed25519ph.sign(message, seed, { context: encodeUtf8('x') }))).toBe(false)
    expect(verifyDigest(keyOf(ed25519.getPublicKey(new Uint8Array(32).fill(6))), 'ed25519ph', value, signature)).toBe(false)
  })

  it('refuses a signature of another length, a scalar that is not reduced, and every flipped bit', () => {
    const bent = [
      new Uint8Array(0),
      signature.subarray(1),
      signature.subarray(0, 63),
      concatBytes(signature, Uint8Array.of(0)),
      withScalar(signature, (s) => s + order),
      withScalar(signature, () => 2n ** 256n - 1n),
    ]
    for (const each of bent) expect(verifyDigest(key, 'ed25519ph', value, each)).toBe(false)
    fc.assert(
      fc.property(fc.nat(63), fc.nat(7), (at, bit) => {
        expect(verifyDigest(key, 'ed25519ph', value, flipped(signature, at, bit))).toBe(false)
      }),
      { numRuns: 20 },
    )
  })

  it('refuses a key that is no point, or a point that is not reduced', () => {
    const notOnCurve = new Uint8Array(32).fill(0)
    notOnCurve[0] = 2
    const notReduced = new Uint8Array(32).fill(0xff)
    notReduced[31] = 0x7f
    for (const point of [notOnCurve, notReduced, new Uint8Array(32).fill(0xff)])
      expect(verifyDigest(keyOf(point), 'ed25519ph', value, signature)).toBe(false)
  })

  it('refuses a key that is not reduced even where the equation holds for the point it would be', () => {
    // y = p + 1 for y = 1, the neutral element: every s·G is then the R of a valid signature.
    const { Point } = ed25519
    const made = concatBytes(Point.BASE.multiply(5n).toBytes(), Point.Fn.toBytes(5n))
    const [reduced, notReduced] = [new Uint8Array(32), new Uint8Array(32).fill(0xff)]
    reduced[0] = 0x01
    notReduced[0] = 0xee
    notReduced[31] = 0x7f
    expect(verifyDigest(keyOf(reduced), 'ed25519ph', value, made)).toBe(true)
    expect(verifyDigest(keyOf(notReduced), 'ed25519ph', value, made)).toBe(false)
  })

  it('checks the equation without the cofactor, as OpenSSL and Go do for Ed25519', () => {
    // R plus a point of order two: only the equation times eight still holds.
    const orderTwo = ed25519.Point.fromAffine({ x: 0n, y: ed25519.Point.Fp.ORDER - 1n })
    const { Point, utils } = ed25519
    const { scalar, pointBytes } = utils.getExtendedPublicKey(seed)
    const nonce = 987654321n
    const encodedR = Point.BASE.multiply(nonce).add(orderTwo).toBytes()
    const domain = concatBytes(encodeUtf8('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0))
    const hashed = digest('sha512', domain, encodedR, pointBytes, value)
    const k = BigInt(`0x${Buffer.from(hashed.toReversed()).toString('hex')}`) % order
    const made = concatBytes(encodedR, Point.Fn.toBytes(Point.Fn.create(nonce + k * scalar)))
    expect(ed25519ph.verify(made, message, pointBytes)).toBe(true)
    expect(verifyDigest(key, 'ed25519ph', value, made)).toBe(false)
  })

  it('takes digests of 64 bytes only', () => {
    for (const length of [0, 32, 63, 65]) {
      expect(failureOf(() => verifyDigest(key, 'ed25519ph', new Uint8Array(length), signature))).toBe(
        `UsageError USAGE: ed25519ph signs a digest of 64 bytes, found one of ${length}`,
      )
    }
  })
})
