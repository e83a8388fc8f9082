/** What SQLite fails with, in words: its own say neither what it is about nor what to do. */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { CountersignError, messageOf, systemCode } from '../../error.ts'
import { reasonOfRefusedWrite } from './refused-write.ts'

/** How long another process, such as a backup, may hold a lock. */
export const busyTimeoutMs = 10_000

const reasons: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_FULL/, 'the disk is full: make room on it'],
  [/^SQLITE_BUSY/, `another program has had it locked for ${busyTimeoutMs / 1000} seconds: end that program, and try again`],
  [/^SQLITE_NOTADB/, 'it is no SQLite database: restore it from a backup'],
  [/^SQLITE_CORRUPT/, 'it is damaged: restore it from a backup'],
  [/^SQLITE_IOERR/, 'the disk reports an error: look into the log of the operating system'],
]

/**
 * The error for a database file.
 * @param file its path, or `:memory:`
 * @param what what failed, for causes that have no sentence of their own
 */
export function sqliteFailure(file: string, what: string, cause: unknown): CountersignError {
  if (cause instanceof CountersignError) return cause
  const reason = reasonOf(file, cause)
  const message = reason === undefined ? `${what}: ${messageOf(cause)}` : `the database ${file} cannot be used: ${reason}`
  return new CountersignError('STORAGE_FAILED', message, { cause })
}

function reasonOf(file: string, cause: unknown): string | undefined {
  const code = systemCode(cause)
  const known = reasonOfRefusedWrite(code) ?? reasons.find(([pattern]) => pattern.test(code))?.[1]
  // A file that cannot be opened has no code of its own. SQLite does not say why it may not; the operating system does.
  return known ?? (file === ':memory:' ? undefined : refusalOf(file))
}

/** Why the file, or the one of the log beside it, may not be written. */
function refusalOf(file: string): string | undefined {
  const { R_OK, W_OK } = constants
  for (const [name, mode] of [
    [file, R_OK | W_OK],
    [path.dirname(file), W_OK],
  ] as const) {
    try {
      accessSync(name, mode)
    } catch (error) {
      return reasonOfRefusedWrite(systemCode(error))
    }
  }
  return undefined
}
