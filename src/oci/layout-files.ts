/** Files of an image layout, wherever they are: a folder, or an archive. Paths are relative, with slashes. */
import { createReadStream } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { TransportError, messageOf, isMissing } from '../error.ts'

export interface LayoutFiles {
  /** As messages name it. */
  readonly name: string
  /** Bytes of a file; undefined when there is none. @throws TransportError FILE_UNREADABLE, also for what is no regular file */
  size(file: string): Promise<number | undefined>
  /** A whole file; undefined when there is none. @throws TransportError TOO_LARGE, FILE_UNREADABLE */
  read(file: string, maxBytes: number): Promise<Uint8Array | undefined>
  /** A file as it is read. @throws while reading, TransportError FILE_UNREADABLE */
  chunks(file: string): AsyncIterable<Uint8Array>
  /** Names of what is in a folder; none when there is no folder. */
  list(folder: string): Promise<readonly string[]>
}

/** Files of a folder. What is no regular file, such as a link or a pipe, is refused: others would follow it. */
export function folderFiles(folder: string, name: string): LayoutFiles {
  const place = (file: string): string => path.join(folder, ...file.split('/'))
  const size = async (file: string): Promise<number | undefined> => {
    try {
      const found = await lstat(place(file))
      if (found.isFile()) return found.size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw unreadable(`${name}/${file}`, error)
    }
    throw new TransportError('FILE_UNREADABLE', `${name}/${file} is no regular file`)
  }
  return {
    name,
    size,
    read: async (file, maxBytes) => {
      if ((await size(file)) === undefined) return undefined
      try {
        const handle = await open(place(file), 'r')
        try {
          // Of the file that was opened: another one may have taken its place meanwhile.
          const { size: length } = await handle.stat()
          if (length > maxBytes) throw tooLarge(`${name}/${file}`, length, maxBytes)
          const bytes = new Uint8Array(length)
          let filled = 0
          while (filled < length) {
            const { bytesRead } = await handle.read(bytes, filled, length - filled, filled)
            if (bytesRead === 0) break
            filled += bytesRead
          }
          return bytes.subarray(0, filled)
        } finally {
          await handle.close()
        }
      } catch (error) {
        if (isMissing(error)) return undefined
        if (error instanceof TransportError) throw error
        throw unreadable(`${name}/${file}`, error)
      }
    },
    chunks: (file) => readChunks(place(file), `${name}/${file}`),
    list: async (below) => {
      try {
        return await readdir(place(below))
      } catch (error) {
        if (isMissing(error)) return []
        throw unreadable(`${name}/${below}`, error)
      }
    },
  }
}

/**
 * A part of a file of the system, in pieces.
 * @param file a path, or a file descriptor, which stays open
 * @param range first byte and number of bytes; default all
 */
export async function* readChunks(
  file: string | number,
  name: string,
  range?: { readonly start: number; readonly length: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  if (range?.length === 0) return
  const limits = range === undefined ? {} : { start: range.start, end: range.start + range.length - 1 }
  try {
    const opened = typeof file === 'number' ? { fd: file, autoClose: false } : {}
    const stream = createReadStream(typeof file === 'number' ? '' : file, { highWaterMark: 256 * 1024, ...opened, ...limits })
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk
  } catch (error) {
    throw unreadable(name, error)
  }
}

/** The error for a file that the system does not let us read. */
export function unreadable(name: string, cause: unknown): TransportError {
  return new TransportError('FILE_UNREADABLE', `${name} cannot be read: ${messageOf(cause)}`, { cause })
}

/** The error for a file that is longer than is read. Both numbers are bytes. */
export function tooLarge(name: string, size: number, limit: number): TransportError {
  return new TransportError('TOO_LARGE', `${name} has ${size} bytes, more than the limit of ${limit}`)
}
