import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isInitialised } from '../../../src/server/data-folder.ts'
import { initialise } from '../../../src/server/initialise.ts'

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
    put('unfinished', 'issuers.yaml', '.server.yaml.0123456789ab.tmp', '.issuers.yaml.0123456789ab.tmp')
    expect(await isInitialised(folder)).toBe(false)
  })

  it.each(['keys', 'certificates', 'issuers.yaml'])('that holds %s of a server is not one to make another in', async (name) => {
    put(name)
    await expect(isInitialised(folder)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `${folder} has no server.yaml but holds ${name}: restore server.yaml from a backup, or name an empty folder with --data`,
    })
  })

  it('keeps the keys that are in it', async () => {
    mkdirSync(path.join(folder, 'keys'))
    writeFileSync(path.join(folder, 'keys/ca.key'), 'mine')
    await expect(initialise({ folder, url: 'http://localhost:8080', passphrase: undefined, clock: Date.now })).rejects.toThrow('holds keys')
    expect(readdirSync(folder)).toEqual(['keys'])
    expect(readFileSync(path.join(folder, 'keys/ca.key'), 'utf8')).toBe('mine')
  })

  it('does not look unfinished once a server was made in it', async () => {
    put('unfinished')
    await initialise({ folder, url: 'http://localhost:8080', passphrase: undefined, clock: Date.now })
    expect(readdirSync(folder).toSorted()).toEqual(['certificates', 'issuers.yaml', 'keys', 'server.yaml'])
  })

  it.each(['countersign.sqlite', 'heads'])('whose server has run is not unfinished: it holds %s', async (name) => {
    put('unfinished', 'keys', name)
    await expect(isInitialised(folder)).rejects.toThrow(`holds ${name}`)
  })

  it('of an init that was killed before it wrote anything can be used for the next', async () => {
    put('.unfinished.0123456789ab.tmp')
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
