/** Data folders of servers whose Rekor v2 log has entries already, put there by the log engine in large batches. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { encodeHashedRekordV002 } from '../../src/bundle/encode-log-entry-body.ts'
import { digest } from '../../src/crypto/digest.ts'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import type { PrivateKey } from '../../src/crypto/private-key.ts'
import { derInteger, derSequence } from '../../src/encoding/der-writer.ts'
import { dataFiles } from '../../src/server/data-folder.ts'
import { readMaterial } from '../../src/server/material-files.ts'
import { readConfiguration, storageLocation } from '../../src/server/run-server.ts'
import { createFollower } from '../../src/server/search/follower.ts'
import { originOf, rekorCheckpointSigners } from '../../src/server/server-logs.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import { openLog } from '../../src/server/tile-log/open-log.ts'

const batch = 8_192

/**
 * Fills the log of a new folder, and the search index over it. No server may run on the folder.
 * @param entries as large as those that the load adds; their signatures are random, which only those who add entries look at
 */
export async function prefill(folder: string, entries: number): Promise<void> {
  const clock = Date.now
  const material = await readMaterial(folder, await readConfiguration(folder), undefined)
  const rekor = material.logs.find(({ kind }) => kind === 'rekor-v2')
  if (rekor === undefined) throw new Error('the folder has no log of Rekor v2')
  const storage = await openStorage(storageLocation(folder, undefined), { clock, user: 'sole' })
  const log = await openLog({
    id: rekor.id,
    origin: originOf(rekor),
    state: 'active',
    signCheckpoint: rekorCheckpointSigners['rekor-v2'](rekor),
    storage,
    clock,
    headsFolder: path.join(folder, dataFiles.heads),
    batch: { collectMs: 0, maxEntries: batch, maxWaiting: 2 * batch },
  })
  const follower = createFollower({ logs: [log], terms: storage.terms })
  const keys = Array.from({ length: 16 }, () => generatePrivateKey('ecdsa-p256'))
  for (let added = 0; added < entries; added += batch) {
    const count = Math.min(batch, entries - added)
    await Promise.all(Array.from({ length: count }, (_, at) => log.add({ leaf: bodyOf(keys[at % keys.length]) })))
    await follower.catchUp()
  }
  await follower.close()
  await log.close()
  await storage.close()
}

function bodyOf(key: PrivateKey | undefined): Uint8Array {
  if (key === undefined) throw new Error('there are no keys')
  const random = randomBytes(64)
  const signature = derSequence(derInteger(random.subarray(0, 32)), derInteger(random.subarray(32)))
  const verifier = { kind: 'public-key', der: key.publicKey.spki, keyDetails: 'PKIX_ECDSA_P256_SHA_256' } as const
  return encodeHashedRekordV002({ algorithm: 'sha256', value: digest('sha256', random) }, { signature, verifier })
}
