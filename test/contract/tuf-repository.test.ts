/** The TUF repository on each storage: front ends that publish at the same time, and a start on what is there. */
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openStorage } from '../../src/server/storage/storage.ts'
import type { Storage, StorageLocation } from '../../src/server/storage/storage.ts'
import { createTufRepository } from '../../src/server/tuf/repository.ts'
import { createVersionFile } from '../../src/server/tuf/version-record.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import {
  epoch,
  fetchWithOurClient,
  get,
  getSigned,
  mirrorTo,
  newSigners,
  someTargets,
  target,
  temporaryFolder,
} from '../unit/server/tuf/served-repository.ts'

const clock = () => epoch

async function opened(location: StorageLocation): Promise<Storage> {
  const storage = await openStorage(location, { clock })
  onTestFinished(() => storage.close().catch(() => {}))
  return storage
}

describeEachStorage((kind) => {
  it('two front ends that publish at the same time make one history', async () => {
    const location = await kind.newLocation()
    const one = await opened(location)
    // Of what lasts each front end has a connection of its own.
    const storages = [one, kind.isLasting ? await opened(location) : one]
    const signers = newSigners()
    const record = createVersionFile(path.join(temporaryFolder(), 'tuf-versions.json'))
    const frontEnds = storages.map(({ documents }) =>
      createTufRepository({ documents, signers, clock, record, targets: () => someTargets }),
    )
    const [a, b] = frontEnds
    if (a === undefined || b === undefined) throw new Error('there are two')
    await Promise.all(frontEnds.map((frontEnd) => frontEnd.start()))
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? a : b).publish([target('trusted_root.json', `{"number":${index}}`)])),
    )
    await Promise.all(frontEnds.map((frontEnd) => frontEnd.close()))
    const { versions, problems } = await a.status()
    expect([versions?.targets, problems]).toEqual([13, []])
    // Every version is there once, and the chain of any two is what a client accepts.
    for (let version = 1; version <= 13; version++) expect((await getSigned(b, `${version}.targets.json`)).version).toBe(version)
    const root = (await get(a, '1.root.json')) ?? new Uint8Array()
    expect(await fetchWithOurClient(await mirrorTo(temporaryFolder(), a), root, temporaryFolder(), epoch)).toMatch(/^\{"number":\d+\}$/)
  })

  it('a front end that is still reading when another one publishes goes on with what is published then', async () => {
    const { documents } = await opened(await kind.newLocation())
    const signers = newSigners()
    const first = createTufRepository({ documents, signers, clock, targets: () => someTargets })
    await first.start()
    let reads = 0
    const interrupted: typeof documents = Object.create(documents, {
      get: {
        async value(...[collection, id]: Parameters<typeof documents.get>) {
          // The state, root, targets and snapshot were read; the timestamp that the state names is about to be.
          if (collection === 'tuf-contents' && ++reads === 4) await first.publish([target('trusted_root.json', '{"newer":true}')])
          return documents.get(collection, id)
        },
      },
    })
    const second = createTufRepository({ documents: interrupted, signers, clock })
    const { versions } = await second.refresh()
    expect([versions?.targets, reads > 4]).toEqual([2, true])
    await Promise.all([first.close(), second.close()])
  })

  // What is in memory has nothing to start again with.
  if (kind.isLasting)
    it('a server that starts again serves what was published, byte for byte', async () => {
      const location = await kind.newLocation()
      const signers = newSigners()
      const first = await opened(location)
      const before = createTufRepository({ documents: first.documents, signers, clock, targets: () => someTargets })
      await before.start()
      const timestamp = await get(before, 'timestamp.json')
      await before.close()
      await first.close()
      const second = await opened(location)
      const after = createTufRepository({ documents: second.documents, signers, clock, targets: () => someTargets })
      await after.start()
      expect(await get(after, 'timestamp.json')).toEqual(timestamp)
      await after.close()
    })
})
