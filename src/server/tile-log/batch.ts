/** A batch: entries get their places at the end of a tree, and the tree grows by them. Nothing here is durable yet. */
import { CountersignError, UsageError } from '../../error.ts'
import { maxEntrySize } from '../../merkle/entry-bundle.ts'
import { leafHash } from '../../merkle/hash.ts'
import { readRoot } from '../../merkle/prover.ts'
import type { NodeReader } from '../../merkle/prover.ts'
import type { HeadSwap, SequencedEntry, TailEntry } from '../storage/head-store.ts'
import type { LogHead, NewEntry, Place } from './log.ts'
import type { FullTile, TileNodes, TreeEdge } from './tree-edge.ts'
import { edgeHashes, edgeNodeReader, growEdge, tileKey } from './tree-edge.ts'
import { objectsOf } from './objects.ts'
import type { TreeState } from './tree-state.ts'
import { tailStart } from './tree-state.ts'

/** The tree after a batch, before its head is signed. */
export interface GrownTree<Entry extends TailEntry = SequencedEntry> {
  readonly size: bigint
  readonly rootHash: Uint8Array
  readonly edge: TreeEdge
  readonly fullTiles: readonly FullTile[]
  readonly entries: readonly Entry[]
  /** Reads what the proofs of the batch's own entries need. */
  readonly read: NodeReader
}

const identitySize = 32
const maxExtraSize = 1024 * 1024
const noBytes = new Uint8Array()

/** What identifies an entry. @throws UsageError USAGE when an entry whose leaf names its place has none; TOO_LARGE as `sequenceEntry` */
export function identityOf({ leaf, identity }: NewEntry): Uint8Array {
  if (identity !== undefined) {
    if (identity.length !== identitySize)
      throw new UsageError('USAGE', `an entry's identity has ${identitySize} bytes, found ${identity.length}`)
    return identity
  }
  if (typeof leaf === 'function') throw new UsageError('USAGE', 'an entry whose leaf names its index or time needs an identity')
  return leafHash(leaf)
}

/** Gives an entry its place. @throws CountersignError TOO_LARGE; whatever its leaf function throws */
export function sequenceEntry({ leaf, extra = noBytes }: NewEntry, identity: Uint8Array, place: Place): SequencedEntry {
  const bytes = typeof leaf === 'function' ? leaf(place) : leaf
  checkEntrySize(bytes, extra)
  return { ...place, leaf: bytes, extra, leafHash: leafHash(bytes), identity }
}

/** Demands that an entry is within the limits. @throws CountersignError TOO_LARGE */
export function checkEntrySize(bytes: Uint8Array, extra: Uint8Array): void {
  if (bytes.length === 0 || bytes.length > maxEntrySize)
    throw new CountersignError('TOO_LARGE', `a log entry has 1 to ${maxEntrySize} bytes, found ${bytes.length}`)
  if (extra.length > maxExtraSize)
    throw new CountersignError('TOO_LARGE', `what is kept beside a log entry has at most ${maxExtraSize} bytes, found ${extra.length}`)
}

/** The tree with further entries, whose places follow its last one. */
export function growTree<Entry extends TailEntry>(state: TreeState, entries: readonly Entry[]): GrownTree<Entry> {
  const { edge, fullTiles } = growEdge(
    state.edge,
    entries.map((entry) => entry.leafHash),
  )
  const full = new Map<string, TileNodes>(fullTiles.map((tile) => [tileKey(tile), tile.nodes]))
  const read = edgeNodeReader(edge, (key) => full.get(key))
  return { size: edge.size, rootHash: readRoot(edge.size, read), edge, fullTiles, entries, read }
}

/** What is to be made durable so that the grown tree is the log's. */
export function headSwapOf(state: TreeState, grown: GrownTree, head: LogHead, epoch: bigint, pending: readonly bigint[]): HeadSwap {
  const changedLevels = new Set([...grown.fullTiles.map(({ level }) => level), ...grown.fullTiles.map(({ level }) => level + 1)])
  return {
    epoch,
    previous: state.head,
    head,
    entries: grown.entries,
    // Level 0 is what the tail's leaf hashes say.
    edges: [...changedLevels].filter((level) => level > 0).map((level) => ({ level, hashes: edgeHashes(grown.edge, level) })),
    objects: objectsOf(grown.fullTiles, [...state.tail, ...grown.entries], tailStart(state.head.size)),
    tailStart: tailStart(grown.size),
    pending,
  }
}

/** The state once the grown tree is durable. */
export function stateAfterGrowth(state: TreeState, grown: GrownTree<TailEntry>, head: LogHead): TreeState {
  const kept = Number(tailStart(grown.size) - tailStart(state.head.size))
  return { head, edge: grown.edge, tail: [...state.tail, ...grown.entries].slice(kept) }
}
