import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { curves } from '../../../src/crypto/curve.ts'
import { digest } from '../../../src/crypto/digest.ts'
import type { PublicKey } from '../../../src/crypto/public-key.ts'
import {
  describeKey,
  encodePublicKeyPem,
  importPublicKey,
  isSameKey,
  keyHint,
  parsePkcs1PublicKey,
  parsePublicKey,
  parsePublicKeyPem,
} from '../../../src/crypto/public-key.ts'
import { encodeBase64 } from '../../../src/encoding/base64.ts'
import { concatBytes } from '../../../src/encoding/bytes.ts'
import { derBitString, derElement, derInteger, derNull, derOid, derSequence } from '../../../src/encoding/der-writer.ts'
import { encodePem } from '../../../src/encoding/pem.ts'
import { failureOf } from './failure.ts'
import { curveNames, ecSpki, noble } from './nist-curves.ts'

const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pairs = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  RSA: rsaPair,
  Ed25519: generateKeyPairSync('ed25519'),
} as const
const names = ['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'] as const

function spkiOf(name: keyof typeof pairs): Uint8Array {
  return pairs[name].publicKey.export({ type: 'spki', format: 'der' })
}

const pkcs1 = Uint8Array.from(rsaPair.publicKey.export({ type: 'pkcs1', format: 'der' }))

const rsaEncryption = derSequence(derOid('1.2.840.113549.1.1.1'), derNull())

function rsaKey(modulus: Uint8Array, exponent: Uint8Array = derInteger(65537)): Uint8Array {
  return derSequence(modulus, exponent)
}

function rsaSpki(key: Uint8Array): Uint8Array {
  return derSequence(rsaEncryption, derBitString(key))
}

/** An odd number of so many bits. */
function modulusOf(bits: number): Uint8Array {
  return derInteger(2n ** BigInt(bits) - 1n)
}

describe.each(names)('a public key: %s', (name) => {
  const spki = spkiOf(name)
  const key = parsePublicKey(spki)

  it('is kept as it came, in a copy', () => {
    const mutable = Uint8Array.from(spki)
    const parsed = parsePublicKey(mutable)
    mutable.fill(0)
    expect(Uint8Array.from(parsed.spki)).toEqual(Uint8Array.from(spki))
    expect(importPublicKey(parsed).equals(pairs[name].publicKey)).toBe(true)
  })

  it('is the key that OpenSSL takes it for, imported once', () => {
    expect(importPublicKey(key).equals(pairs[name].publicKey)).toBe(true)
    expect(importPublicKey(key)).toBe(importPublicKey(key))
  })

  it('has the hint that bundles name it by', () => {
    expect(keyHint(key)).toBe(encodeBase64(digest('sha256', spki)))
  })

  it('is the same key only as itself', () => {
    expect(isSameKey(key, parsePublicKey(spki))).toBe(true)
    for (const other of names) if (other !== name) expect(isSameKey(key, parsePublicKey(spkiOf(other)))).toBe(false)
  })

  it('comes back from its PEM text, which OpenSSL reads too', () => {
    const pem = encodePublicKeyPem(key)
    expect(pem).toBe(pairs[name].publicKey.export({ type: 'spki', format: 'pem' }))
    expect(isSameKey(parsePublicKeyPem(pem), key)).toBe(true)
    expect(createPublicKey(pem).equals(pairs[name].publicKey)).toBe(true)
  })

  it('is refused with any bit flipped, or is another key of the same kind', () => {
    fc.assert(
      fc.property(fc.nat(spki.length - 1), fc.nat(7), (at, bit) => {
        const bent = Uint8Array.from(spki)
        bent[at] = (bent[at] ?? 0) ^ (1 << bit)
        let parsed: PublicKey
        try {
          parsed = parsePublicKey(bent)
        } catch {
          expect(failureOf(() => parsePublicKey(bent))).toMatch(/^DecodingError KEY_(?:INVALID|UNSUPPORTED): /)
          return
        }
        // Only moduli, exponents and Ed25519 points have room for another valid value.
        expect(['rsa', 'ed25519']).toContain(parsed.kind)
        expect(isSameKey(parsed, key)).toBe(false)
        expect(Uint8Array.from(parsed.spki)).toEqual(bent)
      }),
      { numRuns: 300 },
    )
  })

  it('is refused cut short anywhere, or with something after it', () => {
    for (let length = 0; length < spki.length; length++)
      expect(failureOf(() => parsePublicKey(spki.subarray(0, length)))).toMatch(/^DecodingError KEY_INVALID: /)
    expect(failureOf(() => parsePublicKey(concatBytes(spki, Uint8Array.of(0))))).toMatch(
      /^DecodingError KEY_INVALID: the public key is not valid DER: 1 bytes stand after/,
    )
  })
})

