/** Heads of logs, and the entries that came last, in an SQL database. */
import { encodeHex } from '../../encoding/hex.ts'
import type { LogHead } from '../tile-log/log.ts'
import type { HeadSharing, HeadStore, HeadSwap, SequencedEntry, StoredLog } from './head-store.ts'
import type { EdgesTable, EntryKeysTable, ExtrasTable, LogsTable, QueryBuilder, TailSegmentsTable } from './schema.ts'
import { keyKinds } from './schema.ts'
import type { SqlDatabase, SqlQuery, SqlStep, SqlValue } from './sql-database.ts'
import { stepOf } from './sql-database.ts'
import { putObjects } from './sql-objects.ts'
import { entryKeysOf, segmentEntries, segmentsOf } from './entry-rows.ts'

/** How many keys a query looks up. Few sizes, so that few statements have to be prepared. */
const lookupSizes = [1, 8, 64, 512]
const largestLookup = 512

/** What a database does in a way of its own. */
export interface HeadStoreParts {
  readonly sharing?: HeadSharing
  /** Swaps a head, in place of a transaction of several steps. */
  readonly swap?: HeadStore['swap']
}

export function createHeadStore(database: SqlDatabase, query: QueryBuilder, parts: HeadStoreParts = {}): HeadStore {
  const lookup = createLookup(query)
  const swapText = swapQuery(query).sql
  return {
    sharing: parts.sharing,
    takeEpoch: (id) => takeEpoch(database, query, id),
    logIds: async () => {
      const rows = await database.rows<Pick<LogsTable, 'id'>>(query.selectFrom('logs').select('id').orderBy('id').compile())
      return rows.map(({ id }) => id)
    },
    load: (log, since) => load(database, query, log, since ?? 0n),
    swap:
      parts.swap ??
      (async (log, swap) => {
        const first: SqlStep = { sql: swapText, parameters: swapParameters(log, swap), mustChange: true }
        return (await database.transact([first, ...stepsBeside(query, log, swap)])) !== undefined
      }),
    findIdentities: async (log, identities) => {
      const found = await findKeys(database, lookup, log, identities, [keyKinds.identityAndLeafHash, keyKinds.identity])
      return identities.map((identity) => found.get(encodeHex(identity)))
    },
    findLeafHashes: async (log, leafHashes) => {
      const found = await findKeys(database, lookup, log, leafHashes, [keyKinds.identityAndLeafHash, keyKinds.leafHash])
      return leafHashes.map((leafHash) => found.get(encodeHex(leafHash)))
    },
    countKeys: async (log, end) => {
      const keys = query.selectFrom('entry_keys').select((is) => ['kind', is.fn.countAll<bigint>().as('entries')])
      const rows = await database.rows<{ kind: bigint; entries: bigint }>(
        keys.where('log', '=', log).where('idx', '<', end).groupBy('kind').compile(),
      )
      const count = (kind: bigint) => rows.find((row) => row.kind === kind)?.entries ?? 0n
      const both = count(keyKinds.identityAndLeafHash)
      return { identities: both + count(keyKinds.identity), leafHashes: both + count(keyKinds.leafHash) }
    },
    extras: async (log, start, end) => {
      const extras = query.selectFrom('extras').select(['idx', 'extra']).where('log', '=', log)
      const rows = await database.rows<Pick<ExtrasTable, 'idx' | 'extra'>>(
        extras.where('idx', '>=', start).where('idx', '<', end).compile(),
      )
      return new Map(rows.map(({ idx, extra }) => [idx, extra]))
    },
  }
}

/** As `HeadStore.takeEpoch`. */
export async function takeEpoch(database: SqlDatabase, query: QueryBuilder, id: string): Promise<bigint> {
  const insert = query.insertInto('logs').values({ id, epoch: 1n })
  const [row] = await database.rows<Pick<LogsTable, 'epoch'>>(
    insert
      .onConflict((conflict) => conflict.column('id').doUpdateSet((is) => ({ epoch: is('logs.epoch', '+', 1n) })))
      .returning('epoch')
      .compile(),
  )
  return row?.epoch ?? 0n
}

async function load(database: SqlDatabase, query: QueryBuilder, log: string, since: bigint): Promise<StoredLog | undefined> {
  const [logs = [], edges = [], segments = []] = await database.snapshot([
    query.selectFrom('logs').selectAll().where('id', '=', log).compile(),
    query.selectFrom('edges').selectAll().where('log', '=', log).orderBy('level').compile(),
    query
      .selectFrom('tail_segments')
      .selectAll()
      .where('log', '=', log)
      .where((is) => is(is('first', '+', is.ref('entry_count')), '>', since))
      .orderBy('first')
      .compile(),
  ])
  const [row] = logs as LogsTable[]
  if (row === undefined) return undefined
  return {
    epoch: row.epoch,
    head: headOf(row),
    edges: (edges as EdgesTable[]).map(({ level, hashes }) => ({ level: Number(level), hashes })),
    tail: segmentEntries(segments as TailSegmentsTable[]),
  }
}

