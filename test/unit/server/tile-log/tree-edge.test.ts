import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeHex } from '../../../../src/encoding/hex.ts'
import { planInclusion, proveInclusion, readRoot } from '../../../../src/merkle/prover.ts'
import { splitTile } from '../../../../src/merkle/tile.ts'
import type { FullTile, TileNodes, TreeEdge } from '../../../../src/server/tile-log/tree-edge.ts'
import {
  edgeHashes,
  edgeNodeReader,
  emptyEdge,
  growEdge,
  nodesOfTile,
  restoreEdge,
  tileBytes,
  tileKey,
} from '../../../../src/server/tile-log/tree-edge.ts'
import { leaves, mth, path } from '../../merkle/reference-tree.ts'

const most = 1_200
const all = leaves(most)
const hex = (hashes: readonly Uint8Array[]) => hashes.map(encodeHex)

/** Grows a tree by batches of these sizes, and gives the tiles that became full with it. */
function grow(batches: readonly number[]): { readonly edge: TreeEdge; readonly fullTiles: readonly FullTile[] } {
  let edge = emptyEdge
  const fullTiles: FullTile[] = []
  for (const batch of batches) {
    const from = Number(edge.size)
    const grown = growEdge(edge, all.slice(from, from + batch))
    edge = grown.edge
    fullTiles.push(...grown.fullTiles)
  }
  return { edge, fullTiles }
}

const batchSizes = fc
  .array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 12 })
  .filter((sizes) => sizes.reduce((sum, size) => sum + size, 0) <= most)

test('however the leaves come in batches, root and proofs are those of the definition', () => {
  fc.assert(
    fc.property(batchSizes, fc.nat(), (batches, pick) => {
      const { edge, fullTiles } = grow(batches)
      const tiles = new Map<string, TileNodes>(fullTiles.map((tile) => [tileKey(tile), tile.nodes]))
      const read = edgeNodeReader(edge, (key) => tiles.get(key))
      const size = Number(edge.size)
      const index = pick % size
      expect(encodeHex(readRoot(edge.size, read))).toBe(encodeHex(mth(all.slice(0, size))))
      expect(hex(proveInclusion(BigInt(index), edge.size, read))).toEqual(hex(path(index, all.slice(0, size))))
    }),
    { numRuns: 60 },
  )
})

test('full tiles come once each, in their places, with the hashes of their leaves', () => {
  fc.assert(
    fc.property(batchSizes, (batches) => {
      const { edge, fullTiles } = grow(batches)
      const expected = Array.from({ length: Math.floor(Number(edge.size) / 256) }, (_, index) => `0/${index}`)
      expect(fullTiles.map(tileKey)).toEqual(expected)
      for (const { index, nodes } of fullTiles) {
        const from = Number(index) * 256
        expect(hex(splitTile(tileBytes(nodes), 256))).toEqual(hex(all.slice(from, from + 256)))
      }
    }),
    { numRuns: 40 },
  )
})

test('an edge can be restored from its partial tiles, and is the same', () => {
  fc.assert(
    fc.property(batchSizes, (batches) => {
      const { edge } = grow(batches)
      const restored = restoreEdge(edge.size, (level) => {
        const bytes = edgeHashes(edge, level)
        return splitTile(bytes, bytes.length / 32)
      })
      const read = edgeNodeReader(restored, () => undefined)
      expect(encodeHex(readRoot(edge.size, read))).toBe(encodeHex(mth(all.slice(0, Number(edge.size)))))
    }),
    { numRuns: 40 },
  )
})

test('growing leaves the edge that it starts from as it was', () => {
  const { edge } = grow([255])
  growEdge(edge, all.slice(255, 600))
  expect(edge.size).toBe(255n)
  expect(
    encodeHex(
      readRoot(
        255n,
        edgeNodeReader(edge, () => undefined),
      ),
    ),
  ).toBe(encodeHex(mth(all.slice(0, 255))))
})

test('the root of a full tile of level 0 stands in level 1, and that of a full tile of level 1 in level 2', () => {
  const leafCount = 65_536 + 256
  const some = Array.from({ length: leafCount }, (_, index) => all[index % most] ?? new Uint8Array(32))
  const { edge, fullTiles } = growEdge(emptyEdge, some)
  expect(edge.tiles.map((nodes) => nodes[0]?.length)).toEqual([0, 1, 1])
  expect(fullTiles.filter(({ level }) => level === 1).map(tileKey)).toEqual(['1/0'])
  const tiles = new Map<string, TileNodes>(fullTiles.map((tile) => [tileKey(tile), tile.nodes]))
  const read = edgeNodeReader(edge, (key) => tiles.get(key))
  // Every node that a proof from the far left needs is there.
  for (const { level, index } of planInclusion(0n, edge.size).flat()) expect(read(level, index)).toHaveLength(32)
  expect(encodeHex(read(16, 0n))).toBe(encodeHex(edge.tiles[2]?.[0]?.[0] ?? new Uint8Array()))
})

test('the nodes of a stored tile are those that it was made of', () => {
  const { fullTiles } = grow([300])
  const [tile] = fullTiles
  const nodes = nodesOfTile(tileBytes(tile?.nodes ?? []))
  expect(nodes.map(hex)).toEqual(tile?.nodes.map(hex))
})

test('an edge with too few or too many hashes is not restored', () => {
  for (const count of [4, 6]) expect(() => restoreEdge(5n, () => all.slice(0, count))).toThrow('is 5 wide, found')
})

test('a node outside edge and tiles is an error, not a wrong hash', () => {
  const { edge } = grow([300])
  const read = edgeNodeReader(edge, () => undefined)
  expect(() => read(0, 3n)).toThrow('has no complete subtree 3 at level 0')
  expect(() => read(0, 300n)).toThrow('has no complete subtree 300 at level 0')
  expect(() => read(8, 1n)).toThrow('has no complete subtree 1 at level 8')
  expect(() => read(30, 0n)).toThrow('has no complete subtree 0 at level 30')
})
