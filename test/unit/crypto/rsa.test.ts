import type { KeyObject } from 'node:crypto'
import { constants, createHash, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digest, digestLength } from '../../../src/crypto/digest.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import type { PublicKey } from '../../../src/crypto/public-key.ts'
import { verifyDigest, verifySignature } from '../../../src/crypto/signature.ts'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { derElement, derNull, derOctetString, derOid, derSequence } from '../../../src/encoding/der-writer.ts'

const digests = ['sha256', 'sha384', 'sha512'] as const
type RsaDigest = (typeof digests)[number]
const digestOids = { sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2', sha512: '2.16.840.1.101.3.4.2.3' } as const
const message = encodeUtf8('what is signed')

interface RsaPair {
  readonly key: PublicKey
  readonly privateKey: KeyObject
  readonly modulus: bigint
  readonly bytes: number
}

function makePair(modulusLength: number, publicExponent: number): RsaPair {
  const pair = generateKeyPairSync('rsa', { modulusLength, publicExponent })
  const { n } = pair.publicKey.export({ format: 'jwk' })
  return {
    key: parsePublicKey(pair.publicKey.export({ type: 'spki', format: 'der' })),
    privateKey: pair.privateKey,
    modulus: BigInt(`0x${Buffer.from(n ?? '', 'base64url').toString('hex')}`),
    bytes: Math.ceil(modulusLength / 8),
  }
}

/** A modulus of 2049 bits has a first byte that the encoding of PSS does not reach; one of 2050 bits, an encoding with unused bits. */
const pairs = {
  '2048 bits': makePair(2048, 65537),
  '2049 bits, exponent 3': makePair(2049, 3),
  '2050 bits': makePair(2050, 65537),
} as const
const names = ['2048 bits', '2049 bits, exponent 3', '2050 bits'] as const

/** The private key operation on an encoding that the test made. */
function signEncoded({ privateKey }: RsaPair, encoded: Uint8Array): Uint8Array {
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded)
}

/** Whether it verifies over the message and over its digest: the same answer, always. */
function verifies(
  { key }: RsaPair,
  algorithm: `rsa-${'pkcs1' | 'pss'}-${RsaDigest}`,
  signature: Uint8Array,
  data: Uint8Array = message,
): boolean {
  const answer = verifyDigest(key, algorithm, digest(hashOf(algorithm), data), signature)
  expect(verifySignature(key, algorithm, data, signature)).toBe(answer)
  return answer
}

function hashOf(algorithm: string): RsaDigest {
  return digests.find((name) => algorithm.endsWith(name)) ?? 'sha256'
}

