/** A worker thread that has a SQLite connection: syncing to disk holds up nobody but those who wait for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteConnection } from './sqlite-connection.ts'
import { becomeSoleProcess } from './sole-process.ts'
import { serveSqlite } from './sqlite-service.ts'

const { file, isSole } = workerData as { readonly file: string; readonly isSole: boolean }
// Before anything is changed: migrations too are for one at a time.
const letGo = isSole ? becomeSoleProcess(file) : () => {}
if (parentPort !== null) serveSqlite(parentPort, openSqliteConnection(file))
parentPort?.once('close', letGo)
