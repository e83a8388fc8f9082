/** How entries stand in the tables: in segments of the tail until their bundle is full, and by their keys. */
import { concatBytes, equalBytes } from '../../encoding/bytes.ts'
import { TlsReader, tlsUint } from '../../encoding/tls.ts'
import { leafHash } from '../../merkle/hash.ts'
import type { SequencedEntry, TailEntry } from './head-store.ts'
import type { TailSegmentsTable } from './schema.ts'
import { keyKinds } from './schema.ts'

/** Entries of one batch with consecutive indices. */
export interface TailSegment {
  readonly first: bigint
  readonly count: bigint
  readonly timestampMs: bigint
  readonly leaves: Uint8Array
}

/** The segments of entries with consecutive indices: one for each run that has the same time. */
export function segmentsOf(entries: readonly SequencedEntry[]): TailSegment[] {
  const runs: SequencedEntry[][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run?.[0]?.timestampMs === entry.timestampMs) run.push(entry)
    else runs.push([entry])
  }
  return runs.map((run) => {
    const leaves = concatBytes(...run.flatMap(({ leaf }) => [tlsUint(leaf.length, 2), leaf]))
    return { first: run[0]?.index ?? 0n, count: BigInt(run.length), timestampMs: BigInt(run[0]?.timestampMs ?? 0), leaves }
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

/** What an entry is found by. */
export interface EntryKey {
  readonly key: Uint8Array
  /** One of `keyKinds`. */
  readonly kind: bigint
  readonly index: bigint
}

/** The keys of an entry: one where its leaf hash is its identity. */
export function entryKeysOf({ index, identity, leafHash }: SequencedEntry): EntryKey[] {
  if (equalBytes(identity, leafHash)) return [{ key: leafHash, kind: keyKinds.identityAndLeafHash, index }]
  return [
    { key: identity, kind: keyKinds.identity, index },
    { key: leafHash, kind: keyKinds.leafHash, index },
  ]
}
