/** Checks that a log kept what its processes acknowledged. */
import { encodeHex } from '../../../src/encoding/hex.ts'
import { leafHash } from '../../../src/merkle/hash.ts'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import type { StorageLocation } from '../../../src/server/storage/storage.ts'
import { openStorage } from '../../../src/server/storage/storage.ts'
import { fsckLog } from '../../../src/server/tile-log/fsck.ts'
import type { LogHead, LoggedEntry, TileLog } from '../../../src/server/tile-log/log.ts'
import { openLog } from '../../../src/server/tile-log/open-log.ts'
import type { Acknowledged } from './crash-log.ts'
import { crashLog, leafText, verifyCheckpoint } from './crash-log.ts'

/**
 * Opens the log as a restarted server does, and checks that nothing that was acknowledged is lost or changed, that no head
 * that was seen was taken back, and that fsck finds nothing.
 * @param withFsck leave it out to check no more than what was acknowledged
 * @returns the log's size
 * @throws an Error that says what is wrong
 */
export async function checkKept(
  location: StorageLocation,
  headsFolder: string,
  acknowledged: readonly Acknowledged[],
  withFsck = true,
): Promise<bigint> {
  const storage = await openStorage(location, { clock: Date.now })
  try {
    const log = await openLog({ ...crashLog, storage, clock: Date.now, headsFolder })
    const head = await log.head()
    try {
      await checkEntries(log, head, acknowledged)
      await checkHeads(log, head, acknowledged)
    } finally {
      await log.close()
    }
    if (!withFsck) return head.size
    const { findings, size } = await fsckLog({ logId: crashLog.id, origin: crashLog.origin, storage, headsFolder, verifyCheckpoint })
    if (findings.length > 0) throw new Error(`fsck found: ${findings.map(({ message }) => message).join('; ')}`)
    return size
  } finally {
    await storage.close()
  }
}

async function checkEntries(log: TileLog, head: LogHead, acknowledged: readonly Acknowledged[]): Promise<void> {
  const named = new Map<string, string>()
  for (const { entry, index } of acknowledged) {
    const other = named.get(index)
    if (other !== undefined && other !== entry) throw new Error(`the index ${index} was given to ${other} and ${entry}`)
    named.set(index, entry)
  }
  if (new Set(named.values()).size !== named.size) throw new Error('an entry was given two indices')
  let near: readonly LoggedEntry[] = []
  for (const [index, name] of [...named].toSorted(([a], [b]) => Number(a) - Number(b))) {
    const place = BigInt(index)
    if (place >= head.size) throw new Error(`the acknowledged entry ${index} is lost: the log has ${head.size}`)
    if ((near.at(-1)?.index ?? -1n) < place) near = await log.entries(place, 256)
    const leaf = near.find((entry) => entry.index === place)?.leaf
    if (leaf === undefined || Buffer.from(leaf).toString() !== leafText(name))
      throw new Error(`the entry ${index} is not the one that was acknowledged`)
    // The log may grow meanwhile, by entries that dead processes had handed over.
    const { hashes } = await log.proveInclusion(place, head.size)
    verifyInclusion({ leafIndex: place, treeSize: head.size, leafHash: leafHash(leaf), proof: hashes, root: head.rootHash })
  }
}

async function checkHeads(log: TileLog, head: LogHead, acknowledged: readonly Acknowledged[]): Promise<void> {
  const roots = new Map<string, string>()
  for (const { size, rootHash } of acknowledged) {
    const other = roots.get(size)
    if (other !== undefined && other !== rootHash) throw new Error(`two heads of size ${size} were signed`)
    roots.set(size, rootHash)
  }
  for (const [size, rootHash] of roots) {
    if (BigInt(size) > head.size) throw new Error(`the head went back from ${size} to ${head.size}`)
    if (encodeHex(await log.rootHash(BigInt(size))) !== rootHash) throw new Error(`the log does not continue the head of size ${size}`)
  }
}
