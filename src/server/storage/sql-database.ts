/** What the storage needs of a database that speaks SQL: queries, and transactions that are known whole before they start. */

/** What a column holds, on every database: integers are bigint, blobs are Uint8Array. */
export type SqlValue = string | bigint | number | Uint8Array | null

/** A statement with its parameters. Kysely's compiled queries are such. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** A statement that changes rows, carried out once for each list of parameters. */
export interface SqlStep {
  readonly sql: string
  readonly rows: readonly (readonly SqlValue[])[]
  /** The whole transaction is rolled back when this step changes no row. */
  readonly mustChange?: boolean
}

/** Steps that all happen or none, and how many rows each of them changed. */
export type SqlTransaction = readonly SqlStep[]

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
  transact(steps: SqlTransaction): Promise<number[] | undefined>
  close(): Promise<void>
}

/** One step from a query that was compiled. */
export function stepOf(query: SqlQuery, options?: { readonly mustChange: boolean }): SqlStep {
  return { sql: query.sql, rows: [query.parameters as readonly SqlValue[]], ...options }
}
