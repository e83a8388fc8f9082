/** What an operator does to a server on PostgreSQL: each verb, and what may not be done while a front end runs. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import type { RekorChoice } from '../../src/server/public-trust.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { ServerFolder } from '../unit/cli/server/server-folder.ts'
import { createServerFolder } from '../unit/cli/server/server-folder.ts'

const isSkipped = postgresMissing !== undefined && process.env.CI === undefined
if (isSkipped) console.log(`skipped: the operator's verbs on PostgreSQL: ${postgresMissing}`)

describe.skipIf(isSkipped)('on PostgreSQL', () => {
  let postgres: TestPostgres
  let server: ServerFolder
  let url: string

  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())
  beforeEach(async () => {
    url = await postgres.createDatabase()
    server = await createServerFolder(() => url)
  })
  afterEach(() => server.remove())

  const parent = (): string => path.dirname(server.folder)
  const sign = async (name: string, rekor: RekorChoice = 'v2'): Promise<void> => {
    await server.whileRunning((running) => server.sign(running, name, rekor))
    await cp(path.join(parent(), 'bundle.json'), path.join(parent(), `${name}.bundle`))
    await writeFile(path.join(parent(), name), name)
  }
  const execute = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      expect((await client.query(sql)).rowCount).toBeGreaterThan(0)
    } finally {
      await client.end()
    }
  }
  const succeed = async (...argv: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await server.run(argv)
    expect([argv, exitCode, stderr]).toEqual([argv, 0, expect.any(String)])
    return stdout + stderr
  }

  test('users come and go beside a server that runs, and the server knows it at once', async () => {
    const withPassword = (argv: readonly string[], password: string) => server.run(argv, { stdin: encodeUtf8(password) })
    await server.whileRunning(async ({ app }) => {
      const knows = async (password: string) => (await app.issuer?.users.authenticate('dev@example.com', password)) !== undefined
      expect(await withPassword(['user', 'add', 'dev@example.com'], 'correct horse')).toMatchObject({ exitCode: 0 })
      expect(await succeed('user', 'list')).toContain('dev@example.com')
      expect(await knows('correct horse')).toBe(true)
      const again = await withPassword(['user', 'add', 'dev@example.com'], 'correct horse')
      expect(again.stderr).toContain('there is a user dev@example.com already')
      expect(await withPassword(['user', 'password', 'dev@example.com'], 'battery staple')).toMatchObject({ exitCode: 0 })
      expect([await knows('correct horse'), await knows('battery staple')]).toEqual([false, true])
      await succeed('user', 'remove', 'dev@example.com')
      expect(await succeed('user', 'list')).not.toContain('dev@example.com')
      expect(await knows('battery staple')).toBe(false)
    })
  })

  test('a machine gets its token', async () => {
    const secret = /secret (\S+)/.exec(await succeed('machine', 'add', 'bot', '--email', 'bot@example.com'))?.[1] ?? ''
    await server.whileRunning(async () => {
      const ask = async (password: string): Promise<number> => {
        const authorization = `Basic ${Buffer.from(`bot:${password}`).toString('base64')}`
        const body = new URLSearchParams({ grant_type: 'client_credentials' })
        return (await fetch(`${server.url}/oidc/token`, { method: 'POST', headers: { authorization }, body })).status
      }
      expect([await ask(secret), await ask(`${secret}x`)]).toEqual([200, 401])
    })
  })

  test('what was signed is sound to fsck and doctor, beside the server too', async () => {
    await sign('one', 'v1')
    await server.whileRunning(async (running) => {
      await server.sign(running, 'two', 'v2')
      expect(await succeed('fsck')).toContain('rekor-v2-1: 1 entries, sound')
      const said = await succeed('doctor')
      expect(said).toMatch(/^ok {4}database: PostgreSQL, schema version/m)
      expect(said).not.toMatch(/^fail/m)
    })
    expect(await succeed('export-trust')).toContain('trusted_root.json')
  })

  test.each([
    ['a head', "UPDATE countersign.logs SET size = size + 1 WHERE id = 'rekor-v2-1'", 'rekor-v2-1'],
    ['entries', "DELETE FROM countersign.tail_segments WHERE log = 'rekor-v2-1'", 'rekor-v2-1'],
    ['keys of entries', 'DELETE FROM countersign.entry_keys', 'rekor-v2-1'],
    ['the TUF repository', "DELETE FROM countersign.documents WHERE collection LIKE 'tuf%'", 'tuf'],
  ])('damage to %s is found by fsck', async (_, sql, where) => {
    await sign('one')
    await execute(sql)
    const { exitCode, stdout } = await server.run(['fsck'])
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining(where) as string])
  })

  test('a database that does not answer is said so by each verb, without its password', async () => {
    url = 'postgres://someone:secret-word@127.0.0.1:1/none'
    for (const argv of [['fsck'], ['user', 'list'], ['export-trust'], ['rotate', 'ca'], ['tuf', 'status']]) {
      const { exitCode, stdout, stderr } = await server.run(argv)
      expect([argv, exitCode, stderr]).toEqual([argv, 1, expect.stringContaining('the PostgreSQL database cannot be opened') as string])
      expect(stdout + stderr).not.toContain('secret-word')
    }
    const { exitCode, stdout } = await server.run(['doctor', '--offline'])
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^fail {2}database: /m) as string])
    await expect(server.whileRunning(async () => {})).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  test('everything gets a new key, and what was signed before and after verifies', async () => {
    await sign('before')
    for (const argv of [['ca', '--new-root'], ['tsa'], ['log', 'ctlog'], ['log', 'rekor-v1'], ['log', 'rekor-v2']])
      await succeed('rotate', ...argv)
    await sign('after')
    await succeed('export-trust')
    const identity = ['--certificate-identity', 'dev@example.com', '--certificate-oidc-issuer', `${server.url}/oidc`]
    for (const name of ['before', 'after']) {
      const root = ['--trusted-root', server.file('trust/trusted_root.json')]
      const outcome = await runCaptured(['verify-blob', name, '--bundle', `${name}.bundle`, ...root, ...identity], {
        cwd: parent(),
        now: Date.now(),
      })
      expect([name, outcome.exitCode, outcome.stderr]).toEqual([name, 0, expect.any(String)])
    }
    await succeed('fsck')
  })

  test('what no server may run beside is refused while any front end runs', async () => {
    await sign('one')
    const before = await readFile(server.file('server.yaml'), 'utf8')
    await server.whileRunning(async () => {
      for (const argv of [
        ['rotate', 'ca'],
        ['rotate', 'log', 'rekor-v2'],
        ['recover-log', '--accept-rollback', 'rekor-v2-1', '--yes'],
      ]) {
        const { exitCode, stderr } = await server.run(argv)
        expect([argv, exitCode, stderr]).toEqual([
          argv,
          1,
          expect.stringContaining('another server runs on the PostgreSQL database') as string,
        ])
      }
      expect(await readFile(server.file('server.yaml'), 'utf8')).toBe(before)
    })
    await succeed('rotate', 'ca')
  })

  test('no front end starts while an operator has the database alone, and several may otherwise', async () => {
    const location = { kind: 'postgres', url } as const
    const alone = await openStorage(location, { clock: Date.now, user: 'sole' })
    await expect(server.whileRunning(async () => {})).rejects.toThrow('start the server when it is done')
    await expect(openStorage(location, { clock: Date.now, user: 'sole' })).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    await alone.close()
    const second = await openStorage(location, { clock: Date.now, user: 'server' })
    expect(await server.whileRunning(async () => 'started')).toBe('started')
    await expect(openStorage(location, { clock: Date.now, user: 'sole' })).rejects.toThrow('another server runs')
    await second.close()
    await (await openStorage(location, { clock: Date.now, user: 'sole' })).close()
  })

  test('a backup that is older than what was signed starts only when an operator accepts it', async () => {
    await sign('one')
    const backup = await postgres.copyDatabase(url)
    await sign('two')
    url = backup
    await expect(server.whileRunning(async () => {})).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' })
    expect((await server.run(['fsck'])).exitCode).toBe(1)
    for (const log of ['ctlog-1', 'rekor-v2-1'])
      expect(await succeed('recover-log', '--accept-rollback', log, '--yes')).toContain(`the log ${log} goes on from 1 entries`)
    await sign('three')
    expect(await succeed('fsck')).toContain('rekor-v2-1: 2 entries, sound')
  })

  test('the TUF repository gets new keys, and goes on after a rollback that an operator accepts', async () => {
    await server.whileRunning(async () => {})
    const backup = await postgres.copyDatabase(url)
    await succeed('tuf', 'rotate', '--new-keys', 'targets,timestamp')
    const lost = await server.whileRunning(async ({ app }) => (await app.tuf?.file('2.root.json')) ?? new Uint8Array())
    url = backup
    await expect(server.whileRunning(async () => {})).rejects.toMatchObject({ code: 'TUF_ROLLED_BACK' })
    expect((await server.run(['tuf', 'resume'])).stderr).toContain('the database lacks 2.root.json')
    await writeFile(path.join(parent(), '2.root.json'), lost)
    await server.run(['tuf', 'import', '2.root.json'])
    expect(await succeed('tuf', 'resume')).toMatch(/^published: root 2, targets 3, /)
    await sign('two')
    expect(await succeed('tuf', 'status')).toContain('root')
    await succeed('fsck')
  })

  test('a root that is signed offline is exported, signed and imported', async () => {
    await server.whileRunning(async () => {})
    const key = server.file('keys/tuf-root.key')
    await cp(key, path.join(parent(), 'offline.key'))
    await rm(key)
    await writeFile(server.file('server.yaml'), (await readFile(server.file('server.yaml'), 'utf8')).replace(/^ {2}root: .*\n/m, ''))
    await succeed('tuf', 'rotate')
    await writeFile(path.join(parent(), 'root.json'), (await server.run(['tuf', 'export', 'root'])).stdout)
    const signed = await runCaptured(['server', 'tuf', 'sign-root', '--key', 'offline.key', '--yes', 'root.json'], { cwd: parent() })
    expect(signed).toMatchObject({ exitCode: 0 })
    expect(await succeed('tuf', 'import', 'root.json')).toContain('published: root 2')
  })
})
