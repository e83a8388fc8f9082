import { expect, test } from 'vitest'
import { encodeHex } from '../../src/encoding/hex.ts'
import { maxEntrySize } from '../../src/merkle/entry-bundle.ts'
import { verifyInclusion } from '../../src/merkle/inclusion-proof.ts'
import { parseCheckpoint } from '../../src/merkle/checkpoint.ts'
import { parseSignedNote } from '../../src/merkle/signed-note.ts'
import type { Storage } from '../../src/server/storage/storage.ts'
import type { AddedEntry, LogHead, LoggedEntry, Place } from '../../src/server/tile-log/log.ts'
import type { OpenLogOptions, OpenedLog } from '../../src/server/tile-log/open-log.ts'
import { openLog } from '../../src/server/tile-log/open-log.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withStorage } from '../support/storages.ts'
import { addLeaves, isSigned, leafNumber, testLogOptions, testOrigin, withLog } from '../support/test-log.ts'
import { leafOf, mth, path as pathOf, proof as proofOf } from '../unit/merkle/reference-tree.ts'

const hex = (hashes: readonly Uint8Array[]) => hashes.map(encodeHex)
const identityOf = (byte: number) => new Uint8Array(32).fill(byte)

/** A leaf as certificate transparency has it: the time stands in it. */
const timedLeaf =
  (name: string) =>
  ({ timestampMs }: Place): Uint8Array => {
    const leaf = new Uint8Array(Buffer.from(`\0\0........${name}`))
    new DataView(leaf.buffer).setBigUint64(2, BigInt(timestampMs))
    return leaf
  }

function verifyAdded({ index, leaf, inclusion: { head, hashes } }: AddedEntry): void {
  verifyInclusion({ leafIndex: index, treeSize: head.size, leafHash: leafOf(leaf), proof: hashes, root: head.rootHash })
}

