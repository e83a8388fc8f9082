/** A port for the server's small mutable state: sessions and codes of the issuer, users, keys' rotation, TUF versions. */

/** A JSON document with a version, for compare-and-swap. */
export interface StoredDocument {
  readonly id: string
  /** Its JSON text. */
  readonly json: string
  /** Counts up with every change, from 1. */
  readonly version: number
  /** Epoch milliseconds. It is gone from that instant on. */
  readonly expiresAtMs: number | undefined
}

/** What a write may demand and add. */
export interface PutOptions {
  /** The document goes away at this instant, in epoch milliseconds. */
  readonly expiresAtMs?: number
  /** Write only if the stored version is this one; 0 for "there is none". */
  readonly ifVersion?: number
  /** Values that the document can be found by, such as `{ userCode: 'ABCD' }`. They replace those of before; left out, those stay. */
  readonly keys?: Readonly<Record<string, string>>
}

/** Documents in named collections. What has expired is never given back. Every write is durable when it resolves. */
export interface DocumentStore {
  get(collection: string, id: string): Promise<StoredDocument | undefined>
  /** The documents with this value under a key, oldest first, at most 1,000. */
  find(collection: string, key: string, value: string): Promise<StoredDocument[]>
  /** The documents of a collection in the order of their ids, from behind `after` on. */
  list(collection: string, limit: number, after?: string): Promise<StoredDocument[]>
  /** Writes a document. @returns false, having written nothing, when `ifVersion` does not hold */
  put(collection: string, id: string, json: string, options?: PutOptions): Promise<boolean>
  /** @returns whether there was one (of this version) */
  delete(collection: string, id: string, ifVersion?: number): Promise<boolean>
  /** Removes the documents with this value under a key. @returns how many */
  deleteAll(collection: string, key: string, value: string): Promise<number>
}
