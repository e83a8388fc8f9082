import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodePublicKeyPem,
  importPublicKey,
  keyHint,
  parsePkcs1PublicKey,
  parsePublicKey,
  parsePublicKeyPem,
  prepareKey,
} from '../../../src/crypto/public-key.ts'
import { derBitString, derInteger, derNull, derOid, derSequence } from '../../../src/encoding/der-writer.ts'
import { CountersignError } from '../../../src/error.ts'
import { namedKey } from '../../support/universe/keys.ts'
import { refusalOf } from '../../support/universe/verification.ts'

const kinds = ['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const
const ec = (curve: string, point: Uint8Array): Uint8Array =>
  derSequence(derSequence(derOid('1.2.840.10045.2.1'), derOid(curve)), derBitString(point))
const rsa = (modulus: Uint8Array, exponent: bigint): Uint8Array =>
  derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), derNull()), derBitString(derSequence(derInteger(modulus), derInteger(exponent))))
const p256 = '1.2.840.10045.3.1.7'

describe('a public key', () => {
  for (const kind of kinds) {
    it(`of kind ${kind} is read from DER and PEM, imported, and written back the same`, () => {
      const { spki, pem } = namedKey('pk', kind)
      const key = parsePublicKey(spki)
      expect(encodePublicKeyPem(key)).toBe(pem)
      expect(parsePublicKeyPem(pem)).toEqual(key)
      expect(importPublicKey(key).export({ type: 'spki', format: 'der' })).toEqual(spki)
      expect(importPublicKey(key)).toBe(importPublicKey(key))
    })

    it(`of kind ${kind} that was prepared ahead is the same key`, async () => {
      const { spki } = namedKey('pk', kind)
      const key = parsePublicKey(spki)
      await prepareKey(key)
      expect(importPublicKey(key).export({ type: 'spki', format: 'der' })).toEqual(spki)
      expect(prepareKey(key)).toBeUndefined()
    })
  }

  it('in PKCS#1 is the same key', () => {
    const { publicKey, spki } = namedKey('pk', 'rsa')
    expect(parsePkcs1PublicKey(publicKey.export({ type: 'pkcs1', format: 'der' })).spki).toEqual(new Uint8Array(spki))
    expect(parsePublicKeyPem(publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()).kind).toBe('rsa')
  })

  it('has the hint that cosign writes: base64 of the SHA-256 of its DER', () => {
    expect(keyHint(parsePublicKey(namedKey('pk').spki))).toMatch(/^[A-Za-z0-9+/]{43}=$/)
  })

  const point = namedKey('pk').spki.subarray(-65)
  const offCurve = Uint8Array.from(point)
  offCurve[64] = (offCurve[64] ?? 0) ^ 1
  const refused: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['on secp256k1', ec('1.3.132.0.10', point), 'KEY_UNSUPPORTED', /curve 1\.3\.132\.0\.10 are not supported/],
    ['with a compressed point', ec(p256, Uint8Array.of(2, ...point.subarray(1, 33))), 'KEY_INVALID', /not an uncompressed point/],
    ['with a point of another size', ec(p256, point.subarray(0, 64)), 'KEY_INVALID', /not an uncompressed point/],
    ['at infinity', ec(p256, Uint8Array.of(0)), 'KEY_INVALID', /not an uncompressed point/],
    [
      'with explicit curve parameters',
      derSequence(derSequence(derOid('1.2.840.10045.2.1'), derSequence()), derBitString(point)),
      'KEY_INVALID',
      /only named curves/,
    ],
    ['of RSA with 1024 bits', rsa(new Uint8Array(128).fill(0xff), 65537n), 'KEY_UNSUPPORTED', /2048 to 4096 bits, found 1024/],
    ['of RSA with 6144 bits', rsa(new Uint8Array(768).fill(0xff), 65537n), 'KEY_UNSUPPORTED', /2048 to 4096 bits, found 6144/],
    ['of RSA with exponent 1', rsa(new Uint8Array(256).fill(0xff), 1n), 'KEY_INVALID', /exponent/],
    ['of RSA with an even exponent', rsa(new Uint8Array(256).fill(0xff), 4n), 'KEY_INVALID', /exponent/],
    [
      'of RSA-PSS',
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }),
      'KEY_UNSUPPORTED',
      /are not supported/,
    ],
    ['of Ed448', generateKeyPairSync('ed448').publicKey.export({ type: 'spki', format: 'der' }), 'KEY_UNSUPPORTED', /are not supported/],
    ['of DSA', derSequence(derSequence(derOid('1.2.840.10040.4.1')), derBitString(point)), 'KEY_UNSUPPORTED', /are not supported/],
    ['with bytes behind it', Uint8Array.of(...namedKey('pk').spki, 0), 'KEY_INVALID', /stand after the last element/],
    ['that is empty', new Uint8Array(0), 'KEY_INVALID', /is missing/],
    ['that is huge', new Uint8Array(5000), 'KEY_INVALID', /more than the limit/],
  ]
  for (const [what, spki, code, message] of refused) {
    it(`${what} is refused`, () =>
      expect(refusalOf(() => parsePublicKey(spki))).toMatchObject({ code, message: expect.stringMatching(message) }))
  }

  it('off its curve is refused when it is prepared', async () => {
    const key = { kind: 'ecdsa', curve: 'P-256', point: offCurve, spki: ec(p256, offCurve) } as const
    await expect(prepareKey(key)).rejects.toThrow()
  })

  it('off its curve is refused when it is used', () => {
    expect(refusalOf(() => importPublicKey(parsePublicKey(ec(p256, offCurve))))).toMatchObject({ code: 'KEY_INVALID' })
  })

  for (const [label, hint] of [
    ['PRIVATE KEY', ', which belongs to its owner alone: give the public key that was made with it'],
    ['EC PRIVATE KEY', ', which belongs to its owner alone: give the public key that was made with it'],
    ['CERTIFICATE', ', which is not a bare key: give it with --certificate'],
    ['SSH PUBLIC KEY', ''],
  ] as const) {
    it(`is not taken from a ${label}, and says what to give instead`, () => {
      expect(refusalOf(() => parsePublicKeyPem(`-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`))).toMatchObject({
        code: 'KEY_INVALID',
        message: `expected a PUBLIC KEY, found a "${label}"${hint}`,
      })
    })
  }

  it('survives any input: an error of ours, or a key that means the same bytes', () => {
    const sources = kinds.map((kind) => namedKey('pk', kind).spki)
    fc.assert(
      fc.property(fc.constantFrom(...sources), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }), (source, changes) => {
        const bytes = Uint8Array.from(source)
        for (const [place, value] of changes) bytes[place % bytes.length] = value
        try {
          expect(parsePublicKey(bytes).spki).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(CountersignError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
