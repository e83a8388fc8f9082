/** Reads a tree: proofs, tiles and entries, from the edge in memory and from stored tiles behind a bounded cache. */
import { decodeEntryBundle, encodeEntryBundle } from '../../merkle/entry-bundle.ts'
import { CountersignError, messageOf, UsageError } from '../../error.ts'
import { hashSize } from '../../merkle/hash.ts'
import type { NodeReader, ProofPlan, TreeNode } from '../../merkle/prover.ts'
import { carryOut, planConsistency, planInclusion, planRoot, readRoot } from '../../merkle/prover.ts'
import type { Tile } from '../../merkle/tile.ts'
import { encodeTilePath, tilesOfLevel, tileWidth, tilesOfNodes } from '../../merkle/tile.ts'
import type { Storage } from '../storage/storage.ts'
import type { BoundedCache } from './bounded-cache.ts'
import { createBoundedCache } from './bounded-cache.ts'
import type { LoggedEntry, LoggedLeaf } from './log.ts'
import { bundleName, decodeTimes, timesName } from './objects.ts'
import type { TileNodes } from './tree-edge.ts'
import { edgeHashes, edgeNodeReader, edgeTileIndex, nodesOfTile, tileKey, tileNodesSize } from './tree-edge.ts'
import type { TreeState } from './tree-state.ts'
import { tailStart } from './tree-state.ts'

export interface TreeReader {
  proveInclusion(state: TreeState, index: bigint, treeSize: bigint): Promise<Uint8Array[]>
  proveConsistency(state: TreeState, oldSize: bigint, newSize: bigint): Promise<Uint8Array[]>
  rootHash(state: TreeState, size: bigint): Promise<Uint8Array>
  tile(state: TreeState, tile: Tile): Promise<Uint8Array | undefined>
  entries(state: TreeState, start: bigint, count: number): Promise<LoggedEntry[]>
  leaves(state: TreeState, start: bigint, count: number): Promise<LoggedLeaf[]>
}

export interface TreeReaderOptions {
  readonly logId: string
  readonly storage: Pick<Storage, 'heads' | 'objects'>
  /** Bytes of tiles, and bytes of bundles, that are kept in memory. */
  readonly cacheSize: number
}

export function createTreeReader(options: TreeReaderOptions): TreeReader {
  const tiles = createBoundedCache<TileNodes>(options.cacheSize)
  const bundles = createBoundedCache<Uint8Array>(options.cacheSize)
  const object = (name: string) => readObject(options, bundles, name)
  const prove = async (state: TreeState, plan: ProofPlan): Promise<Uint8Array[]> =>
    carryOut(plan, await nodeReader(options, tiles, state, plan.flat()))
  const leaves: TreeReader['leaves'] = async (state, start, count) => {
    if (start < 0n || start >= state.head.size || count <= 0) return []
    const index = start / BigInt(tileWidth)
    const first = Number(start % BigInt(tileWidth))
    const found = start >= tailStart(state.head.size) ? state.tail : await bundleEntries(options.logId, object, index)
    return found.slice(first, first + count)
  }
  return {
    proveInclusion: async (state, index, treeSize) => {
      checkSize(state, treeSize)
      return prove(state, planInclusion(index, treeSize))
    },
    proveConsistency: async (state, oldSize, newSize) => {
      checkSize(state, newSize)
      return prove(state, planConsistency(oldSize, newSize))
    },
    rootHash: async (state, size) => {
      checkSize(state, size)
      return readRoot(size, await nodeReader(options, tiles, state, planRoot(size)))
    },
    tile: async (state, tile) => {
      const { full, partial } = tilesOfLevel(tile.level, state.head.size)
      if (tile.index < full) {
        const bytes = await object(encodeTilePath({ ...tile, width: tileWidth }))
        return tile.width === tileWidth ? bytes : cutTile(bytes, tile)
      }
      if (tile.index > full || tile.width > partial) return undefined
      if (tile.level !== 'entries') return edgeHashes(state.edge, tile.level).slice(0, tile.width * hashSize)
      return encodeEntryBundle(state.tail.slice(0, tile.width).map(({ leaf }) => leaf))
    },
    entries: async (state, start, count) => withExtras(options, await leaves(state, start, count)),
    leaves,
  }
}

async function bundleEntries(logId: string, object: (name: string) => Promise<Uint8Array>, index: bigint): Promise<LoggedLeaf[]> {
  const [bundle, times] = await Promise.all([object(bundleName(index)), object(timesName(index))])
  try {
    const timestamps = decodeTimes(times)
    return decodeEntryBundle(bundle, tileWidth).map((leaf, position) => ({
      index: index * BigInt(tileWidth) + BigInt(position),
      timestampMs: timestamps[position] ?? 0,
      leaf,
    }))
  } catch (cause) {
    // What is malformed is ours: a DecodingError would be taken for a mistake in somebody's request.
    throw new CountersignError('LOG_CORRUPT', `the log ${logId} is damaged: ${messageOf(cause)}; run countersign server fsck`, { cause })
  }
}

async function withExtras({ logId, storage }: TreeReaderOptions, entries: readonly LoggedLeaf[]): Promise<LoggedEntry[]> {
  const [first] = entries
  const last = entries.at(-1)
  if (first === undefined || last === undefined) return []
  const extras = await storage.heads.extras(logId, first.index, last.index + 1n)
  return entries.map(({ index, timestampMs, leaf }) => ({ index, timestampMs, leaf, extra: extras.get(index) ?? new Uint8Array() }))
}

/** A reader of these nodes, whose tiles are fetched now. */
async function nodeReader(
  options: TreeReaderOptions,
  cache: BoundedCache<TileNodes>,
  state: TreeState,
  nodes: readonly TreeNode[],
): Promise<NodeReader> {
  const found = new Map<string, TileNodes>()
  await Promise.all(
    tilesOfNodes(nodes, state.head.size).map(async (tile) => {
      if (tile.level === 'entries' || tile.index >= edgeTileIndex(state.edge, tile.level)) return
      const key = tileKey(tile)
      const cached = cache.get(key)
      const tileNodes = cached ?? nodesOfTile(await fetchObject(options, encodeTilePath({ ...tile, width: tileWidth })))
      if (cached === undefined) cache.set(key, tileNodes, tileNodesSize)
      found.set(key, tileNodes)
    }),
  )
  return edgeNodeReader(state.edge, (key) => found.get(key))
}

async function readObject(options: TreeReaderOptions, cache: BoundedCache<Uint8Array>, name: string): Promise<Uint8Array> {
  const cached = cache.get(name)
  if (cached !== undefined) return cached
  const data = await fetchObject(options, name)
  cache.set(name, data, data.length)
  return data
}

async function fetchObject({ logId, storage }: TreeReaderOptions, name: string): Promise<Uint8Array> {
  const data = await storage.objects.get(logId, name)
  if (data === undefined) {
    throw new CountersignError('LOG_CORRUPT', `the log ${logId} should have the object ${name}, found none; run countersign server fsck`)
  }
  return data
}

function cutTile(bytes: Uint8Array, { level, width }: Tile): Uint8Array {
  if (level !== 'entries') return bytes.slice(0, width * hashSize)
  return encodeEntryBundle(decodeEntryBundle(bytes, tileWidth).slice(0, width))
}

function checkSize(state: TreeState, size: bigint): void {
  if (size > state.head.size) throw new UsageError('USAGE', `the log has ${state.head.size} entries, found a tree size of ${size}`)
}
