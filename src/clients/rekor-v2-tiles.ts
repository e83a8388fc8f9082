/** Reads an entry, with its proof, from the tiles of a Rekor v2 log: it has no endpoint for that. */
import { rekorV2CheckpointPath } from '../api/rekor-v2.ts'
import { parseLogEntryKind } from '../bundle/log-entry-body.ts'
import type { InclusionProof, LogEntry } from '../bundle/signed-entity.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { pause } from '../http/deadline.ts'
import { parseCheckpoint } from '../merkle/checkpoint.ts'
import { decodeEntryBundle } from '../merkle/entry-bundle.ts'
import { carryOut, planInclusion } from '../merkle/prover.ts'
import { parseSignedNote } from '../merkle/signed-note.ts'
import type { Tile } from '../merkle/tile.ts'
import { encodeTilePath, tileAt, tileNodeReader, tileWidth, tilesOfNodes } from '../merkle/tile.ts'
import { ask, endpoint, readAnswer, refusal } from './service.ts'
import type { ServiceName, ServiceOptions } from './service.ts'

const timeoutMs = 20_000
const maxTileBytes = 32 * tileWidth
const maxBundleBytes = 17 * 1024 * 1024
const maxCheckpointBytes = 1024 * 1024
/** How long to wait for a checkpoint that covers the entry. */
const checkpointAttempts = 20
const checkpointPauseMs = 1_000

/**
 * Reads an entry as the answer to its addition would have stated it. Nothing in it is verified.
 * @param logId the log's key ID
 * @throws CountersignError SERVICE_REFUSED, CHECKPOINT_INVALID, TILE_INVALID, LOG_ENTRY_INVALID; TransportError as `ask`
 */
export async function readTiledEntry(
  service: ServiceName,
  logIndex: bigint,
  logId: Uint8Array,
  options: ServiceOptions,
): Promise<LogEntry> {
  const checkpoint = await coveringCheckpoint(service, logIndex, options)
  const [body, inclusionProof] = await Promise.all([
    readBody(service, logIndex, checkpoint.size, options),
    prove(service, logIndex, checkpoint, options),
  ])
  const { kind, version } = readAnswer(service, () => parseLogEntryKind(body))
  return { logIndex, logId, kind, version, integratedTime: 0n, signedEntryTimestamp: undefined, inclusionProof, body }
}

interface FetchedCheckpoint {
  readonly size: bigint
  readonly rootHash: Uint8Array
  readonly note: string
}

/** An entry that was deduplicated may be so new that no checkpoint covers it yet. */
async function coveringCheckpoint(service: ServiceName, logIndex: bigint, options: ServiceOptions): Promise<FetchedCheckpoint> {
  for (let attempt = 1; ; attempt++) {
    const bytes = await read(service, rekorV2CheckpointPath, maxCheckpointBytes, options)
    const checkpoint = readAnswer(service, () => {
      const note = decodeUtf8(bytes, 'the checkpoint')
      const { size, rootHash } = parseCheckpoint(parseSignedNote(note).text)
      return { size, rootHash, note }
    })
    if (checkpoint.size > logIndex) return checkpoint
    if (attempt === checkpointAttempts) {
      throw new CountersignError(
        'SERVICE_REFUSED',
        `the ${service.kind} ${service.url} has the entry ${logIndex} and no checkpoint that covers it`,
      )
    }
    await pause(checkpointPauseMs, options.signal ?? new AbortController().signal)
    options.signal?.throwIfAborted()
  }
}

async function readBody(service: ServiceName, logIndex: bigint, treeSize: bigint, options: ServiceOptions): Promise<Uint8Array> {
  const tile = tileAt('entries', logIndex / BigInt(tileWidth), treeSize)
  const bytes = await read(service, `/api/v2/${encodeTilePath(tile)}`, maxBundleBytes, options)
  const body = readAnswer(service, () => decodeEntryBundle(bytes, tile.width))[Number(logIndex % BigInt(tileWidth))]
  return body ?? new Uint8Array(0)
}

async function prove(
  service: ServiceName,
  logIndex: bigint,
  { size, rootHash, note }: FetchedCheckpoint,
  options: ServiceOptions,
): Promise<InclusionProof> {
  const plan = planInclusion(logIndex, size)
  const tiles = new Map<string, Uint8Array>()
  await Promise.all(
    tilesOfNodes(plan.flat(), size).map(async (tile) => {
      const path = encodeTilePath(tile)
      tiles.set(path, await read(service, `/api/v2/${path}`, maxTileBytes, options))
    }),
  )
  const tileBytes = (tile: Tile): Uint8Array => tiles.get(encodeTilePath(tile)) ?? new Uint8Array(0)
  const hashes = readAnswer(service, () => carryOut(plan, tileNodeReader(size, tileBytes)))
  return { logIndex, treeSize: size, rootHash, hashes, checkpoint: note }
}

async function read(service: ServiceName, path: string, maxBytes: number, options: ServiceOptions): Promise<Uint8Array> {
  const response = await ask(service, endpoint(service.url, path), { maxBytes, timeoutMs }, options)
  if (response.status !== 200) throw refusal(service, response, ` when asked for ${path}, which an entry that it has already is read from`)
  return response.body
}
