/** A worker thread that has a SQLite connection: syncing to disk holds up nobody but those who wait for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { CountersignError } from '../../error.ts'
import { openSqliteConnection } from './sqlite-connection.ts'
import type { SqliteAnswer, SqliteRequest } from './sqlite-messages.ts'
import { largeBlobs } from './sqlite-messages.ts'

const connection = openSqliteConnection((workerData as { readonly file: string }).file)
parentPort?.on('message', ({ id, call }: SqliteRequest) => {
  const answer = answerTo(id, call)
  parentPort?.postMessage(answer, largeBlobs(answer))
  if (call.method === 'close') parentPort?.close()
})

function answerTo(id: number, call: SqliteRequest['call']): SqliteAnswer {
  try {
    return { id, result: carryOut(call) }
  } catch (error) {
    const { code, message } = error instanceof CountersignError ? error : new CountersignError('STORAGE_FAILED', String(error))
    return { id, error: { code, message } }
  }
}

function carryOut(call: SqliteRequest['call']): unknown {
  switch (call.method) {
    case 'rows':
      return connection.rows(call.query)
    case 'snapshot':
      return connection.snapshot(call.queries)
    case 'transact':
      return connection.transact(call.steps)
    case 'close':
      return connection.close()
  }
}
