import { chmod, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { initialise } from '../../../src/server/initialise.ts'
import { openAdministration } from '../../../src/server/administration.ts'
import { addMachine } from '../../../src/server/machines.ts'
import { createMachineSecret } from '../../../src/server/issuer/machine-clients.ts'
import { openListener } from '../../../src/server/listener.ts'
import type { RunningServer } from '../../../src/server/run-server.ts'
import { runServer } from '../../../src/server/run-server.ts'

let folder: string
const running: RunningServer[] = []
const lines: string[] = []
let ahead = 0
const local = { host: '127.0.0.1', port: 0, tls: undefined, behindProxy: false }
const clock = (): number => Date.now() + ahead

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'countersign-run-')), 'data')
  lines.length = 0
  ahead = 0
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
  await rm(path.dirname(folder), { recursive: true, force: true })
})

async function initialised(passphrase?: string): Promise<void> {
  await initialise({ folder, url: 'http://localhost:8080', passphrase, clock })
}

async function start(passphrase?: string): Promise<RunningServer> {
  const server = await runServer({
    folder,
    listener: await openListener(local),
    databaseUrl: undefined,
    passphrase,
    clock,
    logging: { level: 'info', destination: { write: (line) => lines.push(line) } },
  })
  running.push(server)
  return server
}

const get = (server: RunningServer, where: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${where}`)

describe('a server that was initialised', () => {
  test('has private keys that only its owner may read, and a database too', async () => {
    await initialised()
    await start()
    for (const file of ['keys/ca.key', 'keys/issuer.secret', 'keys/tuf-root.key', 'server.yaml', 'countersign.sqlite']) {
      expect([file, (await stat(path.join(folder, file))).mode & 0o077]).toEqual([file, 0])
    }
  })

  test('keeps its keys and its entries when it is started again', async () => {
    await initialised()
    const first = await start()
    const before = await (await get(first, '/api/v2/trustBundle')).text()
    await first.close()
    running.length = 0
    const second = await start()
    expect(await (await get(second, '/api/v2/trustBundle')).text()).toBe(before)
  })

  test('certifies no time while its clock is suspect, and logs all the same', async () => {
    await initialised()
    const server = await start()
    ahead = -60_000
    for (const where of ['/api/v2/signingCert', '/api/v1/signingCert', '/api/v1/timestamp']) {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`http://127.0.0.1:${server.port}${where}`, { method: 'POST', body: '{}', headers })
      expect([where, answer.status, answer.headers.get('retry-after')]).toEqual([where, 503, '30'])
      expect(((await answer.json()) as { message: string }).message).toContain('while the clock is suspect: it went back by 60.0 s at once')
    }
    const ready = (await (await get(server, '/readyz')).json()) as { reasons: { name: string }[] }
    expect(ready.reasons.map(({ name }) => name).filter((name) => name !== 'tuf')).toEqual(['tsa', 'ca'])
    expect((await get(server, '/api/v2/checkpoint')).status).toBe(200)
    ahead = 0
    expect(await (await get(server, '/readyz')).json()).toEqual({ status: 'READY', reasons: [] })
  })

  test('is not initialised a second time', async () => {
    await initialised()
    await expect(initialised()).rejects.toThrow(/there is a server in .* already/)
  })

  test('with a passphrase needs it, and no other', async () => {
    await initialised('correct horse')
    expect(await readFile(path.join(folder, 'keys/ca.key'), 'utf8')).toMatch(/BEGIN ENCRYPTED SIGSTORE PRIVATE KEY/)
    await expect(start()).rejects.toThrow(/is encrypted: give its passphrase in COUNTERSIGN_SERVER_PASSPHRASE/)
    await expect(start('battery staple')).rejects.toThrow(/\.key: /)
    expect((await get(await start('correct horse'), '/readyz')).status).toBe(200)
  })

  test('does not start with a key that others can read, and says what to do', async () => {
    await initialised()
    await chmod(path.join(folder, 'keys/ca.key'), 0o644)
    await expect(start()).rejects.toThrow(/ca\.key can be read or written by others \(mode 644\): run chmod 600/)
  })

  test('does not start without a key that it had', async () => {
    await initialised()
    await rm(path.join(folder, 'keys/rekor-v2-1.key'))
    await expect(start()).rejects.toThrow(/rekor-v2-1\.key is missing: restore it from a backup/)
  })

  test('does not start with a key that is another than that of its certificate', async () => {
    await initialised()
    await writeFile(path.join(folder, 'keys/ca.key'), await readFile(path.join(folder, 'keys/tsa.key')), { mode: 0o600 })
    await expect(start()).rejects.toThrow(/does not begin with the certificate of its key/)
  })

  test('reads its issuers again when the file changes, and keeps the old ones when the new file is broken', async () => {
    await initialised()
    const server = await start()
    const issuers = path.join(folder, 'issuers.yaml')
    const configured = async (): Promise<string> => (await get(server, '/api/v2/configuration')).text()
    await writeFile(
      issuers,
      'oidc-issuers:\n  https://a.example:\n    issuer-url: https://a.example\n    client-id: sigstore\n    type: email\n',
    )
    await server.reload()
    expect(await configured()).toContain('https://a.example')
    await writeFile(issuers, 'oidc-issuers: [')
    await utimes(issuers, new Date(), new Date(Date.now() + 10_000))
    await server.reload()
    expect(await configured()).toContain('https://a.example')
    expect(lines.join('')).toMatch(/stays as it was/)
  })

  test('gives a machine a token for its secret, and nobody without it', async () => {
    await initialised()
    const { secret, secretHash } = createMachineSecret()
    await addMachine(folder, { id: 'bot', 'secret-hash': secretHash, email: 'bot@example.com' })
    const server = await start()
    const ask = async (password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`bot:${password}`).toString('base64')}`
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      return (await fetch(`http://127.0.0.1:${server.port}/oidc/token`, { method: 'POST', headers: { authorization }, body })).status
    }
    expect(await ask(secret)).toBe(200)
    expect(await ask(`${secret}x`)).toBe(401)
    expect(lines.join('')).not.toContain(secret)
  })

  test('exports what clients need, the same while it runs and when it does not', async () => {
    await initialised()
    const exported = async (): Promise<string> => {
      const administration = await openAdministration({ folder, databaseUrl: undefined, passphrase: undefined, clock })
      try {
        const files = await administration.exportTrust()
        return files.map(({ name, contents }) => `${name} ${Buffer.from(contents).toString('base64')}`).join('\n')
      } finally {
        await administration.close()
      }
    }
    const before = await exported()
    await start()
    expect(await exported()).toBe(before)
  })
})

test('a folder of something else does not become a server', async () => {
  await initialise({ folder: path.join(folder, 'x'), url: 'http://localhost:8080', passphrase: undefined, clock })
  await expect(initialised()).rejects.toThrow(/has no server\.yaml but holds x: name the folder of a server, or an empty one/)
})

test.each(['https://sigstore.example.com/path', 'sigstore.example.com', 'ftp://x', 'https://user@x', ''])(
  '%j is no address of a server',
  async (url) => {
    await expect(initialise({ folder, url, passphrase: undefined, clock })).rejects.toThrow(/--url takes scheme, host and port/)
  },
)
