/** A server whose disk is full, or may not be written to: one sentence, and nothing that is half there. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import type * as Files from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runCaptured } from '../cli/captured-context.ts'
import { initialise } from '../../../src/server/initialise.ts'

/** Files whose contents may still be written before the disk is full. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }))

vi.mock('node:fs/promises', async (importOriginal) => {
  const files = await importOriginal<typeof Files>()
  const open: typeof files.open = async (...words) => {
    const handle = await files.open(...words)
    if (words[1] === 'r') return handle
    const writeFile: typeof handle.writeFile = async (...contents) => {
      if (disk.room-- > 0) return handle.writeFile(...contents)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    }
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === 'writeFile') return writeFile
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? (member as (...words: unknown[]) => unknown).bind(target) : member
      },
    })
  }
  return { ...files, open }
})

let parent: string
let folder: string
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'countersign-full-'))
  folder = path.join(parent, 'data')
})
afterEach(async () => {
  disk.room = Number.POSITIVE_INFINITY
  await rm(parent, { recursive: true, force: true })
})

const make = (): Promise<unknown> => initialise({ folder, url: 'http://localhost:8080', passphrase: undefined, clock: Date.now })
const run = (...argv: readonly string[]) =>
  runCaptured(['server', ...argv, ...(argv[0] === 'start' ? ['--listen', '127.0.0.1:0'] : []), '--data', folder], {
    cwd: parent,
    now: Date.now(),
  })

describe('a server that is made on a disk that becomes full', () => {
  /** Keys, certificates, two configurations, and what says that they are being made. */
  const fileCount = 17

  test.each(Array.from({ length: fileCount }, (_, written) => written))('after %d files is not there, and says why', async (written) => {
    disk.room = written
    await expect(make()).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringMatching(/^\S+ cannot be written: the disk is full: make room on it$/) as string,
    })
    expect(await readdir(parent)).toEqual([])
  })

  test('is made when there is room again', async () => {
    disk.room = 5
    await expect(make()).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
    disk.room = fileCount
    await make()
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['keys', 'certificates', 'server.yaml', 'issuers.yaml']))
  })

  test('leaves what was in its folder before', async () => {
    await mkdir(path.join(folder, 'lost+found'), { recursive: true })
    disk.room = 3
    await expect(make()).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
    expect(await readdir(folder)).toEqual(['lost+found'])
  })

  test.each(['init', 'start'])('is said so by %s in one sentence', async (verb) => {
    disk.room = 3
    const { exitCode, stdout, stderr } = await run(verb)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr.split('\n')[0]).toMatch(/^Error: .*cannot be written: the disk is full: make room on it$/)
    expect(stderr).not.toMatch(/ENOSPC|^ {4}at /m)
    expect(existsSync(folder)).toBe(false)
  })
})

test('a server whose first user cannot be stored is not there: nobody could sign in, and it could not be made again', async () => {
  const refused = await run('init', '--database-url', 'postgres://nobody@127.0.0.1:1/none')
  expect(refused.exitCode).toBe(1)
  expect(refused.stdout).not.toContain('password')
  expect(existsSync(folder)).toBe(false)
  expect(await run('init')).toMatchObject({ exitCode: 0 })
})

describe('a folder that cannot be', () => {
  test.each(['init', 'start'])('below a file is said so by %s', async (verb) => {
    await writeFile(path.join(parent, 'file'), '')
    folder = path.join(parent, 'file/data')
    const { exitCode, stderr } = await run(verb)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`${folder} cannot be written: a part of its path is a file: name a folder with --data`)
  })

  test.skipIf(process.platform !== 'linux').each(['init', 'start'])('where nobody may write is said so by %s', async (verb) => {
    folder = '/sys/countersign'
    const { exitCode, stderr } = await run(verb)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /\/sys\/countersign cannot be written: (?:you may not write there: change the owner|it is on a file system that is read-only)/,
    )
  })
})
