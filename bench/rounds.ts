/**
 * Interleaved rounds: one measurement of every contender after the other, again and again, so that noise hits all alike. Each round has an
 * order of its own: a process that starts after one of the same program finds more in the processor's caches than one that starts after another.
 */

/** One contender's work of a round, counted from 0; gives its figure: a rate, or a time. */
export type Round = (round: number) => number | Promise<number>

/**
 * Runs a round that does not count, then the others.
 * @param rounds at least 7 for figures that are compared
 * @returns the median of each contender, by name
 */
export async function medianOfRounds<Name extends string>(
  rounds: number,
  contenders: ReadonlyMap<Name, Round>,
): Promise<Map<Name, number>> {
  const measured = new Map<Name, number[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const [name, runRound] of shuffled([...contenders])) {
      const figure = await runRound(round)
      if (round === 0) measured.set(name, [])
      else measured.get(name)?.push(figure)
    }
  }
  return new Map([...measured].map(([name, figures]) => [name, median(figures)]))
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Milliseconds that a call takes. */
export function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}
