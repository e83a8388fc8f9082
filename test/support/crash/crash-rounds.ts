/** Rounds of adding and killing, on one storage that outlives all of them. */
import path from 'node:path'
import type { StorageLocation } from '../../../src/server/storage/storage.ts'
import type { AddingProcess } from './adding.ts'
import { buildAddingPrograms, startAdding } from './adding.ts'
import type { Acknowledged, CrashPoint } from './crash-log.ts'
import { checkKept } from './kept.ts'

/** The log's own steps, in their order. */
export const logSteps = [
  'place',
  'sign',
  'swap',
  'copy',
  'write copy',
  'sync copy',
  'rename copy',
  'sync folder of copy',
  'answer',
] as const

/** The steps of the transaction that swaps a head in SQLite. */
export const sqliteSteps = [
  'update "logs"',
  'insert tail_segments',
  'insert entry_keys',
  'insert into "edges"',
  'insert objects',
  'delete from "tail_segments"',
  'commit',
  'end',
] as const

export interface CrashedLog {
  /** Everything that was acknowledged so far. */
  readonly acknowledged: readonly Acknowledged[]
  /** Adds until the process ends itself at the point, and checks what it acknowledged. @returns how many entries that was */
  crashAt(point: CrashPoint): Promise<number>
  /** Adds for a time in milliseconds, kills the process, and checks what it acknowledged. @returns how many entries that was */
  killAfter(milliseconds: number): Promise<number>
  /** Checks everything that was ever acknowledged. @returns the log's size */
  checkAll(): Promise<bigint>
}

const adders = 64

/**
 * @param folder for copies of heads
 * @param roundsPerFsck fsck reads the whole log: a log of many rounds has it every few rounds only
 */
export async function createCrashedLog(location: StorageLocation, folder: string, roundsPerFsck = 1): Promise<CrashedLog> {
  const { program, sqliteWorker } = await buildAddingPrograms()
  const headsFolder = path.join(folder, 'heads')
  const acknowledged: Acknowledged[] = []
  let rounds = 0
  const start = (crash?: CrashPoint) => {
    const name = `round ${++rounds}`
    return startAdding(program, { location, headsFolder, adders, name, sqliteWorker, ...(crash === undefined ? {} : { crash }) })
  }
  const finish = async (process: AddingProcess): Promise<number> => {
    const signal = await process.ended
    if (signal !== 'SIGKILL') throw new Error(`the process should have been killed, but ended by itself: ${process.errors()}`)
    await checkKept(location, headsFolder, process.acknowledged, rounds % roundsPerFsck === 0)
    acknowledged.push(...process.acknowledged)
    return process.acknowledged.length
  }
  return {
    acknowledged,
    crashAt: (point) => finish(start(point)),
    killAfter: async (milliseconds) => {
      const process = start()
      await process.ready
      await new Promise((resolve) => {
        setTimeout(resolve, milliseconds)
      })
      process.kill()
      return finish(process)
    },
    checkAll: () => checkKept(location, headsFolder, acknowledged),
  }
}
