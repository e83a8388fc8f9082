/** Tail segments: the entries of one batch, as they wait for their bundle to become full. */
import { concatBytes } from '../../encoding/bytes.ts'
import { TlsReader, tlsUint } from '../../encoding/tls.ts'
import { leafHash } from '../../merkle/hash.ts'
import type { SequencedEntry, TailEntry } from './head-store.ts'
import type { TailSegmentsTable } from './schema.ts'
import type { SqlValue } from './sql-database.ts'

export const segmentColumns = ['log', 'first', 'entry_count', 'timestamp_ms', 'leaves'] as const

/** The rows for entries with consecutive indices: one for each run that has the same time. */
export function segmentRows(log: string, entries: readonly SequencedEntry[]): SqlValue[][] {
  const runs: SequencedEntry[][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run?.[0]?.timestampMs === entry.timestampMs) run.push(entry)
    else runs.push([entry])
  }
  return runs.map((run) => {
    const leaves = concatBytes(...run.flatMap(({ leaf }) => [tlsUint(leaf.length, 2), leaf]))
    return [log, run[0]?.index ?? 0n, BigInt(run.length), BigInt(run[0]?.timestampMs ?? 0), leaves]
  })
}

/** The entries of segments, in their order. @throws DecodingError LOG_CORRUPT */
export function segmentEntries(segments: readonly TailSegmentsTable[]): TailEntry[] {
  return segments.flatMap(({ first, entry_count, timestamp_ms, leaves }) => {
    const reader = new TlsReader(leaves, 'the tail segment', 'LOG_CORRUPT')
    const entries = Array.from({ length: Number(entry_count) }, (_, position) => {
      const leaf = reader.opaque(2)
      return { index: first + BigInt(position), timestampMs: Number(timestamp_ms), leaf, leafHash: leafHash(leaf) }
    })
    reader.end()
    return entries
  })
}
