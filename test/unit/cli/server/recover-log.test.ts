import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../captured-context.ts'
import type { ServerFolder } from './server-folder.ts'
import { createServerFolder } from './server-folder.ts'

let server: ServerFolder

beforeEach(async () => {
  server = await createServerFolder()
})
afterEach(() => server.remove())

const database = (): string => server.file('countersign.sqlite')
const recover = (log: string, ...argv: readonly string[]): Promise<Outcome> =>
  server.run(['recover-log', '--accept-rollback', log, ...argv])
const sign = (contents: string): Promise<void> => server.whileRunning((running) => server.sign(running, contents, 'v2'))
const starts = (): Promise<string> => server.whileRunning(async () => 'started')

/** Puts the database back to what it was before an entry that was signed for. */
async function goBack(): Promise<void> {
  await sign('one')
  await cp(database(), server.file('backup'))
  await sign('two')
  await cp(server.file('backup'), database())
}

test('the command that the refusal to start names makes it start again', async () => {
  await goBack()
  const refusal: unknown = await starts().catch((error: unknown) => error)
  const named = /"countersign server (recover-log --accept-rollback (\S+))"/.exec(String(refusal))
  expect(named?.[2]).toBe('ctlog-1')
  const { exitCode, stdout, stderr } = await server.run([...(named?.[1] ?? '').split(' '), '--yes'])
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'the log ctlog-1 goes on from 1 entries\n' })
  expect(stderr).toContain('The log ctlog-1 has signed 2 entries, the database has 1: the entries from 1 to 1 are lost.')
  expect((await recover('rekor-v2-1', '--yes')).exitCode).toBe(0)
  expect(await starts()).toBe('started')
  await sign('three')
  expect((await server.run(['fsck'])).stdout).toContain('rekor-v2-1: 2 entries, sound')
})

describe('nothing is accepted', () => {
  test.each([
    ['by somebody who says no', 'n\n'],
    ['by somebody who says nothing', ''],
  ])('%s', async (_, typed) => {
    await goBack()
    const before = await readFile(server.file('heads/rekor-v2-1'), 'utf8')
    const { exitCode, stderr } = await server.run(['recover-log', '--accept-rollback', 'rekor-v2-1'], {
      stdin: encodeUtf8(typed),
      typed: true,
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('user declined the prompt')
    expect(await readFile(server.file('heads/rekor-v2-1'), 'utf8')).toBe(before)
  })

  test('while the server runs', async () => {
    await sign('one')
    const { exitCode, stderr } = await server.whileRunning(() => recover('rekor-v2-1', '--yes'))
    expect(exitCode).toBe(1)
    expect(stderr).toContain('another server runs on')
  })

  test('where nothing was lost', async () => {
    await sign('one')
    expect(await recover('rekor-v2-1')).toEqual({
      exitCode: 0,
      stdout: 'nothing to accept: the database has everything that the log rekor-v2-1 has signed\n',
      stderr: '',
    })
  })

  test('of a log that there is not, which names those that there are', async () => {
    await sign('one')
    const { exitCode, stderr } = await recover('rekor', '--yes')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('server.yaml has no log rekor: it has ctlog-1, rekor-v1-1, rekor-v2-1')
  })

  test('without a log', async () => {
    const { exitCode, stderr } = await server.run(['recover-log'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('required flag(s) "accept-rollback" not set')
  })
})

test('a person who types y is taken at their word', async () => {
  await goBack()
  const { exitCode } = await server.run(['recover-log', '--accept-rollback', 'rekor-v2-1'], { stdin: encodeUtf8('y\n'), typed: true })
  expect(exitCode).toBe(0)
})

test.each(['ctlog-1', 'rekor-v2-1'])(
  'a copy that is missing is written again for %s, when somebody accepts that nothing can be told',
  async (log) => {
    await sign('one')
    await rm(server.file(`heads/${log}`))
    await expect(starts()).rejects.toThrow(`recover-log --accept-rollback ${log}`)
    const { exitCode, stderr } = await recover(log, '--yes')
    expect(exitCode).toBe(0)
    expect(stderr).toContain(`The database has 1 entries of the log ${log}. Whether more were signed nobody can tell`)
    expect(await starts()).toBe('started')
  },
)

test('a copy that is damaged is written again', async () => {
  await sign('one')
  await writeFile(server.file('heads/rekor-v2-1'), 'damaged')
  await expect(starts()).rejects.toThrow('is not a checkpoint')
  expect((await recover('rekor-v2-1', '--yes')).exitCode).toBe(0)
  expect(await starts()).toBe('started')
})

test('a database that is lost altogether begins again, log by log', async () => {
  await sign('one')
  await rm(database())
  await expect(starts()).rejects.toThrow('recover-log --accept-rollback ctlog-1')
  for (const log of ['ctlog-1', 'rekor-v2-1']) {
    expect(await recover(log, '--yes')).toMatchObject({ exitCode: 0, stdout: `the log ${log} goes on from 0 entries\n` })
  }
})

test('a database with other entries than those that were signed is a fork, and said to be', async () => {
  await sign('one')
  await cp(server.file('heads'), server.file('heads-before'), { recursive: true })
  await rm(database())
  await rm(server.file('heads'), { recursive: true })
  await sign('another')
  await rm(server.file('heads'), { recursive: true })
  await cp(server.file('heads-before'), server.file('heads'), { recursive: true })
  const { stderr } = await recover('rekor-v2-1', '--yes')
  expect(stderr).toContain('The log rekor-v2-1 has signed 1 entries, and the database has others in their place.')
})
