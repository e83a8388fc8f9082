/** Verifications per second, one thread, from the bundle's JSON on: ours beside every peer that is at hand. */
import type { BundleSet } from './bundle-case.ts'
import { publicCases } from './bundle-case.ts'
import type { Contender } from './contender.ts'
import type { Figure, Goal } from './figure.ts'
import { startNodeContender } from './node-contender.ts'
import type { BenchmarkOptions } from './options.ts'
import { hasPublicData, withFolder } from './places.ts'
import type { Round } from './rounds.ts'
import { medianOfRounds } from './rounds.ts'
import { buildSigstoreGo, startSigstoreGo } from './sigstore-go.ts'
import { universeSets } from './universe-bundles.ts'
import { printProfile } from './verify-profile.ts'

const defaultRounds = 11
/** Bundles in each set of the test universe. */
const universeBundles = 200
/**
 * At most this many at a time, one contender after the other: what else the machine does should hit all alike. In tens of
 * milliseconds the grain of clock and scheduler does not matter.
 */
const verificationsAtATime = 25
/** At least: the real bundles are one slice, of which a dozen measurements would say little. */
const slicesInRound = 8
/**
 * Milliseconds. A verifier's functions run once for each bundle, so that V8 takes its time over them: its rate rises by a fifth between the
 * third and the tenth second, and no more after that, while one that does nothing but a few calls of `node:crypto` is as fast as it gets at once.
 */
const warmUpTime = 10_000

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
      const contenders: Contender[] = []
      try {
        for (const name of ['countersign', '@sigstore/verify', 'bare node:crypto'] as const)
          contenders.push(await startNodeContender(name, set.cases))
        if (sigstoreGo !== undefined) contenders.push(await startSigstoreGo(sigstoreGo, set.cases, folder))
        figures.push(...(await race(set, contenders, options.rounds ?? defaultRounds)))
      } finally {
        for (const contender of contenders) contender.close()
      }
      if (options.profile) printProfile(set)
    }
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
  for (const contender of [ours, ...peers]) await warmUp(contender, positions)
  const slices = slicesOf(positions)
  const slice = (round: number): readonly number[] => slices[round % slices.length] ?? []
  const racers = new Map([ours, ...peers].map((contender): [string, Round] => [contender.name, (round) => contender.race(slice(round), 1)]))
  const rates = await medianOfRounds(rounds * Math.max(slices.length, slicesInRound), racers)
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

function slicesOf(positions: readonly number[]): number[][] {
  const count = Math.ceil(positions.length / verificationsAtATime)
  const size = Math.ceil(positions.length / count)
  return Array.from({ length: count }, (_, index) => positions.slice(index * size, (index + 1) * size))
}

/** Until just-in-time compilers have seen enough. */
async function warmUp(contender: Contender, positions: readonly number[]): Promise<void> {
  for (const start = performance.now(); performance.now() - start < warmUpTime;) await contender.race(positions, 1)
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
