import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digest } from '../../../src/crypto/digest.ts'
import { generateSigner } from '../../../src/crypto/private-key.ts'
import type { PublicKey } from '../../../src/crypto/public-key.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import {
  defaultSignatureAlgorithm,
  digestOf,
  keyDetailsOf,
  signatureAlgorithmFromKeyDetails,
  signatureAlgorithmFromOid,
  verifyDigest,
  verifySignature,
} from '../../../src/crypto/signature.ts'
import type { SignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { derBitString, derElement, derExplicit, derInteger, derNull, derOid, derSequence } from '../../../src/encoding/der-writer.ts'
import { DecodingError } from '../../../src/error.ts'
import { failureOf } from './failure.ts'

const keys = {
  'P-256': generateSigner('ecdsa-p256').publicKey,
  'P-384': generateSigner('ecdsa-p384').publicKey,
  'P-521': generateSigner('ecdsa-p521').publicKey,
  'RSA 2048': rsaKey(2048),
  'RSA 2560': rsaKey(2560),
  'RSA 3072': rsaKey(3072),
  'RSA 4096': rsaKey(4096),
  Ed25519: generateSigner('ed25519').publicKey,
} as const
type KeyName = keyof typeof keys
const keyNames: readonly KeyName[] = ['P-256', 'P-384', 'P-521', 'RSA 2048', 'RSA 2560', 'RSA 3072', 'RSA 4096', 'Ed25519']

function rsaKey(bits: number): PublicKey {
  const key = derSequence(derInteger(2n ** BigInt(bits) - 1n), derInteger(65537))
  return parsePublicKey(derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), derNull()), derBitString(key)))
}

const rsaNames = keyNames.filter((name) => name.startsWith('RSA'))

describe('the default algorithm', () => {
  it.each([
    ['P-256', 'ecdsa-sha256', 'sha256'],
    ['P-384', 'ecdsa-sha384', 'sha384'],
    ['P-521', 'ecdsa-sha512', 'sha512'],
    ['RSA 2048', 'rsa-pkcs1-sha256', 'sha256'],
    ['RSA 4096', 'rsa-pkcs1-sha256', 'sha256'],
    ['Ed25519', 'ed25519', undefined],
  ] as const)('of %s is %s', (name, algorithm, digest) => {
    expect(defaultSignatureAlgorithm(keys[name])).toBe(algorithm)
    expect(digestOf(algorithm)).toBe(digest)
  })

  it('of Ed25519ph is signed over SHA-512', () => {
    expect(digestOf('ed25519ph')).toBe('sha512')
  })
})

