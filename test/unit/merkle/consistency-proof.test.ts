import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.ts'
import type { ConsistencyClaim } from '../../../src/merkle/consistency-proof.ts'
import { verifyConsistency } from '../../../src/merkle/consistency-proof.ts'
import { emptyRoot } from '../../../src/merkle/hash.ts'
import { failureOf } from './failure.ts'
import { knownConsistencyProofs, knownRoots } from './known-tree.ts'
import { flipBit, leaves, mth, proof, rootsByRfc9162 } from './reference-tree.ts'

function claimFor(oldSize: number, newSize: number): ConsistencyClaim {
  const tree = leaves(newSize)
  return {
    oldSize: BigInt(oldSize),
    oldRoot: mth(tree.slice(0, oldSize)),
    newSize: BigInt(newSize),
    newRoot: mth(tree),
    proof: oldSize === 0 ? [] : proof(oldSize, tree),
  }
}

const refusal = (message: string) => ({ type: 'VerificationError', code: 'CONSISTENCY_PROOF_INVALID', message })
const verifies = (claim: ConsistencyClaim) => expect(() => verifyConsistency(claim)).not.toThrow()
const isRefused = (claim: ConsistencyClaim) => expect(failureOf(() => verifyConsistency(claim)).code).toBe('CONSISTENCY_PROOF_INVALID')

/** 0 < oldSize < newSize: the claims whose proof has hashes. */
const sizes = fc
  .integer({ min: 2, max: 300 })
  .chain((newSize) => fc.record({ newSize: fc.constant(newSize), oldSize: fc.integer({ min: 1, max: newSize - 1 }) }))

