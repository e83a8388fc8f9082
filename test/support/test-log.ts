/** A log for tests, with a key of its own, and a clock that the test sets. */
import { generateSigner } from '../../src/crypto/private-key.ts'
import { createNoteSigner, signCheckpoint } from '../../src/merkle/note-signer.ts'
import { parseSignedNote, verifyNote } from '../../src/merkle/signed-note.ts'
import type { Storage } from '../../src/server/storage/storage.ts'
import type { LogHead } from '../../src/server/tile-log/log.ts'
import type { OpenLogOptions, OpenedLog } from '../../src/server/tile-log/open-log.ts'
import { openLog } from '../../src/server/tile-log/open-log.ts'

export const testOrigin = 'log.example.com'
const signer = generateSigner('ed25519')
const noteSigner = createNoteSigner(testOrigin, signer)

/** Options of a log; the clock stands still unless one is given. */
export function testLogOptions(storage: OpenLogOptions['storage'], others: Partial<OpenLogOptions> = {}): OpenLogOptions {
  return {
    id: 'test',
    origin: testOrigin,
    state: 'active',
    signCheckpoint: (checkpoint) => signCheckpoint(checkpoint, [noteSigner]),
    storage,
    clock: () => 1_700_000_000_000,
    ...others,
  }
}

/** Opens a log, and closes it after the callback. */
export async function withLog<Result>(
  storage: Storage | OpenLogOptions['storage'],
  use: (log: OpenedLog) => Promise<Result>,
  others: Partial<OpenLogOptions> = {},
): Promise<Result> {
  const log = await openLog(testLogOptions(storage, others))
  try {
    return await use(log)
  } finally {
    await log.close()
  }
}

/** Whether the head is signed by the test log's key. */
export function isSigned(head: LogHead): boolean {
  return verifyNote(parseSignedNote(head.checkpoint), [{ ...noteSigner, key: signer.publicKey, algorithm: 'ed25519' }]).length === 1
}

/** A leaf that differs from those of other numbers. */
export function leafNumber(number: number): Uint8Array {
  return new TextEncoder().encode(`leaf ${number} ${'.'.repeat(number % 50)}`)
}

/** Adds leaves `from` to before `to`, all at once. */
export async function addLeaves(log: OpenedLog, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, position) => log.add({ leaf: leafNumber(from + position) })))
}
