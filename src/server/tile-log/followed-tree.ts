/** The tree of a log that another process writes: kept up with by growing it, so that a fork would show. */
import { equalBytes } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'
import type { StoredLog } from '../storage/head-store.ts'
import { growTree, stateAfterGrowth } from './batch.ts'
import type { LogHead } from './log.ts'
import type { TreeState } from './tree-state.ts'
import { treeStateOf } from './tree-state.ts'
import type { TreeWriterContext } from './tree-writer.ts'
import { loadTree } from './tree-writer.ts'

/**
 * The newest tree, given the newest one known before.
 * @returns undefined when the log has no head yet
 * @throws CountersignError LOG_ROLLED_BACK when the storage has less than was known, or something else; LOG_CORRUPT, STORAGE_FAILED
 */
export async function followTree(context: TreeWriterContext, known: TreeState | undefined): Promise<TreeState | undefined> {
  if (known === undefined) return loadTree(context)
  const { id, storage, reader } = context
  const stored = await storage.heads.load(id, known.head.size)
  if (stored?.head === undefined) throw wentBack(id, known.head.size, 0n)
  if (stored.head.size === known.head.size && equalBytes(stored.head.rootHash, known.head.rootHash)) return { ...known, head: stored.head }
  if (stored.head.size <= known.head.size) throw wentBack(id, known.head.size, stored.head.size)
  const grown = growKnown(known, stored, stored.head)
  if (grown !== undefined) return grown
  // More was added than the tail holds.
  const all = await storage.heads.load(id)
  if (all?.head === undefined) throw wentBack(id, known.head.size, 0n)
  const state = treeStateOf(id, all, all.head)
  await checkContinues(id, state, known, (size) => reader.rootHash(state, size))
  return state
}

/** Demands that the newer tree begins with the known one. @throws CountersignError LOG_ROLLED_BACK */
export async function checkContinues(
  id: string,
  newer: TreeState,
  known: TreeState,
  rootHash: (size: bigint) => Promise<Uint8Array>,
): Promise<void> {
  const { size } = known.head
  if (newer.head.size < size || !equalBytes(await rootHash(size), known.head.rootHash)) throw wentBack(id, size, newer.head.size)
}

function growKnown(known: TreeState, stored: StoredLog, head: LogHead): TreeState | undefined {
  const added = stored.tail.filter(({ index }) => index >= known.head.size)
  const isContinuous = added.every(({ index }, position) => index === known.head.size + BigInt(position))
  if (!isContinuous || known.head.size + BigInt(added.length) !== head.size) return undefined
  const grown = growTree(known, added)
  return equalBytes(grown.rootHash, head.rootHash) ? stateAfterGrowth(known, grown, head) : undefined
}

function wentBack(id: string, known: bigint, found: bigint): CountersignError {
  return new CountersignError(
    'LOG_ROLLED_BACK',
    `the database has a tree of ${found} entries for the log ${id} that does not continue the one of ${known} that this process has seen: it was restored from an old backup or replaced. Stop all front ends and restore the newer database`,
  )
}
