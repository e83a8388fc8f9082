/** The folder that a server lives in: what is where. */
import { chmod, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { isMissing, readBoundedFile, replaceFile } from '../tuf/bounded-file.ts'

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

const maxTextBytes = 4 * 1024 * 1024

/** Makes the folder, for its owner alone. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
}

/** Whether a server was initialised in the folder. @throws CountersignError FILE_UNREADABLE when something else is in it */
export async function isInitialised(folder: string): Promise<boolean> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
  if (names.includes(dataFiles.configuration)) return true
  const strange = names.find((name) => !isLeftOver(name))
  if (strange === undefined) return false
  throw new CountersignError(
    'FILE_UNREADABLE',
    `${folder} has no ${dataFiles.configuration} but holds ${strange}: name the folder of a server, or an empty one, with --data`,
  )
}

/**
 * An init that was interrupted leaves keys that nobody has seen, which a new one replaces, and files that were being written. The root
 * of a new volume may have `lost+found`.
 */
function isLeftOver(name: string): boolean {
  const ours: readonly string[] = [dataFiles.keys, dataFiles.certificates, dataFiles.issuers, 'lost+found']
  return ours.includes(name) || /^\.(?:server|issuers)\.yaml\.[0-9a-f]+\.tmp$/.test(name)
}

/** Reads a text file of the folder. @throws CountersignError FILE_UNREADABLE when it is missing, TOO_LARGE */
export async function readDataText(folder: string, file: string): Promise<string> {
  const bytes = await readBoundedFile(path.resolve(folder, file), maxTextBytes)
  if (bytes === undefined)
    throw new CountersignError('FILE_UNREADABLE', `${path.resolve(folder, file)} is missing: restore it from a backup`)
  return decodeUtf8(bytes, file)
}

/** Writes a text file of the folder and waits until it is on disk. */
export async function writeDataText(folder: string, file: string, text: string, mode = 0o600): Promise<void> {
  const target = path.resolve(folder, file)
  await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
  await replaceFile(target, text, true)
  if (mode !== 0o600) await chmod(target, mode)
}
