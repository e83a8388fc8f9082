/** Files that the user names: read whole, within limits, with one clear sentence when that cannot be done. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { TransportError, systemCode } from '../../error.ts'
import { withInput } from '../waiting-for-input.ts'
import { reasonOf } from './system-error.ts'

/** Files up to here are read at one go. Only of longer ones the size is asked for, which costs as much as reading a short one. */
const shortFileBytes = 64 * 1024

/**
 * Reads a file.
 * @param what what the file is for, such as `the bundle`
 * @param mayBeEmpty an empty file is as good as any
 * @throws TransportError FILE_UNREADABLE, TOO_LARGE
 */
export function readInputFile(cwd: string, file: string, what: string, maxBytes: number, mayBeEmpty = false): Uint8Array {
  const path = resolve(cwd, file)
  try {
    const contents = withInput(path, () => readWhole(path, `${what} ${file}`, maxBytes))
    if (contents.length === 0 && !mayBeEmpty) throw new TransportError('FILE_UNREADABLE', `${what} ${file} is empty`)
    return contents
  } catch (cause) {
    if (cause instanceof TransportError) throw cause
    throw unreadableFile(`${what} ${file}`, cause)
  }
}

/** The error for a file that the operating system does not let us read. */
export function unreadableFile(what: string, cause: unknown): TransportError {
  const isDirectory = systemCode(cause) === 'EISDIR'
  const reason = isDirectory ? 'is a directory, a file was expected' : `cannot be read: ${reasonOf(cause)}`
  return new TransportError('FILE_UNREADABLE', `${what} ${reason}`, { cause })
}

function readWhole(path: string, what: string, maxBytes: number): Uint8Array {
  const descriptor = openSync(path, 'r')
  try {
    return readToEnd(descriptor, what, maxBytes)
  } finally {
    closeSync(descriptor)
  }
}

function readToEnd(descriptor: number, what: string, maxBytes: number): Uint8Array {
  let buffer: Buffer = Buffer.allocUnsafe(shortFileBytes)
  for (let length = 0; ;) {
    if (length === buffer.length) buffer = enlarge(buffer, descriptor, what, maxBytes)
    const count = readSync(descriptor, buffer, length, buffer.length - length, null)
    if (count === 0) return buffer.subarray(0, length)
    length += count
    if (length > maxBytes) throw new TransportError('TOO_LARGE', `${what} is longer than the limit of ${maxBytes} bytes`)
  }
}

/** Room for the rest of a file of known size, and to see that it ends there; for twice as much from a pipe, which has none. */
function enlarge(buffer: Buffer, descriptor: number, what: string, maxBytes: number): Buffer {
  const { size } = fstatSync(descriptor)
  if (size > maxBytes) throw new TransportError('TOO_LARGE', `${what} is ${size} bytes long, more than the limit of ${maxBytes}`)
  const enlarged = Buffer.allocUnsafe(Math.max(size + 1, 2 * buffer.length))
  buffer.copy(enlarged)
  return enlarged
}
