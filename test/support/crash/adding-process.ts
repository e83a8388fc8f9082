/**
 * A process that adds entries to a log as fast as it can, and writes a line for each that was acknowledged. It ends when it
 * is killed: from outside, or by itself at a step of the log or of the database.
 * Its options are those of `addingOptions`.
 */
import { writeSync } from 'node:fs'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { openStorage } from '../../../src/server/storage/storage.ts'
import { openLog } from '../../../src/server/tile-log/open-log.ts'
import type { Acknowledged } from './crash-log.ts'
import { addingOptions, crashCounter, crashLog, leafText } from './crash-log.ts'

const { location, headsFolder, adders, name, crash, sqliteWorker } = addingOptions()

const storage = await openStorage(location, { clock: Date.now, ...(sqliteWorker === undefined ? {} : { sqliteWorker }) })
const log = await openLog({ ...crashLog, storage, clock: Date.now, headsFolder, onStep: crashCounter(crash) })
writeLine('"ready"')
await Promise.all(Array.from({ length: adders }, (_, adder) => addForever(adder)))

async function addForever(adder: number): Promise<void> {
  for (let number = 0; ; number++) {
    const entry = `${name}/${adder}/${number}`
    const { index, inclusion } = await log.add({ leaf: Buffer.from(leafText(entry)) })
    const { size, rootHash } = inclusion.head
    const line: Acknowledged = { entry, index: String(index), size: String(size), rootHash: encodeHex(rootHash) }
    // At once and past all buffers: what is written counts as told to the client.
    writeLine(JSON.stringify(line))
  }
}

function writeLine(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      // The pipe is full; a line is short enough to be written whole or not at all.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
