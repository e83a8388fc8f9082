import { generateKeyPairSync, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CurveName } from '../../../src/crypto/curve.ts'
import { curves, integerOfBytes, modulo } from '../../../src/crypto/curve.ts'
import { invert } from '../../../src/crypto/modular-inverse.ts'
import { digest, digestLength } from '../../../src/crypto/digest.ts'
import type { EcdsaPublicKey } from '../../../src/crypto/public-key.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { digestOf, verifyDigest, verifySignature } from '../../../src/crypto/signature.ts'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { derElement, derInteger, derSequence } from '../../../src/encoding/der-writer.ts'
import { decodeHex } from '../../../src/encoding/hex.ts'
import type { EcdsaValues } from './nist-curves.ts'
import { curveNames, digestOfInteger, encodeValues, keyOfPoint, noble, publicKeyOf, rOf, signWith } from './nist-curves.ts'

/** The algorithm with the longest digest that is not longer than the curve's order. */
const natural = { 'P-256': 'ecdsa-sha256', 'P-384': 'ecdsa-sha384', 'P-521': 'ecdsa-sha512' } as const
const algorithms = ['ecdsa-sha224', 'ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'] as const
const message = encodeUtf8('what is signed')

/** z' of the message that the verification over digests puts in the place of the one it does not know. */
const knownDigest = integerOfBytes(digest('sha256', new Uint8Array(0)))

function hashName(algorithm: SignatureAlgorithm): 'sha224' | 'sha256' | 'sha384' | 'sha512' {
  return digestOf(algorithm) ?? 'sha256'
}

