/** A log on a storage that fails in the middle. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { CountersignError, DecodingError } from '../../src/error.ts'
import type { HeadStore } from '../../src/server/storage/head-store.ts'
import type { Storage } from '../../src/server/storage/storage.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withFolder, withStorage } from '../support/storages.ts'
import { addLeaves, isSigned, leafNumber, withLog } from '../support/test-log.ts'

type Failure = 'before' | 'after' | 'never'

describeEachStorage((kind) => {
  const isShared = kind.name === 'PostgreSQL'

  /** The storage, with swaps that fail before or after they were carried out, as the test says. */
  function failing(storage: Storage, next: () => Failure): Storage {
    const swap: HeadStore['swap'] = async (logId, change) => {
      const failure = next()
      if (failure === 'before') throw new CountersignError('STORAGE_FAILED', 'the disk is full')
      const swapped = await storage.heads.swap(logId, change)
      if (failure === 'after') throw new CountersignError('STORAGE_FAILED', 'the connection broke')
      return swapped
    }
    return { ...storage, heads: { ...storage.heads, swap } }
  }

  for (const failure of ['before', 'after'] as const) {
    test(`an entry whose batch fails ${failure} it is durable is answered truthfully when it comes again`, async () => {
      await withStorage(await kind.newLocation(), async (storage) => {
        let next: Failure = 'never'
        await withLog(
          failing(storage, () => next),
          async (log) => {
            await addLeaves(log, 0, 300)
            next = failure
            const first = log.add({ leaf: leafNumber(300) })
            // A process that shares the storage finds out by itself; a sole one leaves it to whoever asks again.
            if (isShared) {
              await new Promise((resolve) => {
                setTimeout(resolve, 50)
              })
              next = 'never'
              expect((await first).index).toBe(300n)
            } else {
              await expect(first).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
              next = 'never'
            }
            const again = await log.add({ leaf: leafNumber(300) })
            expect(again).toMatchObject({ index: 300n, duplicate: isShared || failure === 'after' })
            expect(isSigned(again.inclusion.head)).toBe(true)
            expect((await log.add({ leaf: leafNumber(301) })).index).toBe(301n)
          },
        )
      })
    })
  }

  test.each(['tile/entries/000', 'times/000'])('a damaged %s is said to be damage, and not to be a mistake of who reads', async (name) => {
    await withStorage(await kind.newLocation(), async (storage) => {
      await withLog(storage, (log) => addLeaves(log, 0, 300))
      const get: Storage['objects']['get'] = async (logId, asked) => {
        const data = await storage.objects.get(logId, asked)
        return asked === name ? data?.subarray(1) : data
      }
      await withLog({ ...storage, objects: { ...storage.objects, get } }, async (log) => {
        const failure: unknown = await log.entries(0n, 5).catch((error: unknown) => error)
        expect(failure).toMatchObject({ code: 'LOG_CORRUPT', message: expect.stringContaining('run countersign server fsck') as string })
        expect(failure).not.toBeInstanceOf(DecodingError)
        expect(await log.entries(256n, 5)).toHaveLength(5)
      })
    })
  })

  test('nobody is answered when the copy of the head cannot be written', () =>
    withFolder(async (folder) =>
      withStorage(await kind.newLocation(), async (storage) => {
        const headsFolder = path.join(folder, 'heads')
        await withLog(
          storage,
          async (log) => {
            await addLeaves(log, 0, 3)
            await rm(headsFolder, { recursive: true })
            // A file where the folder should be.
            await writeFile(headsFolder, '')
            await expect(log.add({ leaf: leafNumber(3) })).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
            await rm(headsFolder)
            await mkdir(headsFolder)
            await expect.poll(() => log.add({ leaf: leafNumber(3) }).then(({ index }) => index)).toBe(3n)
          },
          { headsFolder },
        )
      }),
    ))

  test('a process whose log was taken over by another signs no more', async () => {
    if (isShared) return
    await withStorage(await kind.newLocation(), (storage) =>
      withLog(storage, async (older) => {
        await addLeaves(older, 0, 3)
        await withLog(storage, async (newer) => {
          await expect(older.add({ leaf: leafNumber(10) })).rejects.toMatchObject({
            code: 'STORAGE_FAILED',
            message: 'the log test was taken over by another process',
          })
          expect((await newer.add({ leaf: leafNumber(11) })).index).toBe(3n)
        })
        await expect(older.add({ leaf: leafNumber(12) })).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
        expect((await older.head()).size).toBe(4n)
      }),
    )
  })
})
