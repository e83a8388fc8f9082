import { expect, test } from 'vitest'
import type { DocumentStore } from '../../src/server/storage/document-store.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { withStorage } from '../support/storages.ts'

describeEachStorage((kind) => {
  /** A store with a clock that the test sets. */
  async function withDocuments(use: (documents: DocumentStore, clock: { now: number }) => Promise<void>): Promise<void> {
    const clock = { now: 1_000 }
    await withStorage(
      await kind.newLocation(),
      ({ documents }) => use(documents, clock),
      () => clock.now,
    )
  }

  test('a document comes back as it was put, with version 1', () =>
    withDocuments(async (documents) => {
      expect(await documents.put('session', 'a', '{"user":"ä\\u0000"}')).toBe(true)
      expect(await documents.get('session', 'a')).toEqual({ id: 'a', json: '{"user":"ä\\u0000"}', version: 1, expiresAtMs: undefined })
    }))

  test('what is not there is undefined, in this collection as in others', () =>
    withDocuments(async (documents) => {
      await documents.put('session', 'a', '{}')
      expect(await documents.get('session', 'b')).toBeUndefined()
      expect(await documents.get('code', 'a')).toBeUndefined()
    }))

  test('every write counts the version up', () =>
    withDocuments(async (documents) => {
      await documents.put('session', 'a', '1')
      await documents.put('session', 'a', '2')
      await documents.put('session', 'a', '3', { ifVersion: 2 })
      expect(await documents.get('session', 'a')).toMatchObject({ json: '3', version: 3 })
    }))

  test('a write that expects another version changes nothing, not even keys and expiry', () =>
    withDocuments(async (documents) => {
      await documents.put('session', 'a', '1', { keys: { user: 'x' } })
      expect(await documents.put('session', 'a', '2', { ifVersion: 2, keys: { user: 'y' }, expiresAtMs: 1_001 })).toBe(false)
      expect(await documents.put('session', 'a', '2', { ifVersion: 0, keys: { user: 'y' } })).toBe(false)
      expect(await documents.get('session', 'a')).toEqual({ id: 'a', json: '1', version: 1, expiresAtMs: undefined })
      expect(await documents.find('session', 'user', 'x')).toHaveLength(1)
      expect(await documents.find('session', 'user', 'y')).toHaveLength(0)
    }))

  test('of concurrent writes that expect the same version, one succeeds', () =>
    withDocuments(async (documents) => {
      await documents.put('counter', 'serial', '0')
      const written = await Promise.all(
        Array.from({ length: 10 }, (_, writer) => documents.put('counter', 'serial', String(writer), { ifVersion: 1 })),
      )
      expect(written.filter(Boolean)).toHaveLength(1)
      expect(await documents.get('counter', 'serial')).toMatchObject({ version: 2 })
    }))

  test('of concurrent writes that expect nothing to be there, one succeeds', () =>
    withDocuments(async (documents) => {
      const written = await Promise.all(Array.from({ length: 10 }, () => documents.put('code', 'a', '{}', { ifVersion: 0 })))
      expect(written.filter(Boolean)).toHaveLength(1)
    }))

  test('an expired document is gone at that very instant, for every way of asking', () =>
    withDocuments(async (documents, clock) => {
      await documents.put('code', 'a', '{}', { expiresAtMs: 2_000, keys: { user: 'x' } })
      clock.now = 1_999
      expect(await documents.get('code', 'a')).toMatchObject({ expiresAtMs: 2_000 })
      clock.now = 2_000
      expect(await documents.get('code', 'a')).toBeUndefined()
      expect(await documents.find('code', 'user', 'x')).toEqual([])
      expect(await documents.list('code', 10)).toEqual([])
      expect(await documents.put('code', 'a', '{}', { ifVersion: 1 })).toBe(false)
      expect(await documents.delete('code', 'a')).toBe(false)
      expect(await documents.deleteAll('code', 'user', 'x')).toBe(0)
    }))

  test('what takes the place of an expired document starts at version 1, without its keys', () =>
    withDocuments(async (documents, clock) => {
      await documents.put('code', 'a', 'old', { expiresAtMs: 2_000, keys: { user: 'x' } })
      clock.now = 3_000
      expect(await documents.put('code', 'a', 'new', { ifVersion: 0 })).toBe(true)
      expect(await documents.get('code', 'a')).toEqual({ id: 'a', json: 'new', version: 1, expiresAtMs: undefined })
      expect(await documents.find('code', 'user', 'x')).toEqual([])
    }))

  test('keys replace those of before; a write without keys leaves them', () =>
    withDocuments(async (documents) => {
      await documents.put('grant', 'a', '1', { keys: { user: 'x', client: 'c' } })
      await documents.put('grant', 'a', '2', { keys: { user: 'y' } })
      await documents.put('grant', 'a', '3')
      expect(await documents.find('grant', 'client', 'c')).toEqual([])
      expect(await documents.find('grant', 'user', 'x')).toEqual([])
      expect(await documents.find('grant', 'user', 'y')).toMatchObject([{ id: 'a', json: '3' }])
    }))

  test('finding gives the oldest first', () =>
    withDocuments(async (documents, clock) => {
      for (const id of ['c', 'a', 'b']) {
        clock.now++
        await documents.put('grant', id, '{}', { keys: { user: 'x' } })
      }
      await documents.put('grant', 'c', 'changed', { keys: { user: 'x' } })
      expect((await documents.find('grant', 'user', 'x')).map(({ id }) => id)).toEqual(['c', 'a', 'b'])
    }))

  test('listing goes by id, page by page', () =>
    withDocuments(async (documents) => {
      for (const id of ['b', 'a', 'd', 'c']) await documents.put('user', id, '{}')
      await documents.put('other', 'aa', '{}')
      const first = await documents.list('user', 2)
      expect(first.map(({ id }) => id)).toEqual(['a', 'b'])
      expect((await documents.list('user', 10, first.at(-1)?.id)).map(({ id }) => id)).toEqual(['c', 'd'])
    }))

  test('deleting says whether there was one of that version', () =>
    withDocuments(async (documents) => {
      await documents.put('user', 'a', '{}')
      expect(await documents.delete('user', 'a', 2)).toBe(false)
      expect(await documents.delete('user', 'a', 1)).toBe(true)
      expect(await documents.delete('user', 'a')).toBe(false)
    }))

  test('deleting by key says how many, and leaves others alone', () =>
    withDocuments(async (documents) => {
      await documents.put('token', 'a', '{}', { keys: { grant: 'g' } })
      await documents.put('token', 'b', '{}', { keys: { grant: 'g' } })
      await documents.put('token', 'c', '{}', { keys: { grant: 'h' } })
      await documents.put('code', 'a', '{}', { keys: { grant: 'g' } })
      expect(await documents.deleteAll('token', 'grant', 'g')).toBe(2)
      expect((await documents.list('token', 10)).map(({ id }) => id)).toEqual(['c'])
      expect(await documents.get('code', 'a')).toBeDefined()
    }))

  test('a name like a command is a name', () =>
    withDocuments(async (documents) => {
      const name = "x'; DROP TABLE documents; --"
      await documents.put(name, name, '{}', { keys: { [name]: name } })
      expect(await documents.find(name, name, name)).toMatchObject([{ id: name }])
    }))

  test.runIf(kind.isLasting)('documents are there when the storage is opened again', async () => {
    const location = await kind.newLocation()
    await withStorage(location, ({ documents }) => documents.put('user', 'a', '{"n":1}'))
    expect(await withStorage(location, ({ documents }) => documents.get('user', 'a'))).toMatchObject({ json: '{"n":1}', version: 1 })
  })
})
