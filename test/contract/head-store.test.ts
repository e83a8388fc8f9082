import { expect, test } from 'vitest'
import { encodeHex } from '../../src/encoding/hex.ts'
import type { HeadStore, HeadSwap, SequencedEntry } from '../../src/server/storage/head-store.ts'
import type { LogHead } from '../../src/server/tile-log/log.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withStorage } from '../support/storages.ts'
import { leafOf } from '../unit/merkle/reference-tree.ts'

const bytes = (byte: number) => new Uint8Array(32).fill(byte)
const headOf = (size: bigint, root = Number(size)): LogHead => ({
  size,
  rootHash: bytes(root),
  timestampMs: 1_000,
  checkpoint: `head ${size}\n`,
})

function entryOf(index: bigint, others: Partial<SequencedEntry> = {}): SequencedEntry {
  const leaf = new TextEncoder().encode(`leaf ${index}`)
  return { index, timestampMs: 1_000, leaf, extra: new Uint8Array(), leafHash: leafOf(leaf), identity: leafOf(leaf), ...others }
}

function swapOf(epoch: bigint, previous: LogHead | undefined, head: LogHead, others: Partial<HeadSwap> = {}): HeadSwap {
  const from = previous?.size ?? 0n
  const entries = others.entries ?? Array.from({ length: Number(head.size - from) }, (_, position) => entryOf(from + BigInt(position)))
  return { epoch, previous, head, edges: [], objects: [], tailStart: 0n, pending: [], ...others, entries }
}

