/** The folder that a server lives in: what is where. */
import { chmod, mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError, messageOf, TransportError, isMissing, systemCode } from '../error.ts'
import { reasonOfRefusedWrite } from './storage/refused-write.ts'
import { readBoundedFile, replaceFile, syncFolder } from '../tuf/bounded-file.ts'

/** The files of a data folder, relative to it. */
export const dataFiles = {
  configuration: 'server.yaml',
  issuers: 'issuers.yaml',
  database: 'countersign.sqlite',
  /** Copies of what the logs have signed, outside the database. */
  heads: 'heads',
  keys: 'keys',
  certificates: 'certificates',
  /** What clients need, written by `export-trust`. */
  trust: 'trust',
} as const

/** There while a server is being made: what is beside it then was never used. */
const unfinishedFile = 'unfinished'

const maxTextBytes = 4 * 1024 * 1024

/** Makes the folder, for its owner alone. @throws TransportError FILE_UNWRITABLE */
export async function makePrivateFolder(folder: string): Promise<void> {
  await writing(folder, async () => {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    if (made !== undefined) await syncFolder(path.dirname(made))
  })
}

/** Writes what a file or folder is to hold. @throws TransportError FILE_UNWRITABLE, in one sentence, for errors of the operating system */
export async function writing<Result>(what: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (cause) {
    const code = systemCode(cause)
    if (code === '' || cause instanceof CountersignError) throw cause
    throw new TransportError('FILE_UNWRITABLE', `${what} cannot be written: ${reasonOfRefusedWrite(code) ?? messageOf(cause)}`, { cause })
  }
}

/** Whether a server was initialised in the folder. @throws CountersignError FILE_UNREADABLE when something else is in it */
export async function isInitialised(folder: string): Promise<boolean> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return false
    throw new TransportError('FILE_UNREADABLE', `${folder} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  if (names.includes(dataFiles.configuration)) return true
  const unfinished = names.includes(unfinishedFile)
  const strange = names.find((name) => name !== 'lost+found' && !isMark(name) && !(unfinished && isLeftOver(name)))
  if (strange === undefined) return false
  const advice = isPart(strange)
    ? `restore ${dataFiles.configuration} from a backup, or name an empty folder with --data`
    : 'name the folder of a server, or an empty one, with --data'
  throw new CountersignError('FILE_UNREADABLE', `${folder} has no ${dataFiles.configuration} but holds ${strange}: ${advice}`)
}

/** Says on disk that a server is being made, before its first file is. @throws TransportError FILE_UNWRITABLE */
export async function markUnfinished(folder: string): Promise<void> {
  await writeDataText(folder, unfinishedFile, 'countersign server init was under way: what is in this folder may be replaced\n')
}

/** Says that it has been made. @throws TransportError FILE_UNWRITABLE */
export async function markFinished(folder: string): Promise<void> {
  const file = path.join(folder, unfinishedFile)
  await writing(file, async () => {
    await rm(file, { force: true })
    await syncFolder(folder)
  })
}

function isMark(name: string): boolean {
  return name === unfinishedFile || /^\.unfinished\.[0-9a-f]+\.tmp$/.test(name)
}

/** An init that was interrupted leaves keys that nobody has seen, which a new one replaces, and files that were being written. */
function isLeftOver(name: string): boolean {
  return isPart(name) || /^\.(?:server|issuers)\.yaml\.[0-9a-f]+\.tmp$/.test(name)
}

/** Whether a name is that of a part of a server which an init writes. */
function isPart(name: string): boolean {
  const parts: readonly string[] = [dataFiles.keys, dataFiles.certificates, dataFiles.issuers]
  return parts.includes(name)
}

/** Reads a text file of the folder. @throws CountersignError FILE_UNREADABLE when it is missing, TOO_LARGE */
export async function readDataText(folder: string, file: string): Promise<string> {
  const bytes = await readBoundedFile(path.resolve(folder, file), maxTextBytes)
  if (bytes === undefined)
    throw new CountersignError('FILE_UNREADABLE', `${path.resolve(folder, file)} is missing: restore it from a backup`)
  return decodeUtf8(bytes, file)
}

/** Writes a text file of the folder and waits until it is on disk. @throws TransportError FILE_UNWRITABLE */
export async function writeDataText(folder: string, file: string, text: string, mode = 0o600): Promise<void> {
  const target = path.resolve(folder, file)
  await writing(target, async () => {
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
    await replaceFile(target, text, true)
    if (mode !== 0o600) await chmod(target, mode)
  })
}

/** Removes what a new server was made of, but not what of it was in the folder before. What cannot be removed stays: why is no news by then. */
export async function removeMade(folder: string, before: readonly string[] | undefined): Promise<void> {
  const { database, trust: _, ...others } = dataFiles
  // The configuration first: without it there is no server.
  for (const name of [...Object.values(others), unfinishedFile, ...['', '-wal', '-shm', '.lock'].map((end) => `${database}${end}`)])
    if (before?.includes(name) !== true) await rm(path.join(folder, name), { recursive: true, force: true }).catch(() => {})
  if (before === undefined) await rmdir(folder).catch(() => {})
}

/** The names in a folder; undefined where there is none. */
export async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  return readdir(folder).catch(() => undefined)
}
