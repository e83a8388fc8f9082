/** Heads of logs, and the entries that came last, in an SQL database. */
import { equalBytes } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { LogHead } from '../tile-log/log.ts'
import type { HeadStore, HeadSwap, SequencedEntry, StoredLog, TailEntry } from './head-store.ts'
import type { EdgesTable, EntryKeysTable, ExtrasTable, LogsTable, QueryBuilder, TailEntriesTable } from './schema.ts'
import { keyKinds } from './schema.ts'
import type { SqlDatabase, SqlStep } from './sql-database.ts'
import { stepOf } from './sql-database.ts'
import { putObjects } from './sql-objects.ts'

/** Keys that one query looks up. */
const keysPerQuery = 250

export function createHeadStore(database: SqlDatabase, query: QueryBuilder): HeadStore {
  return {
    takeEpoch: async (id) => {
      const insert = query.insertInto('logs').values({ id, epoch: 1n })
      const [row] = await database.rows<Pick<LogsTable, 'epoch'>>(
        insert
          .onConflict((conflict) => conflict.column('id').doUpdateSet((is) => ({ epoch: is('logs.epoch', '+', 1n) })))
          .returning('epoch')
          .compile(),
      )
      return row?.epoch ?? 0n
    },
    logIds: async () => {
      const rows = await database.rows<Pick<LogsTable, 'id'>>(query.selectFrom('logs').select('id').orderBy('id').compile())
      return rows.map(({ id }) => id)
    },
    load: (log) => load(database, query, log),
    swap: async (log, swap) => (await database.transact(swapSteps(query, log, swap))) !== undefined,
    findIdentities: (log, identities) => findIdentities(database, query, log, identities),
    findLeafHash: async (log, leafHash) => {
      const [row] = await database.rows<Pick<EntryKeysTable, 'idx'>>(
        keysQuery(query, log, [leafHash])
          .where('kind', 'in', [keyKinds.identityAndLeafHash, keyKinds.leafHash])
          .orderBy('idx')
          .limit(1)
          .compile(),
      )
      return row?.idx
    },
    tail: async (log, start, end) => {
      const rows = await database.rows<TailEntriesTable>(
        query
          .selectFrom('tail_entries')
          .selectAll()
          .where('log', '=', log)
          .where('idx', '>=', start)
          .where('idx', '<', end)
          .orderBy('idx')
          .compile(),
      )
      return rows.map(tailEntryOf)
    },
    extras: async (log, start, end) => {
      const rows = await database.rows<Pick<ExtrasTable, 'idx' | 'extra'>>(
        query
          .selectFrom('extras')
          .select(['idx', 'extra'])
          .where('log', '=', log)
          .where('idx', '>=', start)
          .where('idx', '<', end)
          .compile(),
      )
      return new Map(rows.map(({ idx, extra }) => [idx, extra]))
    },
  }
}

async function load(database: SqlDatabase, query: QueryBuilder, log: string): Promise<StoredLog | undefined> {
  const [logs = [], edges = [], tail = []] = await database.snapshot([
    query.selectFrom('logs').selectAll().where('id', '=', log).compile(),
    query.selectFrom('edges').selectAll().where('log', '=', log).orderBy('level').compile(),
    query.selectFrom('tail_entries').selectAll().where('log', '=', log).orderBy('idx').compile(),
  ])
  const [row] = logs as LogsTable[]
  if (row === undefined) return undefined
  return {
    epoch: row.epoch,
    head: headOf(row),
    edges: (edges as EdgesTable[]).map(({ level, hashes }) => ({ level: Number(level), hashes })),
    tail: (tail as TailEntriesTable[]).map(tailEntryOf),
  }
}

