/** Write-once objects in an SQL database. */
import { equalBytes, excerpt } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'
import type { ObjectsTable, QueryBuilder } from './schema.ts'
import type { SqlDatabase, SqlStep } from './sql-database.ts'

export function createObjectStore(database: SqlDatabase, query: QueryBuilder): ObjectStore {
  const get = async (log: string, name: string) => {
    const [row] = await database.rows<Pick<ObjectsTable, 'data'>>(
      query.selectFrom('objects').select('data').where('log', '=', log).where('name', '=', name).compile(),
    )
    return row?.data
  }
  return {
    get,
    put: async (log, objects) => {
      await database.transact([putObjects(log, objects)])
      for (const { name, data } of objects) {
        const stored = await get(log, name)
        if (stored === undefined || !equalBytes(stored, data))
          throw new CountersignError(
            'LOG_CORRUPT',
            `the log ${log} has an object ${excerpt(name)} with other bytes than those to be written`,
          )
      }
    },
  }
}

/** The step that writes objects, leaving those alone that are there. */
export function putObjects(log: string, objects: readonly StoredObject[]): SqlStep {
  return {
    table: 'objects',
    columns: ['log', 'name', 'data'],
    rows: objects.map(({ name, data }) => [log, name, data]),
    ignoreConflicts: true,
  }
}
