/** SQLite as the storage uses it: in memory on this thread, a file on a thread of its own. */
import { Worker } from 'node:worker_threads'
import { CountersignError, messageOf, systemCode } from '../../error.ts'
import { workerFile } from '../worker-file.ts'
import type { SqlDatabase } from './sql-database.ts'
import type { SqliteAnswer, SqliteCall, SqliteRequest } from './sqlite-messages.ts'

/** Opens a database that is forgotten when it is closed. */
export async function openMemoryDatabase(): Promise<SqlDatabase> {
  const { openSqliteConnection } = await import('./sqlite-connection.ts')
  const connection = openSqliteConnection(':memory:')
  return {
    dialect: 'sqlite',
    rows: async <Row>(query: Parameters<typeof connection.rows>[0]) => connection.rows(query) as Row[],
    snapshot: async (queries) => connection.snapshot(queries),
    transact: async (steps) => connection.transact(steps),
    close: async () => connection.close(),
  }
}

/** How a database file is opened. */
export interface FileDatabaseOptions {
  /** The file of the thread that has the connection, in place of the program's own. */
  readonly worker?: string | undefined
  /** Whether only one process may open it so at a time. */
  readonly isSole?: boolean | undefined
}

/**
 * Opens a database file, creating it when there is none.
 * @throws CountersignError STORAGE_FAILED
 */
export async function openFileDatabase(file: string, { worker, isSole = false }: FileDatabaseOptions = {}): Promise<SqlDatabase> {
  const thread = new DatabaseThread(worker ?? workerFile('sqlite-worker'), { file, isSole })
  // The first answer says whether it could be opened.
  await thread.ask({ method: 'rows', query: { sql: 'SELECT 1', parameters: [] } })
  return {
    dialect: 'sqlite',
    rows: (query) => thread.ask({ method: 'rows', query }),
    snapshot: (queries) => thread.ask({ method: 'snapshot', queries }),
    transact: (steps) => thread.ask({ method: 'transact', steps }),
    close: () => thread.close(),
  }
}

interface Asked {
  readonly resolve: (result: never) => void
  readonly reject: (reason: unknown) => void
}

class DatabaseThread {
  readonly #worker: Worker
  readonly #asked = new Map<number, Asked>()
  #lastId = 0
  #failure: CountersignError | undefined

  constructor(worker: string, workerData: { readonly file: string; readonly isSole: boolean }) {
    this.#worker = new Worker(worker, { workerData })
    this.#worker.on('message', (answer: SqliteAnswer) => this.#take(answer))
    this.#worker.on('error', (cause) => this.#fail(messageOf(cause), cause))
    this.#worker.on('exit', () => this.#fail('it is closed'))
  }

  /** The type of the result is that of the method. */
  ask<Result>(call: SqliteCall): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      const request: SqliteRequest = { id: ++this.#lastId, call }
      this.#asked.set(request.id, { resolve, reject })
      this.#worker.postMessage(request, [])
    })
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return
    const ended = new Promise((resolve) => {
      this.#worker.once('exit', resolve)
    })
    await this.ask({ method: 'close' })
    await ended
  }

  #take({ id, result, error }: SqliteAnswer): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (error === undefined) asked?.resolve(result as never)
    else asked?.reject(new CountersignError(error.code, error.message))
  }

  #fail(reason: string, cause?: unknown): void {
    // What it was opened with is a sentence already; its class does not come out of the thread.
    const message = systemCode(cause) === 'STORAGE_FAILED' ? reason : `the database cannot be used: ${reason}`
    this.#failure ??= new CountersignError('STORAGE_FAILED', message, { cause })
    for (const { reject } of this.#asked.values()) reject(this.#failure)
    this.#asked.clear()
  }
}
