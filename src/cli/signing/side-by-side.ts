/** Doing several things at the same time, and telling of them in order. */

export interface SideBySideOptions<Item, Result> {
  readonly limit: number
  /** Does one; stops when the signal is aborted, because another one failed. */
  readonly run: (item: Item, signal: AbortSignal) => Promise<Result>
  /** Told of each, in the order of the items. */
  readonly done: (item: Item, result: Result) => void
}

/**
 * Runs something for each item, so many at a time. After a failure nothing is begun any more, and what is under way is told to
 * stop and waited for.
 * @throws the first failure
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  { limit, run, done }: SideBySideOptions<Item, Result>,
): Promise<void> {
  const stop = new AbortController()
  const finished = new Map<number, () => void>()
  const entries = items.entries()
  let told = 0
  const work = async (): Promise<void> => {
    for (const [at, item] of entries) {
      if (stop.signal.aborted) return
      const result = await run(item, stop.signal)
      finished.set(at, () => done(item, result))
      for (let tell = finished.get(told); tell !== undefined; tell = finished.get(++told)) tell()
    }
  }
  const workers = Array.from({ length: Math.min(limit, items.length) }, work)
  try {
    await Promise.all(workers)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(workers)
    throw error
  }
}
