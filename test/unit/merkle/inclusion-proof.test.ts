import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.ts'
import { VerificationError } from '../../../src/error.ts'
import { leafHash } from '../../../src/merkle/hash.ts'
import type { InclusionClaim } from '../../../src/merkle/inclusion-proof.ts'
import { rootFromInclusionProof, verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import { failureOf } from './failure.ts'
import { knownEntries, knownInclusionProofs, knownRoots } from './known-tree.ts'
import type { Hash } from './reference-tree.ts'
import { flipBit, leafOf, leaves, mth, path, rootByRfc9162 } from './reference-tree.ts'

function claimFor(index: number, size: number): InclusionClaim {
  const tree = leaves(size)
  return {
    leafIndex: BigInt(index),
    treeSize: BigInt(size),
    leafHash: tree[index] ?? leafOf(new Uint8Array(0)),
    proof: path(index, tree),
    root: mth(tree),
  }
}

const refusal = (message: string) => ({ type: 'VerificationError', code: 'INCLUSION_PROOF_INVALID', message })
const verifies = (claim: InclusionClaim) => expect(() => verifyInclusion(claim)).not.toThrow()
const isRefused = (claim: InclusionClaim) => expect(failureOf(() => verifyInclusion(claim)).code).toBe('INCLUSION_PROOF_INVALID')

const place = fc
  .integer({ min: 1, max: 300 })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.integer({ min: 0, max: size - 1 }) }))

