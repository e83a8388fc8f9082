/** PostgreSQL as the storage uses it. Everything is in the schema `countersign` of the database. */
import { Pool } from 'pg'
import type { PoolClient, PoolConfig } from 'pg'
import { CountersignError, messageOf } from '../../error.ts'
import { migrationsFrom, schemaVersion } from './migrations.ts'
import { arrayTypeOf, valueTypes, parameterOf } from './postgres-values.ts'
import type { SqlDatabase, SqlInsert, SqlQuery, SqlStep } from './sql-database.ts'

/** A database and what only PostgreSQL can. */
export interface PostgresDatabase extends SqlDatabase {
  /** How to open a connection of one's own, for locks and notifications. */
  readonly connection: PoolConfig
}

const maxConnections = 8
/** The first with `idle_session_timeout`, by which a leader that hangs loses its lock. */
const oldestVersion = 140_000
/** Values that one statement can have. */
const maxParameters = 30_000
/** Any number, as long as it is always the same: one process at a time brings the schema up to date. */
const migrationLock = 7_236_191_420n

/**
 * Opens a database.
 * @param url such as `postgres://user:password@host/database`
 * @throws CountersignError STORAGE_FAILED
 */
export async function openPostgresDatabase(url: string): Promise<PostgresDatabase> {
  const connection: PoolConfig = {
    connectionString: url,
    // The answers to those who add entries depend on it, whatever the server's default is.
    options: '-c search_path=countersign -c synchronous_commit=on -c client_min_messages=warning',
    application_name: 'countersign',
    types: valueTypes,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 10_000,
  }
  const pool = new Pool({ ...connection, max: maxConnections })
  // A connection that breaks while idle is replaced when the next one is needed.
  pool.on('error', () => {})
  try {
    await inTransaction(pool, prepareSchema)
  } catch (cause) {
    await pool.end()
    throw cause instanceof CountersignError ? cause : storageFailed('the PostgreSQL database cannot be opened', cause)
  }
  return {
    dialect: 'postgres',
    connection,
    rows: async <Row>(query: SqlQuery) => {
      try {
        return await run<Row>(pool, query)
      } catch (cause) {
        throw storageFailed('a query of the database failed', cause)
      }
    },
    snapshot: async (queries) => {
      try {
        return await inTransaction(pool, async (client) => {
          await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
          const results: unknown[][] = []
          for (const query of queries) results.push(await run(client, query))
          return results
        })
      } catch (cause) {
        throw storageFailed('a query of the database failed', cause)
      }
    },
    transact: async (steps) => {
      try {
        return await inTransaction(pool, (client) => runSteps(client, steps))
      } catch (cause) {
        if (cause === guardFailed) return undefined
        throw storageFailed('a transaction of the database failed', cause)
      }
    },
    close: () => pool.end(),
  }
}

/** Thrown inside a transaction to have it rolled back; it never leaves this file. */
const guardFailed = new Error('a step changed nothing')