describe.each(curveNames)('ECDSA on %s', (name) => {
  const curve = curves[name]
  const { n } = curve
  const algorithm = natural[name]
  const digestBytes = digestLength(hashName(algorithm))
  const pair = generateKeyPairSync('ec', { namedCurve: name })
  const key = ecdsaKey(pair.publicKey.export({ type: 'spki', format: 'der' }))
  const d = 0x1234567890abcdef1234567890abcdefn
  const k = 0xfedcba9876543210fedcba9876543210n

  /** Verifies chosen numbers over a chosen z, and asks noble the same question. */
  const verifies = (by: EcdsaPublicKey, z: bigint, values: EcdsaValues): boolean => {
    const value = digestOfInteger(z, digestBytes)
    const encoded = encodeValues(values)
    const answer = verifyDigest(by, algorithm, value, encoded)
    expect(nobleVerifies(name, by, value, encoded)).toBe(answer)
    return answer
  }

  it.each(algorithms)('verifies what OpenSSL signed with %s, over the message and over its digest', (each) => {
    const signature = sign(hashName(each), message, pair.privateKey)
    expect(verifySignature(key, each, message, signature)).toBe(true)
    expect(verifyDigest(key, each, digest(hashName(each), message), signature)).toBe(true)
  })

  it.each(algorithms)('refuses another message, digest, key, digest algorithm and number with %s', (each) => {
    const signature = sign(hashName(each), message, pair.privateKey)
    const other = publicKeyOf(name, d)
    const value = digest(hashName(each), message)
    expect(verifySignature(key, each, encodeUtf8('what is not signed'), signature)).toBe(false)
    expect(verifySignature(other, each, message, signature)).toBe(false)
    expect(verifyDigest(key, each, digest(hashName(each), encodeUtf8('what is not signed')), signature)).toBe(false)
    expect(verifyDigest(other, each, value, signature)).toBe(false)
    for (const another of algorithms) {
      if (another !== each) expect(verifySignature(key, another, message, signature)).toBe(false)
    }
  })

  it('gives the same answer over a digest as over the message and as noble, for random signatures and mutations of them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...algorithms),
        fc.uint8Array({ maxLength: 64 }),
        fc.option(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { nil: undefined }),
        (each, data, flip) => {
          const signature = Uint8Array.from(sign(hashName(each), data, pair.privateKey))
          const at = flip === undefined ? 0 : flip.at % signature.length
          if (flip !== undefined) signature[at] = (signature[at] ?? 0) ^ (1 << flip.bit)
          const value = digest(hashName(each), data)
          const answer = verifyDigest(key, each, value, signature)
          expect(verifySignature(key, each, data, signature)).toBe(answer)
          expect(nobleVerifies(name, key, value, signature)).toBe(answer)
          expect(answer).toBe(flip === undefined)
        },
      ),
      { numRuns: name === 'P-256' ? 30 : 6 },
    )
  })

  it('refuses arbitrary bytes without failing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), (signature) => {
        expect(verifySignature(key, algorithm, message, signature)).toBe(false)
        expect(verifyDigest(key, algorithm, digest(hashName(algorithm), message), signature)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a digest where a bit differs', () => {
    const signature = sign(hashName(algorithm), message, pair.privateKey)
    const value = Uint8Array.from(digest(hashName(algorithm), message))
    for (const at of [0, 1, value.length - 1]) {
      const flipped = Uint8Array.from(value)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      expect(verifyDigest(key, algorithm, flipped, signature)).toBe(false)
    }
  })

  describe('over a digest, with numbers that were chosen', () => {
    const signer = publicKeyOf(name, d)

    it('takes the digest zero, for which only the key counts', () => {
      expect(verifies(signer, 0n, signWith(name, 0n, d, k))).toBe(true)
      expect(verifies(signer, 1n, signWith(name, 0n, d, k))).toBe(false)
    })

    it('takes the digest of ones only, which is not below the order of P-256 and P-384', () => {
      const ones = 2n ** BigInt(8 * digestBytes) - 1n
      expect(verifies(signer, ones, signWith(name, ones, d, k))).toBe(true)
      expect(verifies(signer, ones - 1n, signWith(name, ones, d, k))).toBe(false)
    })

    it('takes the digest of the very message that it puts in its place', () => {
      const known = knownDigest
      expect(verifies(signer, known, signWith(name, known, d, k))).toBe(true)
      expect(verifies(signer, known + 1n, signWith(name, known, d, k))).toBe(false)
      expect(verifies(signer, 5n, signWith(name, known, d, k))).toBe(false)
    })

    it('takes a key whose shifted form is the point at infinity', () => {
      for (const z of [7n, 2n ** 200n + 1n]) {
        // Q' = Q + ((z - z') / r)·G vanishes.
        const opposite = modulo((knownDigest - z) * invert(rOf(name, k), n), n)
        const by = publicKeyOf(name, opposite)
        expect(verifies(by, z, signWith(name, z, opposite, k))).toBe(true)
        expect(verifies(by, z + 1n, signWith(name, z, opposite, k))).toBe(false)
      }
    })

    it('takes a key that is the very point it is shifted by', () => {
      const z = 7n
      const same = modulo((z - knownDigest) * invert(rOf(name, k), n), n)
      const by = publicKeyOf(name, same)
      expect(verifies(by, z, signWith(name, z, same, k))).toBe(true)
      expect(verifies(by, z + 1n, signWith(name, z, same, k))).toBe(false)
    })

    it.each([
      ['the generator', 1n],
      ['twice the generator', 2n],
      ['the negative of the generator', -1n],
    ])('takes a key that is %s', (_, scalar) => {
      const secret = modulo(scalar, n)
      const by = publicKeyOf(name, secret)
      expect(verifies(by, 99n, signWith(name, 99n, secret, k))).toBe(true)
      expect(verifies(by, 98n, signWith(name, 99n, secret, k))).toBe(false)
    })

    it.each([
      ['one', 1n],
      ['minus one', -1n],
      ['two', 2n],
    ])('takes numbers whose quotient r / s is %s', (_, quotient) => {
      // With s = r / quotient, the key that fits is d = (k·s - z) / r.
      const z = 9n
      const r = rOf(name, k)
      const s = modulo(r * invert(modulo(quotient, n), n), n)
      const by = publicKeyOf(name, modulo((k * s - z) * invert(r, n), n))
      expect(verifies(by, z, { r, s })).toBe(true)
      expect(verifies(by, z + 1n, { r, s })).toBe(false)
    })

    it('takes the random numbers one and minus one, whose point is the generator or its negative', () => {
      for (const chosen of [1n, n - 1n]) {
        expect(verifies(signer, 3n, signWith(name, 3n, d, chosen))).toBe(true)
        expect(verifies(signer, 4n, signWith(name, 3n, d, chosen))).toBe(false)
      }
    })

    it('takes both s and its negative, as FIPS 186-5 does', () => {
      const { r, s } = signWith(name, 3n, d, k)
      expect(verifies(signer, 3n, { r, s: n - s })).toBe(true)
    })

    it('takes an x that is not below the order, reduced', () => {
      const { by, z, r, s } = wrapped(name)
      expect(verifies(by, z, { r, s })).toBe(true)
      expect(verifies(by, z + 1n, { r, s })).toBe(false)
    })

    it('refuses an x that is not below the order, not reduced', () => {
      const { by, z, r, s } = wrapped(name)
      expect(verifyDigest(by, algorithm, digestOfInteger(z, digestBytes), encodeValues({ r: r + n, s }))).toBe(false)
    })

    it('refuses the negative of the key', () => {
      const values = signWith(name, 3n, d, k)
      expect(verifies(publicKeyOf(name, n - d), 3n, values)).toBe(false)
    })

    it('refuses numbers out of range', () => {
      const { r, s } = signWith(name, 3n, d, k)
      const value = digestOfInteger(3n, digestBytes)
      const refused: readonly EcdsaValues[] = [
        { r: 0n, s },
        { r, s: 0n },
        { r: 0n, s: 0n },
        { r: n, s },
        { r, s: n },
        { r: n, s: n },
        { r: r + n, s },
        { r, s: s + n },
        { r: -r, s },
        { r, s: -s },
        { r: r - n, s },
        { r, s: s - n },
        { r: 1n, s: 1n },
        { r: n - 1n, s: n - 1n },
        { r: s, s: r },
        { r: curve.p, s },
        { r: 2n ** BigInt(8 * curve.size) - 1n, s: 2n ** BigInt(8 * curve.size) - 1n },
      ]
      for (const values of refused)
        expect(verifyDigest(signer, algorithm, value, encodeValues(values)), `${values.r} ${values.s}`).toBe(false)
    })

    it('refuses r and s of zero even where both sides would be the point at infinity', () => {
      expect(verifyDigest(signer, algorithm, digestOfInteger(0n, digestBytes), encodeValues({ r: 0n, s: 1n }))).toBe(false)
      expect(verifyDigest(signer, algorithm, digestOfInteger(0n, digestBytes), encodeValues({ r: n, s: 1n }))).toBe(false)
    })
  })

  it('refuses a signature cut short anywhere, whatever its lengths say', () => {
    const signature = Uint8Array.from(sign(hashName(algorithm), message, pair.privateKey))
    const value = digest(hashName(algorithm), message)
    for (let length = 0; length < signature.length; length++) {
      expect(verifyDigest(key, algorithm, value, signature.subarray(0, length))).toBe(false)
      expect(verifySignature(key, algorithm, message, signature.subarray(0, length))).toBe(false)
    }
    for (const header of [
      '',
      '30',
      '3000',
      '3081',
      '308102',
      '308100',
      '30020200',
      '30020205',
      '300202ff',
      '3080020101020101',
      '02',
      '0200',
    ]) {
      expect(verifyDigest(key, algorithm, value, decodeHex(header, 'signature')), header).toBe(false)
      expect(verifySignature(key, algorithm, message, decodeHex(header, 'signature')), header).toBe(false)
    }
  })

  describe('takes one encoding of a signature, over the message and over the digest:', () => {
    // s is below the order's half and r has its top bit set in some runs only, so both are chosen.
    const { r, s } = signWith(name, integerOfBytes(digest(hashName(algorithm), message)), d, k)
    const signer = publicKeyOf(name, d)
    const [encodedR, encodedS] = [derInteger(r), derInteger(s)]
    const whole = derSequence(encodedR, encodedS)
    const body = concatBytes(encodedR, encodedS)
    const padded = (integer: Uint8Array): Uint8Array => derElement(0x02, concatBytes(Uint8Array.of(0), integer.subarray(2)))

    const verifiesEncoded = (signature: Uint8Array): readonly boolean[] => [
      verifySignature(signer, algorithm, message, signature),
      verifyDigest(signer, algorithm, digest(hashName(algorithm), message), signature),
    ]

    it('the canonical one', () => {
      expect(verifiesEncoded(whole)).toEqual([true, true])
    })

    const bent: readonly (readonly [string, Uint8Array])[] = [
      ['nothing', new Uint8Array(0)],
      ['one byte', Uint8Array.of(0x30)],
      ['an empty sequence', Uint8Array.of(0x30, 0x00)],
      ['r alone', derSequence(encodedR)],
      ['a third integer', derSequence(encodedR, encodedS, derInteger(1n))],
      ['a byte after the sequence', concatBytes(whole, Uint8Array.of(0))],
      ['a byte after s inside the sequence', derSequence(encodedR, encodedS, Uint8Array.of(0))],
      ['the last byte missing', whole.subarray(0, -1)],
      ['a leading zero in r', derSequence(padded(encodedR), encodedS)],
      ['a leading zero in s', derSequence(encodedR, padded(encodedS))],
      ['a set', derElement(0x31, body)],
      ['a primitive sequence', derElement(0x10, body)],
      ['an octet string for r', derSequence(derElement(0x04, encodedR.subarray(2)), encodedS)],
      ['a bit string for s', derSequence(encodedR, derElement(0x03, encodedS.subarray(2)))],
      ['an integer without content', derSequence(Uint8Array.of(0x02, 0x00), encodedS)],
      ['s without content', derSequence(encodedR, Uint8Array.of(0x02, 0x00))],
      ['a length with two more octets than it needs', concatBytes(Uint8Array.of(0x30, 0x82, 0, body.length), body)],
      ['an indefinite length', concatBytes(Uint8Array.of(0x30, 0x80), body, Uint8Array.of(0, 0))],
      ['a length of r in the long form', derSequence(concatBytes(Uint8Array.of(0x02, 0x81), encodedR.subarray(1)), encodedS)],
      ['r and s side by side, as JOSE has them', concatBytes(digestOfInteger(r, curve.size), digestOfInteger(s, curve.size))],
      ['a length that says one less', concatBytes(whole.subarray(0, whole.length - body.length - 1), Uint8Array.of(body.length - 1), body)],
      ['a length that says one more', concatBytes(whole.subarray(0, whole.length - body.length - 1), Uint8Array.of(body.length + 1), body)],
    ]
    it.each(bent)('not %s', (_, signature) => {
      expect(verifiesEncoded(signature)).toEqual([false, false])
    })
  })
})

