/**
 * The right edge of a growing tree: the last, partial tile of each level. It is all that appending needs, and its size does
 * not depend on that of the tree. Edges are not changed, new ones are made of them.
 */
import { concatBytes } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { hashSize, nodeHash } from '../../merkle/hash.ts'
import type { NodeReader } from '../../merkle/prover.ts'
import type { Tile } from '../../merkle/tile.ts'
import { splitTile, tileHeight, tileWidth } from '../../merkle/tile.ts'

/** The nodes of a tile: its hashes, and above them the roots of its complete subtrees, 8 levels in all. */
export type TileNodes = readonly (readonly Uint8Array[])[]

export interface TreeEdge {
  readonly size: bigint
  /** By tile level. */
  readonly tiles: readonly TileNodes[]
}

/** A tile that became full. */
export interface FullTile {
  readonly level: number
  readonly index: bigint
  readonly nodes: TileNodes
}

export interface GrownEdge {
  readonly edge: TreeEdge
  readonly fullTiles: readonly FullTile[]
}

export const emptyEdge: TreeEdge = { size: 0n, tiles: [] }

const tileHeightBits = BigInt(tileHeight)

/** The edge with further leaves, and the tiles that became full on the way. Costs one hash a leaf and little more. */
export function growEdge(edge: TreeEdge, leafHashes: readonly Uint8Array[]): GrownEdge {
  const tiles = edge.tiles.map((nodes) => nodes.map((level) => [...level]))
  const fullTiles: FullTile[] = []
  let size = edge.size
  for (const leafHash of leafHashes) {
    size++
    let hash: Uint8Array | undefined = leafHash
    for (let level = 0; hash !== undefined; level++) {
      const nodes = (tiles[level] ??= emptyNodes())
      hash = appendHash(nodes, hash)
      if (hash === undefined) break
      fullTiles.push({ level, index: (size >> (tileHeightBits * BigInt(level + 1))) - 1n, nodes })
      tiles[level] = emptyNodes()
    }
  }
  return { edge: { size, tiles }, fullTiles }
}

/**
 * The edge of a tree whose partial tiles are known.
 * @param hashesOf the hashes of the partial tile of a level, 32 bytes each
 * @throws CountersignError LOG_CORRUPT when they are not as many as the tree has
 */
export function restoreEdge(size: bigint, hashesOf: (level: number) => readonly Uint8Array[]): TreeEdge {
  const tiles: TileNodes[] = []
  for (let level = 0; size >> (tileHeightBits * BigInt(level)) > 0n; level++) {
    const nodes = emptyNodes()
    const hashes = hashesOf(level)
    const width = Number((size >> (tileHeightBits * BigInt(level))) & BigInt(tileWidth - 1))
    if (hashes.length !== width) {
      throw new CountersignError(
        'LOG_CORRUPT',
        `the last tile of level ${level} in a tree of ${size} leaves is ${width} wide, found ${hashes.length}`,
      )
    }
    for (const hash of hashes) appendHash(nodes, hash)
    tiles.push(nodes)
  }
  return { size, tiles }
}

/** The hashes of the partial tile of a level, one after another; empty when the level's last tile is full. */
export function edgeHashes(edge: TreeEdge, level: number): Uint8Array {
  return tileBytes(edge.tiles[level] ?? [])
}

/** The hashes of a tile, one after another. */
export function tileBytes(nodes: TileNodes): Uint8Array {
  return concatBytes(...(nodes[0] ?? []))
}

/** The nodes of a full tile. @throws DecodingError TILE_INVALID */
export function nodesOfTile(bytes: Uint8Array): TileNodes {
  const nodes = emptyNodes()
  for (const hash of splitTile(bytes, tileWidth)) appendHash(nodes, hash)
  return nodes
}

/** What identifies a tile among those of a tree of one size. */
export function tileKey({ level, index }: Pick<Tile, 'level' | 'index'>): string {
  return `${level}/${index}`
}

/**
 * Reads nodes from the edge and from full tiles.
 * @param fullTile gives the nodes of a full tile by `tileKey`
 * @returns a reader that throws UsageError USAGE for a node that neither has
 */
export function edgeNodeReader(edge: TreeEdge, fullTile: (key: string) => TileNodes | undefined): NodeReader {
  return (level, index) => {
    const tileLevel = Math.floor(level / tileHeight)
    const levelInTile = level % tileHeight
    const shift = BigInt(tileHeight - levelInTile)
    const tileIndex = index >> shift
    const isAtEdge = tileIndex === edgeTileIndex(edge, tileLevel)
    const nodes = isAtEdge ? edge.tiles[tileLevel] : fullTile(tileKey({ level: tileLevel, index: tileIndex }))
    const node = nodes?.[levelInTile]?.[Number(index - (tileIndex << shift))]
    if (node === undefined)
      throw new UsageError('USAGE', `a tree of ${edge.size} leaves has no complete subtree ${index} at level ${level}`)
    return node
  }
}

/** The index of a level's partial tile, even where it is empty. */
export function edgeTileIndex(edge: TreeEdge, level: number): bigint {
  return edge.size >> (tileHeightBits * BigInt(level + 1))
}

/** Bytes that the nodes of a full tile hold. */
export const tileNodesSize = (2 * tileWidth - 1) * hashSize

function emptyNodes(): Uint8Array[][] {
  return Array.from({ length: tileHeight }, () => [])
}

/** Appends a hash and the parents it completes. @returns the root of the tile if that made it full */
function appendHash(nodes: Uint8Array[][], hash: Uint8Array): Uint8Array | undefined {
  let node = hash
  for (const level of nodes) {
    level.push(node)
    const left = level.length % 2 === 0 ? level[level.length - 2] : undefined
    if (left === undefined) return undefined
    node = nodeHash(left, node)
  }
  return node
}
