/** The newest signed tree as the process has it in memory: head, edge and tail. Its size does not depend on that of the tree. */
import { CountersignError } from '../../error.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { readRoot } from '../../merkle/prover.ts'
import { splitTile, tileWidth } from '../../merkle/tile.ts'
import type { StoredLog, TailEntry } from '../storage/head-store.ts'
import type { LogHead } from './log.ts'
import type { TreeEdge } from './tree-edge.ts'
import { edgeNodeReader, restoreEdge } from './tree-edge.ts'

export interface TreeState {
  readonly head: LogHead
  readonly edge: TreeEdge
  /** The entries that are in no full bundle yet. */
  readonly tail: readonly TailEntry[]
}

/** The first index that is in no full bundle of a tree of this size. */
export function tailStart(size: bigint): bigint {
  return size - (size % BigInt(tileWidth))
}

/**
 * The state of a log that was stored, checked against its own root.
 * @throws CountersignError LOG_CORRUPT
 */
export function treeStateOf(logId: string, stored: StoredLog, head: LogHead): TreeState {
  const { size } = head
  const start = tailStart(size)
  // A segment may begin in a bundle that is full by now.
  const tail = stored.tail.filter(({ index }) => index >= start)
  const isContinuous = tail.every(({ index }, position) => index === start + BigInt(position))
  if (!isContinuous || tail.length !== Number(size - start))
    throw corrupt(logId, `the entries from ${start} to ${size} should be there, found ${tail.length}`)
  const edge = restoreEdge(size, (level) =>
    level === 0 ? tail.map(({ leafHash }) => leafHash) : splitEdge(stored.edges.find((stored) => stored.level === level)?.hashes),
  )
  const root = readRoot(
    size,
    edgeNodeReader(edge, () => undefined),
  )
  if (!equalBytes(root, head.rootHash)) throw corrupt(logId, `the stored tree of ${size} leaves does not have the root that was signed`)
  return { head, edge, tail }
}

function splitEdge(hashes: Uint8Array = new Uint8Array()): Uint8Array[] {
  return splitTile(hashes, Math.floor(hashes.length / 32))
}

function corrupt(logId: string, message: string): CountersignError {
  return new CountersignError('LOG_CORRUPT', `the log ${logId} is damaged: ${message}; run countersign server fsck`)
}
