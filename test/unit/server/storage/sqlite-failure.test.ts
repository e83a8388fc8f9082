import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openFileDatabase } from '../../../../src/server/storage/sqlite-database.ts'
import { sqliteFailure } from '../../../../src/server/storage/sqlite-failure.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-sqlite-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a database file', () => {
  test('that is none is said to be none, and stays as it is', async () => {
    const file = path.join(folder, 'countersign.sqlite')
    writeFileSync(file, 'no database '.repeat(1000))
    await expect(openFileDatabase(file)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: `the database ${file} cannot be used: it is no SQLite database: restore it from a backup`,
    })
  })

  test.skipIf(process.platform !== 'linux')('where nobody may write says so', async () => {
    await expect(openFileDatabase('/sys/countersign.sqlite')).rejects.toThrow(
      /^the database \/sys\/countersign\.sqlite cannot be used: (?:you may not write there: change|it is on a file system that is read-only)/,
    )
  })

  test.each([
    ['SQLITE_FULL', 'the disk is full: make room on it'],
    ['SQLITE_BUSY_SNAPSHOT', 'another program has had it locked for 10 seconds: end that program, and try again'],
    ['SQLITE_CORRUPT', 'it is damaged: restore it from a backup'],
    ['SQLITE_IOERR_FSYNC', 'the disk reports an error: look into the log of the operating system'],
    ['ENOSPC', 'the disk is full: make room on it'],
    ['EROFS', 'it is on a file system that is read-only: mount it for writing, or name another folder with --data'],
  ])('that fails with %s says what to do', (code, reason) => {
    const cause = Object.assign(new Error('what SQLite says'), { code })
    expect(sqliteFailure('/data/a.sqlite', 'a query of the database failed', cause)).toMatchObject({
      code: 'STORAGE_FAILED',
      message: `the database /data/a.sqlite cannot be used: ${reason}`,
      cause,
    })
  })

  test('that fails for a reason of its own says that', () => {
    const cause = Object.assign(new Error('UNIQUE constraint failed: t.a'), { code: 'SQLITE_CONSTRAINT' })
    expect(sqliteFailure(path.join(folder, 'x'), 'a transaction of the database failed', cause).message).toMatch(/UNIQUE constraint/)
    expect(sqliteFailure(':memory:', 'a transaction of the database failed', cause).message).toBe(
      'a transaction of the database failed: UNIQUE constraint failed: t.a',
    )
  })
})
