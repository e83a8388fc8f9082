/** Notices a database that is older than what was signed, and lets an operator accept it. */
import { equalBytes } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'
import { emptyRoot } from '../../merkle/hash.ts'
import type { HeadStore } from '../storage/head-store.ts'
import type { CopiedHead, HeadCopy } from './head-copy.ts'
import { createHeadCopy } from './head-copy.ts'

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

/** What was given up by accepting a database that went back. Sizes are numbers of entries. */
export interface AcceptedRollback {
  /** The size that had been signed; undefined when no copy spoke of it. */
  readonly signedSize: bigint | undefined
  readonly acceptedSize: bigint
}

/**
 * Makes the database's head the one that the log goes on from, although a newer one was signed. Everyone who saw the newer one can
 * prove that the log forked. The log must not be open.
 * @throws CountersignError NOT_FOUND when the database has no such log, STORAGE_FAILED
 */
export async function acceptRollback(options: {
  readonly logId: string
  readonly heads: Pick<HeadStore, 'load'>
  readonly headsFolder: string
}): Promise<AcceptedRollback> {
  const { logId, heads, headsFolder } = options
  const stored = await heads.load(logId)
  if (stored?.head === undefined) throw new CountersignError('NOT_FOUND', `the database has no log ${logId}`)
  const copy = createHeadCopy(headsFolder, logId)
  const signedSize = (await copy.read())?.size
  await copy.write(stored.head)
  return { signedSize, acceptedSize: stored.head.size }
}

/** A log that has no head yet. */
export const emptyTree: DatabaseTree = { size: 0n, rootHash: async () => emptyRoot }

function rolledBack(logId: string, found: string): CountersignError {
  return new CountersignError(
    'LOG_ROLLED_BACK',
    `the database ${found}: it was restored from an old backup or replaced. Restore the newer database; if there is none, accept the loss and the fork with "countersign server recover-log --accept-rollback ${logId}"`,
  )
}
