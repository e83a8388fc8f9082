/** Opens a log: the one way to a `TileLog`. */
import { CountersignError, UsageError } from '../../error.ts'
import { emptyRoot } from '../../merkle/hash.ts'
import type { Clock } from '../clock.ts'
import type { Storage } from '../storage/storage.ts'
import { checkAgainstCopy, emptyTree } from './anti-rollback.ts'
import type { HeadCopy } from './head-copy.ts'
import { createHeadCopy } from './head-copy.ts'
import type { LogHead, LogState, TileLog } from './log.ts'
import type { SignCheckpoint } from './sequencer.ts'
import { Sequencer } from './sequencer.ts'
import type { TreeReader } from './tree-reader.ts'
import { emptyEdge } from './tree-edge.ts'
import { createTreeReader } from './tree-reader.ts'
import type { TreeState } from './tree-state.ts'
import { treeStateOf } from './tree-state.ts'

/** How entries are collected. */
export interface BatchOptions {
  /** How long the first entry of a batch waits for others, in milliseconds. */
  readonly collectMs: number
  /** Entries in a batch. */
  readonly maxEntries: number
  /** Entries that may wait; further ones are refused with LOG_OVERLOADED. */
  readonly maxWaiting: number
}

export interface OpenLogOptions {
  /** 1 to 64 characters of `a-z`, `0-9`, `-`, `.` and `_`; it names the log in storage. */
  readonly id: string
  /** The first line of checkpoints, in the dialect of the log. */
  readonly origin: string
  readonly state: LogState
  readonly signCheckpoint: SignCheckpoint
  readonly storage: Pick<Storage, 'heads' | 'objects'>
  readonly clock: Clock
  /** The folder outside the database that keeps copies of newest heads; without it a database that goes back is not noticed. */
  readonly headsFolder?: string
  readonly batch?: Partial<BatchOptions>
  /** Bytes of tiles and, again, of bundles that are kept in memory. Default 16 MiB. */
  readonly cacheSize?: number
}

/** What a log says of itself to health checks and metrics. */
export interface LogStatus {
  readonly id: string
  readonly state: LogState
  readonly size: bigint
  /** Of the newest head, in epoch milliseconds. */
  readonly timestampMs: number
  /** Entries that wait to be sequenced in this process. */
  readonly waiting: number
}

/** A log that was opened. */
export interface OpenedLog extends TileLog {
  status(): LogStatus
}

const defaultBatch: BatchOptions = { collectMs: 2, maxEntries: 1024, maxWaiting: 8192 }
const defaultCacheSize = 16 * 1024 * 1024
const idPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/

/**
 * Opens a log, creating it with a signed head of size 0 when it is new.
 * @throws CountersignError LOG_ROLLED_BACK when the storage is older than the copy of the newest head, LOG_CORRUPT, STORAGE_FAILED;
 *   UsageError USAGE for an impossible id
 */
export async function openLog(options: OpenLogOptions): Promise<OpenedLog> {
  const { id, storage, headsFolder } = options
  if (!idPattern.test(id))
    throw new UsageError('USAGE', `a log's id has 1 to 64 characters of a-z, 0-9, "-", "." and "_", found ${JSON.stringify(id)}`)
  const headCopy = headsFolder === undefined ? undefined : createHeadCopy(headsFolder, id)
  const reader = createTreeReader({ logId: id, storage, cacheSize: options.cacheSize ?? defaultCacheSize })
  const epoch = await storage.heads.takeEpoch(id)
  const treeState = await openTree(options, epoch, headCopy, reader)
  await headCopy?.write(treeState.head.checkpoint)
  const sequencer = new Sequencer(
    { ...options, logId: id, reader, headCopy, epoch, batch: { ...defaultBatch, ...options.batch } },
    treeState,
  )
  return openedLog(options, sequencer, reader)
}

function openedLog({ id, origin, state, storage }: OpenLogOptions, sequencer: Sequencer, reader: TreeReader): OpenedLog {
  return {
    id,
    origin,
    state,
    add: async (entry, signal) => {
      if (state !== 'active') throw new CountersignError('LOG_FROZEN', `the log ${id} is ${state} and takes no entries`)
      return sequencer.add(entry, signal)
    },
    head: async () => sequencer.state.head,
    entries: (start, count) => reader.entries(sequencer.state, start, count),
    indexOfLeafHash: async (leafHash) => {
      const { size } = sequencer.state.head
      const index = await storage.heads.findLeafHash(id, leafHash)
      return index !== undefined && index < size ? index : undefined
    },
    proveInclusion: async (index, treeSize) => {
      const tree = sequencer.state
      return { head: tree.head, hashes: await reader.proveInclusion(tree, index, treeSize ?? tree.head.size) }
    },
    proveConsistency: (oldSize, newSize) => reader.proveConsistency(sequencer.state, oldSize, newSize),
    rootHash: (size) => reader.rootHash(sequencer.state, size),
    tile: (tile) => reader.tile(sequencer.state, tile),
    close: () => sequencer.close(),
    status: () => ({
      id,
      state,
      size: sequencer.state.head.size,
      timestampMs: sequencer.state.head.timestampMs,
      waiting: sequencer.waiting,
    }),
  }
}

/** The tree as it is stored, or that of a new log: without leaves, but with a signed head. */
async function openTree(options: OpenLogOptions, epoch: bigint, copy: HeadCopy | undefined, reader: TreeReader): Promise<TreeState> {
  const { id, storage } = options
  const stored = await storage.heads.load(id)
  if (stored?.head === undefined) {
    await checkAgainstCopy(id, copy, emptyTree)
    return createTree(options, epoch)
  }
  const state = treeStateOf(id, stored, stored.head)
  await checkAgainstCopy(id, copy, { size: state.head.size, rootHash: (size) => reader.rootHash(state, size) })
  return state
}

async function createTree({ id, origin, signCheckpoint, storage, clock }: OpenLogOptions, epoch: bigint): Promise<TreeState> {
  const timestampMs = clock()
  const checkpoint = await signCheckpoint({ origin, size: 0n, rootHash: emptyRoot, extensions: [] }, timestampMs)
  const head: LogHead = { size: 0n, rootHash: emptyRoot, timestampMs, checkpoint }
  const isSwapped = await storage.heads.swap(id, { epoch, previous: undefined, head, entries: [], edges: [], objects: [], tailStart: 0n })
  if (!isSwapped) throw new CountersignError('STORAGE_FAILED', `the log ${id} was taken over by another process`)
  return { head, edge: emptyEdge, tail: [] }
}