describe('a consistency proof', () => {
  it.each(knownConsistencyProofs)('verifies between the reference trees of $oldSize and $newSize', ({ oldSize, newSize, proof }) => {
    verifyConsistency({
      oldSize: BigInt(oldSize),
      oldRoot: decodeHex(knownRoots[oldSize - 1] ?? '', 'root'),
      newSize: BigInt(newSize),
      newRoot: decodeHex(knownRoots[newSize - 1] ?? '', 'root'),
      proof: proof.map((hash) => decodeHex(hash, 'hash')),
    })
  })

  it('verifies between all trees of up to 32 leaves', () => {
    for (let newSize = 0; newSize <= 32; newSize++)
      for (let oldSize = 0; oldSize <= newSize; oldSize++) verifies(claimFor(oldSize, newSize))
  })

  it('verifies between any two trees, and from no other old size', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ oldSize, newSize }, other) => {
        const claim = claimFor(oldSize, newSize)
        verifies(claim)
        const otherSize = other % (newSize + 2)
        if (otherSize !== oldSize) isRefused({ ...claim, oldSize: BigInt(otherSize) })
      }),
      { numRuns: 80 },
    )
  })

  it('is refused when any bit of a root or a hash is flipped', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat({ max: 255 }), ({ oldSize, newSize }, which, bit) => {
        const claim = claimFor(oldSize, newSize)
        isRefused({ ...claim, oldRoot: flipBit(claim.oldRoot, bit) })
        isRefused({ ...claim, newRoot: flipBit(claim.newRoot, bit) })
        isRefused({ ...claim, proof: claim.proof.map((hash, at) => (at === which % claim.proof.length ? flipBit(hash, bit) : hash)) })
      }),
      { numRuns: 60 },
    )
  })

  it('is refused when a hash is left out or added, or the hashes are turned round', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ oldSize, newSize }, which) => {
        const claim = claimFor(oldSize, newSize)
        isRefused({ ...claim, proof: claim.proof.toSpliced(which % (claim.proof.length + 1), 0, claim.oldRoot) })
        isRefused({ ...claim, proof: claim.proof.toSpliced(which % claim.proof.length, 1) })
        if (claim.proof.length > 1) isRefused({ ...claim, proof: claim.proof.toReversed() })
      }),
      { numRuns: 60 },
    )
  })

  it('is refused for another history of the same length', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ oldSize, newSize }, which) => {
        const rewritten = leaves(newSize).with(which % oldSize, new Uint8Array(32))
        const claim = { ...claimFor(oldSize, newSize), newRoot: mth(rewritten), proof: proof(oldSize, rewritten) }
        isRefused(claim)
      }),
      { numRuns: 40 },
    )
  })

  it('verifies exactly when the steps of RFC 9162 do, in trees of up to 2^63-1 leaves', () => {
    const large = fc.oneof(
      fc.bigInt({ min: 2n, max: 2n ** 63n - 1n }),
      fc.integer({ min: 2, max: 62 }).map((bits) => 2n ** BigInt(bits)),
    )
    const pair = large.chain((newSize) => {
      const oldSize = fc.oneof(
        fc.bigInt({ min: 1n, max: newSize - 1n }),
        fc.integer({ min: 0, max: 62 }).map((bits) => 2n ** BigInt(bits)),
      )
      return fc.tuple(
        oldSize.filter((size) => size < newSize),
        fc.constant(newSize),
      )
    })
    fc.assert(
      fc.property(pair, ([oldSize, newSize]) => {
        const [start = emptyRoot] = leaves(1)
        for (let length = 0; length <= 65; length++) {
          const hashes = leaves(length)
          const roots = rootsByRfc9162(oldSize, newSize, start, hashes)
          const [oldRoot, newRoot] = roots ?? [start, start]
          const claim = { oldSize, oldRoot, newSize, newRoot, proof: hashes }
          if (roots === undefined) isRefused(claim)
          else {
            verifies(claim)
            isRefused({ ...claim, newRoot: flipBit(newRoot, length) })
            return
          }
        }
        throw new Error('some number of hashes suits the steps')
      }),
      { numRuns: 100 },
    )
  })

  it('is refused between trees of one size that have different roots', () => {
    const claim = claimFor(5, 5)
    const other = new Uint8Array(32)
    expect(failureOf(() => verifyConsistency({ ...claim, newRoot: other }))).toEqual(
      refusal(`two trees of size 5 have the roots ${encodeHex(claim.oldRoot)} and ${encodeHex(other)}`),
    )
  })

  it('is refused between trees of one size when it has a hash', () => {
    const claim = claimFor(5, 5)
    expect(failureOf(() => verifyConsistency({ ...claim, proof: [claim.oldRoot] }))).toEqual(
      refusal('the consistency proof from size 5 to 5 has 0 hashes, found 1'),
    )
  })

  it('is refused from the empty tree when it has a hash, or the root is not that of the empty tree', () => {
    const claim = claimFor(0, 5)
    expect(failureOf(() => verifyConsistency({ ...claim, proof: [claim.newRoot] }))).toEqual(
      refusal('the consistency proof from size 0 to 5 has 0 hashes, found 1'),
    )
    expect(failureOf(() => verifyConsistency({ ...claim, oldRoot: claim.newRoot }))).toEqual(
      refusal(`the tree of size 0 has the root ${encodeHex(claim.newRoot)}, expected ${encodeHex(emptyRoot)}`),
    )
    expect(failureOf(() => verifyConsistency({ ...claim, newSize: 0n })).message).toContain('two trees of size 0 have the roots')
  })

  it('is refused when a size is impossible', () => {
    const claim = claimFor(3, 7)
    expect(failureOf(() => verifyConsistency({ ...claim, oldSize: 8n }))).toEqual(refusal('the old tree size 8 is above the new one, 7'))
    expect(failureOf(() => verifyConsistency({ ...claim, oldSize: -1n }))).toEqual(refusal('the old tree size is negative'))
    expect(failureOf(() => verifyConsistency({ ...claim, oldSize: -2n, newSize: -1n }))).toEqual(refusal('the old tree size is negative'))
    expect(failureOf(() => verifyConsistency({ ...claim, newSize: 2n ** 63n }))).toEqual(
      refusal('the new tree size is above the largest possible, 2^63-1'),
    )
  })

  it('is refused when the number of hashes is wrong, before any is hashed', () => {
    const claim = claimFor(3, 7)
    expect(failureOf(() => verifyConsistency({ ...claim, proof: claim.proof.slice(1) }))).toEqual(
      refusal('the consistency proof from size 3 to 7 has 4 hashes, found 3'),
    )
    const million = Array.from({ length: 1_000_000 }, () => new Uint8Array(1))
    expect(failureOf(() => verifyConsistency({ ...claim, proof: million }))).toEqual(
      refusal('the consistency proof from size 3 to 7 has 4 hashes, found 1000000'),
    )
  })

  it.each([0, 31, 33])('is refused when a hash has %i bytes', (length) => {
    const claim = claimFor(3, 7)
    const odd = new Uint8Array(length)
    expect(failureOf(() => verifyConsistency({ ...claim, oldRoot: odd }))).toEqual(
      refusal(`the old root hash should have 32 bytes, found ${length}`),
    )
    expect(failureOf(() => verifyConsistency({ ...claim, newRoot: odd }))).toEqual(
      refusal(`the new root hash should have 32 bytes, found ${length}`),
    )
    expect(failureOf(() => verifyConsistency({ ...claim, proof: claim.proof.with(0, odd) }))).toEqual(
      refusal(`a hash of the consistency proof should have 32 bytes, found ${length}`),
    )
  })

  it('says which root differs', () => {
    const claim = claimFor(3, 7)
    const zero = new Uint8Array(32)
    expect(failureOf(() => verifyConsistency({ ...claim, oldRoot: zero })).message).toBe(
      `the consistency proof leads to the old root ${encodeHex(claim.oldRoot)}, expected ${encodeHex(zero)}`,
    )
    expect(failureOf(() => verifyConsistency({ ...claim, newRoot: zero })).message).toBe(
      `the consistency proof leads to the new root ${encodeHex(claim.newRoot)}, expected ${encodeHex(zero)}`,
    )
  })
})
