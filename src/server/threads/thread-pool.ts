/**
 * Threads that work, so that the one which answers requests has its time for that. Both draw on one queue: while the threads have as much
 * as they take, the main thread does a piece whenever it has nothing else to do, so that no core is idle.
 */
import { CountersignError } from '../../error.ts'
import { workerFile } from '../worker-file.ts'
import type { OpenTask, OpenedTask } from './task.ts'
import type { Piece } from './task-thread.ts'
import { TaskThread, repeat } from './task-thread.ts'

export interface ThreadPoolOptions {
  /** The JavaScript file that `worker.ts` was built to; by default where the build puts it. */
  readonly file?: string
  /** Threads: as many as there are cores, less the one that answers requests, and at least one. */
  readonly size: number
  /** Pieces of work that may wait; further ones are refused. Default 4096. */
  readonly maxWaiting?: number
  /** Told of a thread that failed. */
  readonly onError?: (error: unknown) => void
}

export interface ThreadPool {
  readonly open: OpenTask
  /** Ends the threads. Work that waits is done in this one. */
  close(): Promise<void>
}

const defaultMaxWaiting = 4096
/** Pieces of a batch: enough to make the message cheap, few enough to leave some for the others. */
const maxBatch = 16

/** A pool, whose threads start with the first piece of work. A thread that cannot be started, or ends, leaves its work to this one. */
export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const { maxWaiting = defaultMaxWaiting } = options
  const opened: OpenedTask<unknown>[] = []
  let threads: readonly TaskThread[] | undefined
  let queue: Piece[] = []
  /** Pieces that were given to threads and not answered. */
  const given = (): number => threads?.reduce((sum, thread) => sum + thread.given, 0) ?? 0
  let isClosed = false
  let isHelping = false

  const startThreads = (): readonly TaskThread[] => {
    try {
      const file = options.file ?? workerFile('worker')
      const started = Array.from({ length: options.size }, () => new TaskThread(file, { onAnswer: hand, onEnd: dismiss }))
      for (const thread of started) for (const [number, task] of opened.entries()) thread.open(number, task)
      return started
    } catch (error) {
      options.onError?.(error)
      return []
    }
  }
  const dismiss = (ended: TaskThread, left: readonly Piece[], error: unknown): void => {
    threads = threads?.filter((thread) => thread !== ended)
    if (error !== undefined) options.onError?.(error)
    const orphans = threads === undefined || threads.length > 0 ? left : [...left, ...queue.splice(0)]
    for (const piece of orphans) piece.resolve(repeat(piece))
  }
  /** Hands out what waits: what came in together goes out together. */
  const hand = (): void => {
    for (let free = withRoom(); queue.length > 0 && free.length > 0; free = withRoom()) {
      for (const [at, thread] of free.entries()) {
        const share = Math.ceil(queue.length / (free.length - at))
        if (share > 0) thread.send(queue.splice(0, Math.min(share, maxBatch)))
      }
    }
    if (queue.length > 0 && !isHelping) {
      isHelping = true
      setImmediate(help)
    }
  }
  const withRoom = (): readonly TaskThread[] => threads?.filter(({ hasRoom }) => hasRoom) ?? []
  const help = (): void => {
    isHelping = false
    const piece = queue.shift()
    piece?.resolve(repeat(piece))
    hand()
  }
  const add = (task: number, here: Piece['here'], input: Uint8Array): Promise<Uint8Array> => {
    if (queue.length + given() >= maxWaiting)
      throw new CountersignError('LOG_OVERLOADED', `${maxWaiting} signatures wait to be made or checked`)
    return new Promise((resolve) => {
      if (queue.push({ task, here, input, resolve }) === 1) setImmediate(hand)
    })
  }
  return {
    open: (task) => {
      const number = opened.push(task as OpenedTask<unknown>) - 1
      for (const thread of threads ?? []) thread.open(number, task)
      return (input) => {
        threads ??= isClosed ? [] : startThreads()
        return threads.length === 0 ? task.here(input) : add(number, task.here, input)
      }
    },
    close: async () => {
      isClosed = true
      const left = queue
      queue = []
      for (const piece of left) piece.resolve(repeat(piece))
      await Promise.all(threads?.map((thread) => thread.close()) ?? [])
      threads = []
    },
  }
}
