/**
 * A copy of a log's newest head outside the database: it is what tells a database that was restored from an old backup.
 * Written after the database, before anyone is answered: it is never newer than the database unless that went back.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { CountersignError, messageOf, systemCode } from '../../error.ts'
import { parseCheckpoint } from '../../merkle/checkpoint.ts'
import { parseSignedNote } from '../../merkle/signed-note.ts'
import type { LogHead } from './log.ts'

/** What the copy says. */
export interface CopiedHead {
  readonly size: bigint
  readonly rootHash: Uint8Array
  readonly checkpoint: string
}

export interface HeadCopy {
  /** @throws CountersignError LOG_CORRUPT when it cannot be understood, STORAGE_FAILED when it cannot be read */
  read(): Promise<CopiedHead | undefined>
  /** Replaces the copy, unless this wrote one of that size or a larger one before; durable when it resolves. @throws CountersignError STORAGE_FAILED */
  write(head: Pick<LogHead, 'size' | 'checkpoint'>): Promise<void>
  /** Removes the copy: the log begins again. @throws Node's own errors */
  remove(): Promise<void>
}

/** The steps of writing a copy, in their order; each is told of before it is done. */
export type CopyStep = 'write copy' | 'sync copy' | 'rename copy' | 'sync folder of copy'

/**
 * The copy in a folder of the file system, a file named like the log.
 * @param onStep for tests that end the process there
 */
export function createHeadCopy(folder: string, logId: string, onStep: (step: CopyStep) => void = () => {}): HeadCopy {
  const file = path.join(folder, logId)
  let written = -1n
  // One after another: they share the name of the temporary file.
  let writing: Promise<void> = Promise.resolve()
  const write = async ({ size, checkpoint }: Pick<LogHead, 'size' | 'checkpoint'>): Promise<void> => {
    if (size <= written) return
    try {
      await replaceFile(file, checkpoint, onStep)
    } catch (cause) {
      throw new CountersignError('STORAGE_FAILED', `the copy of the newest head, ${file}, cannot be written: ${messageOf(cause)}`, {
        cause,
      })
    }
    written = size
  }
  return {
    read: async () => {
      let checkpoint: string
      try {
        checkpoint = await readFile(file, 'utf8')
      } catch (cause) {
        if (systemCode(cause) === 'ENOENT') return undefined
        throw new CountersignError('STORAGE_FAILED', `the copy of the newest head, ${file}, cannot be read: ${messageOf(cause)}`, { cause })
      }
      try {
        const { size, rootHash } = parseCheckpoint(parseSignedNote(checkpoint).text)
        return { size, rootHash, checkpoint }
      } catch (cause) {
        throw new CountersignError('LOG_CORRUPT', `the copy of the newest head, ${file}, is not a checkpoint: ${messageOf(cause)}`, {
          cause,
        })
      }
    },
    remove: () => rm(file, { force: true }),
    write: (head) => {
      const done = writing.then(() => write(head))
      writing = done.catch(() => {})
      return done
    },
  }
}

async function replaceFile(file: string, text: string, onStep: (step: CopyStep) => void): Promise<void> {
  const folder = path.dirname(file)
  const temporary = `${file}.new`
  onStep('write copy')
  const write = () =>
    withFile(temporary, 'w', async (handle) => {
      await handle.writeFile(text)
      onStep('sync copy')
      await handle.sync()
    })
  try {
    await write()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await write()
  }
  onStep('rename copy')
  await rename(temporary, file)
  onStep('sync folder of copy')
  // The new name is durable when the folder is.
  await withFile(folder, 'r', (handle) => handle.sync())
}

async function withFile(file: string, flags: string, use: (handle: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  const handle = await open(file, flags, 0o600)
  try {
    await use(handle)
  } finally {
    await handle.close()
  }
}
