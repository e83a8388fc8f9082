/** Tiles of a transparency log: their paths, and which tile holds which node (C2SP tlog-tiles). */
import { excerpt } from '../encoding/bytes.ts'
import { DecodingError, UsageError } from '../error.ts'
import { hashSize } from './hash.ts'
import { maxTreeSize } from './path-shape.ts'
import type { NodeReader, TreeNode } from './prover.ts'
import { nodeReaderOf } from './prover.ts'

/** Tree levels in a tile. */
export const tileHeight = 8

/** Hashes in a full tile, entries in a full bundle. */
export const tileWidth = 256

/** A tile of hashes, or a bundle of the entries under a tile of level 0. */
export interface Tile {
  /** 0 for leaf hashes, 1 for the roots of full tiles of level 0, and so on. */
  readonly level: number | 'entries'
  readonly index: bigint
  /** 1 to 256; fewer than 256 at the right edge of the tree only. */
  readonly width: number
}

/** Seven groups hold every 64-bit index. */
const pathPattern = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,6}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/
const maxPathLength = 64

/**
 * The path of a tile below the log's prefix, such as `tile/0/x001/067` or `tile/entries/000.p/12`.
 * @throws DecodingError TILE_INVALID when no tree of up to 2^63-1 leaves has such a tile
 */
export function encodeTilePath(tile: Tile): string {
  checkTile(tile)
  const digits = String(tile.index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.slice(0, -3).replaceAll(/[0-9]{3}/g, 'x$&/')
  return `tile/${tile.level}/${groups}${padded.slice(-3)}${tile.width === tileWidth ? '' : `.p/${tile.width}`}`
}

/**
 * Parses the path of a tile below the log's prefix; every tile has exactly one.
 * @throws DecodingError TILE_INVALID
 */
export function parseTilePath(path: string): Tile {
  const match = path.length > maxPathLength ? null : pathPattern.exec(path)
  if (match === null) throw invalid(`a tile's path has the form tile/<level>/<index>[.p/<width>], found ${excerpt(path)}`)
  const [, level = '', index = '', width] = match
  if (index.startsWith('x000/')) throw invalid(`a tile's index has no leading group x000, found ${excerpt(path)}`)
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: BigInt(index.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  if (width !== undefined && tile.width >= tileWidth) throw invalid(`a partial tile is 1 to ${tileWidth - 1} wide, found ${width}`)
  checkTile(tile)
  return tile
}

/**
 * The tiles of one level, or the entry bundles, of a tree: `full` ones from index 0 on, then one that is `partial` wide,
 * if that is not 0.
 */
export function tilesOfLevel(level: Tile['level'], treeSize: bigint): { readonly full: bigint; readonly partial: number } {
  const hashes = treeSize >> levelBits(level)
  return { full: hashes >> BigInt(tileHeight), partial: Number(hashes & BigInt(tileWidth - 1)) }
}

/**
 * The widest tile with this level and index in a tree of this size.
 * @throws UsageError USAGE when the tree has none
 */
export function tileAt(level: Tile['level'], index: bigint, treeSize: bigint): Tile {
  const { full, partial } = tilesOfLevel(level, treeSize)
  const width = index < full ? tileWidth : partial
  if (index < 0n || index > full || width === 0)
    throw new UsageError('USAGE', `a tree of ${treeSize} leaves has no tile ${index} at level ${level}`)
  return { level, index, width }
}

/**
 * The tile that a node, or the hashes under it, stand in.
 * @throws UsageError USAGE when the tree has no such tile
 */
export function tileOfNode(node: TreeNode, treeSize: bigint): Tile {
  const level = Math.floor(node.level / tileHeight)
  return tileAt(level, node.index >> BigInt(tileHeight - (node.level % tileHeight)), treeSize)
}

/** The tiles that these nodes stand in, each once. @throws UsageError USAGE when the tree has no such tile */
export function tilesOfNodes(nodes: Iterable<TreeNode>, treeSize: bigint): Tile[] {
  const tiles = new Map<string, Tile>()
  for (const node of nodes) {
    const tile = tileOfNode(node, treeSize)
    tiles.set(keyOf(tile), tile)
  }
  return [...tiles.values()]
}

/**
 * Reads the nodes of a tree from its tiles. A tile is asked for and hashed once for the reader's life.
 * @param tileBytes gives a tile's hashes, 32 bytes each
 * @returns a reader that throws DecodingError TILE_INVALID for a tile of another length, and UsageError USAGE for a node
 *   whose subtree is not complete in this tree
 */
export function tileNodeReader(treeSize: bigint, tileBytes: (tile: Tile) => Uint8Array): NodeReader {
  const readers = new Map<string, NodeReader>()
  return (level, index) => {
    const tile = tileOfNode({ level, index }, treeSize)
    const key = keyOf(tile)
    let read = readers.get(key)
    if (read === undefined) {
      read = nodeReaderOf(splitTile(tileBytes(tile), tile.width))
      readers.set(key, read)
    }
    const levelInTile = level % tileHeight
    return read(levelInTile, index - (tile.index << BigInt(tileHeight - levelInTile)))
  }
}

/**
 * The hashes of a tile, 32 bytes each, not copied.
 * @throws DecodingError TILE_INVALID when there are not exactly `width`
 */
export function splitTile(bytes: Uint8Array, width: number): Uint8Array[] {
  if (bytes.length !== width * hashSize) throw invalid(`a tile of ${width} hashes has ${width * hashSize} bytes, found ${bytes.length}`)
  return Array.from({ length: width }, (_, position) => bytes.subarray(position * hashSize, (position + 1) * hashSize))
}

/** How many bits of a leaf's index lie below one hash of the level. */
function levelBits(level: Tile['level']): bigint {
  return level === 'entries' ? 0n : BigInt(level * tileHeight)
}

function keyOf(tile: Tile): string {
  return `${tile.level}/${tile.index}`
}

function checkTile({ level, index, width }: Tile): void {
  if (!Number.isInteger(width) || width < 1 || width > tileWidth) throw invalid(`a tile is 1 to ${tileWidth} wide, found ${width}`)
  if (index < 0n) throw invalid("a tile's index is negative")
  if (level !== 'entries' && (!Number.isInteger(level) || level < 0 || level > 63))
    throw invalid(`a tile's level lies between 0 and 63, found ${level}`)
  const leaves = (index * BigInt(tileWidth) + BigInt(width)) << levelBits(level)
  if (leaves > maxTreeSize) throw invalid(`the tile ${index} of level ${level} lies beyond the largest possible tree, 2^63-1 leaves`)
}

function invalid(message: string): DecodingError {
  return new DecodingError('TILE_INVALID', message)
}
