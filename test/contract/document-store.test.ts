import { expect, test } from 'vitest'
import { openStorage } from '../../src/server/storage/storage.ts'

test('documents and terms', async () => {
  let now = 1000
  const storage = await openStorage({ kind: 'memory' }, { clock: () => now })
  const { documents, terms } = storage
  expect(await documents.put('a', '1', '{}', { ifVersion: 0, keys: { user: 'x' }, expiresAtMs: 2000 })).toBe(true)
  expect(await documents.put('a', '1', '{}', { ifVersion: 0 })).toBe(false)
  expect(await documents.put('a', '1', '{"b":1}', { ifVersion: 1, expiresAtMs: 2000 })).toBe(true)
  expect(await documents.get('a', '1')).toEqual({ id: '1', json: '{"b":1}', version: 2, expiresAtMs: 2000 })
  expect(await documents.find('a', 'user', 'x')).toHaveLength(1)
  expect(await documents.deleteAll('a', 'user', 'x')).toBe(1)
  await documents.put('a', '1', '{}', { expiresAtMs: 2000 })
  await documents.put('a', '2', '{}')
  await documents.put('a', '2', '{}')
  expect((await documents.list('a', 10)).map(({ id, version }) => [id, version])).toEqual([
    ['1', 1],
    ['2', 2],
  ])
  now = 2000
  expect(await documents.get('a', '1')).toBeUndefined()
  expect(await documents.put('a', '1', '{}', { ifVersion: 0 })).toBe(true)
  expect(await documents.delete('a', '1', 3)).toBe(false)
  expect(await documents.delete('a', '1', 1)).toBe(true)
  await terms.add(
    'l',
    [
      { index: 5n, terms: ['x', 'y'] },
      { index: 7n, terms: ['x'] },
    ],
    8n,
  )
  await terms.add('l', [{ index: 5n, terms: ['x', 'y'] }], 8n)
  expect(await terms.find('l', 'x', 10)).toEqual([7n, 5n])
  expect(await terms.position('l')).toBe(8n)
  await terms.reset('l')
  expect(await terms.find('l', 'x', 10)).toEqual([])
  await storage.close()
})
