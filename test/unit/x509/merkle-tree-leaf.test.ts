import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MerkleTreeLeaf } from '../../../src/x509/merkle-tree-leaf.ts'
import { encodeMerkleTreeLeaf, parseMerkleTreeLeaf } from '../../../src/x509/merkle-tree-leaf.ts'
import { CountersignError } from '../../../src/error.ts'
import { failureOf } from '../encoding/failure.ts'

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength }).map((found) => Uint8Array.from(found))
const leaves: fc.Arbitrary<MerkleTreeLeaf> = fc.record({
  timestamp: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  entry: fc.oneof(
    fc.record({ kind: fc.constant('certificate' as const), der: bytes(0, 100) }),
    fc.record({ kind: fc.constant('precertificate' as const), issuerKeyHash: bytes(32, 32), tbs: bytes(0, 100) }),
  ),
  extensions: bytes(0, 20),
})

describe('a leaf of a CT log', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(leaves, (leaf) => {
        expect(parseMerkleTreeLeaf(encodeMerkleTreeLeaf(leaf))).toEqual(leaf)
      }),
    )
  })

  it('means the same or is refused when bytes are changed, cut out and put in', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'cut', 'insert'), (leaf, at, byte, change) => {
        const encoded = [...encodeMerkleTreeLeaf(leaf)]
        encoded.splice(at % encoded.length, change === 'insert' ? 0 : 1, ...(change === 'cut' ? [] : [byte]))
        const changed = Uint8Array.from(encoded)
        try {
          expect(encodeMerkleTreeLeaf(parseMerkleTreeLeaf(changed))).toEqual(changed)
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error
          expect(error.code).toBe('LOG_ENTRY_INVALID')
        }
      }),
    )
  })

  it.each([
    [[1, 0], 'has version 1 and type 0, expected 0 and 0'],
    [[0, 1], 'has version 0 and type 1, expected 0 and 0'],
    [[0, 0, 255, 0, 0, 0, 0, 0, 0, 0], 'has a time that is out of range'],
    [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 'has an entry of type 2, expected 0 or 1'],
  ])('is refused as %j', (encoded, message) => {
    expect(failureOf(() => parseMerkleTreeLeaf(Uint8Array.from(encoded)))).toBe(
      `DecodingError LOG_ENTRY_INVALID: the leaf of a certificate transparency log ${message}`,
    )
  })
})
