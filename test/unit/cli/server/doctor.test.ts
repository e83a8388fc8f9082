import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../captured-context.ts'
import type { ServerFolder } from './server-folder.ts'
import { createServerFolder } from './server-folder.ts'

const day = 86_400_000
let server: ServerFolder

beforeEach(async () => {
  server = await createServerFolder()
})
afterEach(() => server.remove())

const doctor = (...argv: readonly string[]): Promise<Outcome> => server.run(['doctor', ...argv])

async function start(): Promise<void> {
  await server.whileRunning(async (running) => server.sign(running, 'one', 'v2'))
}

/** Lets another program answer at the address of the server. */
async function answering<Result>(
  answer: (path: string) => { status: number; body: string },
  action: () => Promise<Result>,
): Promise<Result> {
  const other: Server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? '')
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => {
    other.listen(server.port, '127.0.0.1', resolve)
  })
  try {
    return await action()
  } finally {
    await new Promise((resolve) => {
      other.close(resolve)
      other.closeAllConnections()
    })
  }
}

describe('a server that is well', () => {
  test('is found well while it runs: every line is ok', async () => {
    const { exitCode, stdout, stderr } = await server.whileRunning(async (running) => {
      await server.sign(running, 'one', 'v2')
      return doctor()
    })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.filter((line) => !line.startsWith('ok    '))).toEqual([])
    expect(stdout).toContain('logs: rekor-v2-1: 1 entries')
    expect(stdout).toContain(`server: ${server.url} is ready`)
    expect(stdout).toContain('trust: the trusted root that is served is that of this folder')
    expect(stdout).toContain('that of the server is the one here')
  })

  test('is found well when it does not run, but for that', async () => {
    await start()
    const { exitCode, stdout } = await doctor()
    expect(exitCode).toBe(0)
    expect(stdout.split('\n').filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining(`server: ${server.url} does not answer: `) as unknown,
    ])
  })

  test('sends nothing when it is told not to', async () => {
    await start()
    const asked: string[] = []
    const { exitCode, stdout } = await answering(
      (path) => {
        asked.push(path)
        return { status: 500, body: '' }
      },
      () => doctor('--offline'),
    )
    expect({ exitCode, asked }).toEqual({ exitCode: 0, asked: [] })
    expect(stdout).not.toMatch(/^(warn|fail)/m)
  })

  test('is described as JSON', async () => {
    await start()
    const said = JSON.parse((await doctor('--offline', '-o', 'json')).stdout) as { check: string; verdict: string }[]
    expect(new Set(said.map(({ verdict }) => verdict))).toEqual(new Set(['ok']))
    expect([...new Set(said.map(({ check }) => check))]).toEqual([
      'configuration',
      'issuers',
      'keys',
      'certificates',
      'disk',
      'database',
      'logs',
      'clock',
      'tuf',
    ])
  })
})

test('a server that was never started is told to be', async () => {
  const { exitCode, stdout } = await doctor('--offline')
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^warn {2}database: .* is not there yet\n {6}start the server/m)
})

test('a folder that is not there has no server', async () => {
  await server.remove()
  const { exitCode, stdout } = await doctor()
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(
    /^fail {2}configuration: there is no server in .*: name its folder with --data, or make one with "countersign server init"$/m,
  )
})

test('a folder without a server is no server', async () => {
  await rm(server.file('server.yaml'))
  const { exitCode, stdout, stderr } = await doctor()
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^fail {2}configuration: .* has no server\.yaml but holds .*: restore server\.yaml from a backup/)
  expect(stderr).toContain('1 check failed, see above')
})

describe.each([
  ['a configuration that is none', 'server.yaml', 'version: 2\n', 'configuration: .*line 1'],
  ['a configuration of issuers that is none', 'issuers.yaml', 'oidc-issuers: [', 'issuers: .*issuers.yaml cannot be used: line 1'],
  ['a key that is none', 'keys/rekor-v1-1.key', 'x', 'keys: .*rekor-v1-1.key: '],
  ['certificates that are none', 'certificates/tsa.pem', 'x', 'certificates: '],
])('%s', (_, file, contents, line) => {
  test('fails, with the file', async () => {
    await start()
    await writeFile(server.file(file), contents, { mode: 0o600 })
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(new RegExp(`^fail {2}${line}`, 'm'))
  })
})

describe('keys', () => {
  test('that others can read fail, with what to run', async () => {
    await start()
    await chmod(server.file('keys/ca.key'), 0o640)
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}keys: .*ca\.key can be read or written by others \(mode 640\): run chmod 600/m)
    expect(stdout).toMatch(/^warn {2}database: not looked at until all keys can be read$/m)
  })

  test('that are missing are all named, not the first alone', async () => {
    await start()
    await Promise.all(['keys/ca.key', 'keys/tsa.key', 'keys/issuer.secret'].map((file) => rm(server.file(file))))
    const { stdout } = await doctor('--offline')
    for (const file of ['ca.key', 'tsa.key', 'issuer.secret'])
      expect(stdout).toMatch(new RegExp(`^fail {2}keys: .*${file} is missing`, 'm'))
  })

  test('that are not those of their certificates fail', async () => {
    await start()
    await writeFile(server.file('keys/ca.key'), await readFile(server.file('keys/tsa.key')))
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}certificates: certificates\/ca\.pem does not begin with the certificate of keys\/ca\.key/m)
  })

  test('of the TUF repository that are kept offline are not missed', async () => {
    await start()
    const yaml = await readFile(server.file('server.yaml'), 'utf8')
    await writeFile(server.file('server.yaml'), yaml.replace(/^ {2}(root|targets): .*\n/gm, ''))
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok {4}keys: .*those of TUF's root and targets are kept offline/m)
  })
})

