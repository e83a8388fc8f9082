/**
 * A transparency log as its users see it (C2SP tlog-tiles): the CT log and both Rekor logs are instances with their own
 * keys. How entries are collected, made durable and signed is behind it.
 */
import type { Tile } from '../../merkle/tile.ts'

/** Where an entry comes to stand. */
export interface Place {
  readonly index: bigint
  /** When it was given its index, in epoch milliseconds; never before that of an earlier index. */
  readonly timestampMs: number
}

/** An entry that is to be logged. */
export interface NewEntry {
  /**
   * 1 to 65,535 bytes; as a function of its place where the leaf itself names index or time. Where several processes share
   * the storage the function may put the time, 8 bytes big-endian, at one place, and nothing else: USAGE otherwise.
   */
  readonly leaf: Uint8Array | ((place: Place) => Uint8Array)
  /** 32 bytes: entries with the same identity are the same entry, logged once. Default: the leaf hash. */
  readonly identity?: Uint8Array
  /** Up to 1 MiB that are kept beside the leaf, outside the tree. */
  readonly extra?: Uint8Array
}

/** An entry of the log. */
export interface LoggedEntry extends Place {
  readonly leaf: Uint8Array
  readonly extra: Uint8Array
}

/** An entry of the log, without what is kept beside it. */
export type LoggedLeaf = Omit<LoggedEntry, 'extra'>

/** The signed head of the tree. */
export interface LogHead {
  readonly size: bigint
  /** 32 bytes. */
  readonly rootHash: Uint8Array
  /** When it was signed, in epoch milliseconds. */
  readonly timestampMs: number
  /** The signed note. */
  readonly checkpoint: string
}

/** That an entry is in the tree of a signed head. */
export interface LogInclusion {
  readonly head: LogHead
  /** 32 bytes each, in the order of `verifyInclusion`. */
  readonly hashes: readonly Uint8Array[]
}

/** What `add` answers: the entry is durable, and in the tree of the head. */
export interface AddedEntry extends LoggedEntry {
  readonly inclusion: LogInclusion
  /** Whether an entry of the same identity was there before; then it is that one. */
  readonly duplicate: boolean
}

/** `active` takes entries; `frozen` serves reads only; `retired` has a signed head that is final. */
export type LogState = 'active' | 'frozen' | 'retired'

export interface TileLog {
  /** What identifies the log in storage and configuration, such as `rekor-v2-1`. */
  readonly id: string
  /** The first line of its checkpoints. */
  readonly origin: string
  readonly state: LogState
  /**
   * Logs an entry. Resolves when the entry and a checkpoint that covers it are durable.
   * @throws CountersignError LOG_OVERLOADED when too many wait or it is closing, LOG_FROZEN, LOG_ROLLED_BACK when the storage is older than
   *   what was signed, STORAGE_FAILED, TOO_LARGE
   */
  add(entry: NewEntry, signal?: AbortSignal): Promise<AddedEntry>
  /** The newest signed head. A new log has one of size 0. */
  head(): Promise<LogHead>
  /** The entries from `start` on, at most `count`, in the newest signed tree; fewer where it ends or at the edge of a bundle. */
  entries(start: bigint, count: number): Promise<LoggedEntry[]>
  /** As `entries`, for those who need nothing of what is kept beside them, which may be a thousand times as much. */
  leaves(start: bigint, count: number): Promise<LoggedLeaf[]>
  /** The index of the entry with this leaf hash (32 bytes), if the newest signed tree has one. */
  indexOfLeafHash(leafHash: Uint8Array): Promise<bigint | undefined>
  /** That an entry is in the newest signed tree, or in one of `treeSize` (then the head is still the newest). @throws UsageError USAGE */
  proveInclusion(index: bigint, treeSize?: bigint): Promise<LogInclusion>
  /** The proof between two sizes, in the order of `verifyConsistency`. @throws UsageError USAGE */
  proveConsistency(oldSize: bigint, newSize: bigint): Promise<Uint8Array[]>
  /** The root of the first `size` leaves. @throws UsageError USAGE when the log is shorter */
  rootHash(size: bigint): Promise<Uint8Array>
  /** A tile of hashes or an entry bundle, if the newest signed tree has it in this width. */
  tile(tile: Tile): Promise<Uint8Array | undefined>
  /** Takes no more entries, waits for those that are under way. */
  close(): Promise<void>
}
