/** What is signed: a file, or `-` for standard input. A short file is held, a longer one read piece by piece. */
import { closeSync, fstatSync, openSync, read, readFileSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import path from 'node:path'
import { CountersignError, TransportError } from '../../error.ts'
import type { Payload } from '../../sign/signed-content.ts'
import type { CommandContext } from '../context.ts'
import { createProgressLine } from '../progress-line.ts'
import { reasonOf } from '../verification/system-error.ts'
import { waitForInput, withInput } from '../waiting-for-input.ts'

/** Up to here a file is signed at one go. */
const maxHeldBytes = 4 * 1024 * 1024
const chunkBytes = 1024 * 1024
/** Reading a file from here on takes long enough for somebody to wonder. */
const slowBytes = 256 * 1024 * 1024
const progressPauseMs = 200

/**
 * Checks that the blobs can be read, before anybody is asked for a password.
 * @param folderAdvice what to do with a folder instead, for the message
 * @throws TransportError FILE_UNREADABLE
 */
export function checkBlobs(context: CommandContext, names: readonly string[], folderAdvice = 'name the files in it'): void {
  for (const name of names) {
    if (name === '-') continue
    let isDirectory: boolean
    try {
      isDirectory = statSync(path.resolve(context.cwd, name)).isDirectory()
    } catch (cause) {
      throw unreadable(name, reasonOf(cause), cause)
    }
    if (isDirectory) throw unreadable(name, `it is a directory, a file was expected (${folderAdvice})`)
  }
}

/** Opens a blob. Reading it throws TransportError FILE_UNREADABLE, and the reason of the context's abort. */
export function openBlob(context: CommandContext, name: string): Payload {
  if (name === '-') return context.stdin.read()
  const file = path.resolve(context.cwd, name)
  let descriptor: number
  try {
    descriptor = withInput(file, () => openSync(file, 'r'))
  } catch (cause) {
    throw unreadable(name, reasonOf(cause), cause)
  }
  const status = fstatSync(descriptor)
  if (!status.isFile() || status.size > maxHeldBytes) return readPieces(context, descriptor, name, status)
  try {
    return readFileSync(descriptor)
  } catch (cause) {
    throw unreadable(name, reasonOf(cause), cause)
  } finally {
    closeSync(descriptor)
  }
}

/** The next piece is read while the last one is worked on. */
async function* readPieces(
  context: CommandContext,
  descriptor: number,
  name: string,
  status: Stats,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = context
  const progress = startProgress(context, name, status.size)
  const stopWaiting = status.isFile() ? undefined : waitForInput()
  let [chunk, ahead] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)]
  let reading = readChunk(descriptor, chunk)
  try {
    for (;;) {
      const length = await reading
      if (length === 0) return
      const filled = chunk
      reading = readChunk(descriptor, ahead)
      chunk = ahead
      ahead = filled
      yield filled.subarray(0, length)
      progress.add(length)
      signal.throwIfAborted()
    }
  } catch (cause) {
    if (cause instanceof CountersignError || signal.aborted) throw cause
    throw unreadable(name, reasonOf(cause), cause)
  } finally {
    progress.stop()
    // The file may be closed only when no read is under way.
    await reading.catch(() => 0)
    stopWaiting?.()
    closeSync(descriptor)
  }
}

const readChunk = async (descriptor: number, chunk: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    read(descriptor, chunk, 0, chunk.length, null, (error, length) => (error === null ? resolve(length) : reject(error)))
  })

interface Progress {
  add(bytes: number): void
  stop(): void
}

function startProgress(context: CommandContext, name: string, size: number): Progress {
  if (size < slowBytes) return { add: () => undefined, stop: () => undefined }
  const line = createProgressLine(context)
  let done = 0
  let shownAt = 0
  return {
    add(bytes) {
      done += bytes
      if (context.now() - shownAt < progressPauseMs) return
      shownAt = context.now()
      line.show(`Signing artifact... ${Math.min(100, Math.floor((done / size) * 100))}% of ${path.basename(name)}`)
    },
    stop: () => line.clear(),
  }
}

function unreadable(name: string, reason: string, cause?: unknown): TransportError {
  return new TransportError('FILE_UNREADABLE', `the blob ${name} cannot be read: ${reason}`, { cause })
}
