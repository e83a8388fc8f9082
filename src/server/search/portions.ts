/** What is written into the index at once: an entry may have thousands of terms, and who adds to the log waits for the write before. */
import type { IndexedEntry } from '../storage/term-index.ts'

/** Terms that one write adds. */
export const maxTermsAtOnce = 2000

/** One write. */
export interface Portion {
  readonly entries: readonly IndexedEntry[]
  /** The first index that is not indexed after it. */
  readonly position: bigint
}

/**
 * Entries as portions, in order. Of an entry whose terms are in several, the last one moves the position past it.
 * @param end the index behind the last entry
 */
export function* portionsOf(entries: readonly IndexedEntry[], end: bigint): Generator<Portion> {
  let portion: IndexedEntry[] = []
  let room = maxTermsAtOnce
  for (const { index, terms } of entries) {
    let rest = terms
    while (rest.length > room) {
      yield { entries: [...portion, { index, terms: rest.slice(0, room) }], position: index }
      rest = rest.slice(room)
      portion = []
      room = maxTermsAtOnce
    }
    portion.push({ index, terms: rest })
    room -= rest.length
  }
  yield { entries: portion, position: end }
}
