/** Worker threads that check signatures, so that the thread which answers requests has its time for that. */
import { Worker } from 'node:worker_threads'
import type { PublicKey } from '../../crypto/public-key.ts'
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
/** Checks that wait for the least busy thread from which on the main thread makes some itself, and which part of them. */
const helpAbove = 16
const helpEvery = 4

interface Waiting {
  readonly check: SignatureCheck
  readonly resolve: (isValid: boolean | Promise<boolean>) => void
}

/** A pool, whose threads start with the first check. A thread that cannot be started, or ends, leaves its work to this one. */
export function createSignaturePool(options: SignaturePoolOptions): SignaturePool {
  const { maxWaiting = defaultMaxWaiting } = options
  let threads: readonly SignatureThread[] | undefined
  let isClosed = false
  let helped = 0

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
      // Where the threads are behind, this one helps, one check for each of theirs or so: otherwise it would only wait for them.
      if (thread.waiting >= helpAbove && helped++ % helpEvery === 0) return checkSignature(check)
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
  /** Those that were sent, by the number of their batch. */
  readonly #sent = new Map<number, readonly Waiting[]>()
  readonly #dismiss: (thread: SignatureThread, error: unknown) => void
  #collected: Waiting[] = []
  #waiting = 0
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
    return this.#waiting
  }

  async check(check: SignatureCheck): Promise<boolean> {
    this.#waiting++
    return new Promise((resolve) => {
      this.#collected.push({ check, resolve })
      // What came in together goes out together.
      if (this.#collected.length === 1) setImmediate(() => this.#send())
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #send(): void {
    const batch = this.#collected
    if (batch.length === 0) return
    this.#collected = []
    const request: SignatureRequest = { id: ++this.#lastId, checks: batch.map(({ check }) => ownBytes(check)) }
    this.#sent.set(request.id, batch)
    this.#worker.postMessage(request, [])
  }

  #take({ id, isValid }: SignatureAnswer): void {
    const batch = this.#sent.get(id) ?? []
    this.#sent.delete(id)
    this.#waiting -= batch.length
    for (const [at, { check, resolve }] of batch.entries()) resolve(isValid[at] ?? repeat(check))
  }

  #end(error: unknown): void {
    this.#dismiss(this, error)
    const left = [...[...this.#sent.values()].flat(), ...this.#collected]
    this.#sent.clear()
    this.#collected = []
    this.#waiting = 0
    for (const { check, resolve } of left) resolve(repeat(check))
  }
}

/** A view of bytes takes all that it is a view of along to another thread: a whole request, or the pool of small buffers. */
function ownBytes({ key, algorithm, signature, over }: SignatureCheck): SignatureCheck {
  return {
    key: ownKey(key),
    algorithm,
    signature: Uint8Array.from(signature),
    over: { kind: over.kind, bytes: Uint8Array.from(over.bytes) },
  }
}

function ownKey(key: PublicKey): PublicKey {
  const spki = Uint8Array.from(key.spki)
  return key.kind === 'rsa' ? { ...key, spki, pkcs1: Uint8Array.from(key.pkcs1) } : { ...key, spki, point: Uint8Array.from(key.point) }
}

/** What went wrong elsewhere is tried here, where an error reaches the one who asked. */
async function repeat(check: SignatureCheck): Promise<boolean> {
  return checkSignature(check)
}
