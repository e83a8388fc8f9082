import { cp, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { StorageLocation } from '../../src/server/storage/storage.ts'
import { acceptRollback } from '../../src/server/tile-log/anti-rollback.ts'
import type { OpenedLog } from '../../src/server/tile-log/open-log.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withFolder, withStorage } from '../support/storages.ts'
import { addLeaves, leafNumber, withLog } from '../support/test-log.ts'

describeEachStorage((kind) => {
  /** Opens the log with copies of heads in the folder. */
  async function withLogAt<Result>(
    location: StorageLocation,
    headsFolder: string,
    use: (log: OpenedLog) => Promise<Result>,
  ): Promise<Result> {
    return withStorage(location, (storage) => withLog(storage, use, { headsFolder }))
  }

  test('a database that was emptied is not signed for, and the error says what to do', () =>
    withFolder(async (folder) => {
      await withLogAt(await kind.newLocation(), folder, (log) => addLeaves(log, 0, 5))
      const opened = withLogAt(await kind.newLocation(), folder, async () => {})
      await expect(opened).rejects.toMatchObject({
        code: 'LOG_ROLLED_BACK',
        message:
          'the database has 0 entries of the log test, but a tree of 5 was signed: it was restored from an old backup or replaced. Restore the newer database; if there is none, accept the loss and the fork with "countersign server recover-log --accept-rollback test"',
      })
    }))

  test('a database with other entries than those that were signed is not signed for, even where it has more', () =>
    withFolder(async (folder) => {
      await withLogAt(await kind.newLocation(), folder, (log) => addLeaves(log, 0, 5))
      const other = await kind.newLocation()
      await withStorage(other, async (storage) => {
        await withLog(storage, (log) => addLeaves(log, 100, 400))
        const opened = withLog(storage, async () => {}, { headsFolder: folder })
        await expect(opened).rejects.toMatchObject({
          code: 'LOG_ROLLED_BACK',
          message: expect.stringContaining('has other entries of the log test than the tree of 5 that was signed') as unknown,
        })
      })
    }))

  test.runIf(kind.name === 'SQLite file')('a database file restored from an old backup is not signed for, until that is accepted', () =>
    withFolder(async (folder) => {
      const headsFolder = path.join(folder, 'heads')
      const file = path.join(folder, 'server.db')
      const location = { kind: 'sqlite', file } as const
      await withLogAt(location, headsFolder, (log) => addLeaves(log, 0, 300))
      await cp(file, path.join(folder, 'backup.db'))
      const newest = await withLogAt(location, headsFolder, async (log) => {
        await addLeaves(log, 300, 310)
        return log.head()
      })
      await cp(file, path.join(folder, 'newer.db'))
      await cp(path.join(folder, 'backup.db'), file)
      await expect(withLogAt(location, headsFolder, async () => {})).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' })

      // Way one: the newer database comes back.
      await cp(path.join(folder, 'newer.db'), file)
      expect(await withLogAt(location, headsFolder, async (log) => (await log.head()).checkpoint)).toBe(newest.checkpoint)

      // Way two: the loss is accepted.
      await cp(path.join(folder, 'backup.db'), file)
      const accepted = await withStorage(location, ({ heads }) => acceptRollback({ logId: 'test', heads, headsFolder }))
      expect(accepted).toEqual({ signedSize: 310n, acceptedSize: 300n })
      expect(await withLogAt(location, headsFolder, async (log) => (await log.add({ leaf: leafNumber(1_000) })).index)).toBe(300n)
    }),
  )

  test('a copy that was left behind by a crash is brought up to date, and one that is missing is written', () =>
    withFolder(async (folder) => {
      await withStorage(await kind.newLocation(), async (storage) => {
        const file = path.join(folder, 'test')
        const old = await withLog(
          storage,
          async (log) => {
            await addLeaves(log, 0, 2)
            return (await log.head()).checkpoint
          },
          { headsFolder: folder },
        )
        const newest = await withLog(
          storage,
          async (log) => {
            await addLeaves(log, 2, 4)
            return (await log.head()).checkpoint
          },
          { headsFolder: folder },
        )
        expect(await readFile(file, 'utf8')).toBe(newest)
        await writeFile(file, old)
        await withLog(storage, async () => {}, { headsFolder: folder })
        expect(await readFile(file, 'utf8')).toBe(newest)
        await withLog(storage, async () => {}, { headsFolder: path.join(folder, 'new') })
        expect(await readFile(path.join(folder, 'new', 'test'), 'utf8')).toBe(newest)
        expect(await readdir(folder)).toEqual(['new', 'test'])
      })
    }))

  test('a copy that cannot be understood stops the log instead of being written over', () =>
    withFolder(async (folder) => {
      const file = path.join(folder, 'test')
      await withStorage(await kind.newLocation(), async (storage) => {
        await withLog(storage, (log) => addLeaves(log, 0, 2), { headsFolder: folder })
        await writeFile(file, 'damaged')
        await expect(withLog(storage, async () => {}, { headsFolder: folder })).rejects.toMatchObject({
          code: 'LOG_CORRUPT',
          message: expect.stringContaining('is not a checkpoint') as unknown,
        })
        expect(await readFile(file, 'utf8')).toBe('damaged')
      })
    }))

  test('accepting a rollback of a log that the database does not have is refused', () =>
    withFolder(async (folder) => {
      await withStorage(await kind.newLocation(), async ({ heads }) => {
        const accepted = acceptRollback({ logId: 'test', heads, headsFolder: folder })
        await expect(accepted).rejects.toMatchObject({ code: 'NOT_FOUND' })
      })
    }))
})
