import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { verifyConsistency } from '../../../src/merkle/consistency-proof.ts'
import { emptyRoot, nodeHash } from '../../../src/merkle/hash.ts'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import type { NodeReader } from '../../../src/merkle/prover.ts'
import {
  carryOut,
  nodeReaderOf,
  planConsistency,
  planInclusion,
  planRoot,
  proveConsistency,
  proveInclusion,
  readRoot,
} from '../../../src/merkle/prover.ts'
import { failureOf } from './failure.ts'
import { leaves, mth, path, proof } from './reference-tree.ts'

const refusal = (message: string) => ({ type: 'UsageError', code: 'USAGE', message })
const maxSize = 2n ** 63n - 1n

/** The tree of any size whose leaves are all the same: every complete subtree of one height has the same root. */
function uniformTree(): { readonly leaf: Uint8Array; readonly read: NodeReader } {
  const [leaf = emptyRoot] = leaves(1)
  const levels = [leaf]
  for (let level = 1; level < 64; level++) {
    const below = levels[level - 1] ?? leaf
    levels.push(nodeHash(below, below))
  }
  return { leaf, read: (level) => levels[level] ?? leaf }
}

describe('a prover', () => {
  it('makes the inclusion proofs that RFC 6962 defines, for every leaf of every tree of up to 33 leaves', () => {
    const tree = leaves(33)
    const read = nodeReaderOf(tree)
    for (let size = 1; size <= 33; size++) {
      for (let index = 0; index < size; index++) {
        const expected = path(index, tree.slice(0, size)).map(encodeHex)
        expect(proveInclusion(BigInt(index), BigInt(size), read).map(encodeHex)).toEqual(expected)
      }
    }
  })

  it('makes the consistency proofs that RFC 6962 defines, between all trees of up to 33 leaves', () => {
    const tree = leaves(33)
    const read = nodeReaderOf(tree)
    for (let newSize = 1; newSize <= 33; newSize++) {
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const expected = proof(oldSize, tree.slice(0, newSize)).map(encodeHex)
        expect(proveConsistency(BigInt(oldSize), BigInt(newSize), read).map(encodeHex)).toEqual(expected)
      }
    }
  })

  it('makes proofs that verify for trees that are part of a larger one', () => {
    const tree = leaves(300)
    const read = nodeReaderOf(tree)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (size, which) => {
        const treeSize = BigInt(size)
        const index = which % size
        const root = mth(tree.slice(0, size))
        expect(encodeHex(readRoot(treeSize, read))).toBe(encodeHex(root))
        const leafIndex = BigInt(index)
        verifyInclusion({ leafIndex, treeSize, leafHash: tree[index] ?? root, proof: proveInclusion(leafIndex, treeSize, read), root })
        const oldSize = BigInt(index + 1)
        const oldRoot = mth(tree.slice(0, index + 1))
        verifyConsistency({ oldSize, oldRoot, newSize: treeSize, newRoot: root, proof: proveConsistency(oldSize, treeSize, read) })
      }),
      { numRuns: 60 },
    )
  })

  it('makes proofs that verify for trees of up to 2^63-1 leaves', () => {
    const { leaf, read } = uniformTree()
    const size = fc.oneof(
      fc.bigInt({ min: 1n, max: maxSize }),
      fc.constantFrom(maxSize, 2n ** 62n, 2n ** 53n + 1n, 2n ** 32n + 1n, 2n ** 31n),
    )
    fc.assert(
      fc.property(size, fc.bigInt({ min: 0n, max: maxSize }), (treeSize, which) => {
        const leafIndex = which % treeSize
        const root = readRoot(treeSize, read)
        verifyInclusion({ leafIndex, treeSize, leafHash: leaf, proof: proveInclusion(leafIndex, treeSize, read), root })
        const oldSize = leafIndex + 1n
        const proof = proveConsistency(oldSize, treeSize, read)
        verifyConsistency({ oldSize, oldRoot: readRoot(oldSize, read), newSize: treeSize, newRoot: root, proof })
      }),
      { numRuns: 200 },
    )
  })

  it('plans exactly the nodes that it then reads, all of them complete in the tree', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: maxSize }), fc.bigInt({ min: 0n, max: maxSize }), (treeSize, which) => {
        const leafIndex = which % treeSize
        for (const plan of [planInclusion(leafIndex, treeSize), planConsistency(leafIndex, treeSize), [planRoot(treeSize)]]) {
          const nodes = plan.flat()
          for (const { level, index } of nodes) expect((index + 1n) << BigInt(level) <= treeSize).toBe(true)
          const asked: string[] = []
          carryOut(plan, (level, index) => {
            asked.push(`${level}/${index}`)
            return emptyRoot
          })
          expect(asked.toSorted()).toEqual(nodes.map(({ level, index }) => `${level}/${index}`).toSorted())
        }
      }),
      { numRuns: 60 },
    )
  })

  it('needs no hash to prove the empty tree or the same tree consistent', () => {
    expect(planConsistency(0n, 7n)).toEqual([])
    expect(planConsistency(7n, 7n)).toEqual([])
    expect(planConsistency(0n, 0n)).toEqual([])
  })

  it('gives the hash of nothing as the root of the empty tree', () => {
    expect(readRoot(0n, nodeReaderOf([]))).toEqual(emptyRoot)
  })

  it.each([7n, 8n, -1n])('refuses to prove leaf %s of a tree of 7', (index) => {
    expect(failureOf(() => planInclusion(index, 7n))).toEqual(refusal(`a tree of 7 leaves has no leaf ${index}`))
  })

  it('refuses to prove that a tree continues a larger one, or one of negative size', () => {
    expect(failureOf(() => planConsistency(8n, 7n))).toEqual(refusal('a tree of 7 leaves cannot continue one of 8'))
    expect(failureOf(() => planConsistency(-1n, 7n))).toEqual(refusal('a tree of 7 leaves cannot continue one of -1'))
  })

  it.each([-1n, maxSize + 1n])('refuses the tree size %s', (size) => {
    const expected = refusal('a tree size lies between 0 and 2^63-1')
    expect(failureOf(() => planInclusion(0n, size))).toEqual(expected)
    expect(failureOf(() => planConsistency(0n, size))).toEqual(expected)
    expect(failureOf(() => planRoot(size))).toEqual(expected)
  })

  it('refuses a hash of the wrong size from its reader', () => {
    expect(failureOf(() => proveInclusion(0n, 2n, () => new Uint8Array(31)))).toEqual(
      refusal('the reader gave a hash of 31 bytes, expected 32'),
    )
    expect(failureOf(() => proveInclusion(0n, 4n, () => new Uint8Array(0)))).toEqual(
      refusal('the reader gave a hash of 0 bytes, expected 32'),
    )
  })

  it.each([
    [0, 5n],
    [1, 2n],
    [3, 0n],
    [0, -1n],
    [70, 0n],
  ])('has no node at level %i with index %s in a tree of 5', (level, index) => {
    expect(failureOf(() => nodeReaderOf(leaves(5))(level, index))).toEqual(
      refusal(`a tree of 5 leaves has no complete subtree ${index} at level ${level}`),
    )
  })
})
