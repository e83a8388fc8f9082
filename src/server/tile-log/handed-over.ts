/** Those whose entries were handed to the process that leads, until the entries stand in the tree. */
import type { HeadStore, PendingEntry } from '../storage/head-store.ts'
import { answerFromTree } from './answers.ts'
import { checkEntrySize } from './batch.ts'
import type { Waiter } from './entry-queue.ts'
import { leafTemplateOf } from './leaf-template.ts'
import type { TreeReader } from './tree-reader.ts'
import type { TreeState } from './tree-state.ts'

/** Waiters by the identity of their entry. */
export class HandedOver {
  readonly #logId: string
  readonly #heads: Pick<HeadStore, 'findIdentities'>
  readonly #reader: TreeReader
  /** By identity in hexadecimal. */
  readonly #waiters = new Map<string, readonly Waiter[]>()
  #bytes = 0

  constructor(logId: string, heads: Pick<HeadStore, 'findIdentities'>, reader: TreeReader) {
    this.#logId = logId
    this.#heads = heads
    this.#reader = reader
  }

  /** Entries that are waited for. */
  get size(): number {
    return this.#waiters.size
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes
  }

  add(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) {
      this.#waiters.set(waiter.key, [...(this.#waiters.get(waiter.key) ?? []), waiter])
      this.#bytes += waiter.size
    }
  }

  /** Forgets those who gave up. */
  forgetSettled(): void {
    for (const [key, waiters] of this.#waiters) if (waiters.every((waiter) => waiter.isSettled())) this.#take(key)
  }

  /** Those who wait for an entry, who are forgotten. */
  #take(key: string): readonly Waiter[] {
    const waiters = this.#waiters.get(key) ?? []
    this.#waiters.delete(key)
    for (const { size } of waiters) this.#bytes -= size
    return waiters
  }

  /**
   * Answers those whose entries stand in the tree.
   * @returns whether some stand behind its end, and so in a newer tree
   * @throws CountersignError STORAGE_FAILED
   */
  async answer(state: TreeState): Promise<boolean> {
    const first = [...this.#waiters.values()].flatMap((waiters) => waiters.slice(0, 1))
    const indices = await this.#heads.findIdentities(
      this.#logId,
      first.map(({ identity }) => identity),
    )
    let areNewer = false
    const answers = first.flatMap(({ key }, position) => {
      const index = indices[position]
      if (index === undefined) return []
      if (index >= state.head.size) {
        areNewer = true
        return []
      }
      return this.#take(key).map((waiter, place) => answerFromTree(this.#logId, this.#reader, state, waiter, index, place > 0))
    })
    await Promise.all(answers)
    return areNewer
  }

  rejectAll(error: unknown): void {
    for (const key of this.#waiters.keys()) for (const waiter of this.#take(key)) waiter.reject(error)
  }
}

/** An entry as it is handed over. @throws CountersignError TOO_LARGE; UsageError USAGE as `leafTemplateOf` */
export function pendingEntryOf({ entry, identity }: Waiter): PendingEntry {
  const { bytes, timestampAt } = leafTemplateOf(entry.leaf)
  const extra = entry.extra ?? new Uint8Array()
  checkEntrySize(bytes, extra)
  return { identity, leaf: bytes, timestampAt, extra }
}
