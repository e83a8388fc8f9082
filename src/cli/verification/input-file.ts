/** Files that the user names: read whole, within limits, with one clear sentence when that cannot be done. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { TransportError } from '../../error.ts'
import { reasonOf } from './system-error.ts'

/**
 * Reads a file.
 * @param what what the file is for, such as `the bundle`
 * @throws TransportError FILE_UNREADABLE, TOO_LARGE
 */
export function readInputFile(cwd: string, file: string, what: string, maxBytes: number): Uint8Array {
  let descriptor: number
  try {
    descriptor = openSync(path.resolve(cwd, file), 'r')
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `${what} ${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
  try {
    const status = fstatSync(descriptor)
    if (status.isDirectory()) throw new TransportError('FILE_UNREADABLE', `${what} ${file} is a directory, a file was expected`)
    if (status.size > maxBytes) {
      throw new TransportError('TOO_LARGE', `${what} ${file} is ${status.size} bytes long, more than the limit of ${maxBytes}`)
    }
    const contents = readFileSync(descriptor)
    if (contents.length === 0) throw new TransportError('FILE_UNREADABLE', `${what} ${file} is empty`)
    if (contents.length > maxBytes) throw new TransportError('TOO_LARGE', `${what} ${file} is longer than the limit of ${maxBytes} bytes`)
    return contents
  } catch (cause) {
    if (cause instanceof TransportError) throw cause
    throw new TransportError('FILE_UNREADABLE', `${what} ${file} cannot be read: ${reasonOf(cause)}`, { cause })
  } finally {
    closeSync(descriptor)
  }
}
