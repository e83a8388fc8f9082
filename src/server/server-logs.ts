/** The logs of a server, opened: those of each kind, oldest first. */
import { createNoteSigner, createRekorV1NoteSigner, signCheckpoint } from '../merkle/note-signer.ts'
import { CountersignError } from '../error.ts'
import type { Clock } from './clock.ts'
import type { LogMaterial } from './material.ts'
import type { Storage } from './storage/storage.ts'
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

function open(material: LogMaterial, { storage, clock, headsFolder, signers, originOfCtLog }: OpenLogsOptions): Promise<OpenedLog> {
  const { id, kind, state } = material
  return openLog({
    id,
    origin: kind === 'ctlog' ? originOfCtLog : originOf(material),
    state,
    storage,
    clock,
    signCheckpoint: signers[kind](material),
    ...(headsFolder === undefined ? {} : { headsFolder }),
  })
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