describe('parsePublicKey', () => {
  it('refuses arbitrary bytes with an error of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(failureOf(() => parsePublicKey(bytes))).toMatch(/^DecodingError KEY_/)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    [
      'id-RSASSA-PSS',
      derSequence(derSequence(derOid('1.2.840.113549.1.1.10')), derBitString(pkcs1)),
      /^keys of the kind 1\.2\.840\.113549\.1\.1\.10 are/,
    ],
    ['X25519', derSequence(derSequence(derOid('1.3.101.110')), derBitString(new Uint8Array(32))), /^keys of the kind 1\.3\.101\.110 are/],
    ['P-224', ecSpki('1.3.132.0.33', new Uint8Array(57)), /^keys on the curve 1\.3\.132\.0\.33 are not supported/],
    ['RSA of 2047 bits', rsaSpki(rsaKey(modulusOf(2047))), /^RSA keys have 2048 to 4096 bits, found 2047$/],
    ['RSA of 4097 bits', rsaSpki(rsaKey(modulusOf(4097))), /^RSA keys have 2048 to 4096 bits, found 4097$/],
    ['RSA of no bits', rsaSpki(rsaKey(derInteger(0))), /^RSA keys have 2048 to 4096 bits, found 0$/],
    ['a negative RSA modulus', rsaSpki(rsaKey(derInteger(-(2n ** 2047n) + 1n))), /^RSA keys have 2048 to 4096 bits, found 0$/],
  ])('does not support %s', (_, spki, message) => {
    expect(failureOf(() => parsePublicKey(spki)).replace(/^DecodingError KEY_UNSUPPORTED: /, '')).toMatch(message)
  })

  it.each([
    ['an even RSA modulus', rsaSpki(rsaKey(derInteger(2n ** 2048n - 2n))), /^the modulus of the RSA key is even$/],
    ['an RSA exponent of 1', rsaSpki(rsaKey(modulusOf(2048), derInteger(1))), /^the exponent of the RSA key is not an odd number from 3$/],
    ['an RSA exponent of 0', rsaSpki(rsaKey(modulusOf(2048), derInteger(0))), /^the exponent of the RSA key is not/],
    ['a negative RSA exponent', rsaSpki(rsaKey(modulusOf(2048), derInteger(-3))), /^the exponent of the RSA key is not/],
    ['an RSA exponent over 64 bits', rsaSpki(rsaKey(modulusOf(2048), derInteger(2n ** 64n + 1n))), /^the exponent of the RSA key is not/],
    ['a third number in an RSA key', rsaSpki(derSequence(modulusOf(2048), derInteger(3), derInteger(1))), /stand after the last element$/],
    [
      'an RSA modulus with a leading zero',
      rsaSpki(rsaKey(derElement(0x02, concatBytes(Uint8Array.of(0, 0), modulusOf(2048).subarray(5))))),
      /unnecessary leading byte$/,
    ],
    [
      'rsaEncryption without parameters',
      derSequence(derSequence(derOid('1.2.840.113549.1.1.1')), derBitString(pkcs1)),
      /the parameters of the RSA key is missing$/,
    ],
    [
      'rsaEncryption with other parameters',
      derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), derInteger(0)), derBitString(pkcs1)),
      /the parameters of the RSA key has tag /,
    ],
    [
      'rsaEncryption with two parameters',
      derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), derNull(), derNull()), derBitString(pkcs1)),
      /stand after the last element$/,
    ],
    [
      'Ed25519 with parameters',
      derSequence(derSequence(derOid('1.3.101.112'), derNull()), derBitString(new Uint8Array(32))),
      /stand after the last element$/,
    ],
    [
      'Ed25519 of 31 bytes',
      derSequence(derSequence(derOid('1.3.101.112')), derBitString(new Uint8Array(31))),
      /^the Ed25519 key has 31 bytes, expected 32$/,
    ],
    [
      'Ed25519 of 33 bytes',
      derSequence(derSequence(derOid('1.3.101.112')), derBitString(new Uint8Array(33))),
      /^the Ed25519 key has 33 bytes, expected 32$/,
    ],
    [
      'an elliptic curve without a name',
      derSequence(derSequence(derOid('1.2.840.10045.2.1')), derBitString(new Uint8Array(65))),
      /the curve \(only named curves are allowed\) is missing$/,
    ],
    [
      'something after the curve',
      derSequence(derSequence(derOid('1.2.840.10045.2.1'), derOid(curves['P-256'].oid), derNull()), derBitString(new Uint8Array(65))),
      /stand after the last element$/,
    ],
    [
      'a key with unused bits',
      derSequence(derSequence(derOid('1.3.101.112')), derElement(0x03, concatBytes(Uint8Array.of(1), new Uint8Array(32)))),
      /is not a BIT STRING of whole bytes$/,
    ],
  ])('refuses %s', (_, spki, message) => {
    expect(failureOf(() => parsePublicKey(spki)).replace(/^DecodingError KEY_INVALID: /, '')).toMatch(message)
  })

  it.each(curveNames)('refuses what is no uncompressed point on %s', (name) => {
    const { size, oid, p } = curves[name]
    const point = Uint8Array.from(noble[name].Point.BASE.multiply(9n).toBytes(false))
    const refuse = (bytes: Uint8Array): string => failureOf(() => parsePublicKey(ecSpki(oid, bytes)))
    const coordinates = (x: bigint, y: bigint): Uint8Array =>
      concatBytes(Uint8Array.of(4), Buffer.from(x.toString(16).padStart(2 * size, '0') + y.toString(16).padStart(2 * size, '0'), 'hex'))
    const offCurve = Uint8Array.from(point)
    offCurve[point.length - 1] = (offCurve[point.length - 1] ?? 0) ^ 1
    const hybrid = Uint8Array.from(point)
    hybrid[0] = 0x06 | ((point[point.length - 1] ?? 0) & 1)
    const off = `DecodingError KEY_INVALID: the ${name} key is not a point on its curve`
    const { x, y } = noble[name].Point.BASE.toAffine()
    for (const bytes of [offCurve, coordinates(0n, 0n), coordinates(p, y)]) expect(refuse(bytes)).toBe(off)
    // A coordinate that is not reduced: only P-521 has room for it in as many bytes.
    if (name === 'P-521') expect(refuse(coordinates(x, y + p))).toBe(off)
    for (const bytes of [
      hybrid,
      noble[name].Point.BASE.toBytes(true),
      Uint8Array.of(0),
      new Uint8Array(0),
      point.subarray(0, -1),
      concatBytes(point, Uint8Array.of(0)),
    ]) {
      expect(refuse(bytes)).toBe(`DecodingError KEY_INVALID: the ${name} key is not an uncompressed point`)
    }
  })

  it.each([2048, 2049, 3072, 4095, 4096])('takes RSA of %i bits, with any odd exponent from 3', (bits) => {
    for (const exponent of [3, 17, 65537, 2 ** 31 - 1]) {
      const key = parsePublicKey(rsaSpki(rsaKey(modulusOf(bits), derInteger(exponent))))
      expect(describeKey(key)).toBe(`an RSA key of ${bits} bits`)
      expect(importPublicKey(key).asymmetricKeyDetails).toEqual({ modulusLength: bits, publicExponent: BigInt(exponent) })
    }
  })

  it('describes a key in words', () => {
    expect(names.map((name) => describeKey(parsePublicKey(spkiOf(name))))).toEqual([
      'an ECDSA key on P-256',
      'an ECDSA key on P-384',
      'an ECDSA key on P-521',
      'an RSA key of 2048 bits',
      'an Ed25519 key',
    ])
  })
})

