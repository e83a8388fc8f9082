/** "Did you mean": the names that a mistyped one is near to. */

const MOST_SUGGESTIONS = 3
const NEAR = 2

/** At most three names that begin with the typed text or differ from it in no more than two letters, nearest first. */
export function suggestNames(typed: string, names: Iterable<string>): string[] {
  const wanted = typed.toLowerCase()
  // Nothing is near to a text of this length, and the comparison takes quadratic time.
  if (wanted === '' || wanted.length > 60) return []
  const found: { readonly name: string; readonly distance: number }[] = []
  for (const name of names) {
    const candidate = name.toLowerCase()
    const distance = editDistance(wanted, candidate)
    const isPrefix = wanted.length > 2 && candidate.startsWith(wanted)
    if (isPrefix || (distance <= NEAR && distance < wanted.length)) found.push({ name, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
  return found.slice(0, MOST_SUGGESTIONS).map((suggestion) => suggestion.name)
}

/** The number of single-letter insertions, deletions and replacements between two texts (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
