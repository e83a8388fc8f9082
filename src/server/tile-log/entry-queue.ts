/**
 * The entries that wait for a batch. While a batch is made durable, the next one collects; nobody waits for a timer when
 * as many entries as the last time are there.
 */
import { CountersignError, messageOf } from '../../error.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { identityOf } from './batch.ts'
import type { AddedEntry, NewEntry } from './log.ts'

/** How entries are collected. */
export interface BatchOptions {
  /** How long a batch waits for as many entries as the last one had, in milliseconds. */
  readonly collectMs: number
  /** Entries in a batch. */
  readonly maxEntries: number
  /** Bytes of the entries in a batch, with what is kept beside them. One entry may have more. */
  readonly maxBytes: number
  /** Entries that may wait; further ones are refused with LOG_OVERLOADED. */
  readonly maxWaiting: number
  /** Bytes that may wait. */
  readonly maxWaitingBytes: number
}

/** An entry and who waits for it. It is settled once; what comes later changes nothing. */
export interface Waiter {
  readonly entry: NewEntry
  readonly identity: Uint8Array
  /** The identity in hexadecimal. */
  readonly key: string
  /** Bytes of the entry, with what is kept beside it. */
  readonly size: number
  /** Whether nobody waits any more. */
  readonly isSettled: () => boolean
  readonly resolve: (added: AddedEntry) => void
  readonly reject: (reason: unknown) => void
}

/** Sees to a batch: settles its waiters, or throws and leaves those that are unsettled to be rejected. */
export type ProcessBatch = (waiters: readonly Waiter[]) => Promise<void>

export class EntryQueue {
  readonly #logId: string
  readonly #options: BatchOptions
  readonly #process: ProcessBatch
  #waiting: Waiter[] = []
  #waitingBytes = 0
  #running: Promise<void> | undefined
  #isWoken = false
  #isClosed = false
  /** Entries that the next batch is likely to have: whoever was just answered comes again. */
  #expected = 1

  constructor(logId: string, options: BatchOptions, process: ProcessBatch) {
    this.#logId = logId
    this.#options = options
    this.#process = process
  }

  /** Entries that wait for a batch. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** As `TileLog.add`. An entry whose signal is aborted before its batch starts is not logged. */
  async add(entry: NewEntry, signal?: AbortSignal): Promise<AddedEntry> {
    const { maxWaiting, maxWaitingBytes } = this.#options
    // To its clients it is no frozen log: another front end, or this one after its restart, takes the entry.
    if (this.#isClosed) throw new CountersignError('LOG_OVERLOADED', `the log ${this.#logId} is closing: try again in a moment`)
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes >= maxWaitingBytes) throw tooManyWait(this.#logId, this.#waiting.length)
    if (signal?.aborted === true) throw aborted(signal)
    const identity = identityOf(entry)
    return new Promise((resolve, reject) => {
      const waiter = createWaiter(entry, identity, signal, resolve, reject)
      this.#waiting.push(waiter)
      this.#waitingBytes += waiter.size
      this.#running ??= this.#run()
    })
  }

  /** Has a batch processed even if nothing waits here. */
  wake(): void {
    this.#isWoken = true
    if (!this.#isClosed) this.#running ??= this.#run()
  }

  /** Takes nothing more; resolves when everything that waits is settled. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  /** The next batch: one that takes the storage no longer than others have patience for. */
  #takeBatch(): Waiter[] {
    const { maxEntries, maxBytes } = this.#options
    let count = 0
    let bytes = 0
    for (const { size } of this.#waiting) {
      if (count === maxEntries || (count > 0 && bytes + size > maxBytes)) break
      count++
      bytes += size
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #run(): Promise<void> {
    const { collectMs } = this.#options
    await turn()
    while (this.#waiting.length > 0 || this.#isWoken) {
      if (this.#waiting.length < this.#expected && !this.#isWoken && !this.#isClosed) await delay(collectMs)
      this.#isWoken = false
      const waiters = this.#takeBatch().filter((waiter) => !waiter.isSettled())
      this.#expected = waiters.length
      try {
        await this.#process(waiters)
      } catch (error) {
        for (const waiter of waiters) waiter.reject(error)
      }
      // Those who were just answered come again before the next batch starts.
      await turn()
    }
    this.#running = undefined
  }
}

/** The error for an entry that finds so many before it. */
export function tooManyWait(logId: string, waiting: number): CountersignError {
  return new CountersignError('LOG_OVERLOADED', `${waiting} entries wait for the log ${logId} already: try again in a second`)
}

/** Of a leaf that names its place, which is a certificate, what is kept beside it tells enough. */
function sizeOf({ leaf, extra }: NewEntry): number {
  return (typeof leaf === 'function' ? 0 : leaf.length) + (extra?.length ?? 0)
}

function createWaiter(
  entry: NewEntry,
  identity: Uint8Array,
  signal: AbortSignal | undefined,
  resolve: (added: AddedEntry) => void,
  reject: (reason: unknown) => void,
): Waiter {
  let isSettled = false
  const onAbort = () => {
    if (signal !== undefined) settle(() => reject(aborted(signal)))
  }
  const settle = (how: () => void) => {
    if (isSettled) return
    isSettled = true
    signal?.removeEventListener('abort', onAbort)
    how()
  }
  signal?.addEventListener('abort', onAbort)
  return {
    entry,
    identity,
    key: encodeHex(identity),
    size: sizeOf(entry),
    isSettled: () => isSettled,
    resolve: (added) => settle(() => resolve(added)),
    reject: (reason) => settle(() => reject(reason)),
  }
}

function aborted(signal: AbortSignal): CountersignError {
  return new CountersignError('ABORTED', `the wait for the log ended: ${messageOf(signal.reason)}`, { cause: signal.reason })
}

/** Lets everything happen that is ready to. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
