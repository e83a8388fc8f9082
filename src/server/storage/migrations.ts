/** The schema's versions. A migration that was released is never changed: a new one is added behind it. */

/** The statements of a migration. `BLOB` and `INTEGER` stand for the dialect's own types; some are for one dialect only. */
type Migration = readonly (string | { readonly dialect: Dialect; readonly statement: string })[]
type Dialect = 'sqlite' | 'postgres'

const migrations: readonly Migration[] = [
  [
    `CREATE TABLE logs (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, size INTEGER, root_hash BLOB, timestamp_ms INTEGER, checkpoint TEXT)`,
    `CREATE TABLE tail_segments (log TEXT NOT NULL, first INTEGER NOT NULL, entry_count INTEGER NOT NULL, timestamp_ms INTEGER NOT NULL,
      leaves BLOB NOT NULL, PRIMARY KEY (log, first))`,
    `CREATE TABLE extras (log TEXT NOT NULL, idx INTEGER NOT NULL, extra BLOB NOT NULL, PRIMARY KEY (log, idx))`,
    `CREATE TABLE entry_keys (log TEXT NOT NULL, entry_key BLOB NOT NULL, kind INTEGER NOT NULL, idx INTEGER NOT NULL,
      PRIMARY KEY (log, entry_key, kind, idx)) CLUSTERED`,
    `CREATE TABLE edges (log TEXT NOT NULL, level INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (log, level))`,
    `CREATE TABLE objects (log TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (log, name))`,
    `CREATE TABLE documents (collection TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, version INTEGER NOT NULL,
      expires_at_ms INTEGER, created_at_ms INTEGER NOT NULL, PRIMARY KEY (collection, id))`,
    `CREATE INDEX documents_by_expiry ON documents (expires_at_ms)`,
    `CREATE TABLE document_keys (collection TEXT NOT NULL, id TEXT NOT NULL, key_name TEXT NOT NULL, key_value TEXT NOT NULL,
      PRIMARY KEY (collection, id, key_name),
      FOREIGN KEY (collection, id) REFERENCES documents (collection, id) ON DELETE CASCADE)`,
    `CREATE INDEX document_keys_by_value ON document_keys (collection, key_name, key_value)`,
    `CREATE TABLE terms (log TEXT NOT NULL, term TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (log, term, idx)) CLUSTERED`,
    `CREATE TABLE term_positions (log TEXT PRIMARY KEY, position INTEGER NOT NULL)`,
    {
      dialect: 'postgres',
      statement: `CREATE TABLE pending_entries (log TEXT NOT NULL, number BIGINT GENERATED ALWAYS AS IDENTITY, identity BYTEA NOT NULL,
        leaf BYTEA NOT NULL, timestamp_at BIGINT NOT NULL, extra BYTEA NOT NULL, PRIMARY KEY (log, identity))`,
    },
    { dialect: 'postgres', statement: `CREATE INDEX pending_entries_by_number ON pending_entries (log, number)` },
  ],
]

/** The version that this program works with. */
export const schemaVersion = migrations.length

/** The statements that bring a database from `version` to the next one, and so on to `schemaVersion`. */
export function migrationsFrom(version: number, dialect: Dialect): readonly string[][] {
  return migrations.slice(version).map((migration) =>
    migration.flatMap((part) => {
      if (typeof part === 'string') return [inDialect(part, dialect)]
      return part.dialect === dialect ? [part.statement] : []
    }),
  )
}

function inDialect(statement: string, dialect: Dialect): string {
  if (dialect === 'sqlite') return statement.replace(/ CLUSTERED$/, ' WITHOUT ROWID')
  return statement
    .replace(/ CLUSTERED$/, '')
    .replaceAll(/\bBLOB\b/g, 'BYTEA')
    .replaceAll(/\bINTEGER\b/g, 'BIGINT')
}
