/** Keeps a second server away from a database file: two would write the same logs, and each break the other. */
import Database from 'libsql'
import { CountersignError, systemCode } from '../../error.ts'
import { createPrivateFile } from './private-file.ts'
import { sqliteFailure } from './sqlite-failure.ts'

/**
 * Becomes the one server on a database file, for as long as the process lives: the lock is the operating system's, so that nobody has to
 * clean up after one that was killed. It is on a file beside the database, which others may go on to open.
 * @returns a function that lets go
 * @throws CountersignError STORAGE_FAILED while another has it
 */
export function becomeSoleProcess(file: string): () => void {
  const lockFile = `${file}.lock`
  try {
    createPrivateFile(lockFile)
    const lock = new Database(lockFile, { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch (cause) {
    if (!isBusy(cause)) throw sqliteFailure(lockFile, `${lockFile} cannot be locked`, cause)
    const reason = `another server runs on ${file}: stop it first, or give this one a folder of its own`
    throw new CountersignError('STORAGE_FAILED', reason, { cause })
  }
}

function isBusy(error: unknown): boolean {
  return systemCode(error) === 'SQLITE_BUSY'
}
