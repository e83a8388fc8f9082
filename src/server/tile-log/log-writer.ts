/** How a log takes entries, in a process that has the storage to itself or shares it with others. */
import type { AddedEntry, NewEntry } from './log.ts'
import type { TreeState } from './tree-state.ts'

/** Which part a process has: the `leader` sequences, a `follower` hands its entries to it, a `reader` takes none. */
export type LogRole = 'leader' | 'follower' | 'reader'

export interface LogWriter {
  /** The newest signed tree that is known here. */
  readonly state: TreeState
  readonly role: LogRole
  /** Entries that wait in this process. */
  readonly waiting: number
  /** As `TileLog.add`. */
  add(entry: NewEntry, signal?: AbortSignal): Promise<AddedEntry>
  close(): Promise<void>
}
