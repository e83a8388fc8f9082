/** Key files, read whole and within a limit. Synchronously: what verifies a file with a key loads nothing for it. */
import { closeSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { CountersignError, messageOf, TransportError, systemCode } from '../error.ts'
import { maxKeyBytes } from './key-text.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be read: no such file or directory',
  EACCES: 'cannot be read: permission denied',
  EISDIR: 'is a directory, a file was expected',
}

/**
 * Reads a key file, which may be a pipe.
 * @param what what the file is for: `the key`
 * @throws TransportError FILE_UNREADABLE, TOO_LARGE
 */
export function readKeyFile(cwd: string, file: string, what: string): Uint8Array {
  let descriptor: number | undefined
  try {
    descriptor = openSync(resolve(cwd, file), 'r')
    return readToEnd(descriptor, `${what} ${file}`)
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    throw new TransportError('FILE_UNREADABLE', `${what} ${file} ${reasons[systemCode(cause)] ?? `cannot be read: ${messageOf(cause)}`}`, {
      cause,
    })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function readToEnd(descriptor: number, what: string): Uint8Array {
  const buffer = Buffer.alloc(maxKeyBytes + 1)
  let length = 0
  for (;;) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null)
    if (count === 0) break
    length += count
    if (length > maxKeyBytes) throw new TransportError('TOO_LARGE', `${what} is longer than the limit of ${maxKeyBytes} bytes`)
  }
  if (length === 0) throw new TransportError('FILE_UNREADABLE', `${what} is empty`)
  return buffer.subarray(0, length)
}
