import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { concatBytes } from '../../../src/encoding/bytes.ts'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { verifyConsistency } from '../../../src/merkle/consistency-proof.ts'
import { emptyRoot, rootOf } from '../../../src/merkle/hash.ts'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import { nodeReaderOf, planInclusion, proveConsistency, proveInclusion, readRoot } from '../../../src/merkle/prover.ts'
import type { Tile } from '../../../src/merkle/tile.ts'
import {
  encodeTilePath,
  parseTilePath,
  splitTile,
  tileAt,
  tileNodeReader,
  tileOfNode,
  tilesOfLevel,
  tilesOfNodes,
} from '../../../src/merkle/tile.ts'
import { failureOf } from './failure.ts'
import { leaves } from './reference-tree.ts'

const refusal = (message: string) => ({ type: 'DecodingError', code: 'TILE_INVALID', message })
const misuse = (message: string) => ({ type: 'UsageError', code: 'USAGE', message })

const tiles = fc
  .record({
    level: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant('entries' as const)),
    index: fc.oneof(fc.bigInt({ min: 0n, max: 5000n }), fc.bigInt({ min: 0n, max: 2n ** 55n - 2n })),
    width: fc.integer({ min: 1, max: 256 }),
  })
  .map(({ level, index, width }) => ({ level, index: index % (2n ** (55n - 8n * BigInt(level === 'entries' ? 0 : level)) - 1n), width }))

const paths: readonly (readonly [string, Tile])[] = [
  ['tile/0/000', { level: 0, index: 0n, width: 256 }],
  ['tile/0/000.p/1', { level: 0, index: 0n, width: 1 }],
  ['tile/3/999.p/255', { level: 3, index: 999n, width: 255 }],
  ['tile/1/x001/000', { level: 1, index: 1000n, width: 256 }],
  ['tile/0/x001/x234/067', { level: 0, index: 1_234_067n, width: 256 }],
  ['tile/entries/x001/x234/067.p/8', { level: 'entries', index: 1_234_067n, width: 8 }],
  ['tile/0/x036/x028/x797/x018/x963/967.p/255', { level: 0, index: 2n ** 55n - 1n, width: 255 }],
  ['tile/7/000.p/127', { level: 7, index: 0n, width: 127 }],
]