describe.each(names)('RSASSA-PKCS1-v1_5, %s', (name) => {
  const pair = pairs[name]
  const value = digest('sha256', message)
  const info = derSequence(derSequence(derOid(digestOids.sha256), derNull()), derOctetString(value))
  const encode = (tail: Uint8Array, type = 1, filler = 0xff): Uint8Array =>
    concatBytes(Uint8Array.of(0, type), new Uint8Array(pair.bytes - tail.length - 3).fill(filler), Uint8Array.of(0), tail)

  it.each(digests)('verifies what OpenSSL signed with %s, and nothing else', (hash) => {
    const signature = sign(hash, message, pair.privateKey)
    expect(verifies(pair, `rsa-pkcs1-${hash}`, signature)).toBe(true)
    expect(verifies(pair, `rsa-pkcs1-${hash}`, signature, encodeUtf8('what is not signed'))).toBe(false)
    expect(verifies(pair, `rsa-pss-${hash}`, signature)).toBe(false)
    for (const other of digests) if (other !== hash) expect(verifies(pair, `rsa-pkcs1-${other}`, signature)).toBe(false)
    for (const other of names) if (other !== name) expect(verifies(pairs[other], `rsa-pkcs1-${hash}`, signature)).toBe(false)
  })

  it('verifies the one encoding there is, made by hand', () => {
    expect(verifies(pair, 'rsa-pkcs1-sha256', signEncoded(pair, encode(info)))).toBe(true)
  })

  it.each([
    ['the NULL of the digest algorithm missing', encode(derSequence(derSequence(derOid(digestOids.sha256)), derOctetString(value)))],
    ['another digest algorithm named', encode(derSequence(derSequence(derOid(digestOids.sha384), derNull()), derOctetString(value)))],
    ['the bare digest', encode(value)],
    ['a length in the long form', encode(concatBytes(Uint8Array.of(0x30, 0x81, info.length - 2), info.subarray(2)))],
    [
      'something after the digest inside',
      encode(derSequence(derSequence(derOid(digestOids.sha256), derNull()), derOctetString(value), derNull())),
    ],
    [
      'parameters hidden in the algorithm',
      encode(derSequence(derSequence(derOid(digestOids.sha256), derElement(0x04, new Uint8Array(40))), derOctetString(value))),
    ],
    ['block type 0', encode(info, 0, 0)],
    ['block type 2', encode(info, 2, 0x55)],
    ['padding with a zero in it', withByte(encode(info), 20, 0)],
    ['padding with another byte in it', withByte(encode(info), 20, 0xfe)],
    ['a first byte', withByte(encode(info), 0, 1)],
    ['no byte between padding and content', withByte(encode(info), pair.bytes - info.length - 1, 0xff)],
    [
      'short padding and garbage after the digest',
      concatBytes(
        Uint8Array.of(0, 1),
        new Uint8Array(8).fill(0xff),
        Uint8Array.of(0),
        info,
        new Uint8Array(pair.bytes - info.length - 11).fill(0x5a),
      ),
    ],
    ['all ones', withByte(new Uint8Array(pair.bytes).fill(0xff), 0, 0)],
    ['all zeros', new Uint8Array(pair.bytes)],
  ])('refuses %s', (_, encoded) => {
    expect(verifies(pair, 'rsa-pkcs1-sha256', signEncoded(pair, encoded))).toBe(false)
  })

  it('refuses a signature of another length, even where the number is the same', () => {
    const signature = sign('sha256', message, pair.privateKey)
    for (const bent of [
      new Uint8Array(0),
      signature.subarray(1),
      signature.subarray(0, -1),
      concatBytes(Uint8Array.of(0), signature),
      concatBytes(signature, Uint8Array.of(0)),
    ]) {
      expect(verifies(pair, 'rsa-pkcs1-sha256', bent)).toBe(false)
      expect(verifies(pair, 'rsa-pss-sha256', bent)).toBe(false)
    }
  })

  it('refuses a number that is not below the modulus', () => {
    const refused = [pair.modulus, pair.modulus + 1n, 2n ** BigInt(8 * pair.bytes) - 1n]
    const signature = integerOf(sign('sha256', message, pair.privateKey))
    if (signature + pair.modulus < 2n ** BigInt(8 * pair.bytes)) refused.push(signature + pair.modulus)
    for (const number of refused) {
      const bytes = Buffer.from(number.toString(16).padStart(2 * pair.bytes, '0'), 'hex')
      expect(verifies(pair, 'rsa-pkcs1-sha256', bytes)).toBe(false)
      expect(verifies(pair, 'rsa-pss-sha256', bytes)).toBe(false)
    }
  })

  it('refuses every flipped bit, and random bytes', () => {
    const signature = sign('sha256', message, pair.privateKey)
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.nat(7), (at, bit) => {
        expect(verifies(pair, 'rsa-pkcs1-sha256', withByte(signature, at, (signature[at] ?? 0) ^ (1 << bit)))).toBe(false)
      }),
      { numRuns: 50 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: pair.bytes - 1, maxLength: pair.bytes + 1 }), (bytes) => {
        expect(verifies(pair, 'rsa-pkcs1-sha256', bytes)).toBe(false)
        expect(verifies(pair, 'rsa-pss-sha256', bytes)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })
})

