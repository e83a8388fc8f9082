/** The shards of a Rekor v1 log: one tree that takes entries and those before it, under one virtual index. */
import { encodeEntryId, signedEntryPayload } from '../../api/rekor-v1.ts'
import type { EntryId, RekorV1Entry, ShardInfo } from '../../api/rekor-v1.ts'
import { parseLogEntryKind } from '../../bundle/log-entry-body.ts'
import type { LogEntry } from '../../bundle/signed-entity.ts'
import { parseSupplement } from '../../bundle/log-entry-supplement.ts'
import { digest } from '../../crypto/digest.ts'
import type { LocalSigner } from '../../crypto/signer.ts'
import { asBuffer, encodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { leafHash } from '../../merkle/hash.ts'
import type { LoggedEntry, LogInclusion, TileLog } from '../tile-log/log.ts'

/** One tree of a log. */
export interface RekorV1Shard {
  /** Its origin is `<host> - <treeId>`, signed under the name `<host>` without further signatures. */
  readonly log: TileLog
  /** From 1 to 2^63-1. */
  readonly treeId: bigint
  /** The virtual index of its first entry: how many entries the shards before it have. */
  readonly firstIndex: bigint
  /** The log's key, which signs promises too. */
  readonly signer: LocalSigner
}

/** The shards as the API sees them. */
export interface Shards {
  readonly active: RekorV1Shard
  /** Oldest first. */
  readonly inactive: readonly RekorV1Shard[]
  /** @throws CountersignError NOT_FOUND */
  byTreeId(treeId: bigint): RekorV1Shard
  /** The entry of this name, if a shard has it: in the tree it names, or in any, the active one first. */
  find(id: EntryId): Promise<RekorV1Entry | undefined>
  /** The entry with this virtual index, if there is one. */
  at(virtualIndex: bigint): Promise<RekorV1Entry | undefined>
}

/**
 * The shards of a log.
 * @throws CountersignError CONFIGURATION_INVALID when an origin is not that of its tree, or the virtual indices are not in a row
 */
export function createShards(active: RekorV1Shard, inactive: readonly RekorV1Shard[]): Shards {
  const newestFirst = [active, ...inactive.toReversed()]
  checkShards(newestFirst)

  async function find({ treeId, leafHash: hash }: EntryId): Promise<RekorV1Entry | undefined> {
    for (const shard of newestFirst) {
      if (treeId !== undefined && treeId !== shard.treeId) continue
      const index = await shard.log.indexOfLeafHash(hash)
      if (index !== undefined) return entryAt(shard, index)
    }
    return undefined
  }

  return {
    active,
    inactive,
    byTreeId(treeId) {
      const shard = newestFirst.find((candidate) => candidate.treeId === treeId)
      if (shard === undefined) throw new CountersignError('NOT_FOUND', `${treeId} is not a tree of this log`)
      return shard
    },
    find,
    async at(virtualIndex) {
      const shard = newestFirst.find(({ firstIndex }) => firstIndex <= virtualIndex)
      return shard === undefined ? undefined : entryAt(shard, virtualIndex - shard.firstIndex)
    },
  }
}

/** The head of a shard. */
export async function shardInfo({ log, treeId }: RekorV1Shard): Promise<ShardInfo> {
  const { size, rootHash, checkpoint } = await log.head()
  return { treeId, treeSize: size, rootHash, signedTreeHead: checkpoint }
}

/** An entry of a shard as it is answered, with a promise that is signed anew. */
export function describeEntry(shard: RekorV1Shard, logged: LoggedEntry, { head, hashes }: LogInclusion): RekorV1Entry {
  const { leaf: body, index } = logged
  const stated = {
    logIndex: shard.firstIndex + index,
    logId: digest('sha256', shard.signer.publicKey.spki),
    integratedTime: BigInt(Math.floor(logged.timestampMs / 1000)),
    body,
  }
  return {
    entryId: encodeEntryId(shard.treeId, leafHash(body)),
    entry: {
      ...stated,
      ...kindOf(body),
      signedEntryTimestamp: shard.signer.sign(encodeUtf8(signedEntryPayload(stated))),
      inclusionProof: { logIndex: index, treeSize: head.size, rootHash: head.rootHash, hashes, checkpoint: head.checkpoint },
    },
    attestation: attestationOf(logged),
  }
}

/** What our log writes is canonical, so that these two members come first: no need to parse all of it. */
function kindOf(body: Uint8Array): Pick<LogEntry, 'kind' | 'version'> {
  const start = asBuffer(body.subarray(0, 100)).toString('latin1')
  const [, version, kind] = /^\{"apiVersion":"([0-9.]+)","kind":"([a-z0-9]+)",/.exec(start) ?? []
  return version === undefined || kind === undefined ? parseLogEntryKind(body) : { kind, version }
}

function attestationOf({ extra, index }: LoggedEntry): Uint8Array | undefined {
  try {
    return parseSupplement(extra).attestation
  } catch (cause) {
    // We wrote it, so it is our storage that is wrong, not the request.
    throw new CountersignError('LOG_CORRUPT', `what is kept beside the entry ${index} is malformed: ${messageOf(cause)}`, { cause })
  }
}

async function entryAt(shard: RekorV1Shard, index: bigint): Promise<RekorV1Entry | undefined> {
  const [logged] = await shard.log.entries(index, 1)
  return logged === undefined ? undefined : describeEntry(shard, logged, await shard.log.proveInclusion(index))
}

function checkShards(newestFirst: readonly RekorV1Shard[]): void {
  const treeIds = new Set<bigint>()
  for (const [at, shard] of newestFirst.entries()) {
    const { treeId, firstIndex, log } = shard
    if (treeId < 1n || treeId >= 1n << 63n || treeIds.has(treeId))
      throw invalid(`the tree ID of each shard is a number of its own from 1 to 2^63-1, found ${treeId}`)
    treeIds.add(treeId)
    // sigstore-go tells Rekor v1 from v2 by this.
    const host = log.origin.endsWith(` - ${treeId}`) ? log.origin.slice(0, -` - ${treeId}`.length) : ''
    if (host === '') throw invalid(`the origin of the shard ${treeId} should be "<host> - ${treeId}", found ${excerpt(log.origin)}`)
    const older = newestFirst[at + 1]
    if (firstIndex < 0n || (older !== undefined && older.firstIndex > firstIndex))
      throw invalid(`the shard ${treeId} begins at the virtual index ${firstIndex}, before one that is older`)
  }
}

function invalid(message: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', message)
}