/** The compare-and-swap: one statement, so that nothing comes between. Its parameters are those of `swapParameters`. */
function swapQuery(query: QueryBuilder): SqlQuery {
  const none = new Uint8Array()
  return query
    .updateTable('logs')
    .set({ size: 0n, root_hash: none, timestamp_ms: 0n, checkpoint: '' })
    .where('id', '=', '')
    .where('epoch', '=', 0n)
    .where((is) => is(is.fn.coalesce('size', is.val(-1n)), '=', 0n))
    .where((is) => is(is.fn.coalesce('root_hash', is.val(none)), '=', none))
    .compile()
}

function swapParameters(id: string, { epoch, previous, head }: HeadSwap): SqlValue[] {
  const none = new Uint8Array()
  const next = [head.size, head.rootHash, BigInt(head.timestampMs), head.checkpoint]
  return [...next, id, epoch, -1n, previous?.size ?? -1n, none, previous?.rootHash ?? none]
}

function stepsBeside(query: QueryBuilder, log: string, { entries, edges, objects, tailStart }: HeadSwap): SqlStep[] {
  const steps = [...insertEntries(log, entries, tailStart), ...insertExtras(log, entries)]
  for (const { level, hashes } of edges) {
    const insert = query.insertInto('edges').values({ log, level: BigInt(level), hashes })
    steps.push(stepOf(insert.onConflict((conflict) => conflict.columns(['log', 'level']).doUpdateSet({ hashes })).compile()))
  }
  if (objects.length > 0) {
    steps.push(putObjects(log, objects))
    const bundled = query.deleteFrom('tail_segments').where('log', '=', log)
    steps.push(stepOf(bundled.where((is) => is(is('first', '+', is.ref('entry_count')), '<=', tailStart)).compile()))
  }
  return steps
}

function insertEntries(log: string, entries: readonly SequencedEntry[], tailStart: bigint): SqlStep[] {
  if (entries.length === 0) return []
  const segments = segmentsOf(entries.filter(({ index }) => index >= tailStart))
  return [
    {
      table: 'tail_segments',
      columns: ['log', 'first', 'entry_count', 'timestamp_ms', 'leaves'],
      rows: segments.map(({ first, count, timestampMs, leaves }) => [log, first, count, timestampMs, leaves]),
    },
    {
      table: 'entry_keys',
      columns: ['log', 'entry_key', 'kind', 'idx'],
      rows: entries.flatMap(entryKeysOf).map(({ key, kind, index }) => [log, key, kind, index]),
    },
  ]
}

function insertExtras(log: string, entries: readonly SequencedEntry[]): SqlStep[] {
  const rows = entries.filter(({ extra }) => extra.length > 0).map(({ index, extra }) => [log, index, extra])
  return rows.length === 0 ? [] : [{ table: 'extras', columns: ['log', 'idx', 'extra'], rows }]
}

/** The text of a lookup by its number of keys. */
type Lookup = ReadonlyMap<number, string>

function createLookup(query: QueryBuilder): Lookup {
  const columns = query.selectFrom('entry_keys').select(['entry_key', 'idx']).where('log', '=', '').where('kind', 'in', [0n, 0n])
  return new Map(
    lookupSizes.map((size) => [
      size,
      columns
        .where(
          'entry_key',
          'in',
          Array.from({ length: size }, () => new Uint8Array()),
        )
        .compile().sql,
    ]),
  )
}

/** The lowest index with each of the keys, by the key in hexadecimal. */
async function findKeys(
  database: SqlDatabase,
  lookup: Lookup,
  log: string,
  keys: readonly Uint8Array[],
  kinds: readonly [bigint, bigint],
): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>()
  for (let start = 0; start < keys.length; start += largestLookup) {
    const some = keys.slice(start, start + largestLookup)
    const size = lookupSizes.find((size) => size >= some.length) ?? largestLookup
    const padded = Array.from({ length: size }, (_, position) => some[position] ?? some[0])
    const rows = await database.rows<Pick<EntryKeysTable, 'entry_key' | 'idx'>>({
      sql: lookup.get(size) ?? '',
      parameters: [log, ...kinds, ...padded],
    })
    for (const { entry_key, idx } of rows) {
      const key = encodeHex(entry_key)
      const other = found.get(key)
      if (other === undefined || idx < other) found.set(key, idx)
    }
  }
  return found
}

function headOf({ size, root_hash, timestamp_ms, checkpoint }: LogsTable): LogHead | undefined {
  if (size === null || root_hash === null || timestamp_ms === null || checkpoint === null) return undefined
  return { size, rootHash: root_hash, timestampMs: Number(timestamp_ms), checkpoint }
}
