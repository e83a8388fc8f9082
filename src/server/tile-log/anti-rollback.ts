/** Notices a database that is older than what was signed, and lets an operator accept it. */
import { equalBytes } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'
import { emptyRoot } from '../../merkle/hash.ts'
import type { HeadStore, StoredLog } from '../storage/head-store.ts'
import type { Storage } from '../storage/storage.ts'
import type { CopiedHead, HeadCopy } from './head-copy.ts'
import { createHeadCopy } from './head-copy.ts'
import type { LogHead } from './log.ts'
import { createTreeReader } from './tree-reader.ts'
import { treeStateOf } from './tree-state.ts'

/** What the database has of a log. */
export interface DatabaseTree {
  readonly size: bigint
  /** The root of its first leaves. */
  rootHash(size: bigint): Promise<Uint8Array>
}

/**
 * Demands that the database's tree continues the one that the copy speaks of.
 * @throws CountersignError LOG_ROLLED_BACK, LOG_CORRUPT, STORAGE_FAILED
 */
export async function checkAgainstCopy(logId: string, copy: HeadCopy | undefined, tree: DatabaseTree): Promise<CopiedHead | undefined> {
  const copied = await copy?.read()
  if (copied === undefined) return undefined
  if (copied.size > tree.size) {
    throw rolledBack(logId, `has ${tree.size} entries of the log ${logId}, but a tree of ${copied.size} was signed`)
  }
  if (!equalBytes(await tree.rootHash(copied.size), copied.rootHash)) {
    throw rolledBack(logId, `has other entries of the log ${logId} than the tree of ${copied.size} that was signed`)
  }
  return copied
}

/** How a database stands to what was signed. Sizes are numbers of entries. */
export interface RollbackExamination {
  /**
   * `none`: it continues what was signed. `shorter`: entries are lost. `forked`: it has others in their place. `unknown`: it has entries, and
   * nothing tells how many were signed, because the copy of the newest head is missing or damaged.
   */
  readonly kind: 'none' | 'shorter' | 'forked' | 'unknown'
  /** The size that was signed; undefined when no copy speaks of it. */
  readonly signedSize: bigint | undefined
  /** The size that the database has; undefined when it does not have the log. */
  readonly databaseSize: bigint | undefined
  /** What the server says when it refuses to sign; undefined when it does not. */
  readonly reason: string | undefined
}

/**
 * Looks whether a log's database went back. Changes nothing.
 * @throws CountersignError LOG_CORRUPT when the stored tree is damaged, STORAGE_FAILED
 */
export async function examineRollback(options: {
  readonly logId: string
  readonly storage: Pick<Storage, 'heads' | 'objects'>
  readonly headsFolder: string
}): Promise<RollbackExamination> {
  const { logId, storage, headsFolder } = options
  const copy = createHeadCopy(headsFolder, logId)
  // Before the head: a server that is running writes the copy after the database.
  const copied = await readCopy(copy)
  const stored = await storage.heads.load(logId)
  const tree = stored?.head === undefined ? undefined : storedTree(logId, storage, stored, stored.head)
  const found = { signedSize: copied.head?.size, databaseSize: tree?.size }
  if (copied.head === undefined) {
    const isNew = copied.reason === undefined && (tree?.size ?? 0n) === 0n
    const problem =
      copied.reason ?? `the database has ${tree?.size} entries of the log ${logId}, and the copy of its newest head is missing`
    const reason = `${problem}. Restore it; if there is none, accept the database as it is with ${acceptance(logId)}`
    return isNew ? { kind: 'none', ...found, reason: undefined } : { kind: 'unknown', ...found, reason }
  }
  try {
    await checkAgainstCopy(logId, { ...copy, read: async () => copied.head }, tree ?? emptyTree)
    return { kind: 'none', ...found, reason: undefined }
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'LOG_ROLLED_BACK') throw error
    return { kind: copied.head.size > (tree?.size ?? 0n) ? 'shorter' : 'forked', ...found, reason: error.message }
  }
}

/** What was given up by accepting a database that went back. Sizes are numbers of entries. */
export interface AcceptedRollback {
  /** The size that had been signed; undefined when no copy spoke of it. */
  readonly signedSize: bigint | undefined
  /** 0 when the database does not have the log: it begins again. */
  readonly acceptedSize: bigint
}

/**
 * Makes the database's head the one that the log goes on from, although a newer one was signed. Everyone who saw the newer one can
 * prove that the log forked. The log must not be open.
 * @throws CountersignError NOT_FOUND when neither the database nor a copy knows such a log, STORAGE_FAILED
 */
export async function acceptRollback(options: {
  readonly logId: string
  readonly heads: Pick<HeadStore, 'load'>
  readonly headsFolder: string
}): Promise<AcceptedRollback> {
  const { logId, heads, headsFolder } = options
  const stored = await heads.load(logId)
  const copy = createHeadCopy(headsFolder, logId)
  const copied = await readCopy(copy)
  const signedSize = copied.head?.size
  if (stored?.head !== undefined) {
    await copy.write(stored.head)
    return { signedSize, acceptedSize: stored.head.size }
  }
  if (copied.head === undefined && copied.reason === undefined)
    throw new CountersignError('NOT_FOUND', `the database has no log ${logId}, and nothing was signed for it`)
  await copy.remove()
  return { signedSize, acceptedSize: 0n }
}

/** What the copy says, or why it cannot be understood; neither when there is none. */
async function readCopy(copy: HeadCopy): Promise<{ readonly head?: CopiedHead | undefined; readonly reason?: string }> {
  try {
    return { head: await copy.read() }
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'LOG_CORRUPT') throw error
    return { reason: error.message }
  }
}

function storedTree(logId: string, storage: Pick<Storage, 'heads' | 'objects'>, stored: StoredLog, head: LogHead): DatabaseTree {
  const state = treeStateOf(logId, stored, head)
  const reader = createTreeReader({ logId, storage, cacheSize: 0 })
  return { size: head.size, rootHash: (size) => reader.rootHash(state, size) }
}

/** A log that has no head yet. */
export const emptyTree: DatabaseTree = { size: 0n, rootHash: async () => emptyRoot }

function rolledBack(logId: string, found: string): CountersignError {
  return new CountersignError(
    'LOG_ROLLED_BACK',
    `the database ${found}: it was restored from an old backup or replaced. Restore the newer database; if there is none, accept the loss and the fork with ${acceptance(logId)}`,
  )
}

function acceptance(logId: string): string {
  return `"countersign server recover-log --accept-rollback ${logId}"`
}