async function inTransaction<Result>(pool: Pool, use: (client: PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  let failure: unknown
  try {
    await client.query('BEGIN')
    const result = await use(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    failure = error
    await client.query('ROLLBACK').catch(() => {})
    throw error
  } finally {
    client.release(failure !== undefined && failure !== guardFailed)
  }
}

async function runSteps(client: PoolClient, steps: readonly SqlStep[]): Promise<number[]> {
  const changes: number[] = []
  for (const step of steps) {
    if ('table' in step) {
      changes.push(await insertRows(client, step))
      continue
    }
    const { rowCount } = await client.query(step.sql, step.parameters.map(parameterOf))
    if (step.mustChange === true && rowCount === 0) throw guardFailed
    changes.push(rowCount ?? 0)
  }
  return changes
}

async function insertRows(client: PoolClient, insert: SqlInsert): Promise<number> {
  let changed = 0
  const hasBlobs = insert.rows[0]?.some((value) => value instanceof Uint8Array) === true
  // Arrays go as text: good for many small values, not for blobs.
  const rowsAtOnce = hasBlobs ? Math.floor(maxParameters / insert.columns.length) : insert.rows.length
  for (let start = 0; start < insert.rows.length; start += rowsAtOnce) {
    const rows = insert.rows.slice(start, start + rowsAtOnce)
    const { rowCount } = hasBlobs
      ? await client.query(valuesText(insert, rows.length), rows.flat().map(parameterOf))
      : await client.query(
          arraysText(insert),
          insert.columns.map((_, column) => rows.map((row) => parameterOf(row[column]))),
        )
    changed += rowCount ?? 0
  }
  return changed
}

function valuesText(insert: SqlInsert, rowCount: number): string {
  const width = insert.columns.length
  const rows = Array.from(
    { length: rowCount },
    (_, row) => `(${insert.columns.map((_, column) => `$${row * width + column + 1}`).join(', ')})`,
  )
  return `${insertText(insert)} VALUES ${rows.join(', ')}${conflictText(insert)}`
}

function arraysText(insert: SqlInsert): string {
  const arrays = insert.columns.map((_, column) => `$${column + 1}::${arrayTypeOf(insert.rows[0]?.[column])}`)
  return `${insertText(insert)} SELECT * FROM unnest(${arrays.join(', ')})${conflictText(insert)}`
}

function insertText({ table, columns }: SqlInsert): string {
  return `INSERT INTO ${table} (${columns.join(', ')})`
}

function conflictText({ ignoreConflicts }: SqlInsert): string {
  return ignoreConflicts === true ? ' ON CONFLICT DO NOTHING' : ''
}

async function run<Row>(client: Pool | PoolClient, { sql, parameters }: SqlQuery): Promise<Row[]> {
  const { rows } = await client.query(sql, parameters.map(parameterOf))
  return rows as Row[]
}

async function prepareSchema(client: PoolClient): Promise<void> {
  const [setting] = await run<{ fsync: string; version: string }>(client, {
    sql: "SELECT current_setting('fsync') AS fsync, current_setting('server_version_num') AS version",
    parameters: [],
  })
  if (Number(setting?.version ?? 0) < oldestVersion)
    throw new CountersignError('STORAGE_FAILED', `PostgreSQL 14 or newer is needed, found the version number ${setting?.version}`)
  if (setting?.fsync !== 'on')
    throw new CountersignError(
      'STORAGE_FAILED',
      `the PostgreSQL server runs with fsync = ${setting?.fsync}, which loses acknowledged entries: set it to on`,
    )
  await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock.toString()])
  const existing = await client.query("SELECT FROM pg_namespace WHERE nspname = 'countersign'")
  // Where an administrator made the schema, the right to make others is not needed.
  if (existing.rowCount === 0) await client.query('CREATE SCHEMA countersign')
  await client.query('CREATE TABLE IF NOT EXISTS countersign.schema_version (version BIGINT NOT NULL)')
  const [row] = await run<{ version: bigint }>(client, { sql: 'SELECT version FROM countersign.schema_version', parameters: [] })
  const version = Number(row?.version ?? 0n)
  if (version > schemaVersion) {
    throw new CountersignError(
      'STORAGE_FAILED',
      `the PostgreSQL database has schema version ${version}, this program knows versions up to ${schemaVersion}: use a newer countersign`,
    )
  }
  for (const statement of migrationsFrom(version, 'postgres').flat()) await client.query(statement)
  if (version === schemaVersion) return
  await client.query('DELETE FROM countersign.schema_version')
  await client.query('INSERT INTO countersign.schema_version VALUES ($1)', [schemaVersion])
}

function storageFailed(what: string, cause: unknown): CountersignError {
  return new CountersignError('STORAGE_FAILED', `${what}: ${messageOf(cause)}`, { cause })
}
