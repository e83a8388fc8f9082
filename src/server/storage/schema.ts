/** The tables of the storage, and the typed query builder over them. */
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Generated } from 'kysely'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'

/** One row a log: its fencing epoch and, from its first head on, the newest signed head. */
export interface LogsTable {
  id: string
  epoch: bigint
  size: bigint | null
  root_hash: Uint8Array | null
  timestamp_ms: bigint | null
  checkpoint: string | null
}

/** The entries that are not yet in a full bundle, as they came: one row a batch. */
export interface TailSegmentsTable {
  log: string
  /** Index of the first entry. */
  first: bigint
  entry_count: bigint
  timestamp_ms: bigint
  /** The leaves, each behind its length in 2 bytes. */
  leaves: Uint8Array
}

/** Entries that wait for the process that sequences; PostgreSQL only. */
export interface PendingEntriesTable {
  log: string
  number: Generated<bigint>
  identity: Uint8Array
  leaf: Uint8Array
  /** -1 for none. */
  timestamp_at: bigint
  extra: Uint8Array
}

/** What is kept beside an entry outside the tree. */
export interface ExtrasTable {
  log: string
  idx: bigint
  extra: Uint8Array
}

/** Which entry has an identity or a leaf hash. `kind` is one of `keyKinds`. */
export interface EntryKeysTable {
  log: string
  entry_key: Uint8Array
  kind: bigint
  idx: bigint
}

/** The hashes of the partial tiles above level 0, at the right edge of the tree. */
export interface EdgesTable {
  log: string
  level: bigint
  hashes: Uint8Array
}

/** Write-once objects: full tiles, full bundles. */
export interface ObjectsTable {
  log: string
  name: string
  data: Uint8Array
}

export interface DocumentsTable {
  collection: string
  id: string
  json: string
  version: bigint
  expires_at_ms: bigint | null
  created_at_ms: bigint
}

export interface DocumentKeysTable {
  collection: string
  id: string
  key_name: string
  key_value: string
}

export interface TermsTable {
  log: string
  term: string
  idx: bigint
}

export interface TermPositionsTable {
  log: string
  position: bigint
}

export interface Schema {
  logs: LogsTable
  tail_segments: TailSegmentsTable
  pending_entries: PendingEntriesTable
  extras: ExtrasTable
  entry_keys: EntryKeysTable
  edges: EdgesTable
  objects: ObjectsTable
  documents: DocumentsTable
  document_keys: DocumentKeysTable
  terms: TermsTable
  term_positions: TermPositionsTable
}

/** What a row of `entry_keys` says: most entries are identified by their leaf hash and need one row only. */
export const keyKinds = { identityAndLeafHash: 0n, identity: 1n, leafHash: 2n }

/** Writes typed queries as text; it has no connection. */
export type QueryBuilder = Kysely<Schema>

/** The query builder for a dialect. */
export function createQueryBuilder(dialect: 'sqlite' | 'postgres'): QueryBuilder {
  return new Kysely<Schema>({
    dialect:
      dialect === 'sqlite'
        ? {
            createAdapter: () => new SqliteAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  })
}
