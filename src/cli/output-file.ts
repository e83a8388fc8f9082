/** `--output-file`: what a command prints goes to a file. */
import { closeSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { TransportError } from '../error.ts'
import type { Writer } from './context.ts'
import { writeAll } from './descriptor.ts'
import { reasonOf } from './verification/system-error.ts'

/** A writer that owns an open file. */
export interface FileWriter extends Writer {
  /** Closes the file. */
  close(): void
}

/**
 * Creates or empties a file and returns a writer to it.
 * @throws TransportError FILE_UNWRITABLE when the file cannot be opened, and from `write` when it cannot be written
 */
export function openOutputFile(path: string, cwd: string): FileWriter {
  const descriptor = tryFile(`error creating output file ${path}`, () => openSync(resolve(cwd, path), 'w'))
  return {
    write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk
      tryFile(`error writing output file ${path}`, () => writeAll(descriptor, bytes))
    },
    flush: () => Promise.resolve(),
    isTTY: false,
    columns: undefined,
    close() {
      tryFile(`error writing output file ${path}`, () => closeSync(descriptor))
    },
  }
}

function tryFile<T>(what: string, operation: () => T): T {
  try {
    return operation()
  } catch (cause) {
    throw new TransportError('FILE_UNWRITABLE', `${what}: ${reasonOf(cause)}`, { cause })
  }
}
