/** The head store on PostgreSQL. */
import type { HeadStore } from './head-store.ts'
import type { PostgresChannel } from './postgres-channel.ts'
import { createPostgresSharing } from './postgres-sharing.ts'
import { postgresSwap } from './postgres-swap.ts'
import type { QueryBuilder } from './schema.ts'
import type { SqlDatabase } from './sql-database.ts'
import { createHeadStore, takeEpoch } from './sql-heads.ts'

export function createPostgresHeadStore(database: SqlDatabase, query: QueryBuilder, channel: PostgresChannel): HeadStore {
  return createHeadStore(database, query, {
    sharing: createPostgresSharing(database, query, channel, (logId) => takeEpoch(database, query, logId)),
    swap: async (logId, swap) => {
      const moved = await database.rows(postgresSwap(logId, swap))
      return moved.length === 1
    },
  })
}
