/** What the main thread and the thread with the SQLite connection say to each other. */
import type { ErrorCode } from '../../error.ts'
import type { SqlQuery, SqlStep } from './sql-database.ts'

export type SqliteCall =
  | { readonly method: 'rows'; readonly query: SqlQuery }
  | { readonly method: 'snapshot'; readonly queries: readonly SqlQuery[] }
  | { readonly method: 'transact'; readonly steps: readonly SqlStep[] }
  | { readonly method: 'close' }

export interface SqliteRequest {
  readonly id: number
  readonly call: SqliteCall
}

export interface SqliteAnswer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly code: ErrorCode; readonly message: string }
}

const largeBlob = 16 * 1024

/** The blobs of an answer with rows that are worth handing over instead of copying. */
export function largeBlobs({ result }: SqliteAnswer): ArrayBuffer[] {
  if (!Array.isArray(result)) return []
  const values = result.flatMap((row: unknown) => (typeof row === 'object' && row !== null ? Object.values(row) : []))
  return values.flatMap((value: unknown) =>
    value instanceof Uint8Array && value.length >= largeBlob && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  )
}
