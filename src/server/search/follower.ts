/**
 * Follows logs into the search index. The index is derived: a follower that stops, or an index that is lost, takes nothing from the
 * logs and catches up from where it was.
 */
import { termsOfEntry } from '../../bundle/log-entry-terms.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import type { IndexedEntry, TermIndex } from '../storage/term-index.ts'
import type { LoggedEntry, TileLog } from '../tile-log/log.ts'
import { giveWay } from './give-way.ts'
import { maxTermsAtOnce, portionsOf } from './portions.ts'

export interface FollowerOptions {
  readonly logs: readonly TileLog[]
  readonly terms: TermIndex
  /** How often it looks for entries that others added; default one second. */
  readonly intervalMs?: number
  /** How long it waits after `wake` before it looks, so that a batch, which is one write, has many entries; default 200 ms. */
  readonly delayMs?: number
  /** Told of entries that cannot be read, which have no terms then, and of storage that fails, which is tried again. */
  readonly onError?: (error: unknown) => void
}

export interface Follower {
  /** Starts following. */
  start(): void
  /** Says that entries were added. */
  wake(): void
  /** Indexes what the logs have by now. @throws CountersignError when log or index fail */
  catchUp(): Promise<void>
  /** Indexes a log anew, from its first entry. @throws CountersignError NOT_FOUND when it follows no such log */
  rebuild(logId: string): Promise<void>
  /** Stops after the batch that it is at. */
  close(): Promise<void>
}

/** Entries that are indexed together: those of an entry bundle. */
const batchSize = 256
/** Of those, as many are read at once: beside each up to 1 MiB is kept. */
const readAtOnce = 32
/** Reading so many bytes takes a while. */
const largeExtra = 16 * 1024

/** A follower, which does nothing before it is started or asked. */
export function createFollower(options: FollowerOptions): Follower {
  const { logs, terms, intervalMs = 1000, delayMs = 200 } = options
  let timer: NodeJS.Timeout | undefined
  let isStarted = false
  const closing = new AbortController()
  let isWoken = false
  // One round after another: two would index the same entries.
  let running: Promise<void> = Promise.resolve()

  async function round(): Promise<void> {
    for (const log of logs) await follow(log)
  }

  async function follow(log: TileLog): Promise<void> {
    let position = await terms.position(log.id)
    while (!closing.signal.aborted) {
      const indexed = await readBatch(log, position)
      if (indexed.length === 0) return
      position += BigInt(indexed.length)
      for (const portion of portionsOf(indexed, position)) {
        await terms.add(log.id, portion.entries, portion.position)
        // Those who add entries come first.
        await giveWay()
      }
    }
  }

  /** The terms of the next entries: of a whole batch, or of fewer that have many. */
  async function readBatch(log: TileLog, start: bigint): Promise<IndexedEntry[]> {
    const indexed: IndexedEntry[] = []
    let count = 0
    while (indexed.length < batchSize && count < maxTermsAtOnce) {
      const entries = await log.entries(start + BigInt(indexed.length), readAtOnce)
      if (entries.length === 0) break
      for (const entry of entries) {
        const one = indexEntry(log, entry)
        indexed.push(one)
        count += one.terms.length
        if (entry.extra.length > largeExtra) await giveWay()
      }
    }
    return indexed
  }

  function indexEntry(log: TileLog, { index, leaf, extra }: LoggedEntry): IndexedEntry {
    try {
      return { index, terms: termsOfEntry(leaf, extra) }
    } catch (cause) {
      if (!(cause instanceof DecodingError)) throw cause
      // It was logged, so it stays: it is found by its index alone.
      options.onError?.(
        new CountersignError(cause.code, `the entry ${index} of ${log.id} has no search terms: ${cause.message}`, { cause }),
      )
      return { index, terms: [] }
    }
  }

  async function enqueue(work: () => Promise<void>): Promise<void> {
    const done = running.then(work)
    running = done.catch(() => undefined)
    return done
  }

  function schedule(ms: number): void {
    clearTimeout(timer)
    if (closing.signal.aborted || !isStarted) return
    timer = setTimeout(() => {
      isWoken = false
      void enqueue(round)
        .catch((error: unknown) => options.onError?.(error))
        .finally(() => {
          schedule(isWoken ? delayMs : intervalMs)
        })
    }, ms)
    timer.unref()
  }

  return {
    start() {
      isStarted = true
      schedule(0)
    },
    wake() {
      if (isWoken) return
      isWoken = true
      schedule(delayMs)
    },
    catchUp: async () => enqueue(round),
    async rebuild(logId) {
      const log = logs.find(({ id }) => id === logId)
      if (log === undefined) throw new CountersignError('NOT_FOUND', `no log ${logId} is followed`)
      return enqueue(async () => {
        await terms.reset(log.id)
        await follow(log)
      })
    },
    async close() {
      closing.abort()
      clearTimeout(timer)
      await running
    },
  }
}
