/** What the storage needs of a database that speaks SQL: queries, and transactions that are known whole before they start. */

/** What a column holds, on every database: integers are bigint, blobs are Uint8Array. */
export type SqlValue = string | bigint | Uint8Array | null

/** A statement with its parameters. Kysely's compiled queries are such. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** A statement that changes rows. */
export interface SqlChange extends SqlQuery {
  /** The whole transaction is rolled back when this changes no row. */
  readonly mustChange?: boolean
}

/** Rows for one table. */
export interface SqlInsert {
  readonly table: string
  readonly columns: readonly string[]
  /** Values in the order of the columns; none of them null. */
  readonly rows: readonly (readonly SqlValue[])[]
  /** Leaves rows alone that are there, instead of failing. */
  readonly ignoreConflicts?: boolean
}

export type SqlStep = SqlChange | SqlInsert

export interface SqlDatabase {
  readonly dialect: 'sqlite' | 'postgres'
  /** @throws CountersignError STORAGE_FAILED */
  rows<Row>(query: SqlQuery): Promise<Row[]>
  /** The rows of each query, all as of one instant. @throws CountersignError STORAGE_FAILED */
  snapshot(queries: readonly SqlQuery[]): Promise<unknown[][]>
  /**
   * Carries out the steps in order. What they changed is durable when this resolves.
   * @returns the number of rows that each step changed; undefined when a step that must change something did not, and so nothing was changed
   * @throws CountersignError STORAGE_FAILED; whether the transaction was committed is then unknown
   */
  transact(steps: readonly SqlStep[]): Promise<number[] | undefined>
  close(): Promise<void>
}

/** A query as a step. */
export function stepOf({ sql, parameters }: SqlQuery, options?: { readonly mustChange: boolean }): SqlChange {
  return { sql, parameters, ...options }
}
