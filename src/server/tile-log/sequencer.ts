/**
 * Gives entries their places, one batch after another. While a batch is made durable, the next one collects. Nobody is
 * answered before entries, head and the head's copy are durable.
 */
import { CountersignError, messageOf } from '../../error.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { Checkpoint } from '../../merkle/checkpoint.ts'
import { proveInclusion } from '../../merkle/prover.ts'
import type { Clock } from '../clock.ts'
import type { SequencedEntry } from '../storage/head-store.ts'
import type { Storage } from '../storage/storage.ts'
import type { GrownTree } from './batch.ts'
import { growTree, headSwapOf, identityOf, sequenceEntry, stateAfter } from './batch.ts'
import type { HeadCopy } from './head-copy.ts'
import type { AddedEntry, LogHead, NewEntry } from './log.ts'
import type { TreeReader } from './tree-reader.ts'
import type { TreeState } from './tree-state.ts'
import type { BatchOptions } from './open-log.ts'

/** Signs a checkpoint. @returns the signed note */
export type SignCheckpoint = (checkpoint: Checkpoint, timestampMs: number) => string | Promise<string>

export interface SequencerOptions {
  readonly logId: string
  readonly origin: string
  readonly storage: Pick<Storage, 'heads' | 'objects'>
  readonly reader: TreeReader
  readonly signCheckpoint: SignCheckpoint
  readonly clock: Clock
  readonly headCopy: HeadCopy | undefined
  readonly batch: BatchOptions
  readonly epoch: bigint
}

interface Waiter {
  readonly entry: NewEntry
  readonly identity: Uint8Array
  readonly key: string
  readonly signal: AbortSignal | undefined
  readonly resolve: (added: AddedEntry) => void
  readonly reject: (reason: unknown) => void
}

/** Where a batch's waiters find their entries. */
interface Placement {
  readonly waiter: Waiter
  readonly index: bigint
  readonly duplicate: boolean
}

export class Sequencer {
  readonly #options: SequencerOptions
  #state: TreeState
  #waiting: Waiter[] = []
  #running: Promise<void> | undefined
  #closed = false
  /** Entries that the next batch is likely to have. */
  #expected = 1

  constructor(options: SequencerOptions, state: TreeState) {
    this.#options = options
    this.#state = state
  }

  /** The newest signed tree. */
  get state(): TreeState {
    return this.#state
  }

  /** Entries that wait for a batch. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** As `TileLog.add`. */
  async add(entry: NewEntry, signal?: AbortSignal): Promise<AddedEntry> {
    const { logId, batch } = this.#options
    if (this.#closed) throw new CountersignError('LOG_FROZEN', `the log ${logId} is closed`)
    if (this.#waiting.length >= batch.maxWaiting)
      throw new CountersignError('LOG_OVERLOADED', `${batch.maxWaiting} entries wait for the log ${logId} already: try again in a second`)
    checkAborted(signal)
    const identity = identityOf(entry)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, identity, key: encodeHex(identity), signal, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Takes nothing more; resolves when everything that waits is answered. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    const { collectMs, maxEntries } = this.#options.batch
    await turn()
    while (this.#waiting.length > 0) {
      // As many as the last time are likely to come: whoever was just answered comes again.
      if (this.#waiting.length < this.#expected && !this.#closed) await delay(collectMs)
      const waiters = this.#waiting.splice(0, maxEntries)
      this.#expected = waiters.length
      try {
        await this.#sequence(waiters)
      } catch (error) {
        for (const waiter of waiters) waiter.reject(error)
      }
    }
    this.#running = undefined
  }

  async #sequence(waiters: readonly Waiter[]): Promise<void> {
    const state = this.#state
    const { placements, entries } = await this.#place(waiters, state)
    const grown = entries.length > 0 ? growTree(state, entries) : undefined
    if (grown !== undefined) await this.#commit(state, grown)
    await Promise.all(placements.map((placement) => this.#answer(placement, state, grown)))
  }

  async #place(waiters: readonly Waiter[], state: TreeState): Promise<{ placements: Placement[]; entries: SequencedEntry[] }> {
    const { logId, storage, clock } = this.#options
    const timestampMs = Math.max(clock(), state.head.timestampMs)
    const known = await storage.heads.findIdentities(
      logId,
      waiters.map(({ identity }) => identity),
    )
    const places = new Map<string, bigint>()
    const placements: Placement[] = []
    const entries: SequencedEntry[] = []
    for (const [position, waiter] of waiters.entries()) {
      try {
        checkAborted(waiter.signal)
        const earlier = known[position] ?? places.get(waiter.key)
        const index = earlier ?? state.head.size + BigInt(entries.length)
        if (earlier === undefined) {
          entries.push(sequenceEntry(waiter.entry, waiter.identity, { index, timestampMs }))
          places.set(waiter.key, index)
        }
        placements.push({ waiter, index, duplicate: earlier !== undefined })
      } catch (error) {
        waiter.reject(error)
      }
    }
    return { placements, entries }
  }

  async #commit(state: TreeState, grown: GrownTree): Promise<void> {
    const { logId, origin, storage, signCheckpoint, clock, headCopy, epoch } = this.#options
    const { size, rootHash } = grown
    const timestampMs = Math.max(clock(), state.head.timestampMs)
    const checkpoint = await signCheckpoint({ origin, size, rootHash, extensions: [] }, timestampMs)
    const head: LogHead = { size, rootHash, timestampMs, checkpoint }
    if (!(await storage.heads.swap(logId, headSwapOf(state, grown, head, epoch)))) {
      throw new CountersignError('STORAGE_FAILED', `the log ${logId} was taken over by another process`)
    }
    await headCopy?.write(checkpoint)
    this.#state = stateAfter(state, grown, head)
  }

  async #answer({ waiter, index, duplicate }: Placement, before: TreeState, grown: GrownTree | undefined): Promise<void> {
    try {
      const state = this.#state
      const entry = grown?.entries[Number(index - before.head.size)]
      if (grown !== undefined && entry !== undefined && index >= before.head.size) {
        const { timestampMs, leaf, extra } = entry
        const hashes = proveInclusion(index, state.head.size, grown.read)
        waiter.resolve({ index, timestampMs, leaf, extra, inclusion: { head: state.head, hashes }, duplicate })
        return
      }
      const [logged] = await this.#options.reader.entries(state, index, 1)
      if (logged === undefined) throw new CountersignError('LOG_CORRUPT', `the log ${this.#options.logId} has no entry ${index}`)
      const hashes = await this.#options.reader.proveInclusion(state, index, state.head.size)
      waiter.resolve({ ...logged, inclusion: { head: state.head, hashes }, duplicate })
    } catch (error) {
      waiter.reject(error)
    }
  }
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new CountersignError('ABORTED', `the wait for the log ended: ${messageOf(signal.reason)}`, { cause: signal.reason })
  }
}

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
