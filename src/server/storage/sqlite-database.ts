/** SQLite as the storage uses it. */
import type { SqlDatabase } from './sql-database.ts'
import { openSqliteConnection } from './sqlite-connection.ts'

/**
 * Opens a database.
 * @param file a path, or `:memory:`
 * @throws CountersignError STORAGE_FAILED
 */
export async function openSqliteDatabase(file: string): Promise<SqlDatabase> {
  const connection = openSqliteConnection(file)
  return {
    dialect: 'sqlite',
    rows: async <Row>(query: Parameters<typeof connection.rows>[0]) => connection.rows(query) as Row[],
    snapshot: async (queries) => connection.snapshot(queries),
    transact: async (steps) => connection.transact(steps),
    close: async () => connection.close(),
  }
}
