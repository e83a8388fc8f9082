/** The connection of a server's locks, which several logs use at the same time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPostgresChannel } from '../../src/server/storage/postgres-channel.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'

const isSkipped = postgresMissing !== undefined && process.env.CI === undefined
if (isSkipped) console.log(`skipped: the connection of locks on PostgreSQL: ${postgresMissing}`)

describe.skipIf(isSkipped)('a connection that has locks', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  test('is asked for one thing after the other: the library warns of all else', async () => {
    const warnings: string[] = []
    const onWarning = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', onWarning)
    const connectionString = await postgres.createDatabase()
    const [one, other] = await Promise.all([openPostgresChannel({ connectionString }), openPostgresChannel({ connectionString })])
    try {
      const logs = ['a', 'b', 'c', 'd']
      const locks = await Promise.all(logs.map((log) => one.tryLock(log)))
      expect(locks.map((lock) => lock?.lost.aborted)).toEqual([false, false, false, false])
      expect(await Promise.all(logs.map((log) => other.tryLock(log)))).toEqual([undefined, undefined, undefined, undefined])
      for (const lock of locks) await lock?.release()
      expect((await Promise.all(logs.map((log) => other.tryLock(log)))).every((lock) => lock !== undefined)).toBe(true)
    } finally {
      await Promise.all([one.close(), other.close()])
    }
    // Warnings are told at the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })
})
