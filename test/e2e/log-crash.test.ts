/** Nothing that a log answered is ever lost: its process is killed at every step, and at random. */
import { expect, test } from 'vitest'
import type { CrashedLog } from '../support/crash/crash-rounds.ts'
import { createCrashedLog, logSteps, sqliteSteps } from '../support/crash/crash-rounds.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withFolder } from '../support/storages.ts'

const randomRounds = 10

describeEachStorage((kind) => {
  if (!kind.isLasting) return test.skip('what is in memory is not meant to last')

  async function withCrashedLog(use: (log: CrashedLog) => Promise<void>): Promise<void> {
    const location = await kind.newLocation()
    await withFolder(async (folder) => use(await createCrashedLog(location, folder)))
  }

  const steps = kind.name === 'SQLite file' ? [...logSteps, ...sqliteSteps] : logSteps

  test('a process that dies at any step of a batch loses nothing that it acknowledged', () =>
    withCrashedLog(async (log) => {
      // Before anything was ever acknowledged, too.
      await log.crashAt({ step: 'copy', occurrence: 1 })
      for (const step of steps) await log.crashAt({ step, occurrence: 12 })
      expect(await log.checkAll()).toBeGreaterThanOrEqual(log.acknowledged.length)
      expect(log.acknowledged.length).toBeGreaterThan(1_000)
    }))

  test(`a process that is killed at ${randomRounds} random moments under load loses nothing that it acknowledged`, () =>
    withCrashedLog(async (log) => {
      for (let round = 0; round < randomRounds; round++) await log.killAfter(50 + Math.random() * 500)
      expect(await log.checkAll()).toBeGreaterThanOrEqual(log.acknowledged.length)
      expect(log.acknowledged.length).toBeGreaterThan(1_000)
    }))
})
