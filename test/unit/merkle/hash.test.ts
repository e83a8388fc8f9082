import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.ts'
import { climb, emptyRoot, leafHash, nodeHash, parentsOf, rootOf } from '../../../src/merkle/hash.ts'
import { pathShape } from '../../../src/merkle/path-shape.ts'
import { failureOf } from './failure.ts'
import { knownEntries, knownRoots } from './known-tree.ts'
import { leafOf, leaves, mth, nodeOf } from './reference-tree.ts'

describe('tree hashing', () => {
  it('gives the known roots of the reference tree', () => {
    const hashes = knownEntries.map((entry) => leafHash(decodeHex(entry, 'entry')))
    expect(knownRoots.map((_, index) => encodeHex(rootOf(hashes.slice(0, index + 1))))).toEqual(knownRoots)
  })

  it('gives the hash of nothing as the root of the empty tree', () => {
    expect(encodeHex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(rootOf([])).toEqual(emptyRoot)
  })

  it('hashes entries of any length, below and above the size where the way of hashing changes', () => {
    for (const length of [0, 1, 31, 55, 56, 63, 64, 2047, 2048, 2049, 70_000]) {
      const entry = new Uint8Array(length).fill(length & 0xff)
      expect(encodeHex(leafHash(entry))).toBe(encodeHex(leafOf(entry)))
    }
  })

  it('hashes an entry that is a view into a larger buffer', () => {
    const whole = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff)
    expect(encodeHex(leafHash(whole.subarray(100, 200)))).toBe(encodeHex(leafOf(whole.slice(100, 200))))
  })

  it('keeps earlier results when later ones are computed', () => {
    const [a, b] = [leafOf(Uint8Array.of(1)), leafOf(Uint8Array.of(2))]
    const first = nodeHash(a, b)
    nodeHash(b, a)
    expect(encodeHex(first)).toBe(encodeHex(nodeOf(a, b)))
  })

  it('agrees with the definition of the tree hash for any number of leaves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (count) => {
        expect(encodeHex(rootOf(leaves(count)))).toBe(encodeHex(mth(leaves(count))))
      }),
      { numRuns: 30 },
    )
  })

  it('agrees with the definition of the node hash for any children', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(hash, hash, (left, right) => {
        expect(encodeHex(nodeHash(left, right))).toBe(encodeHex(nodeOf(left, right)))
      }),
    )
  })

  it('leaves a node without a sibling out of the complete parents, and moves it up otherwise', () => {
    const [a, b, c] = leaves(3)
    if (a === undefined || b === undefined || c === undefined) throw new Error('three leaves were made')
    expect(parentsOf([a, b, c], 'complete').map(encodeHex)).toEqual([encodeHex(nodeOf(a, b))])
    expect(parentsOf([a, b, c], 'with-incomplete').map(encodeHex)).toEqual([encodeHex(nodeOf(a, b)), encodeHex(c)])
  })

  it.each([0, 31, 33, 64])('refuses a child of %i bytes on either side', (length) => {
    const good = new Uint8Array(32)
    const expected = { type: 'DecodingError', code: 'ENCODING_INVALID', message: `a tree hash has 32 bytes, found ${length}` }
    expect(failureOf(() => nodeHash(new Uint8Array(length), good))).toEqual(expected)
    expect(failureOf(() => nodeHash(good, new Uint8Array(length)))).toEqual(expected)
    expect(failureOf(() => rootOf([new Uint8Array(length)]))).toEqual(expected)
    expect(failureOf(() => rootOf([good, good, new Uint8Array(length)]))).toEqual(expected)
    expect(failureOf(() => climb(new Uint8Array(length), 0, [good], 0, pathShape(0n, 2n)))).toEqual(expected)
    expect(failureOf(() => climb(good, 0, [new Uint8Array(length)], 0, pathShape(0n, 2n)))).toEqual(expected)
  })
})
