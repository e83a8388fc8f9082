/** A worker thread that has a SQLite connection: syncing to disk holds up nobody but those who wait for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteConnection } from './sqlite-connection.ts'
import { serveSqlite } from './sqlite-service.ts'

const { file } = workerData as { readonly file: string }
if (parentPort !== null) serveSqlite(parentPort, openSqliteConnection(file))
