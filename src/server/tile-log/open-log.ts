/** Opens a log: the one way to a `TileLog`. */
import { excerpt } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { Clock } from '../clock.ts'
import type { Storage } from '../storage/storage.ts'
import type { BatchOptions } from './entry-queue.ts'
import { openFinishedTree } from './finished-tree.ts'
import type { CopyStep } from './head-copy.ts'
import { createHeadCopy } from './head-copy.ts'
import type { LogState, TileLog } from './log.ts'
import type { LogRole, LogWriter } from './log-writer.ts'
import { openSharedWriter } from './shared-writer.ts'
import { openSoleWriter } from './sole-writer.ts'
import type { TreeReader } from './tree-reader.ts'
import { createTreeReader } from './tree-reader.ts'
import type { AppendStep, SignCheckpoint, TreeWriterContext } from './tree-writer.ts'

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
  /** For tests that end the process at a step: told of each before it is done. */
  readonly onStep?: (step: AppendStep | CopyStep) => void
}

/** What a log says of itself to health checks and metrics. */
export interface LogStatus {
  readonly id: string
  readonly state: LogState
  readonly role: LogRole
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

const mebibyte = 1024 * 1024
const defaultBatch: BatchOptions = {
  collectMs: 2,
  maxEntries: 1024,
  maxBytes: 16 * mebibyte,
  maxWaiting: 8192,
  maxWaitingBytes: 256 * mebibyte,
}
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
    throw new UsageError('USAGE', `a log's id has 1 to 64 characters of a-z, 0-9, "-", "." and "_", found ${excerpt(id)}`)
  const onStep = options.onStep ?? (() => {})
  const headCopy = headsFolder === undefined ? undefined : createHeadCopy(headsFolder, id, onStep)
  const reader = createTreeReader({ logId: id, storage, cacheSize: options.cacheSize ?? defaultCacheSize })
  const writer = await openWriter({ ...options, reader, headCopy, onStep }, options.state, { ...defaultBatch, ...options.batch })
  return openedLog(options, writer, reader)
}

function openWriter(context: TreeWriterContext, state: LogState, batch: BatchOptions): Promise<LogWriter> {
  if (state !== 'active') return openFinishedTree(context, state)
  const { sharing } = context.storage.heads
  return sharing === undefined ? openSoleWriter(context, batch) : openSharedWriter(context, sharing, batch)
}

function openedLog({ id, origin, state, storage }: OpenLogOptions, writer: LogWriter, reader: TreeReader): OpenedLog {
  return {
    id,
    origin,
    state,
    add: (entry, signal) => writer.add(entry, signal),
    head: async () => writer.state.head,
    entries: (start, count) => reader.entries(writer.state, start, count),
    leaves: (start, count) => reader.leaves(writer.state, start, count),
    indexOfLeafHash: async (leafHash) => {
      const { size } = writer.state.head
      const [index] = await storage.heads.findLeafHashes(id, [leafHash])
      return index !== undefined && index < size ? index : undefined
    },
    proveInclusion: async (index, treeSize) => {
      const tree = writer.state
      return { head: tree.head, hashes: await reader.proveInclusion(tree, index, treeSize ?? tree.head.size) }
    },
    proveConsistency: (oldSize, newSize) => reader.proveConsistency(writer.state, oldSize, newSize),
    rootHash: (size) => reader.rootHash(writer.state, size),
    tile: (tile) => reader.tile(writer.state, tile),
    close: () => writer.close(),
    status: () => {
      const { size, timestampMs } = writer.state.head
      return { id, state, role: writer.role, size, timestampMs, waiting: writer.waiting }
    },
  }
}