describe('an inclusion proof', () => {
  it.each(knownInclusionProofs)('verifies for entry $index of the reference tree of $size', ({ index, size, proof }) => {
    verifyInclusion({
      leafIndex: BigInt(index),
      treeSize: BigInt(size),
      leafHash: leafHash(decodeHex(knownEntries[index] ?? '', 'entry')),
      proof: proof.map((hash) => decodeHex(hash, 'hash')),
      root: decodeHex(knownRoots[size - 1] ?? '', 'root'),
    })
  })

  it('verifies for every leaf of every tree of up to 40 leaves', () => {
    for (let size = 1; size <= 40; size++) for (let index = 0; index < size; index++) verifies(claimFor(index, size))
  })

  it('verifies for any leaf, and in the place of no other leaf', () => {
    fc.assert(
      fc.property(place, fc.nat(), ({ index, size }, other) => {
        const claim = claimFor(index, size)
        verifies(claim)
        if (other % size !== index) isRefused({ ...claim, leafIndex: BigInt(other % size) })
        isRefused({ ...claim, leafIndex: BigInt(size + (other % 5)) })
      }),
      { numRuns: 60 },
    )
  })

  it('is refused when any bit of the leaf, the root or a hash is flipped', () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.nat({ max: 255 }), ({ index, size }, which, bit) => {
        const claim = claimFor(index, size)
        isRefused({ ...claim, leafHash: flipBit(claim.leafHash, bit) })
        isRefused({ ...claim, root: flipBit(claim.root, bit) })
        if (claim.proof.length === 0) return
        isRefused({ ...claim, proof: claim.proof.map((hash, at) => (at === which % claim.proof.length ? flipBit(hash, bit) : hash)) })
      }),
      { numRuns: 60 },
    )
  })

  it('is refused when a hash is left out, added, or changes places with another', () => {
    fc.assert(
      fc.property(place, fc.nat(), ({ index, size }, which) => {
        const claim = claimFor(index, size)
        const at = which % (claim.proof.length + 1)
        isRefused({ ...claim, proof: claim.proof.toSpliced(at, 0, claim.leafHash) })
        if (claim.proof.length > 0) isRefused({ ...claim, proof: claim.proof.toSpliced(which % claim.proof.length, 1) })
        if (claim.proof.length > 1) isRefused({ ...claim, proof: claim.proof.toReversed() })
      }),
      { numRuns: 60 },
    )
  })

  // Trees of different sizes can have the same path to a leaf: only the signed checkpoint binds the size itself.
  it('is refused for every other tree size in which the path to the leaf differs', () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 600 }), ({ index, size }, otherSize) => {
        const claim = { ...claimFor(index, size), treeSize: BigInt(otherSize) }
        const root = rootByRfc9162(claim.leafIndex, claim.treeSize, claim.leafHash, claim.proof)
        if (root !== undefined && encodeHex(root) === encodeHex(claim.root)) verifies(claim)
        else isRefused(claim)
      }),
      { numRuns: 100 },
    )
  })

  it('leads to the root that the steps of RFC 9162 give, in trees of up to 2^63-1 leaves', () => {
    const size = fc.oneof(
      fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      fc.integer({ min: 0, max: 62 }).chain((bits) => fc.bigInt({ min: -2n, max: 2n }).map((near) => 2n ** BigInt(bits) + near)),
      fc.constantFrom(2n ** 63n - 1n, 2n ** 63n - 2n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 32n, 2n ** 31n),
    )
    const tree = size
      .filter((n) => n > 0n)
      .chain((n) => fc.tuple(fc.constant(n), fc.oneof(fc.bigInt({ min: 0n, max: n - 1n }), fc.constantFrom(0n, n - 1n))))
    fc.assert(
      fc.property(tree, fc.integer({ min: 0, max: 255 }), ([treeSize, leafIndex], seed) => {
        const leaf = leafOf(Uint8Array.of(seed))
        let expected: Hash | undefined
        // The steps do not say how many hashes a proof has: the number is found by trying.
        for (let length = 0; length <= 64; length++) {
          const proof = leaves(length)
          expected = rootByRfc9162(leafIndex, treeSize, leaf, proof)
          const call = () => rootFromInclusionProof({ leafIndex, treeSize, leafHash: leaf, proof })
          if (expected === undefined) {
            expect(failureOf(call).code).toBe('INCLUSION_PROOF_INVALID')
          } else {
            expect(encodeHex(call())).toBe(encodeHex(expected))
            return
          }
        }
        expect(expected).toBeDefined()
      }),
      { numRuns: 150 },
    )
  })

  it('is refused when the index is not below the size', () => {
    const claim = claimFor(2, 7)
    expect(failureOf(() => verifyInclusion({ ...claim, leafIndex: 7n }))).toEqual(refusal('the leaf index 7 is not below the tree size 7'))
    expect(failureOf(() => verifyInclusion({ ...claim, treeSize: 0n, leafIndex: 0n }))).toEqual(
      refusal('the leaf index 0 is not below the tree size 0'),
    )
    expect(failureOf(() => verifyInclusion({ ...claim, treeSize: -5n }))).toEqual(refusal('the leaf index 2 is not below the tree size -5'))
  })

  it('is refused when the index is negative', () => {
    expect(failureOf(() => verifyInclusion({ ...claimFor(2, 7), leafIndex: -1n }))).toEqual(refusal('the leaf index is negative'))
  })

  it('is refused when the size is above 2^63-1', () => {
    const message = 'the tree size is above the largest possible, 2^63-1'
    for (const treeSize of [2n ** 63n, 2n ** 64n, 10n ** 100_000n]) {
      expect(failureOf(() => verifyInclusion({ ...claimFor(2, 7), treeSize, leafIndex: treeSize - 1n }))).toEqual(refusal(message))
    }
  })

  it('is refused when it has more or fewer hashes than the path', () => {
    const claim = claimFor(2, 7)
    const message = (found: number) => `leaf 2 of a tree of 7 has 3 hashes in its inclusion proof, found ${found}`
    expect(failureOf(() => verifyInclusion({ ...claim, proof: claim.proof.slice(1) }))).toEqual(refusal(message(2)))
    expect(failureOf(() => verifyInclusion({ ...claim, proof: [...claim.proof, claim.root] }))).toEqual(refusal(message(4)))
    expect(failureOf(() => verifyInclusion({ ...claim, proof: [] }))).toEqual(refusal(message(0)))
  })

  it('is refused for a tree of one leaf when it has a hash', () => {
    const claim = claimFor(0, 1)
    expect(failureOf(() => verifyInclusion({ ...claim, proof: [claim.root] }))).toEqual(
      refusal('leaf 0 of a tree of 1 has 0 hashes in its inclusion proof, found 1'),
    )
  })

  it('is refused before hashing when it has a million hashes', () => {
    const claim = { ...claimFor(2, 7), proof: Array.from({ length: 1_000_000 }, () => new Uint8Array(1)) }
    expect(failureOf(() => verifyInclusion(claim)).message).toBe('leaf 2 of a tree of 7 has 3 hashes in its inclusion proof, found 1000000')
  })

  it.each([0, 31, 33])('is refused when a hash has %i bytes', (length) => {
    const claim = claimFor(2, 7)
    const odd = new Uint8Array(length)
    expect(failureOf(() => verifyInclusion({ ...claim, leafHash: odd }))).toEqual(
      refusal(`the leaf hash should have 32 bytes, found ${length}`),
    )
    expect(failureOf(() => verifyInclusion({ ...claim, root: odd }))).toEqual(
      refusal(`the root hash should have 32 bytes, found ${length}`),
    )
    expect(failureOf(() => verifyInclusion({ ...claim, proof: claim.proof.with(1, odd) }))).toEqual(
      refusal(`a hash of the inclusion proof should have 32 bytes, found ${length}`),
    )
  })

  it('says which root it led to and which was expected', () => {
    const claim = { ...claimFor(2, 7), root: new Uint8Array(32) }
    const found = encodeHex(mth(leaves(7)))
    expect(failureOf(() => verifyInclusion(claim))).toEqual(
      refusal(`the inclusion proof leads to the root ${found}, expected ${'00'.repeat(32)}`),
    )
    expect(() => verifyInclusion(claim)).toThrow(VerificationError)
  })
})
