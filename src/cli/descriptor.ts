/** Writing to a descriptor at once. */
import { writeSync } from 'node:fs'
import { systemCode } from '../error.ts'

/** How long to wait for a full pipe, in milliseconds. */
const pause = 2

/**
 * Writes what there is room for. Where another process has made a pipe non-blocking and it is full, waits a moment.
 * @param from where in the bytes to begin
 * @returns the number of bytes written
 * @throws Node's own errors, of system calls
 */
export function writeSome(descriptor: number, bytes: Uint8Array, from: number): number {
  try {
    return writeSync(descriptor, bytes, from)
  } catch (cause) {
    if (systemCode(cause) !== 'EAGAIN') throw cause
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause)
    return 0
  }
}

/** Writes all of the bytes, as `writeSome`. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSome(descriptor, bytes, written)
}
