/** A port for the search index: which entries of which log have a term. It is derived from the log and can be rebuilt. */

/** An entry of a log and the terms it can be found by, such as `email:dev@example.com` or `sha256:<hex>`. */
export interface IndexedEntry {
  readonly index: bigint
  /** Up to 512 bytes each. */
  readonly terms: readonly string[]
}

export interface TermIndex {
  /** How many entries of the log, from the first on, are indexed. */
  position(logId: string): Promise<bigint>
  /** Adds entries and moves the position to `position`, both or neither; adding an entry again changes nothing. */
  add(logId: string, entries: readonly IndexedEntry[], position: bigint): Promise<void>
  /** The newest entries with a term, newest first. */
  find(logId: string, term: string, limit: number): Promise<bigint[]>
  /** Forgets a log, to index it anew. */
  reset(logId: string): Promise<void>
}
