/** The thread with the SQLite connection, of a process that ends itself at a step of a transaction. */
import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteConnection } from '../../../src/server/storage/sqlite-connection.ts'
import { serveSqlite } from '../../../src/server/storage/sqlite-service.ts'
import { addingOptions, crashCounter } from './crash-log.ts'

const { file } = workerData as { readonly file: string }
if (parentPort !== null) serveSqlite(parentPort, openSqliteConnection(file, crashCounter(addingOptions().crash)))
