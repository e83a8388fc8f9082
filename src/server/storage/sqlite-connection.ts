/** One SQLite connection, used synchronously: in a worker thread for a file, in the main thread for memory. */
import Database from 'libsql'
import { CountersignError } from '../../error.ts'
import { migrationsFrom, schemaVersion } from './migrations.ts'
import { createPrivateFile } from './private-file.ts'
import type { SqlInsert, SqlQuery, SqlStep } from './sql-database.ts'
import { busyTimeoutMs, sqliteFailure } from './sqlite-failure.ts'

/** What a connection can be asked. */
export interface SqliteConnection {
  rows(query: SqlQuery): unknown[]
  snapshot(queries: readonly SqlQuery[]): unknown[][]
  /** As `SqlDatabase.transact`. */
  transact(steps: readonly SqlStep[]): number[] | undefined
  close(): void
}

type PreparedStatement = ReturnType<InstanceType<typeof Database>['prepare']>

const maxPrepared = 200

/**
 * Opens a database and brings its schema up to date.
 * @param file a path, or `:memory:`
 * @param onStep for tests that end the process there: told of each step of a transaction before it is done
 * @throws CountersignError STORAGE_FAILED
 */
export function openSqliteConnection(file: string, onStep: (step: string) => void = () => {}): SqliteConnection {
  try {
    if (file !== ':memory:') createPrivateFile(file)
    const database = new Database(file, { timeout: busyTimeoutMs })
    database.defaultSafeIntegers(true)
    // FULL: a transaction of the write-ahead log is synced before it counts as committed.
    for (const setting of [
      `busy_timeout = ${busyTimeoutMs}`,
      'journal_mode = WAL',
      'synchronous = FULL',
      'foreign_keys = ON',
      'cache_size = -65536',
    ])
      database.pragma(setting)
    migrate(database, file)
    return connectionOf(database, file, onStep)
  } catch (cause) {
    throw sqliteFailure(file, `the database ${file} cannot be opened`, cause)
  }
}

function connectionOf(database: Database.Database, file: string, onStep: (step: string) => void): SqliteConnection {
  const prepared = new Map<string, PreparedStatement>()
  const prepare = (sql: string): PreparedStatement => {
    let statement = prepared.get(sql)
    if (statement === undefined) {
      statement = database.prepare(sql)
      if (prepared.size >= maxPrepared) prepared.clear()
      prepared.set(sql, statement)
    }
    return statement
  }
  const rows = ({ sql, parameters }: SqlQuery): unknown[] => {
    try {
      return prepare(sql).all(parameters).map(normalizedRow)
    } catch (cause) {
      throw sqliteFailure(file, 'a query of the database failed', cause)
    }
  }
  return {
    rows,
    snapshot: (queries) => {
      database.exec('BEGIN')
      try {
        return queries.map(rows)
      } finally {
        database.exec('COMMIT')
      }
    },
    transact: (steps) => {
      try {
        return runTransaction(database, steps, prepare, onStep)
      } catch (cause) {
        throw sqliteFailure(file, 'a transaction of the database failed', cause)
      }
    },
    close: () => {
      prepared.clear()
      database.close()
    },
  }
}

function runTransaction(
  database: Database.Database,
  steps: readonly SqlStep[],
  prepare: (sql: string) => PreparedStatement,
  onStep: (step: string) => void,
): number[] | undefined {
  database.exec('BEGIN IMMEDIATE')
  try {
    const changes: number[] = []
    for (const step of steps) {
      onStep('table' in step ? `insert ${step.table}` : step.sql)
      const changed = 'table' in step ? insertRows(prepare(insertText(step)), step) : prepare(step.sql).run(step.parameters).changes
      if (!('table' in step) && step.mustChange === true && changed === 0) {
        database.exec('ROLLBACK')
        return undefined
      }
      changes.push(changed)
    }
    onStep('commit')
    database.exec('COMMIT')
    onStep('end')
    return changes
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function insertText({ table, columns, ignoreConflicts }: SqlInsert): string {
  const values = columns.map(() => '?').join(', ')
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values})${ignoreConflicts === true ? ' ON CONFLICT DO NOTHING' : ''}`
}

function insertRows(statement: PreparedStatement, { rows }: SqlInsert): number {
  let changed = 0
  // As one list: a lone blob would be taken for named parameters.
  for (const row of rows) changed += statement.run(row).changes
  return changed
}

/** libsql gives blobs as ArrayBuffer. */
function normalizedRow(row: unknown): Record<string, unknown> {
  const normalized = row as Record<string, unknown>
  for (const [name, value] of Object.entries(normalized)) {
    if (value instanceof ArrayBuffer) normalized[name] = new Uint8Array(value)
  }
  return normalized
}

/** A command beside the server may open a new file at the same time: what one has brought up to date the other leaves as it is. */
function migrate(database: Database.Database, file: string): void {
  if (versionOf(database) === schemaVersion) return
  database.exec('BEGIN IMMEDIATE')
  try {
    migrateFrom(versionOf(database), database, file)
    database.exec('COMMIT')
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function versionOf(database: Database.Database): number {
  return Number((database.prepare('PRAGMA user_version').all([])[0] as { user_version: bigint }).user_version)
}

function migrateFrom(version: number, database: Database.Database, file: string): void {
  if (version > schemaVersion) {
    throw new CountersignError(
      'STORAGE_FAILED',
      `the database ${file} has schema version ${version}, this program knows versions up to ${schemaVersion}: use a newer countersign`,
    )
  }
  for (const statement of migrationsFrom(version, 'sqlite').flat()) database.exec(statement)
  database.exec(`PRAGMA user_version = ${schemaVersion}`)
}