describe('the path of a tile', () => {
  it.each(paths)('%s stands for one tile', (path, tile) => {
    expect(parseTilePath(path)).toEqual(tile)
    expect(encodeTilePath(tile)).toBe(path)
  })

  it('is parsed into the tile that it was made from', () => {
    fc.assert(
      fc.property(tiles, (tile) => {
        expect(parseTilePath(encodeTilePath(tile))).toEqual(tile)
      }),
    )
  })

  it('is refused or stands for another tile when any character is changed, added or left out', () => {
    const edit = fc.record({
      at: fc.nat({ max: 40 }),
      cut: fc.nat({ max: 2 }),
      put: fc.string({ unit: fc.constantFrom('0', '1', '9', 'x', 'p', '.', '/', 'e', 'n', 't', '-', '+', ' '), maxLength: 2 }),
    })
    fc.assert(
      fc.property(tiles, edit, (tile, { at, cut, put }) => {
        const path = encodeTilePath(tile)
        const edited = path.slice(0, at) + put + path.slice(at + cut)
        if (edited === path) return
        try {
          expect(encodeTilePath(parseTilePath(edited))).toBe(edited)
        } catch (error) {
          expect(error).toMatchObject({ code: 'TILE_INVALID' })
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    '',
    'tile',
    'tile/0',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/x001/x002',
    'tile/0/X001/002',
    'tile/00/000',
    'tile/01/000',
    'tile/-1/000',
    'tile/100/000',
    'tile/data/000',
    'tile/0/000.p',
    'tile/0/000.p/',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/1000',
    'tile/0/000.P/1',
    'tile/0/000/',
    'tile/0/000\n',
    '/tile/0/000',
    'tile/0/../000',
    'tile/0/٠٠٠',
    `tile/0/${'x001/'.repeat(7)}000`,
  ])('is refused when it is %j', (path) => {
    expect(failureOf(() => parseTilePath(path))).toEqual(
      refusal(`a tile's path has the form tile/<level>/<index>[.p/<width>], found ${JSON.stringify(path)}`),
    )
  })

  it('is refused when it is very long, with a short excerpt of it', () => {
    const { code, message } = failureOf(() => parseTilePath(`tile/0/${'x001/'.repeat(100_000)}000`))
    expect(code).toBe('TILE_INVALID')
    expect(message.length).toBeLessThan(140)
  })

  it('is refused when the index has a leading group of zeros', () => {
    expect(failureOf(() => parseTilePath('tile/0/x000/067'))).toEqual(
      refusal('a tile\'s index has no leading group x000, found "tile/0/x000/067"'),
    )
  })

  it.each([256, 999])('is refused when a partial tile is %i wide', (width) => {
    expect(failureOf(() => parseTilePath(`tile/0/000.p/${width}`))).toEqual(refusal(`a partial tile is 1 to 255 wide, found ${width}`))
  })

  it.each([
    ['tile/0/x036/x028/x797/x018/x963/967', '36028797018963967', '0'],
    ['tile/7/000.p/128', '0', '7'],
    ['tile/8/000.p/1', '0', '8'],
    ['tile/63/000.p/1', '0', '63'],
    ['tile/entries/x999/x999/x999/x999/x999/x999/999', '999999999999999999999', 'entries'],
  ])('is refused when no tree is large enough for %s', (path, index, level) => {
    expect(failureOf(() => parseTilePath(path))).toEqual(
      refusal(`the tile ${index} of level ${level} lies beyond the largest possible tree, 2^63-1 leaves`),
    )
  })

  it('is refused when the level is above 63', () => {
    expect(failureOf(() => parseTilePath('tile/64/000'))).toEqual(refusal("a tile's level lies between 0 and 63, found 64"))
  })

  it.each([
    [{ level: 0, index: 0n, width: 0 }, 'a tile is 1 to 256 wide, found 0'],
    [{ level: 0, index: 0n, width: 257 }, 'a tile is 1 to 256 wide, found 257'],
    [{ level: 0, index: 0n, width: 1.5 }, 'a tile is 1 to 256 wide, found 1.5'],
    [{ level: 0, index: -1n, width: 1 }, "a tile's index is negative"],
    [{ level: -1, index: 0n, width: 1 }, "a tile's level lies between 0 and 63, found -1"],
    [{ level: 0.5, index: 0n, width: 1 }, "a tile's level lies between 0 and 63, found 0.5"],
  ] as const)('is not made for %o', (tile, message) => {
    expect(failureOf(() => encodeTilePath(tile))).toEqual(refusal(message))
  })
})

describe('the tiles of a tree', () => {
  it('are those of the example in the specification, for 70,000 leaves', () => {
    expect([0, 1, 2, 3].map((level) => tilesOfLevel(level, 70_000n))).toEqual([
      { full: 273n, partial: 112 },
      { full: 1n, partial: 17 },
      { full: 0n, partial: 1 },
      { full: 0n, partial: 0 },
    ])
    expect(tilesOfLevel('entries', 70_000n)).toEqual({ full: 273n, partial: 112 })
  })

  it('are a full one and one of width 1 above it, for 256 leaves', () => {
    expect(tilesOfLevel(0, 256n)).toEqual({ full: 1n, partial: 0 })
    expect(tilesOfLevel(1, 256n)).toEqual({ full: 0n, partial: 1 })
  })

  it('are none for the empty tree', () => {
    expect(tilesOfLevel(0, 0n)).toEqual({ full: 0n, partial: 0 })
  })

  it('are partial at the right edge only', () => {
    expect(tileAt(0, 272n, 70_000n)).toEqual({ level: 0, index: 272n, width: 256 })
    expect(tileAt(0, 273n, 70_000n)).toEqual({ level: 0, index: 273n, width: 112 })
    expect(tileAt('entries', 273n, 70_000n)).toEqual({ level: 'entries', index: 273n, width: 112 })
  })

  it.each([
    [0, 274n, 70_000n],
    [0, -1n, 70_000n],
    [3, 0n, 70_000n],
    [0, 1n, 256n],
    [0, 0n, 0n],
  ])('do not include one at level %i with index %s for %s leaves', (level, index, size) => {
    expect(failureOf(() => tileAt(level, index, size))).toEqual(misuse(`a tree of ${size} leaves has no tile ${index} at level ${level}`))
  })

  it('hold each node in the tile that its subtree lies in', () => {
    expect(tileOfNode({ level: 0, index: 69_999n }, 70_000n)).toEqual({ level: 0, index: 273n, width: 112 })
    expect(tileOfNode({ level: 7, index: 1n }, 70_000n)).toEqual({ level: 0, index: 0n, width: 256 })
    expect(tileOfNode({ level: 8, index: 272n }, 70_000n)).toEqual({ level: 1, index: 1n, width: 17 })
    expect(tileOfNode({ level: 16, index: 0n }, 70_000n)).toEqual({ level: 2, index: 0n, width: 1 })
  })

  it('are named once each for the nodes of a proof', () => {
    const needed = tilesOfNodes(planInclusion(300n, 70_000n).flat(), 70_000n)
    expect(needed.map(encodeTilePath).toSorted()).toEqual(['tile/0/001', 'tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17'])
  })
})

/** The tiles of the tree with these leaf hashes, as a log would store them for its present size. */
function storedTiles(tree: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> {
  const size = BigInt(tree.length)
  const read = nodeReaderOf(tree)
  const stored = new Map<string, Uint8Array>()
  for (let level = 0; size >> BigInt(level * 8) > 0n; level++) {
    const hashes = Array.from({ length: Number(size >> BigInt(level * 8)) }, (_, index) => read(level * 8, BigInt(index)))
    for (let start = 0; start < hashes.length; start += 256) {
      const part = hashes.slice(start, start + 256)
      stored.set(encodeTilePath({ level, index: BigInt(start / 256), width: part.length }), concatBytes(...part))
    }
  }
  return stored
}

describe('a reader of tiles', () => {
  const tree = leaves(700)
  const size = BigInt(tree.length)
  const stored = storedTiles(tree)
  const tileBytes = (tile: Tile): Uint8Array => stored.get(encodeTilePath(tile)) ?? new Uint8Array(0)

  it('serves every proof of the tree', () => {
    const root = rootOf(tree)
    const read = tileNodeReader(size, tileBytes)
    expect(encodeHex(readRoot(size, read))).toBe(encodeHex(root))
    for (let index = 0n; index < size; index += 7n) {
      const leafHash = tree[Number(index)] ?? emptyRoot
      verifyInclusion({ leafIndex: index, treeSize: size, leafHash, proof: proveInclusion(index, size, read), root })
      const oldRoot = readRoot(index + 1n, read)
      expect(encodeHex(oldRoot)).toBe(encodeHex(rootOf(tree.slice(0, Number(index) + 1))))
      const proof = proveConsistency(index + 1n, size, read)
      verifyConsistency({ oldSize: index + 1n, oldRoot, newSize: size, newRoot: root, proof })
    }
  })

  it('asks for the tiles that were planned, each once', () => {
    const asked: string[] = []
    const read = tileNodeReader(size, (tile) => {
      asked.push(encodeTilePath(tile))
      return tileBytes(tile)
    })
    proveInclusion(3n, size, read)
    proveInclusion(3n, size, read)
    expect(asked.toSorted()).toEqual(tilesOfNodes(planInclusion(3n, size).flat(), size).map(encodeTilePath).toSorted())
  })

  it.each([0, 31, 8191, 8193])('refuses a tile of %i bytes where 256 hashes belong', (length) => {
    const read = tileNodeReader(size, () => new Uint8Array(length))
    expect(failureOf(() => read(0, 0n))).toEqual(refusal(`a tile of 256 hashes has 8192 bytes, found ${length}`))
  })

  it('has no node whose subtree is not complete', () => {
    const read = tileNodeReader(size, tileBytes)
    expect(failureOf(() => read(0, 700n)).code).toBe('USAGE')
    expect(failureOf(() => read(7, 5n)).code).toBe('USAGE')
    expect(failureOf(() => read(8, 2n)).code).toBe('USAGE')
  })

  it('gives the hashes of a tile in order, without copying', () => {
    const bytes = concatBytes(...tree.slice(0, 3))
    const hashes = splitTile(bytes, 3)
    expect(hashes.map(encodeHex)).toEqual(tree.slice(0, 3).map(encodeHex))
    expect(hashes[2]?.buffer).toBe(bytes.buffer)
  })
})