describe('keyDetails', () => {
  const table: readonly (readonly [string, SignatureAlgorithm, readonly KeyName[]])[] = [
    ['PKIX_ECDSA_P256_SHA_256', 'ecdsa-sha256', ['P-256']],
    ['PKIX_ECDSA_P256_HMAC_SHA_256', 'ecdsa-sha256', ['P-256']],
    ['PKIX_ECDSA_P384_SHA_384', 'ecdsa-sha384', ['P-384']],
    ['PKIX_ECDSA_P384_SHA_256', 'ecdsa-sha256', ['P-384']],
    ['PKIX_ECDSA_P521_SHA_512', 'ecdsa-sha512', ['P-521']],
    ['PKIX_ECDSA_P521_SHA_256', 'ecdsa-sha256', ['P-521']],
    ['PKIX_RSA_PKCS1V15_2048_SHA256', 'rsa-pkcs1-sha256', ['RSA 2048']],
    ['PKIX_RSA_PKCS1V15_3072_SHA256', 'rsa-pkcs1-sha256', ['RSA 3072']],
    ['PKIX_RSA_PKCS1V15_4096_SHA256', 'rsa-pkcs1-sha256', ['RSA 4096']],
    ['PKIX_RSA_PSS_2048_SHA256', 'rsa-pss-sha256', ['RSA 2048']],
    ['PKIX_RSA_PSS_3072_SHA256', 'rsa-pss-sha256', ['RSA 3072']],
    ['PKIX_RSA_PSS_4096_SHA256', 'rsa-pss-sha256', ['RSA 4096']],
    ['PKIX_RSA_PKCS1V5', 'rsa-pkcs1-sha256', rsaNames],
    ['PKIX_RSA_PSS', 'rsa-pss-sha256', rsaNames],
    ['PKCS1_RSA_PKCS1V5', 'rsa-pkcs1-sha256', rsaNames],
    ['PKCS1_RSA_PSS', 'rsa-pss-sha256', rsaNames],
    ['PKIX_ED25519', 'ed25519', ['Ed25519']],
    ['PKIX_ED25519_PH', 'ed25519ph', ['Ed25519']],
  ]

  it.each(table)('%s is %s for the keys it names, and an error for every other', (name, algorithm, fitting) => {
    for (const keyName of keyNames) {
      if (fitting.includes(keyName)) expect(signatureAlgorithmFromKeyDetails(name, keys[keyName])).toBe(algorithm)
      else {
        expect(failureOf(() => signatureAlgorithmFromKeyDetails(name, keys[keyName]))).toMatch(
          new RegExp(`^DecodingError KEY_INVALID: the key should be of the kind ${name}, found (?:ecdsa P-[0-9]+|rsa [0-9]+|ed25519)$`),
        )
      }
    }
  })

  it.each([
    'LMS_SHA256',
    'LMOTS_SHA256',
    'ML_DSA_65',
    'PKIX_ECDSA_P256K1_SHA_256',
    'PUBLIC_KEY_DETAILS_UNSPECIFIED',
    'pkix_ed25519',
    'toString',
    '__proto__',
  ])('%s is not supported', (name) => {
    expect(failureOf(() => signatureAlgorithmFromKeyDetails(name, keys['P-256']))).toBe(
      `DecodingError KEY_UNSUPPORTED: keys of the kind "${name}" are not supported`,
    )
  })

  it('must be there', () => {
    expect(failureOf(() => signatureAlgorithmFromKeyDetails('', keys['P-256']))).toBe(
      'DecodingError KEY_UNSUPPORTED: keys of the kind "" are not supported',
    )
  })

  it.each([
    ['P-256', undefined, 'PKIX_ECDSA_P256_SHA_256'],
    ['P-384', undefined, 'PKIX_ECDSA_P384_SHA_384'],
    ['P-521', undefined, 'PKIX_ECDSA_P521_SHA_512'],
    ['P-384', 'ecdsa-sha256', 'PKIX_ECDSA_P384_SHA_256'],
    ['P-521', 'ecdsa-sha256', 'PKIX_ECDSA_P521_SHA_256'],
    ['RSA 2048', undefined, 'PKIX_RSA_PKCS1V15_2048_SHA256'],
    ['RSA 3072', undefined, 'PKIX_RSA_PKCS1V15_3072_SHA256'],
    ['RSA 4096', 'rsa-pss-sha256', 'PKIX_RSA_PSS_4096_SHA256'],
    ['Ed25519', undefined, 'PKIX_ED25519'],
    ['Ed25519', 'ed25519ph', 'PKIX_ED25519_PH'],
  ] as const)('of %s with %s are %s', (name, algorithm, expected) => {
    expect(keyDetailsOf(keys[name], algorithm)).toBe(expected)
    expect(signatureAlgorithmFromKeyDetails(expected, keys[name])).toBe(algorithm ?? defaultSignatureAlgorithm(keys[name]))
  })

  it.each([
    ['RSA 2560', undefined, 'there is no keyDetails name for an RSA key of 2560 bits with rsa-pkcs1-sha256'],
    ['RSA 2048', 'rsa-pkcs1-sha512', 'there is no keyDetails name for an RSA key of 2048 bits with rsa-pkcs1-sha512'],
    ['P-256', 'ecdsa-sha512', 'there is no keyDetails name for an ECDSA key on P-256 with ecdsa-sha512'],
    ['P-256', 'ed25519', 'there is no keyDetails name for an ECDSA key on P-256 with ed25519'],
  ] as const)('do not exist for %s with %s', (name, algorithm, message) => {
    expect(failureOf(() => keyDetailsOf(keys[name], algorithm))).toBe(`UsageError USAGE: ${message}`)
  })
})

const sha1 = '1.3.14.3.2.26'
const sha256 = '2.16.840.1.101.3.4.2.1'
const sha384 = '2.16.840.1.101.3.4.2.2'
const sha512 = '2.16.840.1.101.3.4.2.3'
const pss = '1.2.840.113549.1.1.10'
const mgf1 = '1.2.840.113549.1.1.8'

