/** The swap of a head in PostgreSQL: one statement, and so one round trip and one transaction. */
import type { HeadSwap } from './head-store.ts'
import { notificationChannel } from './postgres-channel.ts'
import type { SqlQuery, SqlValue } from './sql-database.ts'
import { entryKeysOf, segmentsOf } from './entry-rows.ts'

/** A query that gives one row when the head was swapped, and none when epoch or previous head are not what is stored. */
export function postgresSwap(logId: string, swap: HeadSwap): SqlQuery {
  const text = new StatementText()
  const log = text.value(logId, 'text')
  const parts = [
    `moved AS (${moveText(text, log, swap)})`,
    ...insertTexts(text, log, swap).map((insert, position) => `inserted${position} AS (${insert})`),
    ...deleteTexts(text, log, swap).map((deletion, position) => `deleted${position} AS (${deletion})`),
  ]
  const told = `SELECT pg_notify(${text.value(notificationChannel, 'text')}, ${text.value(`head ${logId}`, 'text')}) FROM moved`
  return { sql: `WITH ${parts.join(', ')} ${told}`, parameters: text.parameters }
}

type ColumnType = 'text' | 'bigint' | 'bytea' | 'bigint[]' | 'bytea[]'

class StatementText {
  readonly parameters: unknown[] = []

  value(value: SqlValue | readonly SqlValue[], type: ColumnType): string {
    this.parameters.push(value)
    return `$${this.parameters.length}::${type}`
  }
}

function moveText(text: StatementText, log: string, { head, epoch, previous }: HeadSwap): string {
  const columns = [
    `size = ${text.value(head.size, 'bigint')}`,
    `root_hash = ${text.value(head.rootHash, 'bytea')}`,
    `timestamp_ms = ${text.value(BigInt(head.timestampMs), 'bigint')}`,
    `checkpoint = ${text.value(head.checkpoint, 'text')}`,
  ]
  const stored =
    previous === undefined
      ? 'size IS NULL'
      : `size = ${text.value(previous.size, 'bigint')} AND root_hash = ${text.value(previous.rootHash, 'bytea')}`
  return `UPDATE logs SET ${columns.join(', ')} WHERE id = ${log} AND epoch = ${text.value(epoch, 'bigint')} AND ${stored} RETURNING id`
}

function insertTexts(text: StatementText, log: string, { entries, edges, objects, tailStart }: HeadSwap): string[] {
  const inserts: string[] = []
  const waiting = entries.filter(({ index }) => index >= tailStart)
  for (const { first, count, timestampMs, leaves } of segmentsOf(waiting)) {
    const values = [
      text.value(first, 'bigint'),
      text.value(count, 'bigint'),
      text.value(timestampMs, 'bigint'),
      text.value(leaves, 'bytea'),
    ]
    inserts.push(`INSERT INTO tail_segments SELECT ${log}, ${values.join(', ')} FROM moved`)
  }
  if (entries.length > 0) inserts.push(keysText(text, log, entries))
  for (const { index, extra } of entries) {
    if (extra.length > 0)
      inserts.push(`INSERT INTO extras SELECT ${log}, ${text.value(index, 'bigint')}, ${text.value(extra, 'bytea')} FROM moved`)
  }
  for (const { level, hashes } of edges) {
    const values = `${text.value(BigInt(level), 'bigint')}, ${text.value(hashes, 'bytea')}`
    inserts.push(`INSERT INTO edges SELECT ${log}, ${values} FROM moved ON CONFLICT (log, level) DO UPDATE SET hashes = excluded.hashes`)
  }
  for (const { name, data } of objects) {
    inserts.push(
      `INSERT INTO objects SELECT ${log}, ${text.value(name, 'text')}, ${text.value(data, 'bytea')} FROM moved ON CONFLICT DO NOTHING`,
    )
  }
  return inserts
}

function keysText(text: StatementText, log: string, entries: HeadSwap['entries']): string {
  const rows = entries.flatMap(entryKeysOf)
  const arrays = [
    text.value(
      rows.map(({ key }) => key),
      'bytea[]',
    ),
    text.value(
      rows.map(({ kind }) => kind),
      'bigint[]',
    ),
    text.value(
      rows.map(({ index }) => index),
      'bigint[]',
    ),
  ]
  return `INSERT INTO entry_keys SELECT ${log}, added.* FROM moved, unnest(${arrays.join(', ')}) AS added`
}

function deleteTexts(text: StatementText, log: string, { objects, pending, tailStart }: HeadSwap): string[] {
  const deletions: string[] = []
  if (objects.length > 0) {
    deletions.push(
      `DELETE FROM tail_segments WHERE log = ${log} AND first + entry_count <= ${text.value(tailStart, 'bigint')} AND EXISTS (SELECT FROM moved)`,
    )
  }
  if (pending.length > 0) {
    deletions.push(
      `DELETE FROM pending_entries WHERE log = ${log} AND number = ANY(${text.value(pending, 'bigint[]')}) AND EXISTS (SELECT FROM moved)`,
    )
  }
  return deletions
}
