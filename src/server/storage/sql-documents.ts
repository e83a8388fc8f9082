/** Documents in an SQL database. */
import type { Clock } from '../clock.ts'
import type { DocumentStore, PutOptions, StoredDocument } from './document-store.ts'
import type { DocumentsTable, QueryBuilder } from './schema.ts'
import type { SqlDatabase, SqlStep } from './sql-database.ts'
import { stepOf } from './sql-database.ts'

const maxFound = 1000
/** Expired documents that a write clears away. */
const purgedPerWrite = 20

/** @param clock says what has expired */
export function createDocumentStore(database: SqlDatabase, query: QueryBuilder, clock: Clock): DocumentStore {
  const living = (now: bigint) =>
    query
      .selectFrom('documents')
      .selectAll('documents')
      .where((is) => is.or([is('expires_at_ms', 'is', null), is('expires_at_ms', '>', now)]))
  const select = async (statement: { readonly sql: string; readonly parameters: readonly unknown[] }) => {
    const rows = await database.rows<DocumentsTable>(statement)
    return rows.map(documentOf)
  }
  const transact = async (steps: readonly SqlStep[]) => database.transact([purge(query, BigInt(clock())), ...steps])
  return {
    get: async (collection, id) => {
      const [document] = await select(living(BigInt(clock())).where('collection', '=', collection).where('id', '=', id).compile())
      return document
    },
    find: (collection, key, value) =>
      select(
        living(BigInt(clock()))
          .where('collection', '=', collection)
          .where('id', 'in', idsWithKey(query, collection, key, value))
          .orderBy('created_at_ms')
          .orderBy('id')
          .limit(maxFound)
          .compile(),
      ),
    list: (collection, limit, after) => {
      const all = living(BigInt(clock())).where('collection', '=', collection)
      return select((after === undefined ? all : all.where('id', '>', after)).orderBy('id').limit(limit).compile())
    },
    put: async (collection, id, json, options = {}) => {
      const now = BigInt(clock())
      const changes = await transact([
        clearExpired(query, collection, id, now),
        write(query, { collection, id, json, now }, options),
        ...keySteps(query, collection, id, options.keys),
      ])
      return changes !== undefined
    },
    delete: async (collection, id, ifVersion) => {
      const all = query.deleteFrom('documents').where('collection', '=', collection).where('id', '=', id)
      const step = stepOf((ifVersion === undefined ? all : all.where('version', '=', BigInt(ifVersion))).compile(), { mustChange: true })
      return (await transact([clearExpired(query, collection, id, BigInt(clock())), step])) !== undefined
    },
    deleteAll: async (collection, key, value) => {
      const now = BigInt(clock())
      const all = query
        .deleteFrom('documents')
        .where('collection', '=', collection)
        .where('id', 'in', idsWithKey(query, collection, key, value))
      const changes = await transact([stepOf(all.where('expires_at_ms', '<=', now).compile()), stepOf(all.compile())])
      return changes?.at(-1) ?? 0
    },
  }
}

function idsWithKey(query: QueryBuilder, collection: string, key: string, value: string) {
  return query
    .selectFrom('document_keys')
    .select('id')
    .where('collection', '=', collection)
    .where('key_name', '=', key)
    .where('key_value', '=', value)
}

/** What has expired is as good as gone: a version that was expected of it does not hold, and its keys go with it. */
function clearExpired(query: QueryBuilder, collection: string, id: string, now: bigint): SqlStep {
  return stepOf(
    query.deleteFrom('documents').where('collection', '=', collection).where('id', '=', id).where('expires_at_ms', '<=', now).compile(),
  )
}

function purge(query: QueryBuilder, now: bigint): SqlStep {
  const expired = query
    .selectFrom('documents')
    .select(['collection', 'id'])
    .where('expires_at_ms', '<=', now)
    .orderBy('expires_at_ms')
    .limit(purgedPerWrite)
  return stepOf(
    query
      .deleteFrom('documents')
      .where((is) => is(is.refTuple('collection', 'id'), 'in', expired.$asTuple('collection', 'id')))
      .compile(),
  )
}

function write(
  query: QueryBuilder,
  { collection, id, json, now }: { readonly collection: string; readonly id: string; readonly json: string; readonly now: bigint },
  { expiresAtMs, ifVersion }: PutOptions,
): SqlStep {
  const expires_at_ms = expiresAtMs === undefined ? null : BigInt(Math.trunc(expiresAtMs))
  if (ifVersion !== undefined && ifVersion > 0) {
    const update = query
      .updateTable('documents')
      .set((is) => ({ json, expires_at_ms, version: is('version', '+', 1n) }))
      .where('collection', '=', collection)
      .where('id', '=', id)
      .where('version', '=', BigInt(ifVersion))
    return stepOf(update.compile(), { mustChange: true })
  }
  const insert = query.insertInto('documents').values({ collection, id, json, version: 1n, expires_at_ms, created_at_ms: now })
  return ifVersion === 0
    ? stepOf(insert.onConflict((conflict) => conflict.doNothing()).compile(), { mustChange: true })
    : stepOf(
        insert
          .onConflict((conflict) =>
            conflict
              .columns(['collection', 'id'])
              .doUpdateSet((is) => ({ json, expires_at_ms, version: is('documents.version', '+', 1n) })),
          )
          .compile(),
      )
}

/** Without `keys`, those of before stay. */
function keySteps(query: QueryBuilder, collection: string, id: string, keys: PutOptions['keys']): SqlStep[] {
  if (keys === undefined) return []
  const inserts = Object.entries(keys).map(([key_name, key_value]) =>
    stepOf(query.insertInto('document_keys').values({ collection, id, key_name, key_value }).compile()),
  )
  return [stepOf(query.deleteFrom('document_keys').where('collection', '=', collection).where('id', '=', id).compile()), ...inserts]
}

function documentOf(row: DocumentsTable): StoredDocument {
  return {
    id: row.id,
    json: row.json,
    version: Number(row.version),
    expiresAtMs: row.expires_at_ms === null ? undefined : Number(row.expires_at_ms),
  }
}