describeEachStorage((kind) => {
  async function withNewLog(use: (log: OpenedLog, storage: Storage) => Promise<void>, others: Partial<OpenLogOptions> = {}): Promise<void> {
    await withStorage(await kind.newLocation(), (storage) => withLog(storage, (log) => use(log, storage), others))
  }

  test('a new log has a signed head of size 0', () =>
    withNewLog(async (log) => {
      const head = await log.head()
      expect(head).toMatchObject({ size: 0n, timestampMs: 1_700_000_000_000 })
      expect(encodeHex(head.rootHash)).toBe(encodeHex(mth([])))
      expect(isSigned(head)).toBe(true)
      expect(parseCheckpoint(parseSignedNote(head.checkpoint).text)).toMatchObject({ origin: testOrigin, size: 0n })
      expect(await log.entries(0n, 10)).toEqual([])
    }))

  test('each of many concurrent entries is answered with a proof of its own in a signed tree', () =>
    withNewLog(async (log) => {
      const added = await Promise.all(Array.from({ length: 700 }, (_, number) => log.add({ leaf: leafNumber(number) })))
      for (const entry of added) {
        verifyAdded(entry)
        expect(entry.duplicate).toBe(false)
        expect(isSigned(entry.inclusion.head)).toBe(true)
      }
      expect(new Set(added.map(({ index }) => index)).size).toBe(700)
      const leaves = added.toSorted((a, b) => Number(a.index - b.index)).map(({ leaf }) => leafOf(leaf))
      expect(encodeHex((await log.head()).rootHash)).toBe(encodeHex(mth(leaves)))
    }))

  test('proofs and roots over any size are those of the definition', () =>
    withNewLog(async (log) => {
      for (const [from, to] of [
        [0, 1],
        [1, 255],
        [255, 257],
        [257, 600],
      ] as const)
        await addLeaves(log, from, to)
      const logged: LoggedEntry[] = []
      while (logged.length < 600) logged.push(...(await log.entries(BigInt(logged.length), 1_000)))
      const leaves = logged.map(({ leaf }) => leafOf(leaf))
      for (const size of [1, 2, 3, 255, 256, 257, 511, 512, 513, 599, 600]) {
        expect(encodeHex(await log.rootHash(BigInt(size)))).toBe(encodeHex(mth(leaves.slice(0, size))))
        for (const index of [0, 1, 127, 255, 256, 511, size - 1].filter((index) => index < size)) {
          const { hashes } = await log.proveInclusion(BigInt(index), BigInt(size))
          expect(hex(hashes)).toEqual(hex(pathOf(index, leaves.slice(0, size))))
        }
        for (const oldSize of [1, 100, 256, 300, size].filter((oldSize) => oldSize <= size)) {
          const hashes = await log.proveConsistency(BigInt(oldSize), BigInt(size))
          expect(hex(hashes)).toEqual(hex(proofOf(oldSize, leaves.slice(0, size))))
        }
      }
    }))

  test('tiles and bundles are, in every width, the bytes that C2SP tlog-tiles says', () =>
    withNewLog(async (log) => {
      await addLeaves(log, 0, 520)
      const logged = [...(await log.entries(0n, 256)), ...(await log.entries(256n, 256)), ...(await log.entries(512n, 256))].map(
        ({ leaf }) => leaf,
      )
      const tile = async (level: number | 'entries', index: bigint, width: number) => {
        const bytes = await log.tile({ level, index, width })
        return bytes === undefined ? undefined : encodeHex(bytes)
      }
      const bundle = (from: number, to: number) =>
        logged
          .slice(from, to)
          .map((leaf) => leaf.length.toString(16).padStart(4, '0') + encodeHex(leaf))
          .join('')
      const hashes = (from: number, to: number) => hex(logged.slice(from, to).map(leafOf)).join('')
      for (const width of [1, 7, 255, 256]) {
        expect(await tile('entries', 0n, width)).toBe(bundle(0, width))
        expect(await tile(0, 1n, width)).toBe(hashes(256, 256 + width))
      }
      expect(await tile('entries', 2n, 8)).toBe(bundle(512, 520))
      expect(await tile(0, 2n, 3)).toBe(hashes(512, 515))
      const roots = [0, 256].map((start) => encodeHex(mth(logged.slice(start, start + 256).map(leafOf))))
      expect(await tile(1, 0n, 2)).toBe(roots.join(''))
      expect(await tile(1, 0n, 1)).toBe(roots[0])
      // Wider than the tree, to the right of it, above it.
      expect(await tile('entries', 2n, 9)).toBeUndefined()
      expect(await tile(0, 2n, 256)).toBeUndefined()
      expect(await tile(0, 3n, 1)).toBeUndefined()
      expect(await tile(1, 0n, 3)).toBeUndefined()
      expect(await tile(2, 0n, 1)).toBeUndefined()
    }))

  test('the same entry is logged once, however often and however concurrently it comes', () =>
    withNewLog(async (log) => {
      const leaf = leafNumber(1)
      const together = await Promise.all(Array.from({ length: 20 }, () => log.add({ leaf })))
      const later = await log.add({ leaf })
      expect(together.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
      expect(later.duplicate).toBe(true)
      for (const added of [...together, later]) {
        expect(added.index).toBe(0n)
        verifyAdded(added)
      }
      expect((await log.head()).size).toBe(1n)
    }))

  test('a duplicate in a full bundle comes back whole, as it was', () =>
    withNewLog(async (log) => {
      const extra = new TextEncoder().encode('beside')
      const first = await log.add({ leaf: leafNumber(0), extra })
      await addLeaves(log, 1, 300)
      const again = await log.add({ leaf: leafNumber(0), extra: new TextEncoder().encode('something else') })
      verifyAdded(again)
      expect(again).toMatchObject({ index: first.index, timestampMs: first.timestampMs, duplicate: true })
      expect([encodeHex(again.leaf), encodeHex(again.extra)]).toEqual([encodeHex(first.leaf), encodeHex(extra)])
    }))

  test('identity decides what is the same: equal leaves of different identities are different entries', () =>
    withNewLog(async (log) => {
      const leaf = leafNumber(1)
      const [one, two] = await Promise.all([log.add({ leaf, identity: identityOf(1) }), log.add({ leaf, identity: identityOf(2) })])
      const three = await log.add({ leaf: leafNumber(2), identity: identityOf(1) })
      expect([one.duplicate, two.duplicate, three.duplicate]).toEqual([false, false, true])
      expect(three.index).toBe(one.index)
      expect(await log.indexOfLeafHash(leafOf(leaf))).toBe(0n)
      expect(await log.indexOfLeafHash(leafOf(leafNumber(2)))).toBeUndefined()
      expect(await log.indexOfLeafHash(identityOf(1))).toBeUndefined()
    }))

  test('a leaf that names its own time has the time that is answered', () =>
    withNewLog(async (log) => {
      const added = await log.add({ leaf: timedLeaf('precert'), identity: identityOf(3) })
      expect(encodeHex(added.leaf)).toBe(encodeHex(timedLeaf('precert')(added)))
      verifyAdded(added)
      const again = await log.add({ leaf: timedLeaf('precert'), identity: identityOf(3) })
      expect(again).toMatchObject({ index: added.index, timestampMs: added.timestampMs, duplicate: true })
    }))

  test('a leaf that names its own time needs an identity', () =>
    withNewLog(async (log) => {
      await expect(log.add({ leaf: timedLeaf('x') })).rejects.toMatchObject({ code: 'USAGE' })
    }))

  test('times never go back, though the clock does', async () => {
    let now = 1_700_000_000_500
    await withNewLog(
      async (log) => {
        const first = await log.add({ leaf: leafNumber(1) })
        now -= 10_000
        const second = await log.add({ leaf: leafNumber(2) })
        expect(first.timestampMs).toBe(1_700_000_000_500)
        expect(second.timestampMs).toBe(1_700_000_000_500)
        expect(second.inclusion.head.timestampMs).toBe(1_700_000_000_500)
        now += 20_000
        expect((await log.add({ leaf: leafNumber(3) })).timestampMs).toBe(now)
        expect((await log.entries(0n, 3)).map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_500, 1_700_000_000_500, now])
      },
      { clock: () => now },
    )
  })

  test('the largest entry is taken, and what is larger or empty refused, without harm to its neighbours', () =>
    withNewLog(async (log) => {
      const results = await Promise.allSettled([
        log.add({ leaf: new Uint8Array(maxEntrySize).fill(7) }),
        log.add({ leaf: new Uint8Array(maxEntrySize + 1) }),
        log.add({ leaf: new Uint8Array() }),
        log.add({ leaf: leafNumber(1), extra: new Uint8Array(1024 * 1024).fill(9) }),
        log.add({ leaf: leafNumber(2), extra: new Uint8Array(1024 * 1024 + 1) }),
        log.add({ leaf: leafNumber(3), identity: new Uint8Array(31) }),
        log.add({
          leaf: () => {
            throw new RangeError('no leaf')
          },
          identity: identityOf(1),
        }),
        log.add({ leaf: leafNumber(4) }),
      ])
      expect(results.map((result) => (result.status === 'fulfilled' ? 'added' : (result.reason as { code?: string }).code))).toEqual([
        'added',
        'TOO_LARGE',
        'TOO_LARGE',
        'added',
        'TOO_LARGE',
        'USAGE',
        undefined,
        'added',
      ])
      const entries = await log.entries(0n, 10)
      expect(entries).toHaveLength(3)
      expect(entries.map(({ extra }) => extra.length).toSorted((a, b) => a - b)).toEqual([0, 0, 1024 * 1024])
    }))

  test('whoever gives up before the batch is not logged, and harms nobody in it', () =>
    withNewLog(async (log) => {
      const giveUp = new AbortController()
      const given = log.add({ leaf: leafNumber(1) }, giveUp.signal)
      const others = Promise.all([log.add({ leaf: leafNumber(2) }), log.add({ leaf: leafNumber(3) })])
      giveUp.abort(new Error('the client went away'))
      await expect(given).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringContaining('the client went away') as unknown })
      await expect(log.add({ leaf: leafNumber(4) }, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
      for (const added of await others) verifyAdded(added)
      expect((await log.head()).size).toBe(2n)
    }))

  test('more than may wait are refused at once', () =>
    withNewLog(
      async (log) => {
        const results = await Promise.allSettled(Array.from({ length: 30 }, (_, number) => log.add({ leaf: leafNumber(number) })))
        const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown)
        expect(refused).toHaveLength(20)
        for (const reason of refused) expect(reason).toMatchObject({ code: 'LOG_OVERLOADED' })
        expect((await log.head()).size).toBe(10n)
      },
      { batch: { maxWaiting: 10 } },
    ))

  test('entries that bring much along are made durable in several steps, none of them too much for the storage', async () => {
    let swaps = 0
    const onStep: OpenLogOptions['onStep'] = (step) => void (step === 'swap' && swaps++)
    const extra = new Uint8Array(600_000)
    await withNewLog(
      async (log) => {
        const added = await Promise.all(Array.from({ length: 10 }, (_, number) => log.add({ leaf: leafNumber(number), extra })))
        for (const one of added) verifyAdded(one)
        expect((await log.head()).size).toBe(10n)
      },
      { batch: { maxBytes: 2_000_000 }, onStep },
    )
    expect(swaps).toBeGreaterThanOrEqual(4)
  })

  test('an entry that is larger than a batch should be is a batch of its own', () =>
    withNewLog(
      async (log) => {
        const added = await Promise.all([1, 2, 3].map((number) => log.add({ leaf: leafNumber(number), extra: new Uint8Array(1000) })))
        for (const one of added) verifyAdded(one)
      },
      { batch: { maxBytes: 10 } },
    ))

  test('more bytes than may wait are refused at once, and taken again when there is room', () =>
    withNewLog(
      async (log) => {
        const extra = new Uint8Array(100_000)
        const results = await Promise.allSettled(Array.from({ length: 30 }, (_, number) => log.add({ leaf: leafNumber(number), extra })))
        const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
        expect(refused).toHaveLength(20)
        for (const reason of refused) expect(reason).toMatchObject({ code: 'LOG_OVERLOADED' })
        verifyAdded(await log.add({ leaf: leafNumber(40), extra }))
        expect((await log.head()).size).toBe(11n)
      },
      { batch: { maxWaitingBytes: 1_000_000 } },
    ))

  test('a key that cannot sign fails the entries of that batch, and the log goes on when it can again', async () => {
    let isBroken = false
    await withStorage(await kind.newLocation(), async (storage) => {
      const { signCheckpoint } = testLogOptions(storage)
      const options: Partial<OpenLogOptions> = {
        signCheckpoint: (checkpoint, timestampMs) => {
          if (isBroken) throw new Error('the key service is away')
          return signCheckpoint(checkpoint, timestampMs)
        },
      }
      await withLog(
        storage,
        async (log) => {
          isBroken = true
          await expect(log.add({ leaf: leafNumber(1) })).rejects.toThrow('the key service is away')
          isBroken = false
          await expect.poll(() => log.add({ leaf: leafNumber(2) }).then(({ index }) => index)).toBe(0n)
        },
        options,
      )
    })
  })

  test('a frozen log gives its entries and takes none', async () => {
    await withStorage(await kind.newLocation(), async (storage) => {
      const head = await withLog(storage, async (log) => {
        await addLeaves(log, 0, 300)
        return log.head()
      })
      for (const state of ['frozen', 'retired'] as const) {
        await withLog(
          storage,
          async (log) => {
            await expect(log.add({ leaf: leafNumber(1) })).rejects.toMatchObject({ code: 'LOG_FROZEN' })
            expect((await log.head()).checkpoint).toBe(head.checkpoint)
            expect(await log.entries(299n, 5)).toHaveLength(1)
            expect(log.status()).toMatchObject({ state, role: 'reader', size: 300n })
          },
          { state },
        )
      }
    })
  })

  test('logs in one storage do not know of each other', async () => {
    await withStorage(await kind.newLocation(), (storage) =>
      withLog(
        storage,
        (one) =>
          withLog(
            storage,
            async (two) => {
              const leaf = leafNumber(1)
              await Promise.all([addLeaves(one, 0, 270), addLeaves(two, 300, 310)])
              expect((await one.add({ leaf })).duplicate).toBe(true)
              expect((await two.add({ leaf })).duplicate).toBe(false)
              expect([(await one.head()).size, (await two.head()).size]).toEqual([270n, 11n])
              expect(await storage.heads.logIds()).toEqual(['rekor-1', 'rekor-2'])
            },
            { id: 'rekor-2' },
          ),
        { id: 'rekor-1' },
      ),
    )
  })

  test('a log continues where it ended', async () => {
    await withStorage(await kind.newLocation(), async (storage) => {
      const heads: LogHead[] = []
      for (const [from, to] of [
        [0, 3],
        [3, 256],
        [256, 256],
        [256, 700],
      ] as const) {
        heads.push(
          await withLog(storage, async (log) => {
            await addLeaves(log, from, to)
            return log.head()
          }),
        )
      }
      expect(heads.map(({ size }) => size)).toEqual([3n, 256n, 256n, 700n])
      await withLog(storage, async (log) => {
        for (const { size, rootHash } of heads) expect(encodeHex(await log.rootHash(size))).toBe(encodeHex(rootHash))
        expect((await log.add({ leaf: leafNumber(2) })).duplicate).toBe(true)
      })
    })
  })

  test('leaves are the entries without what is kept beside them, which is not read', async () => {
    await withStorage(await kind.newLocation(), async (storage) => {
      const asked: bigint[] = []
      const heads: Storage['heads'] = {
        ...storage.heads,
        extras: async (logId, start, end) => {
          asked.push(start)
          return storage.heads.extras(logId, start, end)
        },
      }
      await withLog({ ...storage, heads }, async (log) => {
        await Promise.all(Array.from({ length: 300 }, (_, number) => log.add({ leaf: leafNumber(number), extra: leafNumber(number) })))
        for (const [start, count] of [
          [0n, 10],
          [250n, 10],
          [256n, 100],
          [300n, 1],
        ] as const) {
          const entries = await log.entries(start, count)
          asked.length = 0
          expect(await log.leaves(start, count)).toEqual(
            entries.map(({ index, timestampMs, leaf }) => expect.objectContaining({ index, timestampMs, leaf })),
          )
          expect(asked).toEqual([])
        }
      })
    })
  })

  test('asking beyond the tree is an error or nothing, never something else', () =>
    withNewLog(async (log) => {
      await addLeaves(log, 0, 5)
      expect(await log.entries(5n, 1)).toEqual([])
      expect(await log.entries(-1n, 1)).toEqual([])
      expect(await log.entries(0n, 0)).toEqual([])
      for (const asked of [
        () => log.proveInclusion(5n),
        () => log.proveInclusion(0n, 6n),
        () => log.proveInclusion(-1n),
        () => log.proveConsistency(3n, 6n),
        () => log.proveConsistency(4n, 3n),
        () => log.rootHash(6n),
        () => log.rootHash(-1n),
      ])
        await expect(asked()).rejects.toMatchObject({ code: 'USAGE' })
    }))

  test('an impossible id is refused', async () => {
    await withStorage(await kind.newLocation(), async (storage) => {
      for (const id of ['', '../x', 'a/b', 'A', '.hidden', 'x'.repeat(65)])
        await expect(openLog(testLogOptions(storage, { id }))).rejects.toMatchObject({ code: 'USAGE' })
    })
  })

  test('closing answers those who wait, and takes no more', () =>
    withNewLog(async (log) => {
      const waiting = Promise.all([log.add({ leaf: leafNumber(1) }), log.add({ leaf: leafNumber(2) })])
      await log.close()
      for (const added of await waiting) verifyAdded(added)
      // Not LOG_FROZEN, which clients do not ask again after.
      await expect(log.add({ leaf: leafNumber(3) })).rejects.toMatchObject({ code: 'LOG_OVERLOADED' })
    }))
})
