/** A `TileLog` in memory that does everything the plain way: for tests of what stands on a log. */
import { encodeCheckpoint } from '../../src/merkle/checkpoint.ts'
import { encodeEntryBundle } from '../../src/merkle/entry-bundle.ts'
import { leafHash } from '../../src/merkle/hash.ts'
import type { NodeReader } from '../../src/merkle/prover.ts'
import { nodeReaderOf, proveConsistency, proveInclusion, readRoot } from '../../src/merkle/prover.ts'
import type { NoteSigner } from '../../src/merkle/signed-note.ts'
import { signNote } from '../../src/merkle/signed-note.ts'
import type { Tile } from '../../src/merkle/tile.ts'
import { tileAt, tileHeight, tileWidth } from '../../src/merkle/tile.ts'
import { CountersignError, UsageError } from '../../src/error.ts'
import type { AddedEntry, LogHead, LoggedEntry, LogInclusion, LogState, NewEntry, TileLog } from '../../src/server/tile-log/log.ts'

/** What a naive log needs, and what may be different about it. */
export interface NaiveLogOptions {
  readonly id?: string
  readonly origin: string
  readonly signer: NoteSigner
  /** Epoch milliseconds; the real time by default. */
  readonly clock?: () => number
  readonly state?: LogState
  /** How long it collects entries before it signs; not at all by default. */
  readonly batchMs?: number
  /** What `add` throws instead of adding. */
  readonly refuse?: () => CountersignError | undefined
}

/** A naive log, whose state may be changed. */
export interface NaiveLog extends TileLog {
  state: LogState
}

/** An empty log. */
export async function createNaiveLog(options: NaiveLogOptions): Promise<NaiveLog> {
  const clock = options.clock ?? Date.now
  const entries: LoggedEntry[] = []
  const leafHashes: Uint8Array[] = []
  const byIdentity = new Map<string, number>()
  const byLeafHash = new Map<string, number>()
  let newest = await signHead(0)
  let tail: Promise<unknown> = Promise.resolve()

  function reader(size = entries.length): NodeReader {
    return nodeReaderOf(leafHashes.slice(0, size))
  }

  async function signHead(size: number): Promise<LogHead> {
    const rootHash = readRoot(BigInt(size), reader(size))
    const text = encodeCheckpoint({ origin: options.origin, size: BigInt(size), rootHash, extensions: [] })
    return { size: BigInt(size), rootHash, timestampMs: clock(), checkpoint: await signNote(text, [options.signer]) }
  }

  function integrate(entry: NewEntry): { index: number; duplicate: boolean } {
    const last = entries.at(-1)?.timestampMs ?? 0
    const place = { index: BigInt(entries.length), timestampMs: Math.max(clock(), last) }
    const leaf = typeof entry.leaf === 'function' ? entry.leaf(place) : entry.leaf
    const hash = leafHash(leaf)
    const identity = hex(entry.identity ?? hash)
    const known = byIdentity.get(identity)
    if (known !== undefined) return { index: known, duplicate: true }
    byIdentity.set(identity, entries.length)
    byLeafHash.set(hex(hash), entries.length)
    leafHashes.push(hash)
    entries.push({ ...place, leaf, extra: entry.extra ?? new Uint8Array(0) })
    return { index: entries.length - 1, duplicate: false }
  }

  function inclusion(index: bigint, treeSize = newest.size): LogInclusion {
    return { head: newest, hashes: proveInclusion(index, treeSize, reader(Number(treeSize))) }
  }

  const log: NaiveLog = {
    id: options.id ?? options.origin,
    origin: options.origin,
    state: options.state ?? 'active',
    async add(entry): Promise<AddedEntry> {
      const refusal = options.refuse?.()
      if (refusal !== undefined) throw refusal
      if (log.state !== 'active') throw new CountersignError('LOG_FROZEN', `the log ${options.origin} is ${log.state}`)
      // One after another, each with a head of its own.
      const added = tail.then(async () => {
        if (options.batchMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.batchMs))
        const { index, duplicate } = integrate(entry)
        if (!duplicate) newest = await signHead(entries.length)
        const logged = entries[index]
        if (logged === undefined) throw new Error('an entry that was just added is not there')
        return { ...logged, inclusion: inclusion(BigInt(index)), duplicate }
      })
      tail = added.catch(() => undefined)
      return added
    },
    head: async () => newest,
    entries: async (start, count) => entries.slice(Number(start), Math.min(Number(start) + count, Number(newest.size))),
    leaves: async (start, count) => log.entries(start, count),
    indexOfLeafHash: async (hash) => {
      const index = byLeafHash.get(hex(hash))
      return index === undefined ? undefined : BigInt(index)
    },
    proveInclusion: async (index, treeSize) => inclusion(index, treeSize),
    proveConsistency: async (oldSize, newSize) => {
      if (newSize > newest.size) throw new UsageError('USAGE', `the log has ${newest.size} entries, not ${newSize}`)
      return proveConsistency(oldSize, newSize, reader())
    },
    rootHash: async (size) => {
      if (size > newest.size) throw new UsageError('USAGE', `the log has ${newest.size} entries, not ${size}`)
      return readRoot(size, reader(Number(size)))
    },
    tile: async (tile) => tileBytes(tile),
    close: async () => {
      await tail
    },
  }
  return log

  function tileBytes(tile: Tile): Uint8Array | undefined {
    let widest: Tile
    try {
      widest = tileAt(tile.level, tile.index, newest.size)
    } catch {
      return undefined
    }
    if (tile.width > widest.width) return undefined
    const start = Number(tile.index) * tileWidth
    if (tile.level === 'entries') return encodeEntryBundle(entries.slice(start, start + tile.width).map(({ leaf }) => leaf))
    const read = reader()
    const level = tile.level * tileHeight
    return Buffer.concat(Array.from({ length: tile.width }, (_, position) => read(level, BigInt(start + position))))
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