interface PssChoices {
  readonly hash: RsaDigest
  readonly salt: Uint8Array
  readonly separator?: number
  readonly padding?: number
  readonly trailer?: number
  readonly maskHash?: RsaDigest
  readonly prefix?: Uint8Array
}

/** EMSA-PSS-ENCODE (RFC 8017 section 9.1.1), with every part open to be bent. */
function encodePss(pair: RsaPair, choices: PssChoices): Uint8Array {
  const { hash, salt, separator = 1, padding = 0, trailer = 0xbc, maskHash = hash, prefix = new Uint8Array(8) } = choices
  const bits = pair.modulus.toString(2).length - 1
  const length = Math.ceil(bits / 8)
  const h = createHash(hash).update(prefix).update(digest(hash, message)).update(salt).digest()
  const block = new Uint8Array(length - h.length - 1)
  block.fill(padding, 0, block.length - salt.length - 1)
  block[block.length - salt.length - 1] = separator
  block.set(salt, block.length - salt.length)
  const mask = Buffer.concat(
    Array.from({ length: 20 }, (_, counter) =>
      createHash(maskHash)
        .update(h)
        .update(Uint8Array.of(0, 0, 0, counter))
        .digest(),
    ),
  )
  const masked = block.map((byte, at) => byte ^ (mask[at] ?? 0))
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * length - bits))
  return concatBytes(new Uint8Array(pair.bytes - length), masked, h, Uint8Array.of(trailer))
}

describe.each(names)('RSASSA-PSS, %s', (name) => {
  const pair = pairs[name]
  const salt = new Uint8Array(32).fill(7)
  const unused = 8 * Math.ceil((pair.modulus.toString(2).length - 1) / 8) - (pair.modulus.toString(2).length - 1)
  const largestSalt = Math.ceil((pair.modulus.toString(2).length - 1) / 8) - 34

  it.each(digests)('verifies what OpenSSL signed with %s, and nothing else', (hash) => {
    const signature = sign(hash, message, {
      key: pair.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    })
    expect(verifies(pair, `rsa-pss-${hash}`, signature)).toBe(true)
    expect(verifies(pair, `rsa-pss-${hash}`, signature, encodeUtf8('what is not signed'))).toBe(false)
    expect(verifies(pair, `rsa-pkcs1-${hash}`, signature)).toBe(false)
    for (const other of digests) if (other !== hash) expect(verifies(pair, `rsa-pss-${other}`, signature)).toBe(false)
  })

  it.each([0, 1, 20, 32, 64, 100])('takes a salt of %i bytes, as every verifier with "auto" does', (saltLength) => {
    const signature = sign('sha256', message, { key: pair.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
    expect(verifies(pair, 'rsa-pss-sha256', signature)).toBe(true)
    expect(
      verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encodePss(pair, { hash: 'sha256', salt: new Uint8Array(saltLength).fill(9) }))),
    ).toBe(true)
  })

  it('takes the longest salt that there is room for', () => {
    const signature = sign('sha256', message, {
      key: pair.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN,
    })
    expect(verifies(pair, 'rsa-pss-sha256', signature)).toBe(true)
    // Where the separator shares its byte with unused bits, there must be room for it.
    if (unused < 8)
      expect(
        verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encodePss(pair, { hash: 'sha256', salt: new Uint8Array(largestSalt) }))),
      ).toBe(true)
  })

  const bent: readonly (readonly [string, Partial<PssChoices>])[] = [
    ['another trailer', { trailer: 0xcc }],
    ['another separator', { separator: 2 }],
    ['no separator', { separator: 0, salt: new Uint8Array(32) }],
    ['padding that is not zero', { padding: 0x80 }],
    ['ones for padding', { padding: 0x01, separator: 0x00 }],
    ['a mask of another digest', { maskHash: 'sha384' }],
    ['a digest over another prefix', { prefix: new Uint8Array(8).fill(1) }],
  ]
  it.each(bent)('refuses %s', (_, choices) => {
    const encoded = encodePss(pair, { hash: 'sha256', salt, ...choices })
    // A 1 in the padding is a separator itself, and what follows a longer salt: only the digest can tell.
    expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encoded))).toBe(false)
  })

  it('refuses every flipped bit of the encoding', () => {
    const encoded = encodePss(pair, { hash: 'sha256', salt })
    expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encoded))).toBe(true)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: encoded.length - 1 }), fc.nat(7), (at, bit) => {
        const flipped = withByte(encoded, at, (encoded[at] ?? 0) ^ (1 << bit))
        fc.pre(integerOf(flipped) < pair.modulus)
        expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, flipped))).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses every flipped bit of the signature', () => {
    const signature = signEncoded(pair, encodePss(pair, { hash: 'sha256', salt }))
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.nat(7), (at, bit) => {
        expect(verifies(pair, 'rsa-pss-sha256', withByte(signature, at, (signature[at] ?? 0) ^ (1 << bit)))).toBe(false)
      }),
      { numRuns: 40 },
    )
  })
})