describe('time', () => {
  const at = (now: number): Promise<Outcome> => server.run(['doctor', '--offline'], { now })

  test('certificates that end within 90 days are warned of, those that did fail', async () => {
    await start()
    expect((await at(server.time + (3 * 365 - 92) * day)).stdout).not.toMatch(/ca\.pem.*expires/)
    expect((await at(server.time + (3 * 365 - 80) * day)).stdout).toMatch(
      /^warn {2}certificates: certificates\/ca\.pem: .* expires in \d+ days, at .*Z\n {6}\S/m,
    )
    const after = await at(server.time + (3 * 365 + 1) * day)
    expect(after.exitCode).toBe(1)
    expect(after.stdout).toMatch(/^fail {2}certificates: certificates\/ca\.pem: .* expired at /m)
  })

  test('a clock before what the logs have signed fails', async () => {
    await start()
    const { exitCode, stdout } = await at(server.time - 60_000)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}clock: the clock is \d+ s behind what the logs have signed/m)
  })

  test('TUF metadata that expired fails, and a root that soon will is warned of', async () => {
    await start()
    const { exitCode, stdout } = await at(server.time + 8 * day)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}tuf: timestamp\.json expired at /m)
    expect((await at(server.time + 320 * day)).stdout).toMatch(/^warn {2}tuf: root\.json expires at .* and is not renewed by itself/m)
  })
})

describe('the database', () => {
  test('that is missing although its logs have signed fails', async () => {
    await start()
    await rm(server.file('countersign.sqlite'))
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}database: .* is missing, and its logs have signed entries\n {6}restore it from a backup/m)
    await expect(readFile(server.file('countersign.sqlite'))).rejects.toThrow('ENOENT')
  })

  test('that is none fails', async () => {
    await start()
    await writeFile(server.file('countersign.sqlite'), 'not a database, and long enough to be looked at')
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}database: /m)
  })

  test.each([
    ['missing', undefined],
    ['damaged', 'damaged'],
  ])('whose copy of a head is %s fails, with what to do', async (_, contents) => {
    await start()
    if (contents === undefined) await rm(server.file('heads/rekor-v2-1'))
    else await writeFile(server.file('heads/rekor-v2-1'), contents)
    const { exitCode, stdout } = await doctor('--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}logs: rekor-v2-1: .*countersign server recover-log --accept-rollback rekor-v2-1/m)
  })
})

describe('over the network', () => {
  test('a server that is not ready fails, with its reasons', async () => {
    await start()
    const body = JSON.stringify({ status: 'NOT_READY', reasons: [{ name: 'tsa', reason: 'the clock jumped' }] })
    const { exitCode, stdout } = await answering(
      () => ({ status: 503, body }),
      () => doctor(),
    )
    expect(exitCode).toBe(1)
    expect(stdout).toContain(`server: ${server.url} is not ready: tsa: the clock jumped`)
  })

  test('another program at the address fails', async () => {
    await start()
    const { exitCode, stdout } = await answering(
      () => ({ status: 404, body: '' }),
      () => doctor(),
    )
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}server: .*\/readyz answered 404: another program answers there/m)
    expect(stdout).toMatch(/^fail {2}trust: /m)
  })

  test('a trusted root that is not that of the folder fails', async () => {
    const { exitCode, stdout } = await server.whileRunning(async () => {
      const yaml = await readFile(server.file('server.yaml'), 'utf8')
      await writeFile(server.file('server.yaml'), yaml.replace(/(id: rekor-v2-1[\s\S]*?since: )(\S+)/, '$12020-01-01T00:00:00.000Z'))
      return doctor()
    })
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^fail {2}trust: the trusted root that is served is another than that of this folder\n {6}restart/m)
  })

  test('an export that is older than the server is warned of', async () => {
    await start()
    await server.run(['export-trust'])
    expect((await doctor('--offline')).stdout).toMatch(/^ok {4}export: /m)
    await writeFile(server.file('trust/trusted_root.json'), '{}')
    expect((await doctor('--offline')).stdout).toMatch(
      /^warn {2}export: .* is older than the server's trusted root\n {6}countersign server export-trust/m,
    )
  })

  test('an issuer that is asked without TLS is warned of, but for one on this machine', async () => {
    await start()
    const one = (url: string): string => `  ${url}: {client-id: sigstore, type: email}\n`
    await writeFile(server.file('issuers.yaml'), `oidc-issuers:\n${one('http://issuer.example')}${one('http://127.0.0.1:1')}`)
    const { stdout } = await doctor('--offline')
    expect(stdout.match(/^warn {2}issuers: .* without TLS/gm)).toHaveLength(1)
    expect(stdout).toMatch(/^warn {2}issuers: http:\/\/issuer\.example is asked for its keys without TLS/m)
  })

  test('an issuer that is down is warned of, and one that calls itself otherwise', async () => {
    await start()
    const issuer = `http://127.0.0.1:${server.port}`
    const yaml = `oidc-issuers:\n  ${issuer}/a:\n    issuer-url: ${issuer}/a\n    client-id: sigstore\n    type: email\n  http://127.0.0.1:1:\n    issuer-url: http://127.0.0.1:1\n    client-id: sigstore\n    type: email\n`
    await writeFile(server.file('issuers.yaml'), yaml)
    const { exitCode, stdout } = await answering(
      () => ({ status: 200, body: '{"issuer":"http://evil.example"}' }),
      () => doctor(),
    )
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^warn {2}issuers: .*\/a: its issuer .* calls itself otherwise\n/m)
    expect(stdout).toMatch(/^warn {2}issuers: http:\/\/127\.0\.0\.1:1: /m)
  })
})
