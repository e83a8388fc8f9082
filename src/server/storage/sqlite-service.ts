/** Answers the main thread's requests to a SQLite connection. */
import type { MessagePort } from 'node:worker_threads'
import { CountersignError } from '../../error.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import type { SqliteAnswer, SqliteCall, SqliteRequest } from './sqlite-messages.ts'
import { largeBlobs } from './sqlite-messages.ts'

/** Serves until it is asked to close. */
export function serveSqlite(port: MessagePort, connection: SqliteConnection): void {
  port.on('message', ({ id, call }: SqliteRequest) => {
    const answer = answerTo(connection, id, call)
    port.postMessage(answer, largeBlobs(answer))
    if (call.method === 'close') port.close()
  })
}

function answerTo(connection: SqliteConnection, id: number, call: SqliteCall): SqliteAnswer {
  try {
    return { id, result: carryOut(connection, call) }
  } catch (error) {
    const { code, message } = error instanceof CountersignError ? error : new CountersignError('STORAGE_FAILED', String(error))
    return { id, error: { code, message } }
  }
}

function carryOut(connection: SqliteConnection, call: SqliteCall): unknown {
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