describe('an algorithm identifier', () => {
  it.each([
    ['1.2.840.10045.4.3.1', 'ecdsa-sha224'],
    ['1.2.840.10045.4.3.2', 'ecdsa-sha256'],
    ['1.2.840.10045.4.3.3', 'ecdsa-sha384'],
    ['1.2.840.10045.4.3.4', 'ecdsa-sha512'],
    ['1.3.101.112', 'ed25519'],
  ])('%s is %s, without parameters', (oid, algorithm) => {
    expect(signatureAlgorithmFromOid(oid)).toBe(algorithm)
    for (const parameters of [derNull(), derSequence(), new Uint8Array(0)]) {
      expect(failureOf(() => signatureAlgorithmFromOid(oid, parameters))).toBe(
        `DecodingError KEY_INVALID: the signature algorithm ${oid} has parameters that it should not have`,
      )
    }
  })

  it.each([
    ['1.2.840.113549.1.1.11', 'rsa-pkcs1-sha256'],
    ['1.2.840.113549.1.1.12', 'rsa-pkcs1-sha384'],
    ['1.2.840.113549.1.1.13', 'rsa-pkcs1-sha512'],
  ])('%s is %s, with NULL or without parameters', (oid, algorithm) => {
    expect(signatureAlgorithmFromOid(oid)).toBe(algorithm)
    expect(signatureAlgorithmFromOid(oid, derNull())).toBe(algorithm)
    for (const parameters of [derSequence(), Uint8Array.of(0x05), Uint8Array.of(0x05, 0x01, 0x00), new Uint8Array(0)]) {
      expect(failureOf(() => signatureAlgorithmFromOid(oid, parameters))).toMatch(
        /^DecodingError KEY_INVALID: .* has parameters that it should not have$/,
      )
    }
  })

  it.each([
    ['MD5 with RSA', '1.2.840.113549.1.1.4'],
    ['SHA-1 with RSA', '1.2.840.113549.1.1.5'],
    ['SHA-224 with RSA', '1.2.840.113549.1.1.14'],
    ['ECDSA with SHA-1', '1.2.840.10045.4.1'],
    ['ECDSA with SHA3-256', '2.16.840.1.101.3.4.3.10'],
    ['DSA', '2.16.840.1.101.3.4.3.2'],
    ['Ed448', '1.3.101.113'],
    ['rsaEncryption', '1.2.840.113549.1.1.1'],
    ['an inherited name', 'toString'],
  ])('of %s is not supported', (_, oid) => {
    expect(failureOf(() => signatureAlgorithmFromOid(oid))).toBe(
      `DecodingError KEY_UNSUPPORTED: signatures with the algorithm ${oid} are not supported`,
    )
  })
})

