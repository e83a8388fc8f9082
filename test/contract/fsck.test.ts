import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Storage } from '../../src/server/storage/storage.ts'
import type { FsckOptions, FsckReport } from '../../src/server/tile-log/fsck.ts'
import { fsckLog } from '../../src/server/tile-log/fsck.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withFolder, withStorage } from '../support/storages.ts'
import { addLeaves, isSigned, testOrigin, withLog } from '../support/test-log.ts'

const size = 600

describeEachStorage((kind) => {
  /** Checks a log of 600 entries in which something was changed. */
  async function checkLog(change: (storage: Storage) => Storage, others: Partial<FsckOptions> = {}): Promise<FsckReport> {
    return withFolder(async (headsFolder) =>
      withStorage(await kind.newLocation(), async (storage) => {
        await withLog(storage, (log) => addLeaves(log, 0, size), { headsFolder })
        return fsckLog({ ...options(change(storage), headsFolder), ...others })
      }),
    )
  }

  function options(storage: Storage, headsFolder: string): FsckOptions {
    return {
      logId: 'test',
      origin: testOrigin,
      storage,
      headsFolder,
      verifyCheckpoint: (head) => {
        if (!isSigned(head)) throw new Error('the checkpoint is not signed by the log')
      },
    }
  }

  /** The storage with one object replaced or, when undefined is given, missing. */
  const withObject =
    (name: string, change: (data: Uint8Array) => Uint8Array | undefined) =>
    (storage: Storage): Storage => ({
      ...storage,
      objects: {
        ...storage.objects,
        get: async (logId, asked) => {
          const data = await storage.objects.get(logId, asked)
          return asked === name && data !== undefined ? change(data) : data
        },
      },
    })
  const withHeads =
    (change: (heads: Storage['heads']) => Partial<Storage['heads']>) =>
    (storage: Storage): Storage => ({
      ...storage,
      heads: { ...storage.heads, ...change(storage.heads) },
    })
  const flip = (data: Uint8Array): Uint8Array => Uint8Array.from(data, (byte, at) => (at === 5 ? byte ^ 1 : byte))

  test('a sound log has no findings, and every entry was looked at', async () => {
    const progress: bigint[] = []
    const report = await checkLog((storage) => storage, { onProgress: (checked) => progress.push(checked) })
    expect(report).toEqual({ logId: 'test', size: 600n, findings: [] })
    expect(progress).toEqual([256n, 512n, 600n])
  })

  test('what is kept beside entries is read for a few of them at a time, since each may have a mebibyte', async () => {
    const counts: bigint[] = []
    const checked: bigint[] = []
    const counted = withHeads((heads) => ({
      extras: async (log, start, end) => {
        counts.push(end - start)
        return heads.extras(log, start, end)
      },
    }))
    const { findings } = await checkLog(counted, { checkEntry: ({ index }) => void checked.push(index) })
    expect(findings).toEqual([])
    expect(checked).toEqual(Array.from({ length: 600 }, (_, index) => BigInt(index)))
    for (const count of counts) expect(count).toBeLessThanOrEqual(32n)
  })

  test.each([
    ['a bundle in which a bit turned over', withObject('tile/entries/001', flip), 'tree', 'tile/0/001 is not that of the entries'],
    ['a bundle that is missing', withObject('tile/entries/001', () => undefined), 'object', 'the bundle tile/entries/001 is missing'],
    ['a bundle that is cut short', withObject('tile/entries/000', (data) => data.subarray(1)), 'object', 'entry bundle'],
    ['a tile of hashes in which a bit turned over', withObject('tile/0/000', flip), 'tree', 'tile/0/000 is not that of the entries'],
    ['a tile of hashes that is missing', withObject('tile/0/001', () => undefined), 'object', 'the tile tile/0/001 is missing'],
    ['times that go back', withObject('times/001', () => new Uint8Array(2048)), 'times', 'the entry 256 has the time 0'],
    ['times that are missing', withObject('times/000', () => undefined), 'object', 'the times times/000 are missing'],
  ])('%s is found', async (_, change, findingKind, message) => {
    const { findings } = await checkLog(change)
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: findingKind, message: expect.stringContaining(message) as unknown }) as unknown,
    )
  })

  test.each([
    [
      'a key that leads nowhere',
      withHeads((heads) => ({
        findLeafHashes: async (log, hashes) =>
          (await heads.findLeafHashes(log, hashes)).map((found) => (found === 300n ? undefined : found)),
      })),
      'the leaf hash of the entry 300 should be found there or earlier, found at none',
    ],
    [
      'a missing identity',
      withHeads((heads) => ({
        countKeys: async (log, end) => ({ ...(await heads.countKeys(log, end)), identities: 599n }),
      })),
      '600 entries should be found by identity and by leaf hash, found 599 and 600',
    ],
  ])('%s is found', async (_, change, message) => {
    expect((await checkLog(change)).findings).toMatchObject([{ kind: 'keys', message }])
  })

  test('a tail that lacks an entry, and an edge that is wrong, are found', async () => {
    const short = withHeads((heads) => ({
      load: async (log, since) => {
        const stored = await heads.load(log, since)
        return stored === undefined ? undefined : { ...stored, tail: stored.tail.slice(0, -1) }
      },
    }))
    expect((await checkLog(short)).findings[0]).toMatchObject({
      kind: 'tree',
      message: expect.stringContaining('from 512 to 600') as unknown,
    })
    const wrong = withHeads((heads) => ({
      load: async (log, since) => {
        const stored = await heads.load(log, since)
        return stored === undefined
          ? undefined
          : { ...stored, edges: stored.edges.map(({ level, hashes }) => ({ level, hashes: flip(hashes) })) }
      },
    }))
    expect((await checkLog(wrong)).findings[0]).toMatchObject({ kind: 'tree', message: expect.stringContaining('root') as unknown })
  })

  test('a checkpoint of another origin, of another tree, or without a good signature is found', async () => {
    const withCheckpoint = (change: (checkpoint: string) => string) =>
      withHeads((heads) => ({
        load: async (log, since) => {
          const stored = await heads.load(log, since)
          return stored?.head === undefined ? stored : { ...stored, head: { ...stored.head, checkpoint: change(stored.head.checkpoint) } }
        },
      }))
    for (const [change, message] of [
      [(checkpoint: string) => checkpoint.replace(/^log\.example\.com/, 'other.example.com'), 'origin'],
      [(checkpoint: string) => checkpoint.replace('\n600\n', '\n599\n'), 'tree of 599'],
      [(checkpoint: string) => checkpoint.replace('\n\n', '\nanother line\n\n'), 'does not verify'],
      [() => 'nonsense', 'signed note'],
    ] as const)
      expect((await checkLog(withCheckpoint(change))).findings).toEqual([
        { kind: 'checkpoint', message: expect.stringContaining(message) as unknown },
      ])
  })

  test('a copy of the head that is missing, damaged or newer is found', () =>
    withFolder(async (headsFolder) =>
      withStorage(await kind.newLocation(), async (storage) => {
        const checkpoints: string[] = []
        await withLog(storage, async (log) => {
          await addLeaves(log, 0, 3)
          checkpoints.push((await log.head()).checkpoint)
        })
        const findings = async () => (await fsckLog(options(storage, headsFolder))).findings
        const file = path.join(headsFolder, 'test')
        expect(await findings()).toMatchObject([{ kind: 'copy', message: expect.stringContaining('is missing') as unknown }])
        await writeFile(file, 'x')
        expect(await findings()).toMatchObject([{ kind: 'copy', message: expect.stringContaining('is not a checkpoint') as unknown }])
        await writeFile(file, (checkpoints[0] ?? '').replace('\n3\n', '\n4\n'))
        expect(await findings()).toMatchObject([{ kind: 'copy', message: expect.stringContaining('a tree of 4 was signed') as unknown }])
        await rm(file)
      }),
    ))

  test('a log that is not there is an error', async () => {
    await withStorage(await kind.newLocation(), async (storage) => {
      await expect(fsckLog(options(storage, '/nowhere'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
})
