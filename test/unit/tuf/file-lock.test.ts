import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withLock } from '../../../src/tuf/file-lock.ts'
import { temporaryFolder } from './test-repository.ts'

const newLock = () => path.join(temporaryFolder(), 'lock')

describe('withLock', () => {
  it('lets one in at a time, and leaves nothing behind', async () => {
    const file = newLock()
    let inside = 0
    let most = 0
    const enter = () =>
      withLock(file, {}, async () => {
        most = Math.max(most, ++inside)
        await wait(3)
        inside--
      })
    await Promise.all(Array.from({ length: 10 }, enter))
    expect(most).toBe(1)
    expect(readdirSync(path.dirname(file))).toEqual([])
  })

  it('is released when the action throws', async () => {
    const file = newLock()
    await expect(withLock(file, {}, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside')
    expect(existsSync(file)).toBe(false)
  })

  it('names its holder', async () => {
    const file = newLock()
    await withLock(file, {}, () => {
      expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${hostname()} ${process.pid} [0-9a-f]{16}\n$`))
      return Promise.resolve()
    })
  })

  it.each([
    ['of a living process', () => `${hostname()} ${process.pid} 00\n`],
    ['of another machine', () => 'elsewhere 2147483646 00\n'],
    ['that names no process', () => 'hello'],
    ['that is empty', () => ''],
  ])('waits for a lock %s, and says so when it is not freed', async (_, contents) => {
    const file = newLock()
    writeFileSync(file, contents())
    await expect(withLock(file, { waitMs: 60 }, () => Promise.resolve())).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `${file} has been locked by another process for 0.06 s: wait until that has ended, and try again`,
    })
    expect(readFileSync(file, 'utf8')).toBe(contents())
  })

  it.each([
    ['of a process that is gone', `${hostname()} 2147483646 00\n`, 0],
    ['of another machine that is old', 'elsewhere 1 00\n', 60],
    ['that is empty and old', '', 60],
    ['of a living process that hangs', `${hostname()} ${process.pid} 00\n`, 60],
  ])('takes over a lock %s', async (_, contents, ageSeconds) => {
    const file = newLock()
    writeFileSync(file, contents)
    const then = Date.now() / 1000 - ageSeconds
    utimesSync(file, then, then)
    expect(await withLock(file, { waitMs: 60_000 }, () => Promise.resolve('in'))).toBe('in')
    expect(readdirSync(path.dirname(file))).toEqual([])
  })

  it('leaves the lock to whoever took it over', async () => {
    const file = newLock()
    await withLock(file, {}, () => {
      writeFileSync(file, 'elsewhere 1 00\n')
      return Promise.resolve()
    })
    expect(readFileSync(file, 'utf8')).toBe('elsewhere 1 00\n')
  })

  it('fails with the reason when the folder cannot hold a lock', async () => {
    await expect(withLock('/nowhere/lock', {}, () => Promise.resolve())).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
