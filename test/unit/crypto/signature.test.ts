import { constants, createHash, sign } from 'node:crypto'
import { ed25519ph } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import type { PublicKey } from '../../../src/crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { digestOf, loadEd25519ph, signatureAlgorithmFromOid, verifyDigest, verifySignature } from '../../../src/crypto/signature.ts'
import { generateSigner, parsePrivateKey } from '../../../src/crypto/private-key.ts'
import { namedKey } from '../../support/universe/keys.ts'
import type { KeyKind } from '../../support/universe/keys.ts'
import { refusalOf } from '../../support/universe/verification.ts'

const message = new TextEncoder().encode('a message')
const other = new TextEncoder().encode('another message')

beforeAll(() => loadEd25519ph())

function signatureBy(kind: KeyKind, algorithm: SignatureAlgorithm, saltLength?: number): Uint8Array {
  const { privateKey } = namedKey('sig', kind)
  if (algorithm === 'ed25519ph') return ed25519ph.sign(message, privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32))
  const digest = digestOf(algorithm) ?? null
  if (!algorithm.startsWith('rsa-pss')) return sign(digest, message, privateKey)
  return sign(digest, message, {
    key: privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST,
  })
}

const keyOf = (kind: KeyKind): PublicKey => parsePublicKey(namedKey('sig', kind).spki)
const digestFor = (algorithm: SignatureAlgorithm, bytes: Uint8Array): Uint8Array =>
  createHash(digestOf(algorithm) ?? 'sha256')
    .update(bytes)
    .digest()

const combinations: readonly (readonly [KeyKind, SignatureAlgorithm])[] = [
  ['p256', 'ecdsa-sha256'],
  ['p256', 'ecdsa-sha224'],
  ['p256', 'ecdsa-sha512'],
  ['p384', 'ecdsa-sha384'],
  ['p384', 'ecdsa-sha256'],
  ['p521', 'ecdsa-sha512'],
  ['rsa', 'rsa-pkcs1-sha256'],
  ['rsa', 'rsa-pkcs1-sha384'],
  ['rsa', 'rsa-pkcs1-sha512'],
  ['rsa', 'rsa-pss-sha256'],
  ['rsa', 'rsa-pss-sha384'],
  ['rsa', 'rsa-pss-sha512'],
  ['ed25519', 'ed25519'],
  ['ed25519', 'ed25519ph'],
]

for (const [kind, algorithm] of combinations) {
  describe(`${algorithm} with a ${kind} key`, () => {
    const signature = signatureBy(kind, algorithm)

    it('verifies over the bytes, and only over them', () => {
      expect(verifySignature(keyOf(kind), algorithm, message, signature)).toBe(true)
      expect(verifySignature(keyOf(kind), algorithm, other, signature)).toBe(false)
    })

    if (algorithm === 'ed25519') {
      it('cannot be verified over a digest', () => {
        expect(refusalOf(() => verifyDigest(keyOf(kind), algorithm, new Uint8Array(64), signature))).toMatchObject({
          code: 'ARTIFACT_REQUIRED',
        })
      })
    } else {
      it('verifies over the digest, and only over it', () => {
        expect(verifyDigest(keyOf(kind), algorithm, digestFor(algorithm, message), signature)).toBe(true)
        expect(verifyDigest(keyOf(kind), algorithm, digestFor(algorithm, other), signature)).toBe(false)
      })
    }

    it('is refused with any bit flipped, in both ways', () => {
      for (let bit = 0; bit < signature.length * 8; bit += 29) {
        const flipped = Uint8Array.from(signature)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verifySignature(keyOf(kind), algorithm, message, flipped)).toBe(false)
        if (algorithm !== 'ed25519') expect(verifyDigest(keyOf(kind), algorithm, digestFor(algorithm, message), flipped)).toBe(false)
      }
    })

    it('is refused when it is random, empty, short or long, without an exception', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
          expect(verifySignature(keyOf(kind), algorithm, message, bytes)).toBe(false)
          if (algorithm !== 'ed25519') expect(verifyDigest(keyOf(kind), algorithm, digestFor(algorithm, message), bytes)).toBe(false)
        }),
        { numRuns: 25 },
      )
      expect(verifySignature(keyOf(kind), algorithm, message, Uint8Array.of(...signature, 0))).toBe(false)
      expect(verifySignature(keyOf(kind), algorithm, message, signature.subarray(0, -1))).toBe(false)
    })

    it('is refused with a key of another kind', () => {
      for (const another of ['p256', 'rsa', 'ed25519'] as const) {
        if (another === kind) continue
        if (keyOf(another).kind === keyOf(kind).kind) continue
        expect(verifySignature(keyOf(another), algorithm, message, signature)).toBe(false)
      }
    })
  })
}