describe('an algorithm identifier of RSASSA-PSS', () => {
  const identifier = (oid: string): Uint8Array => derSequence(derOid(oid), derNull())
  const hashed = (oid: string): Uint8Array => derExplicit(0, identifier(oid))
  const masked = (oid: string, generator = mgf1): Uint8Array => derExplicit(1, derSequence(derOid(generator), identifier(oid)))
  const salted = (length: number): Uint8Array => derExplicit(2, derInteger(length))

  it.each([
    [sha256, 32, 'rsa-pss-sha256'],
    [sha384, 48, 'rsa-pss-sha384'],
    [sha512, 64, 'rsa-pss-sha512'],
  ])('with the digest %s, the same in its mask, and a salt of %i bytes is %s', (oid, salt, algorithm) => {
    expect(signatureAlgorithmFromOid(pss, derSequence(hashed(oid), masked(oid), salted(salt)))).toBe(algorithm)
    const bare = derSequence(derOid(oid))
    expect(
      signatureAlgorithmFromOid(pss, derSequence(derExplicit(0, bare), derExplicit(1, derSequence(derOid(mgf1), bare)), salted(salt))),
    ).toBe(algorithm)
  })

  it.each([
    ['with the default digest', derSequence(), 'RSASSA-PSS is supported with SHA-256, SHA-384 and SHA-512 only'],
    ['with the default mask', derSequence(hashed(sha256)), 'RSASSA-PSS is supported with MGF1 over its own digest only'],
    [
      'with SHA-1 spelled out',
      derSequence(hashed(sha1), masked(sha1), salted(20)),
      'RSASSA-PSS is supported with SHA-256, SHA-384 and SHA-512 only',
    ],
    [
      'with two digests',
      derSequence(hashed(sha256), masked(sha384), salted(32)),
      'RSASSA-PSS is supported with MGF1 over its own digest only',
    ],
    [
      'with SHA-1 in the mask',
      derSequence(hashed(sha256), masked(sha1), salted(32)),
      'RSASSA-PSS is supported with SHA-256, SHA-384 and SHA-512 only',
    ],
    [
      'with another mask generation function',
      derSequence(hashed(sha256), masked(sha256, '1.2.3'), salted(32)),
      'RSASSA-PSS is supported with MGF1 over its own digest only',
    ],
    [
      'with the default salt',
      derSequence(hashed(sha256), masked(sha256)),
      'RSASSA-PSS with sha256 is supported with a salt of 32 bytes only, found 20',
    ],
    [
      'with a long salt',
      derSequence(hashed(sha256), masked(sha256), salted(222)),
      'RSASSA-PSS with sha256 is supported with a salt of 32 bytes only, found 222',
    ],
  ])('%s is not supported', (_, parameters, reason) => {
    expect(failureOf(() => signatureAlgorithmFromOid(pss, parameters))).toBe(`DecodingError KEY_UNSUPPORTED: ${reason}`)
  })

  it.each([
    [
      'something after the parameters of the digest',
      derSequence(derExplicit(0, derSequence(derOid(sha256), derNull(), derNull())), masked(sha256), salted(32)),
      /^DecodingError DER_INVALID: .* stand after/,
    ],
    [
      'a trailer',
      derSequence(hashed(sha256), masked(sha256), salted(32), derExplicit(3, derInteger(1))),
      /^DecodingError DER_INVALID: .* stand after the last element$/,
    ],
    [
      'an unknown field',
      derSequence(hashed(sha256), masked(sha256), salted(32), derExplicit(4, derInteger(1))),
      /^DecodingError DER_INVALID: .* stand after the last element$/,
    ],
    ['fields out of order', derSequence(masked(sha256), hashed(sha256), salted(32)), /^DecodingError KEY_UNSUPPORTED: /],
    [
      'something after the digest',
      derSequence(derExplicit(0, identifier(sha256), derNull()), masked(sha256), salted(32)),
      /^DecodingError DER_INVALID: .* stand after/,
    ],
    [
      'something after the mask',
      derSequence(hashed(sha256), derExplicit(1, derSequence(derOid(mgf1), identifier(sha256)), derNull()), salted(32)),
      /^DecodingError DER_INVALID: .* stand after/,
    ],
    [
      'something inside the mask',
      derSequence(hashed(sha256), derExplicit(1, derSequence(derOid(mgf1), identifier(sha256), derNull())), salted(32)),
      /^DecodingError DER_INVALID: .* stand after/,
    ],
    [
      'other parameters of the digest',
      derSequence(derExplicit(0, derSequence(derOid(sha256), derInteger(0))), masked(sha256), salted(32)),
      /^DecodingError DER_INVALID: .*the parameters of the digest algorithm has tag /,
    ],
    [
      'something after the salt',
      derSequence(hashed(sha256), masked(sha256), derExplicit(2, derInteger(32), derNull())),
      /^DecodingError DER_INVALID: .* stand after/,
    ],
    [
      'a negative salt',
      derSequence(hashed(sha256), masked(sha256), salted(-32)),
      /^DecodingError DER_INVALID: .*saltLength is not a number from 0/,
    ],
    ['NULL for parameters', derNull(), /^DecodingError DER_INVALID: .* has tag /],
    ['nothing for parameters', new Uint8Array(0), /^DecodingError DER_INVALID: /],
    ['no parameters', undefined, /^DecodingError DER_INVALID: /],
    ['a set for parameters', derElement(0x31, new Uint8Array(0)), /^DecodingError DER_INVALID: /],
  ])('with %s is refused', (_, parameters, message) => {
    expect(failureOf(() => signatureAlgorithmFromOid(pss, parameters))).toMatch(message)
  })

  it('is refused with any bit flipped, unless another digest algorithm comes out that fits as well', () => {
    const good = derSequence(hashed(sha256), masked(sha256), salted(32))
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
        const bent = Uint8Array.from(good)
        bent[at] = (bent[at] ?? 0) ^ (1 << bit)
        expect(failureOf(() => signatureAlgorithmFromOid(pss, bent))).toMatch(/^DecodingError (?:KEY_UNSUPPORTED|DER_INVALID): /)
      }),
    )
  })

  it('is an error of its own for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (parameters) => {
        expect(() => signatureAlgorithmFromOid(pss, parameters)).toThrow(DecodingError)
      }),
    )
  })
})

describe('an algorithm for another kind of key', () => {
  it('verifies nothing, not even what the key signed with its own algorithm', () => {
    const data = encodeUtf8('what is signed')
    for (const kind of ['ecdsa-p256', 'rsa-2048', 'ed25519'] as const) {
      const signer = generateSigner(kind)
      const signature = signer.sign(data)
      expect(verifySignature(signer.publicKey, signer.algorithm, data, signature)).toBe(true)
      for (const algorithm of ['ecdsa-sha256', 'rsa-pkcs1-sha256', 'rsa-pss-sha256', 'ed25519', 'ed25519ph'] as const) {
        if (algorithm.startsWith(signer.publicKey.kind)) continue
        expect(verifySignature(signer.publicKey, algorithm, data, signature)).toBe(false)
        if (algorithm !== 'ed25519')
          expect(verifyDigest(signer.publicKey, algorithm, digest(digestOf(algorithm) ?? 'sha256', data), signature)).toBe(false)
      }
    }
  })
})
