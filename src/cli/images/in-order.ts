/** Work on many things at a time, with the results in the order of the things. */

/**
 * Works on at most `limit` things at a time. When one fails, the results before it have been given, and no more work is begun.
 */
export async function* inOrder<Thing, Result>(
  things: readonly Thing[],
  limit: number,
  work: (thing: Thing) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const begun: Promise<Result>[] = []
  let next = 0
  while (next < things.length || begun.length > 0) {
    for (const thing of things.slice(next, next + limit - begun.length)) {
      const result = work(thing)
      // Whoever takes it learns of its failure; one that is never taken is of no interest.
      result.catch(() => undefined)
      begun.push(result)
      next++
    }
    const first = begun.shift()
    if (first !== undefined) yield await first
  }
}
