/** Entry bundles: up to 256 log entries, each behind its length (C2SP tlog-tiles, "Log entries"). */
import { concatBytes } from '../encoding/bytes.ts'
import { TlsReader, tlsUint } from '../encoding/tls.ts'
import { DecodingError } from '../error.ts'
import { tileWidth } from './tile.ts'

/** Bytes that a 16-bit length can count. */
export const maxEntrySize = 0xffff

/**
 * Writes 1 to 256 entries of up to 65,535 bytes as a bundle.
 * @throws DecodingError TILE_INVALID for another number of entries, or one that is larger
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  checkWidth(entries.length)
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    if (entry.length > maxEntrySize) throw invalid(`a log entry has at most ${maxEntrySize} bytes, found ${entry.length}`)
    parts.push(tlsUint(entry.length, 2), entry)
  }
  return concatBytes(...parts)
}

/**
 * The entries of a bundle, not copied.
 * @param width how many there must be: the width in the bundle's path, 1 to 256
 * @throws DecodingError TILE_INVALID when the bundle ends early, or holds anything more
 */
export function decodeEntryBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  checkWidth(width)
  const reader = new TlsReader(bytes, 'the entry bundle', 'TILE_INVALID')
  const entries = Array.from({ length: width }, () => reader.opaque(2))
  reader.end()
  return entries
}

function checkWidth(width: number): void {
  if (!Number.isInteger(width) || width < 1 || width > tileWidth)
    throw invalid(`an entry bundle holds 1 to ${tileWidth} entries, found ${width}`)
}

function invalid(message: string): DecodingError {
  return new DecodingError('TILE_INVALID', message)
}
