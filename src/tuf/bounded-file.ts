/** Files read with a limit and written whole. */
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { TransportError, isMissing } from '../error.ts'

/**
 * Reads a file of at most `maxBytes`.
 * @returns undefined when there is no such file
 * @throws TransportError TOO_LARGE; Node's own errors for a file that cannot be read
 */
export async function readBoundedFile(file: string, maxBytes: number): Promise<Uint8Array | undefined> {
  let handle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (size > maxBytes) throw new TransportError('TOO_LARGE', `${file} is ${size} bytes long, more than the limit of ${maxBytes}`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces a file as one step: whoever reads it sees the old contents or the new, never a part. Only the user may read it.
 * @param durable waits until the contents are on disk before they take the old ones' place, and then until they have taken it
 * @throws Node's own errors
 */
export async function replaceFile(file: string, contents: Uint8Array | string, durable = false): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(contents)
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  if (durable) await syncFolder(path.dirname(file))
}

/** Waits until the names in a folder are on disk: a new file's name may otherwise be gone after a power cut. Windows does so by itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