function swapSteps(query: QueryBuilder, log: string, { epoch, previous, head, entries, edges, objects, tailStart }: HeadSwap): SqlStep[] {
  const move = query
    .updateTable('logs')
    .set({ size: head.size, root_hash: head.rootHash, timestamp_ms: BigInt(head.timestampMs), checkpoint: head.checkpoint })
    .where('id', '=', log)
    .where('epoch', '=', epoch)
  // The compare of the compare-and-swap: one statement, so that nothing comes between.
  const swap =
    previous === undefined
      ? move.where('size', 'is', null)
      : move.where('size', '=', previous.size).where('root_hash', '=', previous.rootHash)
  const steps: SqlStep[] = [
    stepOf(swap.compile(), { mustChange: true }),
    ...insertEntries(query, log, entries),
    ...insertExtras(query, log, entries),
  ]
  for (const { level, hashes } of edges) {
    const insert = query.insertInto('edges').values({ log, level: BigInt(level), hashes })
    steps.push(stepOf(insert.onConflict((conflict) => conflict.columns(['log', 'level']).doUpdateSet({ hashes })).compile()))
  }
  if (objects.length > 0) {
    steps.push(putObjects(query, log, objects))
    steps.push(stepOf(query.deleteFrom('tail_entries').where('log', '=', log).where('idx', '<', tailStart).compile()))
  }
  return steps
}

function insertEntries(query: QueryBuilder, log: string, entries: readonly SequencedEntry[]): SqlStep[] {
  if (entries.length === 0) return []
  const none = new Uint8Array()
  const tail = query.insertInto('tail_entries').values({ log, idx: 0n, timestamp_ms: 0n, leaf_hash: none, leaf: none }).compile()
  const keys = query.insertInto('entry_keys').values({ log, entry_key: none, kind: 0n, idx: 0n }).compile()
  return [
    { sql: tail.sql, rows: entries.map(({ index, timestampMs, leafHash, leaf }) => [log, index, BigInt(timestampMs), leafHash, leaf]) },
    // In the order of the keys, so that neighbours go to the same page.
    { sql: keys.sql, rows: entries.flatMap((entry) => keyRows(log, entry)) },
  ]
}

function keyRows(log: string, { index, identity, leafHash }: SequencedEntry): (string | bigint | Uint8Array)[][] {
  if (equalBytes(identity, leafHash)) return [[log, leafHash, keyKinds.identityAndLeafHash, index]]
  return [
    [log, identity, keyKinds.identity, index],
    [log, leafHash, keyKinds.leafHash, index],
  ]
}

function insertExtras(query: QueryBuilder, log: string, entries: readonly SequencedEntry[]): SqlStep[] {
  const rows = entries.filter(({ extra }) => extra.length > 0).map(({ index, extra }) => [log, index, extra])
  if (rows.length === 0) return []
  return [{ sql: query.insertInto('extras').values({ log, idx: 0n, extra: new Uint8Array() }).compile().sql, rows }]
}

async function findIdentities(
  database: SqlDatabase,
  query: QueryBuilder,
  log: string,
  identities: readonly Uint8Array[],
): Promise<(bigint | undefined)[]> {
  const found = new Map<string, bigint>()
  for (let start = 0; start < identities.length; start += keysPerQuery) {
    const some = identities.slice(start, start + keysPerQuery)
    const rows = await database.rows<Pick<EntryKeysTable, 'entry_key' | 'idx'>>(
      keysQuery(query, log, some).where('kind', 'in', [keyKinds.identityAndLeafHash, keyKinds.identity]).compile(),
    )
    for (const { entry_key, idx } of rows) found.set(encodeHex(entry_key), idx)
  }
  return identities.map((identity) => found.get(encodeHex(identity)))
}

function keysQuery(query: QueryBuilder, log: string, keys: readonly Uint8Array[]) {
  return query.selectFrom('entry_keys').select(['entry_key', 'idx']).where('log', '=', log).where('entry_key', 'in', keys)
}

function headOf({ size, root_hash, timestamp_ms, checkpoint }: LogsTable): LogHead | undefined {
  if (size === null || root_hash === null || timestamp_ms === null || checkpoint === null) return undefined
  return { size, rootHash: root_hash, timestampMs: Number(timestamp_ms), checkpoint }
}

function tailEntryOf({ idx, timestamp_ms, leaf_hash, leaf }: TailEntriesTable): TailEntry {
  return { index: idx, timestampMs: Number(timestamp_ms), leafHash: leaf_hash, leaf }
}
