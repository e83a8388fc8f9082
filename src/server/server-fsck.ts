/** `server fsck`: everything that a server has stored, read again and checked against its keys. Changes nothing. */
import path from 'node:path'
import { CountersignError, messageOf } from '../error.ts'
import type { Administration } from './administration.ts'
import { verifyOwnCheckpoint } from './checkpoint-check.ts'
import { createLoggedCertificateCheck } from './ctlog/logged-entry.ts'
import { dataFiles } from './data-folder.ts'
import type { LogMaterial } from './material.ts'
import { checkLoggedEntryV1, checkLoggedEntryV2 } from './rekor/logged-entry.ts'
import { originOfLog } from './server-logs.ts'
import { checkAgainstCopy, emptyTree } from './tile-log/anti-rollback.ts'
import type { Finding, FsckOptions } from './tile-log/fsck.ts'
import { fsckLog, maxFindings } from './tile-log/fsck.ts'
import { createHeadCopy } from './tile-log/head-copy.ts'

/** Something that is wrong. */
export interface ServerFinding {
  /** The id of the log, or `tuf`. */
  readonly log: string
  /** Of the entry that it is about, if it is about one. */
  readonly index?: bigint
  /** What is wrong. */
  readonly problem: string
  /** What to do; undefined where the problem says it. */
  readonly advice: string | undefined
}

export interface ServerFsckReport {
  /** The logs that were read, and their sizes. */
  readonly logs: readonly { readonly log: string; readonly size: bigint }[]
  /** The logs that have more findings than are listed. */
  readonly cutShort: readonly string[]
  readonly findings: readonly ServerFinding[]
}

export interface ServerFsckOptions {
  /** Leaves out what costs most: the signatures in entries and over certificates. */
  readonly quick: boolean
  /** Told from time to time; what it throws ends the check. */
  readonly onProgress?: (log: string, checked: bigint, size: bigint) => void
}

const restoreDatabase = 'stop the server and restore a backup of the database from before the damage'

/** What to do about each kind of finding. */
const advice: Readonly<Record<Finding['kind'], (log: string) => string>> = {
  head: () => restoreDatabase,
  checkpoint: () => 'restore the key file and the entry of this log in server.yaml; if they are the right ones, restore the database',
  copy: (log) =>
    `restore the folder heads, or the database that belongs to it; if there is none: countersign server recover-log --accept-rollback ${log}`,
  object: () => restoreDatabase,
  tree: () => restoreDatabase,
  times: () => restoreDatabase,
  keys: () => restoreDatabase,
  entry: () => `${restoreDatabase}; if all have it, tell those who rely on this entry`,
}

/**
 * Checks all logs of the configuration and the TUF repository. The server may be running.
 * @throws CountersignError STORAGE_FAILED
 */
export async function fsckServer(administration: Administration, options: ServerFsckOptions): Promise<ServerFsckReport> {
  const { material, storage, tuf } = administration
  const logs: { log: string; size: bigint }[] = []
  const cutShort: string[] = []
  const findings: ServerFinding[] = []
  for (const log of material.logs) {
    const { size, found } = await fsckReadable(administration, log, options)
    if (size !== undefined) logs.push({ log: log.id, size })
    findings.push(...found)
    if (found.length >= maxFindings) cutShort.push(log.id)
  }
  const known = new Set(material.logs.map(({ id }) => id))
  for (const id of await storage.heads.logIds()) {
    if (known.has(id)) continue
    findings.push({
      log: id,
      problem: 'the database has this log, and server.yaml does not name it: nobody can read its entries',
      advice: 'put its entry under logs back, with state: frozen',
    })
  }
  for (const problem of await tufProblems(tuf)) findings.push({ log: 'tuf', problem, advice: adviceUnlessSaid(problem, restoreDatabase) })
  return { logs, cutShort, findings }
}

async function tufProblems(tuf: Administration['tuf']): Promise<string[]> {
  try {
    return await tuf.check()
  } catch (error) {
    // Metadata that cannot be read is damage like any other.
    return [messageOf(error)]
  }
}

interface CheckedLog {
  /** Undefined for a log that has not begun. */
  readonly size: bigint | undefined
  readonly found: readonly ServerFinding[]
}

/** What is stored of a log may be so damaged that not even its head can be loaded. */
async function fsckReadable(administration: Administration, material: LogMaterial, options: ServerFsckOptions): Promise<CheckedLog> {
  try {
    return await fsckOne(administration, material, options)
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'LOG_CORRUPT') throw error
    return { size: undefined, found: [{ log: material.id, problem: error.message, advice: restoreDatabase }] }
  }
}

async function fsckOne(administration: Administration, material: LogMaterial, options: ServerFsckOptions): Promise<CheckedLog> {
  const { storage, configuration, folder } = administration
  const { id } = material
  const headsFolder = path.join(folder, dataFiles.heads)
  if ((await storage.heads.load(id))?.head === undefined) return { size: undefined, found: await findingsWithoutHead(id, headsFolder) }
  const origin = originOfLog(material, configuration.url)
  const { size, findings } = await fsckLog({
    logId: id,
    storage,
    headsFolder,
    origin,
    verifyCheckpoint: (head) => verifyOwnCheckpoint(material, origin, head),
    checkEntry: entryCheck(administration, material, options),
    onProgress: (checked, all) => options.onProgress?.(id, checked, all),
  })
  const found = findings.map(({ kind, index, message }) => ({
    log: id,
    ...(index === undefined ? {} : { index }),
    // This is what it says to run.
    problem: message.replace(/; run countersign server fsck$/, ''),
    advice: adviceUnlessSaid(message, advice[kind](id)),
  }))
  return { size, found }
}

/** A log that was signed for, and of which the database knows nothing. */
async function findingsWithoutHead(id: string, headsFolder: string): Promise<ServerFinding[]> {
  try {
    await checkAgainstCopy(id, createHeadCopy(headsFolder, id), emptyTree)
    return []
  } catch (error) {
    const problem = messageOf(error)
    return [{ log: id, problem, advice: adviceUnlessSaid(problem, advice.copy(id)) }]
  }
}

function entryCheck(
  { storage }: Administration,
  { kind }: LogMaterial,
  { quick }: ServerFsckOptions,
): NonNullable<FsckOptions['checkEntry']> {
  const depth = quick ? 'form' : 'signatures'
  if (kind === 'ctlog') {
    const check = createLoggedCertificateCheck(storage.documents)
    return (entry) => check(entry, depth)
  }
  return (entry) => (kind === 'rekor-v1' ? checkLoggedEntryV1(entry, depth) : checkLoggedEntryV2(entry, depth))
}

/** Some messages say what to do themselves. */
function adviceUnlessSaid(problem: string, advised: string): string | undefined {
  return /countersign server (?:recover-log|tuf) /.test(problem) ? undefined : advised
}