describe('RSA-PSS', () => {
  for (const saltLength of [0, 20, 32, 222]) {
    it(`verifies with a salt of ${saltLength} bytes, in both ways`, () => {
      const signature = signatureBy('rsa', 'rsa-pss-sha256', saltLength)
      expect(verifySignature(keyOf('rsa'), 'rsa-pss-sha256', message, signature)).toBe(true)
      expect(verifyDigest(keyOf('rsa'), 'rsa-pss-sha256', digestFor('rsa-pss-sha256', message), signature)).toBe(true)
    })
  }
  it('and PKCS#1 v1.5 are not taken for each other', () => {
    const digest = digestFor('rsa-pkcs1-sha256', message)
    expect(verifyDigest(keyOf('rsa'), 'rsa-pss-sha256', digest, signatureBy('rsa', 'rsa-pkcs1-sha256'))).toBe(false)
    expect(verifyDigest(keyOf('rsa'), 'rsa-pkcs1-sha256', digest, signatureBy('rsa', 'rsa-pss-sha256'))).toBe(false)
  })
})

describe('ECDSA signatures have one encoding', () => {
  const signature = Buffer.from(signatureBy('p256', 'ecdsa-sha256'))
  const bends: readonly (readonly [string, Uint8Array])[] = [
    ['a long form length', Buffer.concat([signature.subarray(0, 1), Buffer.of(0x81), signature.subarray(1)])],
    [
      'an unnecessary zero in r',
      Buffer.concat([Buffer.of(0x30, (signature[1] ?? 0) + 1, 0x02, (signature[3] ?? 0) + 1, 0), signature.subarray(4)]),
    ],
    ['bytes behind it', Buffer.concat([signature, Buffer.of(0)])],
  ]
  for (const [what, bent] of bends) {
    it(`so one with ${what} is refused, in both ways`, () => {
      expect(verifySignature(keyOf('p256'), 'ecdsa-sha256', message, bent)).toBe(false)
      expect(verifyDigest(keyOf('p256'), 'ecdsa-sha256', digestFor('ecdsa-sha256', message), bent)).toBe(false)
    })
  }
})

describe('algorithm identifiers', () => {
  it('of SHA-1, MD5 and unknown ones are refused', () => {
    for (const oid of ['1.2.840.113549.1.1.5', '1.2.840.113549.1.1.4', '1.2.840.10045.4.1', '1.2.3']) {
      expect(refusalOf(() => signatureAlgorithmFromOid(oid))).toMatchObject({ code: 'KEY_UNSUPPORTED' })
    }
  })
  it('with parameters that they should not have are refused', () => {
    expect(refusalOf(() => signatureAlgorithmFromOid('1.2.840.10045.4.3.2', Uint8Array.of(5, 0)))).toMatchObject({ code: 'KEY_INVALID' })
    expect(signatureAlgorithmFromOid('1.2.840.113549.1.1.11', Uint8Array.of(5, 0))).toBe('rsa-pkcs1-sha256')
    expect(refusalOf(() => signatureAlgorithmFromOid('1.2.840.113549.1.1.10'))?.code).toMatch(/DER_INVALID|KEY_UNSUPPORTED/)
  })
})

describe('a signer', () => {
  for (const kind of ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'] as const) {
    it(`of kind ${kind} makes signatures that verify`, () => {
      const signer = generateSigner(kind)
      expect(verifySignature(signer.publicKey, signer.algorithm, message, signer.sign(message))).toBe(true)
    })
  }
  it('is made of PKCS#8, and says nothing of a key that it cannot read', () => {
    const pkcs8 = namedKey('sig').privateKey.export({ type: 'pkcs8', format: 'der' })
    expect(parsePrivateKey(pkcs8).createSigner().publicKey.kind).toBe('ecdsa')
    expect(refusalOf(() => parsePrivateKey(pkcs8.subarray(0, 60)))).toEqual({
      code: 'KEY_INVALID',
      message: 'the private key is not a valid PKCS#8 key',
    })
  })
})
