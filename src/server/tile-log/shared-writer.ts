/**
 * Takes entries in one of several processes on one storage. One of them leads and sequences; the others hand it their entries
 * through the storage and answer when the entries stand in the tree. When the leader dies, another takes its place.
 */
import { CountersignError } from '../../error.ts'
import type { HeadSharing, Lease, NumberedEntry, PendingEntry } from '../storage/head-store.ts'
import { answerBatch, answerFromTree } from './answers.ts'
import type { BatchOptions, Waiter } from './entry-queue.ts'
import { EntryQueue, tooManyWait } from './entry-queue.ts'
import { checkContinues, followTree } from './followed-tree.ts'
import { HandedOver, pendingEntryOf } from './handed-over.ts'
import { fillTemplate } from './leaf-template.ts'
import type { AddedEntry, NewEntry } from './log.ts'
import type { LogRole, LogWriter } from './log-writer.ts'
import type { TreeState } from './tree-state.ts'
import type { TreeWriterContext } from './tree-writer.ts'
import { TreeWriter } from './tree-writer.ts'

/** How often a process looks by itself, in milliseconds, should it have missed a notification; and tries to lead. */
const tickMs = 500
/** How long a process that is not the first waits for the log's first head. */
const firstHeadMs = 10_000

/** @throws CountersignError as `TreeWriter.open` */
export async function openSharedWriter(context: TreeWriterContext, sharing: HeadSharing, options: BatchOptions): Promise<LogWriter> {
  const writer = new SharedWriter(context, sharing, options)
  await writer.open()
  return writer
}

interface Leading {
  readonly lease: Lease
  readonly writer: TreeWriter
}

class SharedWriter implements LogWriter {
  readonly #context: TreeWriterContext
  readonly #sharing: HeadSharing
  readonly #options: BatchOptions
  readonly #queue: EntryQueue
  readonly #handedOver: HandedOver
  #followed: TreeState | undefined
  #leading: Leading | undefined
  #mayBePending = true
  #looking: Promise<void> | undefined
  #lookAgain = false
  #unwatch: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #ticking: Promise<void> | undefined

  constructor(context: TreeWriterContext, sharing: HeadSharing, options: BatchOptions) {
    this.#context = context
    this.#sharing = sharing
    this.#options = options
    this.#handedOver = new HandedOver(context.id, context.storage.heads, context.reader)
    this.#queue = new EntryQueue(context.id, options, (waiters) => this.#process(waiters))
  }

