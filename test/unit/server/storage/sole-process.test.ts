import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStorage } from '../../../../src/server/storage/storage.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-sole-'))
  file = path.join(folder, 'countersign.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (isSole: boolean) => openStorage({ kind: 'sqlite', file }, { clock: Date.now, user: isSole ? 'server' : undefined })
const modeOf = (name: string) => statSync(path.join(folder, name)).mode & 0o777

describe('a database file', () => {
  it('is for one server at a time', async () => {
    const first = await open(true)
    await expect(open(true)).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining('another server runs on') })
    await first.documents.put('c', 'still-works', '1')
    await first.close()
    const second = await open(true)
    expect((await second.documents.get('c', 'still-works'))?.json).toBe('1')
    await second.close()
  })

  it('can be administered while a server runs on it', async () => {
    const server = await open(true)
    const administration = await open(false)
    await administration.documents.put('c', 'user', '1')
    expect((await server.documents.get('c', 'user'))?.json).toBe('1')
    await administration.close()
    await server.close()
  })

  it('is opened when it is new by several at the same time', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => open(false)))
    for (const [at, { documents }] of opened.entries()) expect(await documents.put('c', String(at), '1')).toBe(true)
    expect(await opened[0]?.documents.list('c', 10)).toHaveLength(8)
    for (const storage of opened) await storage.close()
  })

  it.skipIf(process.platform === 'win32')('is readable by its owner alone, also when it was not before', async () => {
    writeFileSync(file, '', { mode: 0o644 })
    const storage = await open(true)
    await storage.documents.put('c', 'x', '1')
    for (const name of ['countersign.sqlite', 'countersign.sqlite-wal', 'countersign.sqlite-shm', 'countersign.sqlite.lock'])
      expect(modeOf(name), name).toBe(0o600)
    await storage.close()
  })
})
