/**
 * Kills the process of a log again and again, at steps and at random moments under load, and checks after every restart that
 * nothing that was acknowledged is lost. Prints a line for each storage; ends with an error at the first thing that is wrong.
 * usage: node scripts/run.mjs scripts/crash-test.ts [--rounds 200]
 */
import { parseArgs } from 'node:util'
import { createCrashedLog, logSteps, sqliteSteps } from '../test/support/crash/crash-rounds.ts'
import { storageKinds, withFolder } from '../test/support/storages.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } })
const rounds = Number(values.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds should be a number from 1 on, found ${values.rounds}`)

for (const kind of storageKinds().filter(({ isLasting }) => isLasting)) {
  if (kind.missing !== undefined) {
    console.log(`${kind.name}: skipped, ${kind.missing}`)
    continue
  }
  await kind.start()
  try {
    const location = await kind.newLocation()
    const steps = location.kind === 'sqlite' ? [...logSteps, ...sqliteSteps] : logSteps
    await withFolder((folder) => crash(kind.name, location, folder, steps))
  } finally {
    await kind.stop()
  }
}

async function crash(
  name: string,
  location: Parameters<typeof createCrashedLog>[0],
  folder: string,
  steps: readonly string[],
): Promise<void> {
  const started = performance.now()
  const log = await createCrashedLog(location, folder, 20)
  let atSteps = 0
  for (let round = 0; round < rounds; round++) {
    const step = steps[Math.floor(round / 2) % steps.length]
    if (round % 2 === 0 && step !== undefined) {
      await log.crashAt({ step, occurrence: 1 + Math.floor(Math.random() * 30) })
      atSteps++
    } else {
      await log.killAfter(Math.random() * 700)
    }
    if (round % 20 === 19) console.log(`${name}: round ${round + 1} of ${rounds}, ${log.acknowledged.length} entries acknowledged`)
  }
  const size = await log.checkAll()
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(
    `${name}: ${rounds} kills, ${atSteps} of them at a step and ${rounds - atSteps} at random; ${log.acknowledged.length} entries acknowledged, ` +
      `none lost; ${size} in the log, its heads never went back, fsck clean; ${seconds} s`,
  )
}