  async open(): Promise<void> {
    const { id } = this.#context
    const deadline = performance.now() + firstHeadMs
    while (this.#leading === undefined && this.#followed === undefined) {
      await this.#tryToLead()
      if (this.#leading === undefined) this.#followed = await followTree(this.#context, undefined)
      if (performance.now() > deadline)
        throw new CountersignError('STORAGE_FAILED', `the process that leads the log ${id} has not created it`)
      if (this.#leading === undefined && this.#followed === undefined) await delay(tickMs / 5)
    }
    this.#unwatch = this.#sharing.watch(id, (what) => this.#notice(what))
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  get state(): TreeState {
    const state = this.#leading?.writer.state ?? this.#followed
    if (state === undefined) throw new CountersignError('STORAGE_FAILED', `the log ${this.#context.id} is not open`)
    return state
  }

  get role(): LogRole {
    return this.#leading === undefined ? 'follower' : 'leader'
  }

  get waiting(): number {
    return this.#queue.waiting + this.#handedOver.size
  }

  async add(entry: NewEntry, signal?: AbortSignal): Promise<AddedEntry> {
    const { maxWaiting, maxWaitingBytes } = this.#options
    const { size, bytes } = this.#handedOver
    if (size >= maxWaiting || bytes >= maxWaitingBytes) throw tooManyWait(this.#context.id, size)
    return this.#queue.add(entry, signal)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    while (this.#handedOver.size > 0) await this.#look().then(() => delay(tickMs / 10))
    clearInterval(this.#timer)
    this.#unwatch?.()
    await this.#ticking
    await this.#looking
    await this.#leading?.lease.release()
  }

  #process(waiters: readonly Waiter[]): Promise<void> {
    return this.#leading === undefined ? this.#handOver(waiters) : this.#sequence(this.#leading, waiters)
  }

  async #sequence({ lease, writer }: Leading, waiters: readonly Waiter[]): Promise<void> {
    const { id, reader } = this.#context
    try {
      const pending = this.#mayBePending ? await this.#takePending() : []
      const numbers = pending.map(({ number }) => number)
      const appended = await writer.append([...waiters, ...pending.map(waiterOf)], numbers)
      if (appended.grown === undefined && numbers.length > 0) await this.#sharing.withdraw(id, numbers)
      await answerBatch(id, reader, appended)
      if (this.#handedOver.size > 0) void this.#look()
    } catch (error) {
      await this.#stopLeading(lease)
      // Only the storage knows what became of the batch: whoever leads next, this process perhaps, finds out by identity.
      if (!isStorageFailure(error)) throw error
      await this.#handOver(waiters.filter((waiter) => !waiter.isSettled()))
    }
  }

  async #takePending(): Promise<NumberedEntry[]> {
    const { maxEntries, maxBytes } = this.#options
    this.#mayBePending = false
    const pending = await this.#sharing.pending(this.#context.id, maxEntries, maxBytes)
    // There may be more.
    if (pending.length > 0) this.#notice('pending')
    return pending
  }

  async #handOver(waiters: readonly Waiter[]): Promise<void> {
    if (waiters.length === 0) return
    const { id, storage, reader } = this.#context
    const known = await storage.heads.findIdentities(
      id,
      waiters.map(({ identity }) => identity),
    )
    const places = new Map<Waiter, bigint>()
    const submitted: { readonly waiter: Waiter; readonly entry: PendingEntry }[] = []
    for (const [position, waiter] of waiters.entries()) {
      const index = known[position]
      if (index !== undefined) places.set(waiter, index)
      else tryFor(waiter, () => submitted.push({ waiter, entry: pendingEntryOf(waiter) }))
    }
    if (places.size > 0) {
      await this.#follow()
      await this.#copyHead(this.state)
    }
    await Promise.all([...places].map(([waiter, index]) => answerFromTree(id, reader, this.state, waiter, index, true)))
    if (submitted.length === 0) return
    await this.#sharing.submit(
      id,
      submitted.map(({ entry }) => entry),
    )
    this.#handedOver.add(submitted.map(({ waiter }) => waiter))
    void this.#look()
  }

  #notice(what: 'head' | 'pending'): void {
    if (what === 'head') {
      if (this.#leading === undefined || this.#handedOver.size > 0) void this.#look()
    } else if (this.#leading !== undefined) {
      this.#mayBePending = true
      this.#queue.wake()
    }
  }

  #tick(): void {
    this.#notice('head')
    this.#notice('pending')
    if (this.#leading !== undefined) return
    // A failure shows in what is waiting; here it means to try again at the next tick.
    this.#ticking ??= this.#tryToLead()
      .catch(() => {})
      .finally(() => {
        this.#ticking = undefined
      })
  }

  async #tryToLead(): Promise<void> {
    const { id, reader } = this.#context
    const lease = await this.#sharing.lead(id)
    if (lease === undefined) return
    try {
      const writer = await TreeWriter.open(this.#context, lease.epoch)
      if (this.#followed !== undefined)
        await checkContinues(id, writer.state, this.#followed, (size) => reader.rootHash(writer.state, size))
      if (lease.lost.aborted) return
      this.#leading = { lease, writer }
      lease.lost.addEventListener('abort', () => void this.#stopLeading(lease))
    } catch (error) {
      await lease.release()
      throw error
    }
    this.#mayBePending = true
    this.#queue.wake()
  }

  async #stopLeading(lease: Lease): Promise<void> {
    if (this.#leading?.lease !== lease) return
    // What was acknowledged so far is in this state; what comes after is looked up.
    this.#followed = this.#leading.writer.state
    this.#leading = undefined
    await lease.release()
  }

  async #follow(): Promise<void> {
    if (this.#leading !== undefined) return
    const followed = await followTree(this.#context, this.#followed)
    if (followed !== undefined && (this.#followed === undefined || followed.head.size >= this.#followed.head.size))
      this.#followed = followed
  }

  /** Whoever is answered here is answered from a head that this process has a copy of: it notices should the database lose it. */
  async #copyHead({ head }: TreeState): Promise<void> {
    await this.#context.headCopy?.write(head)
  }

  /** Keeps up with the tree, and answers those whose entries stand in it. One at a time; further calls make it look again. */
  #look(): Promise<void> {
    this.#lookAgain = true
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookOn(): Promise<void> {
    while (this.#lookAgain) {
      this.#lookAgain = false
      try {
        await this.#follow()
        await this.#answerHandedOver()
      } catch (error) {
        this.#handedOver.rejectAll(error)
      }
    }
  }

  async #answerHandedOver(): Promise<void> {
    this.#handedOver.forgetSettled()
    if (this.#handedOver.size === 0) return
    const { state } = this
    await this.#copyHead(state)
    if (await this.#handedOver.answer(state)) this.#lookAgain = true
  }
}

/** An entry of another process: who waits for it is answered there. */
function waiterOf({ identity, leaf, timestampAt, extra }: NumberedEntry): Waiter {
  const template = { bytes: leaf, timestampAt }
  return {
    entry: { leaf: ({ timestampMs }) => fillTemplate(template, timestampMs), identity, extra },
    identity,
    key: Buffer.from(identity).toString('hex'),
    size: leaf.length + extra.length,
    isSettled: () => false,
    resolve: () => {},
    reject: () => {},
  }
}

function isStorageFailure(error: unknown): boolean {
  return error instanceof CountersignError && error.code === 'STORAGE_FAILED'
}

function tryFor(waiter: Waiter, action: () => unknown): void {
  try {
    action()
  } catch (error) {
    waiter.reject(error)
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
