/** A port for what decides about a log: its newest head, which only compare-and-swap moves, and the entries that came last. */
import type { LogHead } from '../tile-log/log.ts'
import type { StoredObject } from './object-store.ts'

/** An entry that was given its place. */
export interface SequencedEntry {
  readonly index: bigint
  readonly timestampMs: number
  readonly leaf: Uint8Array
  readonly extra: Uint8Array
  /** 32 bytes each. */
  readonly leafHash: Uint8Array
  readonly identity: Uint8Array
}

/** An entry as the tail keeps it. */
export type TailEntry = Pick<SequencedEntry, 'index' | 'timestampMs' | 'leaf' | 'leafHash'>

/** The hashes of the partial tile at the right edge of a level above 0. */
export interface EdgeHashes {
  readonly level: number
  /** 32 bytes each; none when the level's last tile is full. */
  readonly hashes: Uint8Array
}

/** A log as it is found. */
export interface StoredLog {
  readonly epoch: bigint
  readonly head: LogHead | undefined
  readonly edges: readonly EdgeHashes[]
  /** The entries from the first index that is in no full bundle on. */
  readonly tail: readonly TailEntry[]
}

/** All that one new head brings with it. */
export interface HeadSwap {
  /** The epoch that the sequencer took. */
  readonly epoch: bigint
  /** The head that this one follows; undefined for a log's first. */
  readonly previous: LogHead | undefined
  readonly head: LogHead
  readonly entries: readonly SequencedEntry[]
  /** The partial tiles that changed. */
  readonly edges: readonly EdgeHashes[]
  /** The tiles and bundles that became full. */
  readonly objects: readonly StoredObject[]
  /** The tail starts at this index from now on. */
  readonly tailStart: bigint
  /** Pending entries that are among these or were there before: they are pending no more. */
  readonly pending: readonly bigint[]
}

/** An entry that waits in the storage for the process that sequences. */
export interface PendingEntry {
  readonly identity: Uint8Array
  readonly leaf: Uint8Array
  /** Where in the leaf its time is to be put, 8 bytes big-endian, in epoch milliseconds. */
  readonly timestampAt: number | undefined
  readonly extra: Uint8Array
}

/** A pending entry and the number that the storage knows it by. */
export interface NumberedEntry extends PendingEntry {
  readonly number: bigint
}

/** The right to sequence a log, which one process has at a time. */
export interface Lease {
  readonly epoch: bigint
  /** Aborted when the right is lost. What is still swapped then, the epoch decides. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** What processes that share a storage say to each other through it. */
export interface HeadSharing {
  /** Takes the right to sequence the log, unless another process has it. Creates the log. */
  lead(logId: string): Promise<Lease | undefined>
  /** Hands entries to whoever sequences; those whose identity is pending already are left out. */
  submit(logId: string, entries: readonly PendingEntry[]): Promise<void>
  /** Pending entries, those that wait longest first: at most so many, and of no more than so many bytes unless it is one. */
  pending(logId: string, limit: number, maxBytes: number): Promise<NumberedEntry[]>
  /** Takes back pending entries. */
  withdraw(logId: string, numbers: readonly bigint[]): Promise<void>
  /** Calls the listener soon after there is a new head or a pending entry; it may miss some. @returns a function that ends it */
  watch(logId: string, listener: (what: 'head' | 'pending') => void): () => void
}

/** Numbers of entries. */
export interface KeyCounts {
  readonly identities: bigint
  readonly leafHashes: bigint
}

export interface HeadStore {
  /** How processes share the storage; undefined when only one can use it. */
  readonly sharing: HeadSharing | undefined
  /**
   * Makes the caller the only one that can swap this log's head: whoever took an earlier epoch cannot any more. Creates the log.
   * @returns the new epoch
   */
  takeEpoch(logId: string): Promise<bigint>
  /** The ids of all logs. */
  logIds(): Promise<string[]>
  /** One consistent view of a log, if there is such a log; of its tail at least what is from index `since` on. */
  load(logId: string, since?: bigint): Promise<StoredLog | undefined>
  /**
   * Swaps the head, and makes entries, keys, edges and objects durable with it: all or nothing.
   * @returns false, having changed nothing, when the epoch or the previous head is not what is stored
   * @throws CountersignError STORAGE_FAILED; whether the head was swapped is then unknown
   */
  swap(logId: string, swap: HeadSwap): Promise<boolean>
  /** The indices of the entries with these identities, in their order. */
  findIdentities(logId: string, identities: readonly Uint8Array[]): Promise<(bigint | undefined)[]>
  /** The lowest indices of entries with these leaf hashes, in their order. */
  findLeafHashes(logId: string, leafHashes: readonly Uint8Array[]): Promise<(bigint | undefined)[]>
  /** How many entries below index `end` can be found by identity, and how many by leaf hash. */
  countKeys(logId: string, end: bigint): Promise<KeyCounts>
  /** What is kept beside the entries from `start` to before `end`; those without are missing. */
  extras(logId: string, start: bigint, end: bigint): Promise<Map<bigint, Uint8Array>>
}
