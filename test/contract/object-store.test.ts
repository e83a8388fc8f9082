import { expect, test } from 'vitest'
import { encodeHex } from '../../src/encoding/hex.ts'
import type { ObjectStore } from '../../src/server/storage/object-store.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withStorage } from '../support/storages.ts'

const bytes = (length: number, byte: number) => new Uint8Array(length).fill(byte)

describeEachStorage((kind) => {
  async function withObjects(use: (objects: ObjectStore) => Promise<void>): Promise<void> {
    await withStorage(await kind.newLocation(), ({ objects }) => use(objects))
  }

  test('an object comes back as it was put; others are undefined', () =>
    withObjects(async (objects) => {
      const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      await objects.put('log', [
        { name: 'tile/0/000', data: every },
        { name: 'tile/0/001', data: bytes(0, 0) },
        { name: 'tile/entries/000', data: bytes(3_000_000, 200) },
      ])
      expect(encodeHex((await objects.get('log', 'tile/0/000')) ?? bytes(0, 0))).toBe(encodeHex(every))
      expect((await objects.get('log', 'tile/0/001'))?.length).toBe(0)
      expect((await objects.get('log', 'tile/entries/000'))?.length).toBe(3_000_000)
      expect(await objects.get('log', 'tile/0/002')).toBeUndefined()
      expect(await objects.get('other', 'tile/0/000')).toBeUndefined()
    }))

  test('the same bytes may be written again', () =>
    withObjects(async (objects) => {
      await objects.put('log', [{ name: 'a', data: bytes(3, 1) }])
      await objects.put('log', [{ name: 'a', data: bytes(3, 1) }])
      expect((await objects.get('log', 'a'))?.length).toBe(3)
    }))

  test('other bytes are refused, and the object stays as it is', () =>
    withObjects(async (objects) => {
      await objects.put('log', [{ name: 'a', data: bytes(3, 1) }])
      await expect(objects.put('log', [{ name: 'a', data: bytes(3, 2) }])).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
      expect(encodeHex((await objects.get('log', 'a')) ?? bytes(0, 0))).toBe('010101')
    }))
})
