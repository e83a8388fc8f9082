/** Checks a log as it is stored: everything that can be derived is derived again from its entries. Changes nothing. */
import { equalBytes } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { parseCheckpoint } from '../../merkle/checkpoint.ts'
import { decodeEntryBundle } from '../../merkle/entry-bundle.ts'
import { leafHash } from '../../merkle/hash.ts'
import { parseSignedNote } from '../../merkle/signed-note.ts'
import { encodeTilePath, tileWidth } from '../../merkle/tile.ts'
import type { TailEntry } from '../storage/head-store.ts'
import type { Storage } from '../storage/storage.ts'
import { checkAgainstCopy } from './anti-rollback.ts'
import type { HeadCopy } from './head-copy.ts'
import { createHeadCopy } from './head-copy.ts'
import type { LoggedEntry, LogHead } from './log.ts'
import { bundleName, decodeTimes, timesName } from './objects.ts'
import { emptyEdge, growEdge, tileBytes } from './tree-edge.ts'
import { createTreeReader } from './tree-reader.ts'
import type { TreeState } from './tree-state.ts'
import { tailStart, treeStateOf } from './tree-state.ts'

/** What is wrong with a log. */
export interface Finding {
  readonly kind: 'head' | 'checkpoint' | 'copy' | 'object' | 'tree' | 'times' | 'keys' | 'entry'
  /** Of the entry that it is about, if it is about one. */
  readonly index?: bigint
  /** A sentence: which part, what was expected, what was found. */
  readonly message: string
}

export interface FsckReport {
  readonly logId: string
  /** Entries that were checked. */
  readonly size: bigint
  /** None when the log is sound; at most 100. */
  readonly findings: readonly Finding[]
}

export interface FsckOptions {
  readonly logId: string
  readonly storage: Pick<Storage, 'heads' | 'objects'>
  /** As for `openLog`. */
  readonly headsFolder?: string
  /** The first line that checkpoints must have. */
  readonly origin: string
  /** Verifies the signature over a head. @throws when it does not verify */
  readonly verifyCheckpoint: (head: LogHead) => void | Promise<void>
  /** Checks what an entry says, which the log does not know. @throws when something is wrong with it */
  readonly checkEntry?: (entry: LoggedEntry) => void | Promise<void>
  /** Told from time to time how many entries were checked; what it throws ends the check. */
  readonly onProgress?: (checked: bigint, size: bigint) => void
}

/** The findings of a log that are reported. */
export const maxFindings = 100
const cacheSize = 4 * 1024 * 1024
/** What is kept beside an entry has up to 1 MiB. */
const extrasAtOnce = 32

/**
 * Checks a log, which may be in use. Takes memory for one bundle, and time for all of them.
 * @throws CountersignError NOT_FOUND when the storage has no such log; STORAGE_FAILED
 */
export async function fsckLog(options: FsckOptions): Promise<FsckReport> {
  const { logId, storage } = options
  const findings = new Findings()
  // Before the head: a server that is running may write a newer copy at any time, and never one that is newer than its database.
  const copy = await copyAsItIs(options)
  const stored = await storage.heads.load(logId)
  if (stored?.head === undefined) throw new CountersignError('NOT_FOUND', `the storage has no log ${logId}`)
  const { head } = stored
  const state = await findings.of('tree', () => treeStateOf(logId, stored, head))
  await findings.of('checkpoint', () => checkCheckpoint(options, head))
  await checkEntries(options, findings, head, state?.tail ?? stored.tail)
  if (state !== undefined) await findings.of('copy', () => checkCopy(options, state, copy))
  await findings.of('keys', () => checkKeyCounts(options, head.size))
  return { logId, size: head.size, findings: findings.list }
}

class Findings {
  readonly list: Finding[] = []

  add(kind: Finding['kind'], message: string, index?: bigint): void {
    if (this.list.length < maxFindings) this.list.push({ kind, message, ...(index === undefined ? {} : { index }) })
  }

  /** What the check gives; a failure is a finding, but for one of the storage itself. */
  async of<Result>(kind: Finding['kind'], check: () => Result | Promise<Result>, index?: bigint): Promise<Result | undefined> {
    try {
      return await check()
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'STORAGE_FAILED') throw error
      this.add(kind, messageOf(error), index)
      return undefined
    }
  }
}

async function checkCheckpoint({ origin, verifyCheckpoint }: FsckOptions, head: LogHead): Promise<void> {
  const checkpoint = parseCheckpoint(parseSignedNote(head.checkpoint).text)
  if (checkpoint.origin !== origin) throw new Error(`the checkpoint's origin should be ${origin}, found ${checkpoint.origin}`)
  if (checkpoint.size !== head.size || !equalBytes(checkpoint.rootHash, head.rootHash))
    throw new Error(`the checkpoint is about a tree of ${checkpoint.size} entries, the head about one of ${head.size} or another root`)
  await verifyCheckpoint(head)
}

