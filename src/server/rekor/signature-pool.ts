/** Worker threads that check signatures, so that the thread which answers requests has its time for that. */
import { Worker } from 'node:worker_threads'
import { CountersignError } from '../../error.ts'
import { workerFile } from '../worker-file.ts'
import type { SignatureAnswer, SignatureCheck, SignatureChecker, SignatureRequest } from './signature-check.ts'
import { checkSignature } from './signature-check.ts'

export interface SignaturePoolOptions {
  /** The JavaScript file that `signature-worker.ts` was built to; by default where the build puts it. */
  readonly file?: string
  /**
   * Threads: as many as there are cores, less the one that answers requests, and at least one. Measured on two cores with 64 clients on
   * them: 1,650 entries/s without threads, 2,360 with one, 2,110 with two; 2.6 ms at the median for one client in all three.
   */
  readonly size: number
  /** Checks that may wait; further ones are refused. Default 4096. */
  readonly maxWaiting?: number
  /** Told of a thread that failed. */
  readonly onError?: (error: unknown) => void
}

export interface SignaturePool {
  readonly check: SignatureChecker
  /** Ends the threads. Checks that wait are made in this thread. */
  close(): Promise<void>
}

const defaultMaxWaiting = 4096

interface Waiting {
  readonly check: SignatureCheck
  readonly resolve: (isValid: boolean | Promise<boolean>) => void
}

/** A pool, whose threads start with the first check. A thread that cannot be started, or ends, leaves its work to this one. */
export function createSignaturePool(options: SignaturePoolOptions): SignaturePool {
  const { maxWaiting = defaultMaxWaiting } = options
  let threads: readonly SignatureThread[] | undefined
  let isClosed = false

  function startThreads(): readonly SignatureThread[] {
    try {
      const file = options.file ?? workerFile('signature-worker')
      return Array.from({ length: options.size }, () => new SignatureThread(file, dismiss))
    } catch (error) {
      options.onError?.(error)
      return []
    }
  }

  function dismiss(thread: SignatureThread, error: unknown): void {
    threads = threads?.filter((other) => other !== thread)
    if (error !== undefined) options.onError?.(error)
  }

  return {
    check(check) {
      threads ??= isClosed ? [] : startThreads()
      const thread = leastBusy(threads)
      if (thread === undefined) return checkSignature(check)
      if (threads.reduce((sum, { waiting }) => sum + waiting, 0) >= maxWaiting)
        throw new CountersignError('LOG_OVERLOADED', `${maxWaiting} signatures wait to be checked`)
      return thread.check(check)
    },
    async close() {
      isClosed = true
      await Promise.all(threads?.map(async (thread) => thread.close()) ?? [])
    },
  }
}

function leastBusy(threads: readonly SignatureThread[]): SignatureThread | undefined {
  let found: SignatureThread | undefined
  for (const thread of threads) if (found === undefined || thread.waiting < found.waiting) found = thread
  return found
}

class SignatureThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #dismiss: (thread: SignatureThread, error: unknown) => void
  #lastId = 0

  constructor(file: string, dismiss: (thread: SignatureThread, error: unknown) => void) {
    this.#dismiss = dismiss
    this.#worker = new Worker(file)
    this.#worker.unref()
    this.#worker.on('message', (answer: SignatureAnswer) => {
      this.#take(answer)
    })
    this.#worker.on('error', (error) => {
      this.#end(error)
    })
    this.#worker.on('exit', () => {
      this.#end(undefined)
    })
  }

  get waiting(): number {
    return this.#waiting.size
  }

  async check(check: SignatureCheck): Promise<boolean> {
    const request: SignatureRequest = { id: ++this.#lastId, check }
    return new Promise((resolve) => {
      this.#waiting.set(request.id, { check, resolve })
      this.#worker.postMessage(request, [])
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #take({ id, isValid }: SignatureAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.resolve(isValid ?? repeat(waiting.check))
  }

  #end(error: unknown): void {
    this.#dismiss(this, error)
    for (const { check, resolve } of this.#waiting.values()) resolve(repeat(check))
    this.#waiting.clear()
  }
}

/** What went wrong elsewhere is tried here, where an error reaches the one who asked. */
async function repeat(check: SignatureCheck): Promise<boolean> {
  return checkSignature(check)
}
