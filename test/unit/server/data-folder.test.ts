import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isInitialised } from '../../../src/server/data-folder.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-data-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const put = (...names: readonly string[]) => names.forEach((name) => writeFileSync(path.join(folder, name), 'x'))

describe('the data folder', () => {
  it('of an init that was killed while it wrote the configuration can be used for the next', async () => {
    mkdirSync(path.join(folder, 'keys'))
    mkdirSync(path.join(folder, 'certificates'))
    put('issuers.yaml', '.server.yaml.0123456789ab.tmp', '.issuers.yaml.0123456789ab.tmp')
    expect(await isInitialised(folder)).toBe(false)
  })

  it('may be the root of a new volume', async () => {
    mkdirSync(path.join(folder, 'lost+found'))
    expect(await isInitialised(folder)).toBe(false)
  })

  it.each(['notes.txt', '.ssh', '.server.yaml.tmp', 'countersign.sqlite', 'heads'])('is not one that holds %s', async (name) => {
    put(name)
    await expect(isInitialised(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: expect.stringContaining(name) })
  })

  it('is that of a server once it has its configuration', async () => {
    put('server.yaml', 'notes.txt')
    expect(await isInitialised(folder)).toBe(true)
  })
})
