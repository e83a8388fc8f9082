/** The search index in an SQL database. */
import { UsageError } from '../../error.ts'
import type { QueryBuilder, TermPositionsTable, TermsTable } from './schema.ts'
import type { SqlDatabase } from './sql-database.ts'
import { stepOf } from './sql-database.ts'
import type { TermIndex } from './term-index.ts'

const maxTermSize = 512

export function createTermIndex(database: SqlDatabase, query: QueryBuilder): TermIndex {
  return {
    position: async (log) => {
      const [row] = await database.rows<TermPositionsTable>(query.selectFrom('term_positions').selectAll().where('log', '=', log).compile())
      return row?.position ?? 0n
    },
    add: async (log, entries, position) => {
      const move = query
        .insertInto('term_positions')
        .values({ log, position })
        .onConflict((conflict) => conflict.column('log').doUpdateSet({ position }))
      const rows = entries.flatMap(({ index, terms }) => terms.map((term) => [log, checkedTerm(term), index]))
      await database.transact([{ table: 'terms', columns: ['log', 'term', 'idx'], rows, ignoreConflicts: true }, stepOf(move.compile())])
    },
    find: async (log, term, limit) => {
      const newest = query
        .selectFrom('terms')
        .select('idx')
        .where('log', '=', log)
        .where('term', '=', term)
        .orderBy('idx', 'desc')
        .limit(limit)
      const rows = await database.rows<Pick<TermsTable, 'idx'>>(newest.compile())
      return rows.map(({ idx }) => idx)
    },
    reset: async (log) => {
      await database.transact([
        stepOf(query.deleteFrom('terms').where('log', '=', log).compile()),
        stepOf(query.deleteFrom('term_positions').where('log', '=', log).compile()),
      ])
    },
  }
}

function checkedTerm(term: string): string {
  const size = Buffer.byteLength(term)
  if (size > maxTermSize) throw new UsageError('USAGE', `a search term has at most ${maxTermSize} bytes, found ${size}`)
  return term
}