describe('parsePkcs1PublicKey', () => {
  it('gives the key that its SubjectPublicKeyInfo gives', () => {
    const mutable = Uint8Array.from(pkcs1)
    const key = parsePkcs1PublicKey(mutable)
    mutable.fill(0)
    expect(isSameKey(key, parsePublicKey(spkiOf('RSA')))).toBe(true)
    expect(importPublicKey(key).equals(rsaPair.publicKey)).toBe(true)
  })

  it('refuses keys of other sizes, other encodings, and what stands after the key', () => {
    expect(failureOf(() => parsePkcs1PublicKey(rsaKey(modulusOf(1024))))).toMatch(/^DecodingError KEY_UNSUPPORTED: .* found 1024$/)
    expect(failureOf(() => parsePkcs1PublicKey(spkiOf('RSA')))).toMatch(/^DecodingError KEY_INVALID: .*the modulus has tag /)
    expect(failureOf(() => parsePkcs1PublicKey(concatBytes(pkcs1, Uint8Array.of(0))))).toMatch(/^DecodingError KEY_INVALID: .*stand after/)
    expect(failureOf(() => parsePkcs1PublicKey(new Uint8Array(0)))).toBe(
      'DecodingError KEY_INVALID: the RSA key is not valid DER: the RSA key is missing',
    )
  })
})

describe('parsePublicKeyPem', () => {
  it('reads RSA PUBLIC KEY too', () => {
    expect(isSameKey(parsePublicKeyPem(encodePem('RSA PUBLIC KEY', pkcs1)), parsePublicKey(spkiOf('RSA')))).toBe(true)
  })

  it('refuses two keys, of which it could not know which is meant', () => {
    const pem = encodePem('PUBLIC KEY', spkiOf('P-256')) + encodePem('PUBLIC KEY', spkiOf('P-384'))
    expect(failureOf(() => parsePublicKeyPem(pem))).toBe('DecodingError KEY_INVALID: expected one PUBLIC KEY, found 2 PEM blocks')
  })

  it('refuses what is no PEM text, and a label over another kind of content', () => {
    expect(failureOf(() => parsePublicKeyPem('ssh-ed25519 AAAA'))).toMatch(/^DecodingError PEM_INVALID: the public key holds no PEM block/)
    expect(failureOf(() => parsePublicKeyPem(''))).toMatch(/^DecodingError PEM_INVALID: /)
    expect(failureOf(() => parsePublicKeyPem(encodePem('RSA PUBLIC KEY', spkiOf('P-256'))))).toMatch(/^DecodingError KEY_INVALID: /)
    expect(failureOf(() => parsePublicKeyPem(encodePem('PUBLIC KEY', pkcs1)))).toMatch(/^DecodingError KEY_INVALID: /)
  })
})
