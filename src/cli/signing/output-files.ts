/** Files that a command writes: each whole, or not at all. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, TransportError, UsageError, systemCode } from '../../error.ts'
import { writeAll } from '../descriptor.ts'
import { reasonOf } from '../verification/system-error.ts'
import { whileWaiting } from '../waiting-for-input.ts'

export interface OutputFile {
  readonly path: string
  /** What it is, for messages: `bundle`. */
  readonly what: string
  readonly contents: Uint8Array | string
  /** The mode that the file gets, also where there was one of another; the umask may take from it. */
  readonly mode?: number
}

/** A file by its name on the command line, and what it is, for messages; an empty name is none. */
export type NamedFile = readonly [file: string, what: string]

/** Unless it is said otherwise, only the user may read what is new, and what is there already keeps its mode. */
const newFileMode = 0o600

/**
 * Checks that all files can be written, that they are different ones, and that none is read by the command.
 * @throws UsageError USAGE; TransportError FILE_UNWRITABLE
 */
export function checkOutputFiles(cwd: string, outputs: readonly NamedFile[], inputs: readonly NamedFile[]): void {
  const isTaken = new Map<string, string>()
  for (const [file, what] of inputs) {
    const identity = file === '' || file === '-' ? undefined : identityOfInput(cwd, file)
    if (identity !== undefined) isTaken.set(identity, `is the ${what}`)
  }
  for (const [file, what] of outputs) {
    if (file === '') continue
    checkWritable(cwd, file, what)
    if (!isReplaced(cwd, file)) continue
    const identity = identityOf(cwd, file)
    const other = isTaken.get(identity)
    if (other !== undefined) throw new UsageError('USAGE', `${file} would be the ${what}, and ${other}: name another file`)
    isTaken.set(identity, `the ${what}, too`)
  }
}

/**
 * Checks that a file can be written, before anything is done whose result would then have nowhere to go.
 * @throws TransportError FILE_UNWRITABLE
 */
export function checkWritable(cwd: string, file: string, what: string): void {
  try {
    const given = path.resolve(cwd, file)
    if (descriptorOf(given) !== undefined) return
    const found = statusOf(given)
    if (found?.isDirectory() === true) throw unwritable(what, file, 'it is a directory, a file was expected')
    accessSync(found === undefined ? path.dirname(followLinks(given)) : given, constants.W_OK)
  } catch (cause) {
    throw cause instanceof CountersignError ? cause : unwritable(what, file, reasonOf(cause), cause)
  }
}

/**
 * Writes files. Everything is written beside its place and then renamed, without a pause in which a signal could be heard, so
 * neither a failure nor an interrupt leaves a part behind. What can only be written where it is, such as a pipe, comes after that.
 * @throws TransportError FILE_UNWRITABLE
 */
export function writeOutputs(cwd: string, outputs: readonly OutputFile[]): void {
  const opened: Opened[] = []
  const staged: Staged[] = []
  const placed: string[] = []
  try {
    // Opening a pipe takes until somebody reads it: nothing is beside its place yet.
    for (const output of outputs) {
      const descriptor = attempt(output, () => openInPlace(path.resolve(cwd, output.path)))
      if (descriptor !== undefined) opened.push({ ...descriptor, output })
      else staged.push({ output, ...attempt(output, () => planned(path.resolve(cwd, output.path))) })
    }
    for (const one of staged) attempt(one.output, () => stage(one))
    for (const { output, temporary, target, found } of staged) {
      attempt(output, () => place(temporary, target, output))
      if (found === undefined) placed.push(target)
    }
    for (const one of opened) attempt(one.output, () => writeInPlace(one))
  } catch (error) {
    for (const target of placed) rmSync(target, { force: true })
    for (const { temporary } of staged) rmSync(temporary, { force: true })
    throw error
  } finally {
    for (const { descriptor, isOwn } of opened) if (isOwn) closeSync(descriptor)
  }
}

/** What cannot be replaced: a pipe, a terminal, /dev/null, a descriptor of this process, a file in a folder that is closed. */
interface Opened {
  readonly output: OutputFile
  readonly descriptor: number
  readonly isOwn: boolean
}

interface Staged {
  readonly output: OutputFile
  readonly target: string
  readonly temporary: string
  /** What is there already. */
  readonly found: Stats | undefined
}

/** @returns undefined for what is replaced */
function openInPlace(given: string): Pick<Opened, 'descriptor' | 'isOwn'> | undefined {
  const descriptor = descriptorOf(given)
  if (descriptor !== undefined) return { descriptor, isOwn: false }
  const found = statusOf(given)
  if (found === undefined || (found.isFile() && mayWrite(path.dirname(followLinks(given))))) return undefined
  return { descriptor: found.isFile() ? openSync(given, 'r+') : whileWaiting(() => openSync(given, 'w')), isOwn: true }
}

function writeInPlace({ output, descriptor, isOwn }: Opened): void {
  if (isOwn && fstatSync(descriptor).isFile()) ftruncateSync(descriptor)
  writeAll(descriptor, bytesOf(output))
}

function mayWrite(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function planned(given: string): Omit<Staged, 'output'> {
  const target = followLinks(given)
  const found = statusOf(target)
  // Renaming would replace a file that may not be written to.
  if (found !== undefined) accessSync(target, constants.W_OK)
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  return { target, temporary, found }
}

function stage({ output, temporary, found }: Staged): void {
  const descriptor = openSync(temporary, 'wx', output.mode ?? newFileMode)
  try {
    writeFileSync(descriptor, bytesOf(output))
  } finally {
    closeSync(descriptor)
  }
  if (found !== undefined && output.mode === undefined) chmodSync(temporary, found.mode & 0o777)
}

/** A file that another one is mounted on cannot be replaced: it is written where it is. */
function place(temporary: string, target: string, output: OutputFile): void {
  try {
    renameSync(temporary, target)
  } catch (cause) {
    if (systemCode(cause) !== 'EBUSY') throw cause
    writeFileSync(target, bytesOf(output))
    rmSync(temporary)
  }
}

const standardDescriptors: ReadonlyMap<string, number> = new Map([
  ['/dev/stdin', 0],
  ['/dev/stdout', 1],
  ['/dev/stderr', 2],
])

/**
 * The descriptor of this process that a name stands for. It is written to as it is: what the shell has led it to may be a socket, or a file
 * that has something in it already.
 */
function descriptorOf(file: string): number | undefined {
  const digits = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(file)?.[1]
  const descriptor = digits === undefined ? standardDescriptors.get(file) : Number(digits)
  if (descriptor === undefined) return undefined
  fstatSync(descriptor)
  return descriptor
}

/** @returns undefined for what is no file, such as a reference to a key in a service */
function identityOfInput(cwd: string, name: string): string | undefined {
  try {
    return identityOf(cwd, name)
  } catch {
    return undefined
  }
}

/** What tells a file from others, whatever its names are. */
function identityOf(cwd: string, file: string): string {
  const given = path.resolve(cwd, file)
  const found = statSync(given, { throwIfNoEntry: false, bigint: true })
  return found === undefined ? followLinks(given) : `${found.dev} ${found.ino}`
}

function isReplaced(cwd: string, file: string): boolean {
  const given = path.resolve(cwd, file)
  return descriptorOf(given) === undefined && statusOf(given)?.isFile() !== false
}

/** The file that a link leads to is what is replaced, not the link; it need not be there yet. */
function followLinks(file: string): string {
  let target = file
  while (statusOf(target) === undefined && lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    target = path.resolve(realpathSync(path.dirname(target)), readlinkSync(target))
  return statusOf(target) === undefined ? target : realpathSync(target)
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
