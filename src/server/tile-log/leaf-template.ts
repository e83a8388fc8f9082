/**
 * Leaves that name their own time, for entries that another process gives their places: a function cannot be handed over, so
 * what it does with the time is found out. All that is known of is the way of certificate transparency (RFC 6962 section 3.4):
 * milliseconds, 8 bytes big-endian, at one place, and nothing of the index.
 */
import { equalBytes } from '../../encoding/bytes.ts'
import { tlsUint } from '../../encoding/tls.ts'
import { UsageError } from '../../error.ts'
import type { NewEntry, Place } from './log.ts'

/** A leaf with a gap for its time. */
export interface LeafTemplate {
  readonly bytes: Uint8Array
  /** Where the 8 bytes of the time are; undefined when the leaf does not name it. */
  readonly timestampAt: number | undefined
}

const timestampSize = 8
const never: Place = { index: 0n, timestampMs: 0 }
/** Below 2^53, and all bytes but the first differ from those of 0. */
const probe: Place = { index: 0n, timestampMs: 0x1f_1e1d_1c1b_1a19 }
const otherProbe: Place = { index: 0x0102_0304_0506n, timestampMs: 0x11_2233_4455_6677 }

/**
 * The template of a leaf.
 * @throws UsageError USAGE for a function that does anything else with its place; whatever it throws itself
 */
export function leafTemplateOf(leaf: NewEntry['leaf']): LeafTemplate {
  if (typeof leaf !== 'function') return { bytes: leaf, timestampAt: undefined }
  const bytes = leaf(never)
  const filled = leaf(probe)
  const firstDifference = bytes.findIndex((byte, at) => byte !== filled[at])
  // The first byte of the time is 0 for both.
  const template = { bytes, timestampAt: firstDifference === -1 ? undefined : firstDifference - 1 }
  for (const place of [probe, otherProbe]) {
    if (!equalBytes(fillTemplate(template, place.timestampMs), leaf(place))) {
      throw new UsageError(
        'USAGE',
        'where several processes share a log, a leaf may name its time as 8 big-endian bytes, and nothing else of its place',
      )
    }
  }
  return template
}

/** The leaf of an entry that was given its time, in epoch milliseconds. */
export function fillTemplate({ bytes, timestampAt }: LeafTemplate, timestampMs: number): Uint8Array {
  if (timestampAt === undefined || timestampAt < 0 || timestampAt + timestampSize > bytes.length) return bytes
  const leaf = Uint8Array.from(bytes)
  leaf.set(tlsUint(timestampMs, timestampSize), timestampAt)
  return leaf
}
