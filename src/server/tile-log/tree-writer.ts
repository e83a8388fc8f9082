/**
 * Appends to a tree, in the one process that may. Nobody learns of an entry before it, a head that covers it, and the copy of
 * that head are durable.
 */
import { CountersignError } from '../../error.ts'
import type { Checkpoint } from '../../merkle/checkpoint.ts'
import { emptyRoot } from '../../merkle/hash.ts'
import type { Clock } from '../clock.ts'
import type { SequencedEntry } from '../storage/head-store.ts'
import type { Storage } from '../storage/storage.ts'
import { checkAgainstCopy, emptyTree } from './anti-rollback.ts'
import type { GrownTree } from './batch.ts'
import { growTree, headSwapOf, sequenceEntry, stateAfterGrowth } from './batch.ts'
import type { Waiter } from './entry-queue.ts'
import type { HeadCopy } from './head-copy.ts'
import type { LogHead } from './log.ts'
import { emptyEdge } from './tree-edge.ts'
import type { TreeReader } from './tree-reader.ts'
import type { TreeState } from './tree-state.ts'
import { treeStateOf } from './tree-state.ts'

/** Signs a checkpoint. @returns the signed note */
export type SignCheckpoint = (checkpoint: Checkpoint, timestampMs: number) => string | Promise<string>

/** The steps of appending, in their order; each is told of before it is done. */
export type AppendStep = 'place' | 'sign' | 'swap' | 'copy' | 'answer'

/** What appending needs. */
export interface TreeWriterContext {
  readonly id: string
  readonly origin: string
  readonly storage: Pick<Storage, 'heads'>
  readonly reader: TreeReader
  readonly signCheckpoint: SignCheckpoint
  readonly clock: Clock
  readonly headCopy: HeadCopy | undefined
  /** For tests that end the process there. */
  readonly onStep: (step: AppendStep) => void
}

/** Where the entries of a batch came to stand. */
export interface Appended {
  /** The newest tree, these entries included. */
  readonly state: TreeState
  /** The tree before. */
  readonly previous: TreeState
  /** What was added; undefined when all were duplicates. */
  readonly grown: GrownTree | undefined
  readonly placements: readonly Placement[]
}

export interface Placement {
  readonly waiter: Waiter
  readonly index: bigint
  readonly duplicate: boolean
}

/** The right to append: it ends with the first failure, because what is stored is unknown then. */
export class TreeWriter {
  readonly #context: TreeWriterContext
  readonly #epoch: bigint
  #state: TreeState

  private constructor(context: TreeWriterContext, epoch: bigint, state: TreeState) {
    this.#context = context
    this.#epoch = epoch
    this.#state = state
  }

  /**
   * Takes over the log, creating it with a signed head of size 0 when it is new.
   * @throws CountersignError LOG_ROLLED_BACK when the database is older than the copy of the newest head, LOG_CORRUPT, STORAGE_FAILED
   */
  static async open(context: TreeWriterContext, epoch: bigint): Promise<TreeWriter> {
    const state = (await loadTree(context)) ?? (await createTree(context, epoch))
    // Left behind where the process died between database and copy.
    await context.headCopy?.write(state.head)
    return new TreeWriter(context, epoch, state)
  }

  /** The newest signed tree. */
  get state(): TreeState {
    return this.#state
  }

  /**
   * Appends the entries that are not there yet, and makes them durable.
   * @param pending the storage's own numbers of pending entries among them, which are then pending no more
   * @throws CountersignError STORAGE_FAILED; this writer is of no use then
   */
  async append(waiters: readonly Waiter[], pending: readonly bigint[]): Promise<Appended> {
    const previous = this.#state
    this.#context.onStep('place')
    const { placements, entries } = await this.#place(waiters)
    const grown = entries.length > 0 ? growTree(previous, entries) : undefined
    if (grown !== undefined) this.#state = await this.#commit(previous, grown, pending)
    this.#context.onStep('answer')
    return { state: this.#state, previous, grown, placements }
  }

  async #place(waiters: readonly Waiter[]): Promise<{ placements: Placement[]; entries: SequencedEntry[] }> {
    const { id, storage, clock } = this.#context
    const { size, timestampMs: previousMs } = this.#state.head
    const identities = waiters.map(({ identity }) => identity)
    const known = identities.length === 0 ? [] : await storage.heads.findIdentities(id, identities)
    const timestampMs = Math.max(clock(), previousMs)
    const places = new Map<string, bigint>()
    const placements: Placement[] = []
    const entries: SequencedEntry[] = []
    for (const [position, waiter] of waiters.entries()) {
      const earlier = known[position] ?? places.get(waiter.key)
      const index = earlier ?? size + BigInt(entries.length)
      try {
        if (earlier === undefined) entries.push(sequenceEntry(waiter.entry, waiter.identity, { index, timestampMs }))
        places.set(waiter.key, index)
        placements.push({ waiter, index, duplicate: earlier !== undefined })
      } catch (error) {
        waiter.reject(error)
      }
    }
    return { placements, entries }
  }

  async #commit(previous: TreeState, grown: GrownTree, pending: readonly bigint[]): Promise<TreeState> {
    const { id, origin, storage, signCheckpoint, clock, headCopy, onStep } = this.#context
    const { size, rootHash } = grown
    onStep('sign')
    const timestampMs = Math.max(clock(), previous.head.timestampMs)
    const checkpoint = await signCheckpoint({ origin, size, rootHash, extensions: [] }, timestampMs)
    const head: LogHead = { size, rootHash, timestampMs, checkpoint }
    onStep('swap')
    if (!(await storage.heads.swap(id, headSwapOf(previous, grown, head, this.#epoch, pending)))) throw takenOver(id)
    onStep('copy')
    // After the database: a copy that is newer than the database means that the database went back, and nothing else.
    await headCopy?.write(head)
    return stateAfterGrowth(previous, grown, head)
  }
}

/**
 * The tree as it is stored, checked against the copy of its newest head; undefined for a log without a head.
 * @throws CountersignError LOG_ROLLED_BACK, LOG_CORRUPT, STORAGE_FAILED
 */
export async function loadTree({ id, storage, headCopy, reader }: TreeWriterContext): Promise<TreeState | undefined> {
  const stored = await storage.heads.load(id)
  if (stored?.head === undefined) {
    await checkAgainstCopy(id, headCopy, emptyTree)
    return undefined
  }
  const state = treeStateOf(id, stored, stored.head)
  await checkAgainstCopy(id, headCopy, { size: state.head.size, rootHash: (size) => reader.rootHash(state, size) })
  return state
}

/** The tree of a new log: without leaves, but with a signed head. */
async function createTree({ id, origin, signCheckpoint, storage, clock }: TreeWriterContext, epoch: bigint): Promise<TreeState> {
  const timestampMs = clock()
  const checkpoint = await signCheckpoint({ origin, size: 0n, rootHash: emptyRoot, extensions: [] }, timestampMs)
  const head: LogHead = { size: 0n, rootHash: emptyRoot, timestampMs, checkpoint }
  const first = { epoch, previous: undefined, head, entries: [], edges: [], objects: [], tailStart: 0n, pending: [] }
  if (!(await storage.heads.swap(id, first))) throw takenOver(id)
  return { head, edge: emptyEdge, tail: [] }
}

function takenOver(id: string): CountersignError {
  return new CountersignError('STORAGE_FAILED', `the log ${id} was taken over by another process`)
}
