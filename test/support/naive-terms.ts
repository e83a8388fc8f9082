/** A `TermIndex` in memory: for tests of what feeds and asks one. */
import type { TermIndex } from '../../src/server/storage/term-index.ts'

/** An empty index. */
export function createNaiveTerms(): TermIndex {
  const logs = new Map<string, { position: bigint; entries: Map<string, Set<bigint>> }>()
  const of = (logId: string): { position: bigint; entries: Map<string, Set<bigint>> } => {
    const log = logs.get(logId) ?? { position: 0n, entries: new Map<string, Set<bigint>>() }
    logs.set(logId, log)
    return log
  }
  return {
    position: async (logId) => of(logId).position,
    add: async (logId, entries, position) => {
      const log = of(logId)
      for (const { index, terms } of entries) {
        for (const term of terms) {
          if (Buffer.byteLength(term) > 512) throw new Error(`the term ${term} is too long`)
          const indices = log.entries.get(term) ?? new Set()
          log.entries.set(term, indices.add(index))
        }
      }
      log.position = position
    },
    find: async (logId, term, limit) => [...(of(logId).entries.get(term) ?? [])].toSorted((a, b) => (a < b ? 1 : -1)).slice(0, limit),
    reset: async (logId) => {
      logs.delete(logId)
    },
  }
}
