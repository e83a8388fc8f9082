/** Files that a command writes: each whole, or not at all. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, TransportError } from '../../error.ts'
import { reasonOf } from '../verification/system-error.ts'

export interface OutputFile {
  readonly path: string
  /** What it is, for messages: `bundle`. */
  readonly what: string
  readonly contents: Uint8Array | string
  /** The mode that the file gets, also where there was one of another; the umask may take from it. */
  readonly mode?: number
}

/** Unless it is said otherwise, only the user may read what is new, and what is there already keeps its mode. */
const newFileMode = 0o600

/**
 * Checks that a file can be written, before anything is done whose result would then have nowhere to go.
 * @throws TransportError FILE_UNWRITABLE
 */
export function checkWritable(cwd: string, file: string, what: string): void {
  try {
    const target = path.resolve(cwd, file)
    const found = statusOf(target)
    if (found?.isDirectory() === true) throw unwritable(what, file, 'it is a directory, a file was expected')
    if (found === undefined || found.isFile()) accessSync(path.dirname(followLinks(target)), constants.W_OK)
  } catch (cause) {
    throw cause instanceof CountersignError ? cause : unwritable(what, file, reasonOf(cause), cause)
  }
}

/**
 * Writes files. Everything is written beside its place and then renamed, without a pause in which a signal could be heard, so
 * neither a failure nor an interrupt leaves a part behind.
 * @throws TransportError FILE_UNWRITABLE
 */
export function writeOutputs(cwd: string, outputs: readonly OutputFile[]): void {
  const staged: Staged[] = []
  const placed: string[] = []
  try {
    for (const output of outputs) staged.push(stage(cwd, output))
    for (const { temporary, target, output, isNew } of staged) {
      if (temporary === undefined) writeDirectly(target, output)
      else attempt(output, () => renameSync(temporary, target))
      if (isNew) placed.push(target)
    }
  } catch (error) {
    for (const target of placed) rmSync(target, { force: true })
    for (const { temporary } of staged) if (temporary !== undefined) rmSync(temporary, { force: true })
    throw error
  }
}

interface Staged {
  readonly output: OutputFile
  readonly target: string
  /** Undefined for what cannot be replaced: a pipe, a terminal, /dev/null. */
  readonly temporary: string | undefined
  readonly isNew: boolean
}

function stage(cwd: string, output: OutputFile): Staged {
  const target = attempt(output, () => followLinks(path.resolve(cwd, output.path)))
  const found = attempt(output, () => statusOf(target))
  if (found !== undefined && !found.isFile()) return { output, target, temporary: undefined, isNew: false }
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    attempt(output, () => {
      const descriptor = openSync(temporary, 'wx', output.mode ?? newFileMode)
      try {
        writeFileSync(descriptor, bytesOf(output))
      } finally {
        closeSync(descriptor)
      }
      if (found !== undefined && output.mode === undefined) chmodSync(temporary, found.mode & 0o777)
    })
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  return { output, target, temporary, isNew: found === undefined }
}

function writeDirectly(target: string, output: OutputFile): void {
  attempt(output, () => {
    const descriptor = openSync(target, 'w')
    try {
      const bytes = bytesOf(output)
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written)
    } finally {
      closeSync(descriptor)
    }
  })
}

/** The file that a link leads to is what is replaced, not the link. */
function followLinks(file: string): string {
  return statusOf(file) === undefined ? file : realpathSync(file)
}

function statusOf(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false })
}

function bytesOf({ contents }: OutputFile): Uint8Array {
  return typeof contents === 'string' ? encodeUtf8(contents) : contents
}

function attempt<T>({ what, path: file }: OutputFile, write: () => T): T {
  try {
    return write()
  } catch (cause) {
    throw unwritable(what, file, reasonOf(cause), cause)
  }
}

function unwritable(what: string, file: string, reason: string, cause?: unknown): TransportError {
  return new TransportError('FILE_UNWRITABLE', `create ${what} file: ${file} cannot be written: ${reason}`, { cause })
}