/** Reads all entries in order, and compares what follows from them with what is stored. */
async function checkEntries(options: FsckOptions, findings: Findings, head: LogHead, tail: readonly TailEntry[]): Promise<void> {
  const { logId, storage, onProgress } = options
  const bundles = tailStart(head.size) / BigInt(tileWidth)
  let edge = emptyEdge
  let lastMs = 0
  for (let index = 0n; index <= bundles; index++) {
    const entries = index === bundles ? tail : await findings.of('object', () => readBundle(options, index))
    // Without its leaves nothing above them can be derived.
    if (entries === undefined) return
    const hashes = entries.map(({ leaf }) => leafHash(leaf))
    const grown = growEdge(edge, hashes)
    edge = grown.edge
    for (const { level, index, nodes } of grown.fullTiles) {
      const name = encodeTilePath({ level, index, width: tileWidth })
      const stored = await storage.objects.get(logId, name)
      if (stored === undefined) findings.add('object', `the tile ${name} is missing`)
      else if (!equalBytes(stored, tileBytes(nodes))) findings.add('tree', `the tile ${name} is not that of the entries`)
    }
    for (const { index, timestampMs } of entries) {
      if (timestampMs < lastMs || timestampMs > head.timestampMs)
        findings.add('times', `the entry ${index} has the time ${timestampMs}, expected one from ${lastMs} to ${head.timestampMs}`, index)
      lastMs = Math.max(lastMs, timestampMs)
    }
    await checkKeys(options, findings, entries, hashes)
    await checkContents(options, findings, entries)
    onProgress?.(edge.size, head.size)
  }
}

async function checkContents(
  { logId, storage, checkEntry }: FsckOptions,
  findings: Findings,
  entries: readonly Pick<TailEntry, 'index' | 'timestampMs' | 'leaf'>[],
): Promise<void> {
  if (checkEntry === undefined) return
  for (let at = 0; at < entries.length; at += extrasAtOnce) {
    const some = entries.slice(at, at + extrasAtOnce)
    const start = some[0]?.index ?? 0n
    const extras = await storage.heads.extras(logId, start, start + BigInt(some.length))
    for (const { index, timestampMs, leaf } of some) {
      const extra = extras.get(index) ?? new Uint8Array()
      await findings.of('entry', () => checkEntry({ index, timestampMs, leaf, extra }), index)
    }
  }
}

async function readBundle({ logId, storage }: FsckOptions, index: bigint): Promise<Pick<TailEntry, 'index' | 'timestampMs' | 'leaf'>[]> {
  const [bundle, times] = await Promise.all([storage.objects.get(logId, bundleName(index)), storage.objects.get(logId, timesName(index))])
  if (bundle === undefined) throw new Error(`the bundle ${bundleName(index)} is missing`)
  if (times === undefined) throw new Error(`the times ${timesName(index)} are missing`)
  const timestamps = decodeTimes(times)
  return decodeEntryBundle(bundle, tileWidth).map((leaf, position) => ({
    index: index * BigInt(tileWidth) + BigInt(position),
    timestampMs: timestamps[position] ?? 0,
    leaf,
  }))
}

async function checkKeys(
  { logId, storage }: FsckOptions,
  findings: Findings,
  entries: readonly { readonly index: bigint }[],
  hashes: readonly Uint8Array[],
): Promise<void> {
  const found = await storage.heads.findLeafHashes(logId, hashes)
  for (const [position, { index }] of entries.entries()) {
    const other = found[position]
    // Entries with different identities may have the same leaf: the first of them is found.
    if (other === undefined || other > index)
      findings.add('keys', `the leaf hash of the entry ${index} should be found there or earlier, found at ${other ?? 'none'}`, index)
  }
}

async function checkKeyCounts({ logId, storage }: FsckOptions, size: bigint): Promise<void> {
  const { identities, leafHashes } = await storage.heads.countKeys(logId, size)
  if (identities !== size || leafHashes !== size)
    throw new Error(`${size} entries should be found by identity and by leaf hash, found ${identities} and ${leafHashes}`)
}

/** The copy as it is at this moment; a failure to read it comes when it is asked for. */
async function copyAsItIs({ logId, headsFolder }: FsckOptions): Promise<HeadCopy | undefined> {
  if (headsFolder === undefined) return undefined
  const copy = createHeadCopy(headsFolder, logId)
  const [reading] = await Promise.allSettled([copy.read()])
  return {
    ...copy,
    read: async () => {
      if (reading.status === 'rejected') throw reading.reason
      return reading.value
    },
  }
}

async function checkCopy({ logId, storage, headsFolder }: FsckOptions, state: TreeState, copy: HeadCopy | undefined): Promise<void> {
  if (copy === undefined) return
  const reader = createTreeReader({ logId, storage, cacheSize })
  const tree = { size: state.head.size, rootHash: (size: bigint) => reader.rootHash(state, size) }
  const copied = await checkAgainstCopy(logId, copy, tree)
  if (copied === undefined) throw new Error(`the copy of the newest head, ${logId} in ${headsFolder}, is missing`)
}