// On P-521 a digest has fewer bits than the order, and the signature is long enough for a length in the long form.
describe.each(['P-256', 'P-384'] as const)('ECDSA on %s', (name) => {
  const { n } = curves[name]
  const algorithm = natural[name]
  const digestBytes = digestLength(hashName(algorithm))
  const signer = publicKeyOf(name, 5n)
  const values = signWith(name, 3n, 5n, 1234567n)

  it('refuses the negative of the digest, which the x of a multiple of the key alone cannot tell from it', () => {
    expect(verifyDigest(signer, algorithm, digestOfInteger(3n, digestBytes), encodeValues(values))).toBe(true)
    for (const s of [values.s, n - values.s]) {
      expect(verifyDigest(signer, algorithm, digestOfInteger(n - 3n, digestBytes), encodeValues({ r: values.r, s }))).toBe(false)
    }
  })

  it('refuses a length in the long form where the short one does', () => {
    const canonical = encodeValues(values)
    const long = concatBytes(Uint8Array.of(0x30, 0x81), canonical.subarray(1))
    expect(verifyDigest(signer, algorithm, digestOfInteger(3n, digestBytes), long)).toBe(false)
    expect(verifySignature(signer, algorithm, message, long)).toBe(false)
  })
})

describe('a digest longer than the order', () => {
  it.each([
    ['P-256', 'ecdsa-sha384'],
    ['P-256', 'ecdsa-sha512'],
    ['P-384', 'ecdsa-sha512'],
  ] as const)('counts with its leftmost bits only: %s with %s', (name, algorithm) => {
    const d = 77n
    const z = 2n ** BigInt(curves[name].orderBits) - 5n
    const excess = digestLength(hashName(algorithm)) - curves[name].size
    const signature = encodeValues(signWith(name, z, d, 55n))
    const value = (tail: number): Uint8Array => concatBytes(digestOfInteger(z, curves[name].size), new Uint8Array(excess).fill(tail))
    expect(verifyDigest(publicKeyOf(name, d), algorithm, value(0x00), signature)).toBe(true)
    expect(verifyDigest(publicKeyOf(name, d), algorithm, value(0xff), signature)).toBe(true)
    const other = Uint8Array.from(value(0x00))
    other[curves[name].size - 1] = (other[curves[name].size - 1] ?? 0) ^ 1
    expect(verifyDigest(publicKeyOf(name, d), algorithm, other, signature)).toBe(false)
  })
})

