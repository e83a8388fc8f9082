/** A worker thread: does what the main thread hands over (`threads/thread-pool.ts`). */
import { parentPort } from 'node:worker_threads'
import { guardedSigningTask } from './threads/guarded-signing.ts'
import { serveTasks } from './threads/serve-tasks.ts'
import { checkTask } from './threads/signature-check.ts'
import { signingTask } from './threads/signing.ts'
import { stampingTask } from './tsa/stamping.ts'

if (parentPort !== null) serveTasks(parentPort, [checkTask, signingTask, guardedSigningTask, stampingTask])
