/** Verifications per second, one thread, from the bundle's JSON on: ours beside every peer that is at hand. */
import type { BundleSet } from './bundle-case.ts'
import { publicCases } from './bundle-case.ts'
import { createBareCrypto } from './bare-crypto.ts'
import type { Contender } from './contender.ts'
import { createContender } from './contender.ts'
import { createCountersign } from './countersign.ts'
import type { Figure, Goal } from './figure.ts'
import { chosenImport } from './key-import.ts'
import type { BenchmarkOptions } from './options.ts'
import { hasPublicData, withFolder } from './places.ts'
import type { Round } from './rounds.ts'
import { medianOfRounds } from './rounds.ts'
import { buildSigstoreGo, startSigstoreGo } from './sigstore-go.ts'
import { createSigstoreJs } from './sigstore-js.ts'
import { universeSets } from './universe-bundles.ts'
import { printProfile } from './verify-profile.ts'

const defaultRounds = 11
/** Bundles in each set of the test universe. */
const universeBundles = 200
/** At least this many, so that the grain of clock and scheduler does not matter. */
const verificationsPerRound = 200

const goals: Readonly<Record<string, Goal>> = {
  '@sigstore/verify': { bound: 'at-least', of: 6 },
  'sigstore-go': { bound: 'at-least', of: 1.7 },
  'bare node:crypto': { bound: 'at-least', of: 0.75 },
}

/** Runs the benchmark. */
export function run(options: BenchmarkOptions): Promise<readonly Figure[]> {
  return withFolder(async (folder) => {
    const sigstoreGo = buildSigstoreGo()
    const figures: Figure[] = []
    for (const set of bundleSets()) {
      const contenders = [
        createContender(createCountersign(), set.cases),
        createContender(createSigstoreJs(), set.cases),
        createContender(createBareCrypto(), set.cases),
        ...(sigstoreGo === undefined ? [] : [await startSigstoreGo(sigstoreGo, set.cases, folder)]),
      ]
      try {
        figures.push(...(await race(set, contenders, options.rounds ?? defaultRounds)))
      } finally {
        for (const contender of contenders) contender.close()
      }
      if (options.profile) printProfile(set)
    }
    console.log(`the floor imports the signer's key as ${chosenImport()}, the fastest form here`)
    return figures
  })
}

function bundleSets(): BundleSet[] {
  if (hasPublicData()) return [{ name: 'public bundles', cases: publicCases() }, ...universeSets(universeBundles)]
  console.log('the public bundles and conformance cases are left out: they are not at ../shared/data')
  return universeSets(universeBundles)
}

async function race(set: BundleSet, [ours, ...peers]: readonly Contender[], rounds: number): Promise<Figure[]> {
  if (ours === undefined) return []
  const positions = acceptedByAll(set, [ours, ...peers])
  if (positions.length === 0) throw new Error(`no bundle of the set ${set.name} is accepted by every verifier`)
  const passes = Math.ceil(verificationsPerRound / positions.length)
  const racers = new Map([ours, ...peers].map((contender): [string, Round] => [contender.name, () => contender.race(positions, passes)]))
  const rates = await medianOfRounds(rounds, racers)
  const value = rates.get(ours.name) ?? Number.NaN
  return peers.map(({ name }) => ({
    name: `${set.name} (${positions.length})`,
    value,
    unit: 'verifications/s',
    peer: name,
    peerValue: rates.get(name) ?? Number.NaN,
    ...(goals[name] === undefined ? {} : { goal: goals[name] }),
  }))
}

/** What is measured must be the same work for all; what a peer refuses is named. */
function acceptedByAll(set: BundleSet, contenders: readonly Contender[]): number[] {
  return set.cases.flatMap((testCase, position) => {
    const refusals = contenders.flatMap((contender) => {
      const reason = contender.refusal(position)
      return reason === undefined ? [] : [`${contender.name} refuses it (${reason})`]
    })
    if (refusals.length === 0) return [position]
    console.log(`left out: ${testCase.name}, because ${refusals.join(', ')}`)
    return []
  })
}
