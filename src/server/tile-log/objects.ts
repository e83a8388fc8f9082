/** The objects of a log: what their names are, and what is in those that no client sees. */
import { DecodingError } from '../../error.ts'
import { encodeEntryBundle } from '../../merkle/entry-bundle.ts'
import { encodeTilePath, tileWidth } from '../../merkle/tile.ts'
import type { TailEntry } from '../storage/head-store.ts'
import type { StoredObject } from '../storage/object-store.ts'
import type { FullTile } from './tree-edge.ts'
import { tileBytes } from './tree-edge.ts'

const timestampSize = 8

/** The objects that a batch completes: full hash tiles, and for those of level 0 the bundle and times of their entries. */
export function objectsOf(fullTiles: readonly FullTile[], entries: readonly TailEntry[], firstIndex: bigint): StoredObject[] {
  return fullTiles.flatMap(({ level, index, nodes }) => {
    const objects = [{ name: encodeTilePath({ level, index, width: tileWidth }), data: tileBytes(nodes) }]
    if (level > 0) return objects
    const start = Number(index * BigInt(tileWidth) - firstIndex)
    const bundled = entries.slice(start, start + tileWidth)
    objects.push({ name: bundleName(index), data: encodeEntryBundle(bundled.map(({ leaf }) => leaf)) })
    objects.push({ name: timesName(index), data: encodeTimes(bundled) })
    return objects
  })
}

/** The name of an entry bundle. */
export function bundleName(index: bigint): string {
  return encodeTilePath({ level: 'entries', index, width: tileWidth })
}

/** The name of the times of a bundle's entries: they are not part of the log as its clients see it. */
export function timesName(index: bigint): string {
  return bundleName(index).replace('tile/entries/', 'times/')
}

function encodeTimes(entries: readonly TailEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * timestampSize)
  const view = new DataView(bytes.buffer)
  for (const [position, { timestampMs }] of entries.entries()) view.setBigUint64(position * timestampSize, BigInt(timestampMs))
  return bytes
}

/** The times of a full bundle's entries, in epoch milliseconds. @throws DecodingError LOG_CORRUPT */
export function decodeTimes(bytes: Uint8Array): number[] {
  if (bytes.length !== tileWidth * timestampSize)
    throw new DecodingError('LOG_CORRUPT', `the times of a bundle have ${tileWidth * timestampSize} bytes, found ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: tileWidth }, (_, position) => Number(view.getBigUint64(position * timestampSize)))
}
