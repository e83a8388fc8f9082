/** Files of the system that tell where a command runs, or hold its token. */
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import { CountersignError, messageOf, isMissing } from '../error.ts'

export interface SystemFiles {
  /** Whether there is such a file. One that cannot be looked at is there. */
  exists(file: string): Promise<boolean>
  /** Its contents. @throws CountersignError SIGN_IN_FAILED when they cannot be read, are too long, or are no file's */
  read(file: string): Promise<string>
  /** Where it is to be opened by somebody else, such as a socket. */
  locate(file: string): string
}

const maxFileBytes = 256 * 1024

/** @param root the folder that absolute paths start from; default the system's own */
export function openSystemFiles(root?: string): SystemFiles {
  const locate = (file: string): string => (root === undefined ? file : path.join(root, file))
  return {
    locate,
    async exists(file) {
      try {
        await stat(locate(file))
        return true
      } catch (error) {
        return !isMissing(error)
      }
    },
    async read(file) {
      try {
        return await readRegularFile(locate(file))
      } catch (cause) {
        throw new CountersignError('SIGN_IN_FAILED', `${file} cannot be read: ${messageOf(cause)}`, { cause })
      }
    },
  }
}

async function readRegularFile(file: string): Promise<string> {
  // Whoever opens a pipe that nobody writes to would wait for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const kind = await handle.stat()
    if (!kind.isFile()) throw new Error('it is no regular file')
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxFileBytes + 1), 0, maxFileBytes + 1, 0)
    if (bytesRead > maxFileBytes) throw new Error(`it is longer than the limit of ${maxFileBytes} bytes`)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}
