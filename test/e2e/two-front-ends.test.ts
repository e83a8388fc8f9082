/** Two processes share one PostgreSQL: one sequences, the other hands over, and either may die. */
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AddingProcess } from '../support/crash/adding.ts'
import { buildAddingPrograms, startAdding } from '../support/crash/adding.ts'
import type { Acknowledged } from '../support/crash/crash-log.ts'
import { checkKept } from '../support/crash/kept.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { withFolder } from '../support/storages.ts'

const isSkipped = postgresMissing !== undefined && process.env.CI === undefined
if (isSkipped) console.log(`skipped: two front ends: ${postgresMissing}`)

describe.skipIf(isSkipped)('two front ends on one PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.stop())

  interface FrontEnds {
    readonly url: string
    start(name: string): Promise<AddingProcess>
    /** Kills all that run, and checks everything that any process acknowledged. @returns it */
    finish(): Promise<readonly Acknowledged[]>
  }

  async function withFrontEnds(use: (frontEnds: FrontEnds) => Promise<void>): Promise<void> {
    const { program } = await buildAddingPrograms()
    const url = await server.createDatabase()
    const location = { kind: 'postgres', url } as const
    const processes: AddingProcess[] = []
    await withFolder(async (folder) => {
      const headsFolder = (name: string) => path.join(folder, name.replaceAll(/\W/g, '-'))
      await use({
        url,
        start: async (name) => {
          const adding = startAdding(program, { location, headsFolder: headsFolder(name), adders: 32, name })
          processes.push(adding)
          await adding.ready
          return adding
        },
        finish: async () => {
          for (const adding of processes) adding.kill()
          await Promise.all(processes.map(({ ended }) => ended))
          const acknowledged = processes.flatMap((adding) => adding.acknowledged)
          await checkKept(location, headsFolder('first'), acknowledged)
          return acknowledged
        },
      })
    })
  }

  test('both acknowledge entries of one tree, without a fork or an index given twice', () =>
    withFrontEnds(async ({ start, finish }) => {
      const [first, second] = await Promise.all([start('first'), start('second')])
      await seconds(2)
      // On a busy machine that may be too short for both to get far.
      await expect.poll(() => first.acknowledged.length).toBeGreaterThan(100)
      await expect.poll(() => second.acknowledged.length).toBeGreaterThan(100)
      await finish()
    }))

  test('when either dies under load the other goes on within seconds, and the dead one can come back', () =>
    withFrontEnds(async ({ start, finish }) => {
      let survivor = await start('first')
      let victim = await start('second')
      for (let round = 0; round < 4; round++) {
        await seconds(1)
        victim.kill()
        await victim.ended
        const before = survivor.acknowledged.length
        await expect.poll(() => survivor.acknowledged.length).toBeGreaterThan(before + 50)
        // The next to die is the one that has the lead now.
        victim = survivor
        survivor = await start(`again ${round}`)
      }
      await finish()
    }))

  test('a leader that hangs is replaced, and when it wakes up it can sign nothing', () =>
    withFrontEnds(async ({ start, finish }) => {
      const leader = await start('first')
      const follower = await start('second')
      await seconds(1)
      leader.kill('SIGSTOP')
      const before = follower.acknowledged.length
      await expect.poll(() => follower.acknowledged.length).toBeGreaterThan(before + 200)
      leader.kill('SIGCONT')
      const woken = leader.acknowledged.length
      await expect.poll(() => leader.acknowledged.length).toBeGreaterThan(woken + 100)
      await finish()
    }))

  test('when the database server itself crashes, what was acknowledged is kept and both go on', () =>
    withFrontEnds(async ({ start, finish }) => {
      const [first, second] = await Promise.all([start('first'), start('second')])
      await seconds(1)
      await expect.poll(() => first.acknowledged.length + second.acknowledged.length).toBeGreaterThan(100)
      await server.crash()
      const [third, fourth] = await Promise.all([start('third'), start('fourth')])
      await expect.poll(() => third.acknowledged.length + fourth.acknowledged.length).toBeGreaterThan(100)
      await finish()
    }))
})

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, count * 1000)
  })
}