function ecdsaKey(spki: Uint8Array): EcdsaPublicKey {
  const key = parsePublicKey(spki)
  if (key.kind !== 'ecdsa') throw new Error(`expected an ECDSA key, found ${key.kind}`)
  return key
}

function nobleVerifies(name: CurveName, key: EcdsaPublicKey, value: Uint8Array, signature: Uint8Array): boolean {
  try {
    return noble[name].verify(signature, value, key.point, { prehash: false, lowS: false, format: 'der' })
  } catch {
    return false
  }
}

/**
 * A signature whose point has an x of the order or more. No random number is known for such a point R, but a key is: r·Q = s·R - z·G.
 */
function wrapped(name: CurveName): { by: EcdsaPublicKey; z: bigint; r: bigint; s: bigint } {
  const { n } = curves[name]
  const { Point } = noble[name]
  for (let r = 1n; r < 1000n; r++) {
    let point: InstanceType<typeof Point>
    try {
      point = Point.fromHex(`02${(n + r).toString(16).padStart(2 * curves[name].size, '0')}`)
    } catch {
      continue
    }
    const [z, s] = [11n, 13n]
    const q = point.multiply(s).subtract(Point.BASE.multiply(z)).multiply(invert(r, n))
    return { by: keyOfPoint(name, q.toBytes(false)), z, r, s }
  }
  throw new Error(`no point of ${name} has an x between its order and its prime`)
}
