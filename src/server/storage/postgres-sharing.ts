/** How processes share the logs of a PostgreSQL database: one leads by an advisory lock, all hear of each other by NOTIFY. */
import { CountersignError, messageOf } from '../../error.ts'
import type { HeadSharing, HeadStore, NumberedEntry } from './head-store.ts'
import type { PostgresChannel } from './postgres-channel.ts'
import { notificationChannel } from './postgres-channel.ts'
import type { PendingEntriesTable, QueryBuilder } from './schema.ts'
import type { SqlDatabase, SqlQuery } from './sql-database.ts'
import { stepOf } from './sql-database.ts'

/** Sizes are known without the bytes being read. */
const pendingText = `SELECT log, number, identity, leaf, timestamp_at, extra FROM (
    SELECT *, row_number() OVER (ORDER BY number) AS place, sum(octet_length(leaf) + octet_length(extra)) OVER (ORDER BY number) AS bytes
    FROM (SELECT * FROM pending_entries WHERE log = $1 ORDER BY number LIMIT $2) AS longest
  ) AS sized WHERE place = 1 OR bytes <= $3 ORDER BY number`

/** Makes the handle. @param takeEpoch gives whoever leads a log the next epoch of it */
export function createPostgresSharing(
  database: SqlDatabase,
  query: QueryBuilder,
  channel: PostgresChannel,
  takeEpoch: HeadStore['takeEpoch'],
): HeadSharing {
  return {
    lead: async (logId) => {
      const lock = await lockFor(channel, logId)
      if (lock === undefined) return undefined
      try {
        return { ...lock, epoch: await takeEpoch(logId) }
      } catch (error) {
        await lock.release()
        throw error
      }
    },
    submit: async (log, entries) => {
      const rows = entries.map(({ identity, leaf, timestampAt, extra }) => [log, identity, leaf, BigInt(timestampAt ?? -1), extra])
      const columns = ['log', 'identity', 'leaf', 'timestamp_at', 'extra']
      await database.transact([{ table: 'pending_entries', columns, rows, ignoreConflicts: true }, stepOf(notification(log, 'pending'))])
    },
    pending: async (log, limit, maxBytes) => {
      const rows = await database.rows<PendingEntriesTable & { number: bigint }>({ sql: pendingText, parameters: [log, limit, maxBytes] })
      return rows.map(numberedEntryOf)
    },
    withdraw: async (log, numbers) => {
      await database.transact([stepOf(query.deleteFrom('pending_entries').where('log', '=', log).where('number', 'in', numbers).compile())])
      // Whoever handed them over may look for them now.
      await database.rows(notification(log, 'head'))
    },
    watch: (logId, listener) =>
      channel.listen((payload) => {
        if (payload === `head ${logId}`) listener('head')
        if (payload === `pending ${logId}`) listener('pending')
      }),
  }
}

/** What tells all processes that the log changed. */
function notification(logId: string, what: 'head' | 'pending'): SqlQuery {
  return { sql: 'SELECT pg_notify($1, $2)', parameters: [notificationChannel, `${what} ${logId}`] }
}

async function lockFor(channel: PostgresChannel, logId: string) {
  try {
    return await channel.tryLock(logId)
  } catch (cause) {
    throw new CountersignError('STORAGE_FAILED', `the lock of the log ${logId} cannot be asked for: ${messageOf(cause)}`, { cause })
  }
}

function numberedEntryOf({ number, identity, leaf, timestamp_at, extra }: PendingEntriesTable & { number: bigint }): NumberedEntry {
  return { number, identity, leaf, timestampAt: timestamp_at < 0n ? undefined : Number(timestamp_at), extra }
}
