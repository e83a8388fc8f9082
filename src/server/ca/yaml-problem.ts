/** What is wrong in a YAML document, in words and with its line. */
import { isAlias, isMap, isNode, isScalar } from 'yaml'
import type { Document, LineCounter, Pair } from 'yaml'
import type { z } from 'zod'

/** A problem that a schema found. */
export function describeProblem(problem: z.core.$ZodIssue | undefined, document: Document, lines: LineCounter): string {
  const path = problem?.path.map(String) ?? []
  const unknown = problem?.code === 'unrecognized_keys' ? problem.keys[0] : undefined
  const place = lineOf(unknown === undefined ? path : [...path, unknown], document, lines)
  const where = path.length === 0 ? '' : `${path.join(' → ')}: `
  return `${place}${where}${unknown === undefined ? (problem?.message ?? 'not as expected') : `there is no ${unknown} here`}`
}

/** The line of the innermost key of the path that the document has, as the beginning of a sentence; nothing where there is none. */
export function lineOf(path: readonly string[], document: Document, lines: LineCounter): string {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const name of path) {
    if (isAlias(node)) node = node.resolve(document)
    const pair: Pair | undefined = isMap(node) ? node.items.find((item) => nameOf(item.key, document) === name) : undefined
    if (pair === undefined) break
    if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
    node = pair.value
  }
  return offset === undefined ? '' : `line ${lines.linePos(offset).line}, `
}

function nameOf(key: unknown, document: Document): unknown {
  const node = isAlias(key) ? key.resolve(document) : key
  return isScalar(node) ? node.value : undefined
}
