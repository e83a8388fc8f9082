import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { StorageLocation } from '../../../../src/server/storage/storage.ts'
import { openStorage } from '../../../../src/server/storage/storage.ts'
import { withFolder, withStorage } from '../../../support/storages.ts'
import { rejectionOf } from '../../merkle/failure.ts'

const opened = (location: StorageLocation) => rejectionOf(() => openStorage(location, { clock: Date.now }))

test('a file in a folder that does not exist is an error that names it', () =>
  withFolder(async (folder) => {
    const { code, message } = await opened({ kind: 'sqlite', file: path.join(folder, 'nowhere', 'server.db') })
    expect(code).toBe('STORAGE_FAILED')
    expect(message).toContain(path.join('nowhere', 'server.db'))
  }))

test('a file that is not a database is left as it is', () =>
  withFolder(async (folder) => {
    const file = path.join(folder, 'server.db')
    await writeFile(file, 'something else entirely, and long enough not to be taken for an empty file')
    expect((await opened({ kind: 'sqlite', file })).code).toBe('STORAGE_FAILED')
  }))

test.each([
  ['postgres://countersign:hunter2@127.0.0.1:1/server'],
  ['postgres://countersign:hunter2@%2Fnowhere/server'],
  ['postgres://countersign:hunter2@[/server'],
  ['not a URL with hunter2'],
])('a PostgreSQL that cannot be reached is an error without the password', async (url) => {
  const { code, message } = await opened({ kind: 'postgres', url })
  expect(code).toBe('STORAGE_FAILED')
  expect(message).not.toContain('hunter2')
})

test('what is asked after the storage was closed fails, and does not wait for ever', () =>
  withFolder(async (folder) => {
    const storage = await openStorage({ kind: 'sqlite', file: path.join(folder, 'server.db') }, { clock: Date.now })
    await storage.close()
    await storage.close()
    expect((await rejectionOf(() => storage.documents.get('a', 'b'))).code).toBe('STORAGE_FAILED')
  }))

test('two processes may use the documents of one file: writes wait for each other', () =>
  withFolder(async (folder) => {
    const location = { kind: 'sqlite', file: path.join(folder, 'server.db') } as const
    await withStorage(location, (one) =>
      withStorage(location, async (two) => {
        const writes = Array.from({ length: 200 }, (_, number) =>
          (number % 2 === 0 ? one : two).documents.put('user', String(number), '{}'),
        )
        expect((await Promise.all(writes)).every(Boolean)).toBe(true)
        expect(await one.documents.list('user', 500)).toHaveLength(200)
      }),
    )
  }))