describeEachStorage((kind) => {
  /** A log with a first head of size 0. */
  async function withHeads(use: (heads: HeadStore, epoch: bigint) => Promise<void>): Promise<void> {
    await withStorage(await kind.newLocation(), async ({ heads }) => {
      const epoch = await heads.takeEpoch('log')
      expect(await heads.swap('log', swapOf(epoch, undefined, headOf(0n)))).toBe(true)
      await use(heads, epoch)
    })
  }

  test('there is no log before its epoch was taken, and no head before the first swap', async () => {
    await withStorage(await kind.newLocation(), async ({ heads }) => {
      expect(await heads.load('log')).toBeUndefined()
      expect(await heads.swap('log', swapOf(1n, undefined, headOf(0n)))).toBe(false)
      const epoch = await heads.takeEpoch('log')
      expect(await heads.load('log')).toEqual({ epoch, head: undefined, edges: [], tail: [] })
    })
  })

  test('a swap brings head, entries, edges and keys', () =>
    withHeads(async (heads, epoch) => {
      const edges = [{ level: 1, hashes: bytes(5) }]
      expect(await heads.swap('log', swapOf(epoch, headOf(0n), headOf(3n), { edges }))).toBe(true)
      const stored = await heads.load('log')
      expect(stored).toMatchObject({ epoch, head: headOf(3n), edges })
      expect(stored?.tail.map(({ index, leaf }) => [index, Buffer.from(leaf).toString()])).toEqual([
        [0n, 'leaf 0'],
        [1n, 'leaf 1'],
        [2n, 'leaf 2'],
      ])
      expect(await heads.findIdentities('log', [entryOf(2n).identity, bytes(9), entryOf(0n).identity])).toEqual([2n, undefined, 0n])
      expect(await heads.countKeys('log', 2n)).toEqual({ identities: 2n, leafHashes: 2n })
    }))

  test('a swap from any other head changes nothing', () =>
    withHeads(async (heads, epoch) => {
      expect(await heads.swap('log', swapOf(epoch, headOf(0n), headOf(2n)))).toBe(true)
      for (const previous of [undefined, headOf(0n), headOf(1n), headOf(3n), headOf(2n, 7)])
        expect(await heads.swap('log', swapOf(epoch, previous, headOf(5n)))).toBe(false)
      expect(await heads.load('log')).toMatchObject({ head: headOf(2n) })
      expect((await heads.load('log'))?.tail).toHaveLength(2)
      expect(await heads.countKeys('log', 100n)).toEqual({ identities: 2n, leafHashes: 2n })
    }))

  test('whoever has an earlier epoch can swap no more, nor one that nobody took', () =>
    withHeads(async (heads, epoch) => {
      const newer = await heads.takeEpoch('log')
      expect(newer).toBe(epoch + 1n)
      expect(await heads.swap('log', swapOf(epoch, headOf(0n), headOf(1n)))).toBe(false)
      expect(await heads.swap('log', swapOf(newer + 1n, headOf(0n), headOf(1n)))).toBe(false)
      expect(await heads.swap('log', swapOf(newer, headOf(0n), headOf(1n)))).toBe(true)
    }))

  test('of concurrent swaps from one head, one succeeds', () =>
    withHeads(async (heads, epoch) => {
      const swaps = Array.from({ length: 8 }, (_, number) => heads.swap('log', swapOf(epoch, headOf(0n), headOf(1n, 100 + number))))
      expect((await Promise.all(swaps)).filter(Boolean)).toHaveLength(1)
      expect((await heads.load('log'))?.tail).toHaveLength(1)
    }))

  test('a swap that fails in the middle leaves nothing behind', () =>
    withHeads(async (heads, epoch) => {
      await heads.swap('log', swapOf(epoch, headOf(0n), headOf(1n)))
      // The key of the entry is there already.
      const clashing = swapOf(epoch, headOf(1n), headOf(2n), { entries: [entryOf(0n)], edges: [{ level: 1, hashes: bytes(1) }] })
      await expect(heads.swap('log', clashing)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      expect(await heads.load('log')).toMatchObject({ head: headOf(1n), edges: [] })
      expect(await heads.swap('log', swapOf(epoch, headOf(1n), headOf(2n)))).toBe(true)
    }))

  test('full bundles leave the tail, with the objects that take their place', async () => {
    await withStorage(await kind.newLocation(), async ({ heads, objects }) => {
      const epoch = await heads.takeEpoch('log')
      await heads.swap('log', swapOf(epoch, undefined, headOf(0n)))
      await heads.swap('log', swapOf(epoch, headOf(0n), headOf(200n)))
      const object = { name: 'tile/0/000', data: new Uint8Array(8192).fill(255) }
      await heads.swap('log', swapOf(epoch, headOf(200n), headOf(300n, 3), { objects: [object], tailStart: 256n }))
      const stored = await heads.load('log')
      expect(stored?.tail.filter(({ index }) => index >= 256n)).toHaveLength(44)
      expect(stored?.tail.some(({ index }) => index < 200n)).toBe(false)
      expect(encodeHex((await objects.get('log', 'tile/0/000')) ?? new Uint8Array())).toBe('ff'.repeat(8192))
      expect((await heads.load('log', 290n))?.tail.filter(({ index }) => index >= 290n)).toHaveLength(10)
    })
  })

  test('many keys are looked up at once, each in its place', () =>
    withHeads(async (heads, epoch) => {
      await heads.swap('log', swapOf(epoch, headOf(0n), headOf(700n, 7)))
      const identities = Array.from({ length: 1_100 }, (_, index) => entryOf(BigInt(index)).identity)
      const found = await heads.findIdentities('log', identities)
      expect(found).toEqual(identities.map((_, index) => (index < 700 ? BigInt(index) : undefined)))
      expect(await heads.findIdentities('other', identities.slice(0, 2))).toEqual([undefined, undefined])
    }))

  test('identities and leaf hashes are not taken for each other', () =>
    withHeads(async (heads, epoch) => {
      const entries = [entryOf(0n, { identity: bytes(1) }), entryOf(1n, { identity: bytes(2), leafHash: entryOf(0n).leafHash })]
      await heads.swap('log', swapOf(epoch, headOf(0n), headOf(2n), { entries }))
      expect(await heads.findIdentities('log', [bytes(1), bytes(2), entryOf(0n).leafHash])).toEqual([0n, 1n, undefined])
      expect(await heads.findLeafHashes('log', [entryOf(0n).leafHash, bytes(1)])).toEqual([0n, undefined])
      expect(await heads.countKeys('log', 2n)).toEqual({ identities: 2n, leafHashes: 2n })
    }))

  test('what is kept beside entries is found by range', () =>
    withHeads(async (heads, epoch) => {
      const entries = [0n, 1n, 2n].map((index) => entryOf(index, index === 1n ? {} : { extra: new Uint8Array([Number(index), 255]) }))
      await heads.swap('log', swapOf(epoch, headOf(0n), headOf(3n), { entries }))
      expect([...(await heads.extras('log', 0n, 2n))].map(([index, extra]) => [index, encodeHex(extra)])).toEqual([[0n, '00ff']])
      expect((await heads.extras('log', 0n, 3n)).size).toBe(2)
    }))

  test('sizes and times beyond 2^53 and 2^31 are kept exactly', () =>
    withHeads(async (heads, epoch) => {
      const head = { ...headOf(2n ** 62n, 1), timestampMs: 8_640_000_000_000_000 }
      await heads.swap('log', swapOf(epoch, headOf(0n), head, { entries: [entryOf(2n ** 62n - 1n)] }))
      expect(await heads.load('log')).toMatchObject({ head })
      expect(await heads.findLeafHashes('log', [entryOf(2n ** 62n - 1n).leafHash])).toEqual([2n ** 62n - 1n])
    }))

  test.runIf(kind.name === 'PostgreSQL')('one process at a time leads, and pending entries wait for it in their order', async () => {
    const location = await kind.newLocation()
    await withStorage(location, (one) =>
      withStorage(location, async (two) => {
        const lease = await one.heads.sharing?.lead('log')
        expect(await two.heads.sharing?.lead('log')).toBeUndefined()
        expect(await two.heads.sharing?.lead('other')).toBeDefined()
        const heard: string[] = []
        const end = one.heads.sharing?.watch('log', (what) => heard.push(what))
        const pending = [1, 2, 3].map((byte) => ({
          identity: bytes(byte),
          leaf: bytes(byte),
          timestampAt: byte === 2 ? 4 : undefined,
          extra: new Uint8Array(),
        }))
        await two.heads.sharing?.submit('log', pending)
        await two.heads.sharing?.submit('log', pending.slice(0, 2))
        await expect.poll(() => heard).toContain('pending')
        const waiting = (await one.heads.sharing?.pending('log', 2, 1000)) ?? []
        expect(waiting.map(({ identity, timestampAt }) => [identity[0], timestampAt])).toEqual([
          [1, undefined],
          [2, 4],
        ])
        await one.heads.sharing?.withdraw('log', [waiting[0]?.number ?? 0n])
        const first = swapOf(lease?.epoch ?? 0n, undefined, headOf(0n), { pending: [waiting[1]?.number ?? 0n] })
        expect(await one.heads.swap('log', first)).toBe(true)
        expect((await two.heads.sharing?.pending('log', 10, 1000))?.map(({ identity }) => identity[0])).toEqual([3])
        await expect.poll(() => heard).toContain('head')
        end?.()
        await lease?.release()
        expect(await two.heads.sharing?.lead('log')).toMatchObject({ epoch: (lease?.epoch ?? 0n) + 1n })
        expect(await one.heads.swap('log', swapOf(lease?.epoch ?? 0n, headOf(0n), headOf(1n)))).toBe(false)
      }),
    )
  })

  test.runIf(kind.name === 'PostgreSQL')('no more bytes of pending entries are given than were asked for, but one entry always', () =>
    kind.newLocation().then((location) =>
      withStorage(location, async ({ heads: { sharing } }) => {
        const pending = [1, 2, 3].map((byte) => ({
          identity: bytes(byte),
          leaf: bytes(byte),
          timestampAt: undefined,
          extra: new Uint8Array(68),
        }))
        await sharing?.submit('log', pending)
        await sharing?.submit('other', pending)
        const given = async (limit: number, maxBytes: number): Promise<readonly (number | undefined)[]> =>
          ((await sharing?.pending('log', limit, maxBytes)) ?? []).map(({ identity }) => identity[0])
        expect(await given(10, 1)).toEqual([1])
        expect(await given(10, 199)).toEqual([1])
        expect(await given(10, 200)).toEqual([1, 2])
        expect(await given(10, 1_000_000)).toEqual([1, 2, 3])
        expect(await given(2, 1_000_000)).toEqual([1, 2])
      }),
    ),
  )

  test.runIf(kind.isLasting)('a database of a newer program is left alone, with a sentence that says so', async () => {
    const location = await kind.newLocation()
    await withStorage(location, async () => {})
    await makeNewer(location)
    await expect(withStorage(location, async () => {})).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('use a newer countersign') as unknown,
    })
  })
})

async function makeNewer(location: { readonly kind: string; readonly file?: string; readonly url?: string }): Promise<void> {
  if (location.file !== undefined) {
    const { default: Database } = await import('libsql')
    const database = new Database(location.file)
    database.exec('PRAGMA user_version = 99')
    database.close()
  } else if (location.url !== undefined) {
    const { Client } = await import('pg')
    const client = new Client({ connectionString: location.url })
    await client.connect()
    await client.query('UPDATE countersign.schema_version SET version = 99')
    await client.end()
  }
}
