import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DigestAlgorithm } from '../../../src/crypto/digest.ts'
import { createDigest, digest, digestLength, protobufDigestAlgorithm, protobufDigestName } from '../../../src/crypto/digest.ts'
import { concatBytes, encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { failureOf } from './failure.ts'

const algorithms: readonly DigestAlgorithm[] = ['sha224', 'sha256', 'sha384', 'sha512']

describe('digest', () => {
  it('gives the values of FIPS 180-4 for "abc"', () => {
    expect(encodeHex(digest('sha224', encodeUtf8('abc')))).toBe('23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7')
    expect(encodeHex(digest('sha256', encodeUtf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('gives the value of the empty message when there are no parts', () => {
    expect(encodeHex(digest('sha256'))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(digest('sha256', new Uint8Array(0))).toEqual(digest('sha256'))
  })

  it('is the same however the bytes are split, at once or piece by piece, as long as digestLength says', () => {
    fc.assert(
      fc.property(fc.constantFrom(...algorithms), fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (algorithm, parts) => {
        const expected = Uint8Array.from(
          createHash(algorithm)
            .update(concatBytes(...parts))
            .digest(),
        )
        const state = createDigest(algorithm)
        for (const part of parts) {
          const chunk = Uint8Array.from(part)
          state.update(chunk)
          chunk.fill(0xaa)
        }
        expect(Uint8Array.from(state.finish())).toEqual(expected)
        expect(Uint8Array.from(digest(algorithm, ...parts))).toEqual(expected)
        expect(Uint8Array.from(digest(algorithm, concatBytes(...parts)))).toEqual(expected)
        expect(expected.length).toBe(digestLength(algorithm))
      }),
    )
  })

  it('reads a view of a larger buffer, not the buffer', () => {
    const large = encodeUtf8('xxabcxx')
    expect(digest('sha256', large.subarray(2, 5))).toEqual(digest('sha256', encodeUtf8('abc')))
  })

  it('cannot be finished twice', () => {
    const state = createDigest('sha256')
    state.finish()
    expect(() => state.finish()).toThrow('Digest already called')
  })
})

describe('the names of protobuf-specs', () => {
  it('name SHA-256, SHA-384 and SHA-512', () => {
    for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) {
      expect(protobufDigestName(algorithm)).toBe(algorithm.replace('sha', 'SHA2_'))
      expect(protobufDigestAlgorithm(protobufDigestName(algorithm))).toBe(algorithm)
    }
  })

  it('name nothing else', () => {
    for (const name of ['HASH_ALGORITHM_UNSPECIFIED', 'SHA3_256', 'SHA3_384', 'SHA2_224', 'sha256', 'SHA2_256 ', '', '1', 'constructor']) {
      expect(protobufDigestAlgorithm(name)).toBeUndefined()
    }
    expect(failureOf(() => protobufDigestName('sha224'))).toBe(
      'UsageError USAGE: expected a sha256, sha384 or sha512 digest, found sha224, which bundles have no name for',
    )
  })
})
