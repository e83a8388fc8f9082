/** Doing several things at the same time, and telling of them in order. */

export interface SideBySideOptions<Item, Result> {
  readonly limit: number
  /** When it is aborted nothing is begun any more, and `done` is told at once of what was finished by then. */
  readonly signal: AbortSignal
  /** Does one; stops when the signal is aborted, because another one failed. */
  readonly run: (item: Item, signal: AbortSignal) => Promise<Result>
  /** Told of each, in the order of the items. */
  readonly done: (item: Item, result: Result) => void
  /** Whether a failure is that of one item alone, and the others go on; default never. */
  readonly tolerates?: (error: unknown) => boolean
  /** Told of such a failure, in the same order. */
  readonly failed?: (item: Item, error: unknown) => void
}

/**
 * Runs something for each item, so many at a time. After a failure that stops the others nothing is begun any more, and what is under way is
 * told to stop and waited for; of what was finished by then `done` is told.
 * @throws the first such failure
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  { limit, signal, run, done, tolerates, failed }: SideBySideOptions<Item, Result>,
): Promise<void> {
  const stop = new AbortController()
  const finished = new Map<number, () => void>()
  const entries = items.entries()
  let told = 0
  const attempt = async (item: Item): Promise<() => void> => {
    try {
      const result = await run(item, stop.signal)
      return () => done(item, result)
    } catch (error) {
      if (stop.signal.aborted || signal.aborted || tolerates?.(error) !== true) throw error
      return () => failed?.(item, error)
    }
  }
  const work = async (): Promise<void> => {
    for (const [at, item] of entries) {
      if (stop.signal.aborted || signal.aborted) return
      finished.set(at, await attempt(item))
      for (let tell = finished.get(told); tell !== undefined; tell = finished.get(++told)) tell()
    }
  }
  const tellRest = (): void => {
    const rest = [...finished].filter(([at]) => at >= told).toSorted(([a], [b]) => a - b)
    finished.clear()
    for (const [, tell] of rest) tell()
  }
  signal.addEventListener('abort', tellRest, { once: true })
  const workers = Array.from({ length: Math.min(limit, items.length) }, work)
  try {
    await Promise.all(workers)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(workers)
    tellRest()
    throw error
  } finally {
    signal.removeEventListener('abort', tellRest)
  }
}
