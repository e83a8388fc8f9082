/** What becomes of a server as its log grows: the cost of an entry in a small and in a large log, and memory on the way. */
import type { Figure } from '../figure.ts'
import { median } from '../rounds.ts'
import { prefill } from './prefilled.ts'
import type { ServerProcess } from './server-process.ts'
import { initialiseFolder, startOnFolder } from './server-process.ts'

/** Adds so many entries through a server, at the usual number of connections. @returns entries a second, processor time of each in µs */
export type AddEntries = (server: ServerProcess, count: number) => Promise<{ readonly perSecond: number; readonly cpuMicroseconds: number }>

const small = 10_000
const large = 1_000_000
/** Few enough that the small log stays small. */
const perRound = 1_000
/** Entries that are added while memory is watched, and how many between two looks. */
const watched = 200_000
const interval = 20_000

/** Runs both servers, in turns. */
export async function measureGrowth(add: AddEntries, rounds: number): Promise<Figure[]> {
  const servers: ServerProcess[] = []
  try {
    for (const entries of [small, large]) {
      const start = performance.now()
      const folder = await initialiseFolder()
      await prefill(folder.path, entries)
      console.log(`a log of ${entries.toLocaleString('en')} entries, made in ${((performance.now() - start) / 1000).toFixed(0)} s`)
      servers.push(await startOnFolder(folder))
    }
    const [first, second] = servers
    if (first === undefined || second === undefined) throw new Error('two servers were to be started')
    const cost: number[][] = [[], []]
    const rate: number[][] = [[], []]
    for (let round = 0; round <= rounds; round++) {
      // In changing order, so that neither always comes first.
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { perSecond, cpuMicroseconds } = await add(at === 0 ? first : second, perRound)
        if (round === 0) continue
        cost[at]?.push(cpuMicroseconds)
        rate[at]?.push(perSecond)
      }
    }
    first.stop()
    return [
      {
        name: 'an entry in a log of 1,000,000',
        value: median(cost[1] ?? []),
        unit: 'µs',
        peer: 'of 10,000',
        peerValue: median(cost[0] ?? []),
        goal: { bound: 'at-most', of: 1.3 },
      },
      { name: 'the same, rate', value: median(rate[1] ?? []), unit: '/s', peer: 'of 10,000', peerValue: median(rate[0] ?? []) },
      await watchMemory(second, add),
    ]
  } finally {
    for (const server of servers) server.stop()
  }
}

/** Memory after the last entries, over that after the first tenth of them, when caches have filled. */
async function watchMemory(server: ServerProcess, add: AddEntries): Promise<Figure> {
  const resident: number[] = []
  for (let added = 0; added < watched; added += interval) {
    await add(server, interval)
    resident.push(server.memory())
  }
  console.log(
    `resident, MiB, every ${interval.toLocaleString('en')} entries: ${resident.map((mebibytes) => mebibytes.toFixed(0)).join(', ')}`,
  )
  return {
    name: `resident memory after ${watched.toLocaleString('en')} adds`,
    value: resident.at(-1) ?? Number.NaN,
    unit: 'MiB',
    peer: `after ${interval.toLocaleString('en')}`,
    peerValue: resident[0] ?? Number.NaN,
    goal: { bound: 'at-most', of: 1.3 },
  }
}
