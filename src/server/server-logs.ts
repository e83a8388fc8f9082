/** The logs of a server, opened: those of each kind, oldest first. */
import { equalBytes } from '../encoding/bytes.ts'
import { createNoteSigner, createRekorV1NoteSigner, signCheckpoint } from '../merkle/note-signer.ts'
import type { NoteSignature } from '../merkle/signature-line.ts'
import { parseSignedNote } from '../merkle/signed-note.ts'
import { CountersignError } from '../error.ts'
import type { Clock } from './clock.ts'
import type { LogMaterial } from './material.ts'
import { servicePaths } from './server-trust.ts'
import type { Storage } from './storage/storage.ts'
import { createHeadCopy } from './tile-log/head-copy.ts'
import type { OpenedLog, OpenLogOptions } from './tile-log/open-log.ts'
import { openLog } from './tile-log/open-log.ts'

/** A log with what it was opened from. */
export interface ServerLogInstance {
  readonly material: LogMaterial
  readonly log: OpenedLog
}

/** How the checkpoints of the CT log are signed, which its service knows. */
export type CheckpointSigners = Readonly<Record<LogMaterial['kind'], (material: LogMaterial) => OpenLogOptions['signCheckpoint']>>

export interface OpenLogsOptions {
  readonly materials: readonly LogMaterial[]
  readonly storage: Storage
  readonly clock: Clock
  readonly headsFolder: string | undefined
  readonly signers: CheckpointSigners
  readonly originOfCtLog: string
}

/** The checkpoint signers of both Rekors. */
export const rekorCheckpointSigners: Omit<CheckpointSigners, 'ctlog'> = {
  'rekor-v1': ({ origin, key }) => {
    const signer = createRekorV1NoteSigner(origin, key.createSigner())
    return (checkpoint) => signCheckpoint(checkpoint, [signer])
  },
  'rekor-v2': ({ origin, key }) => {
    const signer = createNoteSigner(origin, key.createSigner())
    return (checkpoint) => signCheckpoint(checkpoint, [signer])
  },
}

/** Opens all logs. @throws whatever `openLog` throws; then those that were opened are closed */
export async function openLogs(options: OpenLogsOptions): Promise<readonly ServerLogInstance[]> {
  const opened: ServerLogInstance[] = []
  try {
    for (const material of options.materials) opened.push({ material, log: await open(material, options) })
  } catch (error) {
    await Promise.all(opened.map(({ log }) => log.close()))
    throw error
  }
  return opened
}

async function open(material: LogMaterial, { storage, clock, headsFolder, signers, originOfCtLog }: OpenLogsOptions): Promise<OpenedLog> {
  const { id, kind, state } = material
  const signCheckpoint = signers[kind](material)
  if (headsFolder !== undefined) await demandCopy(id, storage, headsFolder)
  const log = await openLog({
    id,
    origin: kind === 'ctlog' ? originOfCtLog : originOf(material),
    state,
    storage,
    clock,
    signCheckpoint,
    ...(headsFolder === undefined ? {} : { headsFolder }),
  })
  try {
    await demandOwnHead(log, signCheckpoint)
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

/**
 * Demands that there is a copy of the newest head, which is written before the first entry is answered: a backup that was restored without
 * it may be older than what was signed, and nothing would tell. A further front end of a shared database has none yet.
 */
async function demandCopy(id: string, { heads }: Storage, headsFolder: string): Promise<void> {
  if (heads.sharing !== undefined || (await createHeadCopy(headsFolder, id).read()) !== undefined) return
  const size = (await heads.load(id))?.head?.size ?? 0n
  if (size === 0n) return
  throw new CountersignError(
    'LOG_ROLLED_BACK',
    `the log ${id} has ${size} entries, and the copy of its newest head in ${headsFolder} is missing, so that nothing tells whether the database is the newest: restore that folder too; if there is none, accept the database as it is with "countersign server recover-log --accept-rollback ${id}"`,
  )
}

/**
 * Demands that the newest head was signed with the key of the configuration, under its name: with another one the entries of before could
 * not be verified any more by those who get their trust from this server.
 */
async function demandOwnHead(log: OpenedLog, signCheckpoint: OpenLogOptions['signCheckpoint']): Promise<void> {
  const { checkpoint, size, rootHash, timestampMs } = await log.head()
  const own = await signCheckpoint({ origin: log.origin, size, rootHash, extensions: [] }, timestampMs)
  const { text, signatures } = parseSignedNote(checkpoint)
  const isOwn = ({ name, keyId }: NoteSignature): boolean =>
    signatures.some((signature) => signature.name === name && equalBytes(signature.keyId, keyId))
  if (parseSignedNote(own).text === text && parseSignedNote(own).signatures.some(isOwn)) return
  throw new CountersignError(
    'CONFIGURATION_INVALID',
    `the log ${log.id} was signed with another key, or under another name than ${log.origin}: restore its key file and its entry in server.yaml, or begin a new log with an id of its own`,
  )
}

/** The first line of the CT log's checkpoints. @param url the origin of the server */
export function originOfCtLog(url: string): string {
  return `${new URL(url).hostname}${servicePaths.ctlog}`
}

/** The first line of a log's checkpoints. @param url the origin of the server */
export function originOfLog(material: LogMaterial, url: string): string {
  return material.kind === 'ctlog' ? originOfCtLog(url) : originOf(material)
}

/** The first line of a Rekor log's checkpoints. */
export function originOf({ id, kind, origin, treeId }: LogMaterial): string {
  if (kind !== 'rekor-v1') return origin
  if (treeId === undefined) throw new CountersignError('CONFIGURATION_INVALID', `the log ${id} has no tree ID`)
  return `${origin} - ${treeId}`
}

/** The logs of a kind: the one that takes entries, or was the last to, and those before it, oldest first. */
export function logsOfKind(
  instances: readonly ServerLogInstance[],
  kind: LogMaterial['kind'],
): { readonly newest: ServerLogInstance; readonly others: readonly ServerLogInstance[] } {
  const ofKind = instances.filter(({ material }) => material.kind === kind).toSorted((a, b) => a.material.since - b.material.since)
  const newest = ofKind.findLast(({ material }) => material.state === 'active') ?? ofKind.at(-1)
  if (newest === undefined) throw new CountersignError('CONFIGURATION_INVALID', `logs: there is no log of the kind ${kind}`)
  return { newest, others: ofKind.filter((instance) => instance !== newest) }
}

/** The clocks of several front ends differ a little. */
const clockToleranceMs = 10_000

/**
 * Tells whether the clock was set back while the server was not running, by the heads that its logs have signed until now.
 * @returns a function from the time, in epoch milliseconds, to why it must not be trusted; undefined while it may be
 */
export function watchAgainstHeads(instances: readonly ServerLogInstance[]): (nowMs: number) => string | undefined {
  const heads = instances.map(({ log }) => log.status()).filter(({ size }) => size > 0n)
  const signedMs = Math.max(0, ...heads.map(({ timestampMs }) => timestampMs))
  return (nowMs) => {
    if (nowMs + clockToleranceMs >= signedMs) return undefined
    return `it is ${Math.round((signedMs - nowMs) / 1000)} s behind what the logs of this server have signed`
  }
}