describe('the bits of PSS that lie above the encoding', () => {
  const salts = Array.from({ length: 256 }, (_, at) => new Uint8Array(32).fill(at))

  /** An encoding with these bits set in its first byte, that is still a number below the modulus. */
  const encodeAbove = (pair: RsaPair, bits: number): Uint8Array => {
    for (const salt of salts) {
      const encoded = encodePss(pair, { hash: 'sha256', salt })
      const bent = withByte(encoded, 0, (encoded[0] ?? 0) | bits)
      if (integerOf(bent) < pair.modulus) return bent
    }
    throw new Error('no encoding with such bits is below the modulus')
  }

  it('must be zero where the encoding has unused bits in its first byte', () => {
    // 2049 bits in 257 bytes: the first byte has one bit of the encoding.
    const pair = pairs['2050 bits']
    expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encodeAbove(pair, 0x00)))).toBe(true)
    expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encodeAbove(pair, 0x02)))).toBe(false)
  })

  it('must be zero where the modulus has a byte more than the encoding', () => {
    // 2048 bits in 256 bytes: the first of the 257 bytes has none.
    const pair = pairs['2049 bits, exponent 3']
    expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encodeAbove(pair, 0x00)))).toBe(true)
    expect(verifies(pair, 'rsa-pss-sha256', signEncoded(pair, encodeAbove(pair, 0x01)))).toBe(false)
  })
})

describe('a signature whose first byte is zero', () => {
  const pair = pairs['2049 bits, exponent 3']

  it.each(['rsa-pkcs1-sha256', 'rsa-pss-sha256'] as const)('cannot be shortened by it or lengthened by another: %s', (algorithm) => {
    const padding = algorithm === 'rsa-pss-sha256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}
    // Every other signature is of this kind: the first byte of the modulus is 1.
    for (let counter = 0; counter < 200; counter++) {
      const data = Uint8Array.of(counter)
      const signature = sign('sha256', data, { key: pair.privateKey, ...padding })
      if (signature[0] !== 0) continue
      expect(verifies(pair, algorithm, signature, data)).toBe(true)
      expect(verifies(pair, algorithm, signature.subarray(1), data)).toBe(false)
      expect(verifies(pair, algorithm, concatBytes(Uint8Array.of(0), signature), data)).toBe(false)
      return
    }
    throw new Error('no signature of 200 begins with a zero')
  })
})

describe('a digest of the wrong length', () => {
  it.each(digests)('is an error for %s', (hash) => {
    const signature = new Uint8Array(pairs['2048 bits'].bytes)
    for (const length of [0, digestLength(hash) - 1, digestLength(hash) + 1]) {
      for (const scheme of ['pkcs1', 'pss'] as const) {
        expect(() => verifyDigest(pairs['2048 bits'].key, `rsa-${scheme}-${hash}`, new Uint8Array(length), signature)).toThrow(
          `rsa-${scheme}-${hash} signs a digest of ${digestLength(hash)} bytes, found one of ${length}`,
        )
      }
    }
  })
})

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = value
  return copy
}

function integerOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
