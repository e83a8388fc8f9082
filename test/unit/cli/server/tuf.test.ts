import { cp, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { fetchTrustedRoot } from '../../../../src/tuf/trusted-root.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'
import type { ServerFolder } from './server-folder.ts'
import { createServerFolder } from './server-folder.ts'

const day = 86_400_000
const roles = ['root', 'targets', 'snapshot', 'timestamp'] as const
let server: ServerFolder
let firstRoot: Uint8Array

const tuf = (argv: readonly string[], surroundings?: Surroundings): Promise<Outcome> => server.run(['tuf', ...argv], surroundings)
const yaml = (): Promise<string> => readFile(server.file('server.yaml'), 'utf8')
const keyIds = (root: Uint8Array): Record<string, { keyids: string[]; threshold: number }> =>
  (JSON.parse(Buffer.from(root).toString('utf8')) as { signed: { roles: Record<string, { keyids: string[]; threshold: number }> } }).signed
    .roles

interface Status {
  versions: Record<string, number>
  expires: Record<string, string>
  awaiting: { role: string; signed: number; threshold: number }[]
  problems: string[]
}

async function status(now?: number): Promise<Status> {
  const { stdout } = await tuf(['status', '-o', 'json'], now === undefined ? {} : { now })
  return JSON.parse(stdout) as Status
}

/** What a client gets that began with the first root. */
async function clientSees(): Promise<Uint8Array> {
  return server.whileRunning(async () => {
    const { bytes } = await fetchTrustedRoot({ mirror: `${server.url}/tuf`, initialRoot: firstRoot, env: {} })
    return bytes
  })
}

/** Moves the keys of some roles to another place, as an operator does. */
async function takeOffline(...offline: readonly string[]): Promise<void> {
  const text = await yaml()
  await writeFile(server.file('server.yaml'), text.replace(new RegExp(`^ {2}(${offline.join('|')}): keys/tuf.*\n`, 'gm'), ''))
  for (const role of offline) await cp(server.file(`keys/tuf-${role}.key`), path.join(path.dirname(server.folder), `${role}.key`))
}

/** On the offline machine, which has nothing of the server. */
function signFile(role: string, key: string): Promise<Outcome> {
  return runCaptured(['server', 'tuf', `sign-${role}`, '--key', key, '--yes', `${role}.json`], { cwd: path.dirname(server.folder) })
}

async function exportRole(role: 'root' | 'targets'): Promise<void> {
  const { exitCode, stdout, stderr } = await tuf(['export', role])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  await writeFile(path.join(path.dirname(server.folder), `${role}.json`), stdout)
}

beforeEach(async () => {
  server = await createServerFolder()
  firstRoot = await server.whileRunning(async ({ app }) => (await app.tuf?.file('1.root.json')) ?? new Uint8Array())
})
afterEach(() => server.remove())

describe('status', () => {
  test('says what is published and until when', async () => {
    const { stdout, exitCode } = await tuf(['status'])
    expect(exitCode).toBe(0)
    expect(stdout.trimEnd().split('\n')).toEqual(
      roles.map((role) => expect.stringMatching(new RegExp(`^${role} +version 1, until 20`)) as unknown),
    )
    const { versions, problems, awaiting, expires } = await status()
    expect({ versions, problems, awaiting }).toEqual({
      versions: { root: 1, targets: 1, snapshot: 1, timestamp: 1 },
      problems: [],
      awaiting: [],
    })
    expect(Date.parse(expires['root'] ?? '') - server.time).toBeGreaterThan(364 * day)
  })

  test('says what is wrong', async () => {
    expect((await tuf(['status'], { now: server.time + 8 * day })).stdout).toMatch(/^problem: timestamp\.json expired at /m)
  })
})

describe('rotate', () => {
  test('without new keys renews the root for a year, which clients follow', async () => {
    const before = await clientSees()
    const { exitCode, stdout } = await tuf(['rotate'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'published: root 2, targets 1, snapshot 1, timestamp 1\n' })
    expect(await clientSees()).toEqual(before)
  })

  test('with new keys for all roles makes them, and clients that know only the first root follow', async () => {
    const before = await clientSees()
    const comment = '# kept as it is\n'
    await writeFile(server.file('server.yaml'), `${await yaml()}${comment}`)
    const { exitCode, stdout } = await tuf(['rotate', '--new-keys', roles.join(',')])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('published: root 2, targets 2, snapshot 2, timestamp 2')
    expect(stdout).toContain('Restart the server')
    const text = await yaml()
    for (const role of roles) {
      expect(text).toContain(`${role}: keys/tuf-${role}-2.key`)
      expect((await stat(server.file(`keys/tuf-${role}-2.key`))).mode & 0o777).toBe(0o600)
    }
    expect(text).toContain(comment)
    expect(await clientSees()).toEqual(before)
    expect((await server.run(['fsck'])).stdout).toContain('tuf: sound')
  })

  test('again and again numbers the keys on, and needs the old ones no more', async () => {
    for (const number of [2, 3]) {
      expect((await tuf(['rotate', '--new-keys', 'root,timestamp'])).stdout).toContain(`keys/tuf-root-${number}.key as the root key`)
    }
    expect((await status()).versions['root']).toBe(3)
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test('names the keys in server.yaml where a rotation was interrupted before it did', async () => {
    const before = await yaml()
    await tuf(['rotate', '--new-keys', 'root,snapshot,timestamp'])
    const after = await yaml()
    await writeFile(server.file('server.yaml'), before)
    const { exitCode, stdout } = await tuf(['rotate'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('server.yaml names keys/tuf-snapshot-2.key as the snapshot key now')
    expect(await yaml()).toBe(after)
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test.each([
    ['a role that there is not', ['--new-keys', 'mirrors'], '"mirrors" is no role: there are root, targets, snapshot, timestamp'],
    [
      'a public key for a key that is here',
      ['--public-key', 'root=key.pub'],
      'the root key is on this server: replace it with --new-keys root',
    ],
    ['more signatures than there are keys', ['--threshold', 'snapshot=2'], 'the snapshot role should need from 1 to all of its 1 keys'],
    ['a threshold that is none', ['--threshold', 'root=0'], '--threshold takes a role and a number from 1 on, found "0"'],
    ['a public key that is not there', ['--public-key', 'root=none.pub'], 'none.pub cannot be read'],
  ])('with %s changes nothing', async (_, flags, message) => {
    await writeFile(path.join(path.dirname(server.folder), 'key.pub'), encodePublicKeyPem(generatePrivateKey('ecdsa-p256').publicKey))
    const before = await yaml()
    const { exitCode, stderr } = await tuf(['rotate', ...flags])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(await yaml()).toBe(before)
    expect((await status()).versions['root']).toBe(1)
  })

  test('before the first start is refused', async () => {
    const fresh = await createServerFolder()
    try {
      const { exitCode, stderr } = await fresh.run(['tuf', 'rotate'])
      expect(exitCode).toBe(1)
      expect(stderr).toContain('is missing: restore it from a backup; a server that was never started has none yet')
    } finally {
      await fresh.remove()
    }
  })
})

describe('keys that are kept offline', () => {
  test('sign an exported root that is then imported and published', async () => {
    await takeOffline('root')
    const rotated = await tuf(['rotate'])
    expect(rotated.exitCode).toBe(0)
    expect(rotated.stdout).toContain(
      'version 2 of root.json waits for 1 more signature of 1:\n  countersign server tuf export root > root.json',
    )
    expect((await status()).versions['root']).toBe(1)
    expect(await status()).toMatchObject({ problems: [], notices: ['version 2 of root.json waits for signatures: it has 0 of 1'] })
    expect((await server.run(['doctor', '--offline'])).stdout).toMatch(/^warn {2}tuf: version 2 of root\.json waits for signatures/m)
    const ready = await server.whileRunning(async () => (await fetch(`${server.url}/readyz`)).json())
    expect(ready, 'clients are served as before').toEqual({ status: 'READY', reasons: [] })
    await exportRole('root')
    const signed = await signFile('root', 'root.key')
    expect(signed).toMatchObject({ exitCode: 0, stdout: 'signed root.json; back on the server: countersign server tuf import root.json\n' })
    expect(signed.stderr).toMatch(/^root\.json, version 2, expires .*, signatures: 0\n/)
    expect(await tuf(['import', 'root.json'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('published: root 2') as unknown,
    })
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test('sign a root that names new keys of the server, which server.yaml names when it is published', async () => {
    await takeOffline('root')
    const before = await yaml()
    const { stdout } = await tuf(['rotate', '--new-keys', 'snapshot,timestamp'])
    expect(stdout).toContain('keys/tuf-snapshot-2.key is the snapshot key as soon as the root is published')
    expect(await yaml()).toBe(before)
    // Until then the old keys stay in use.
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
    await exportRole('root')
    await signFile('root', 'root.key')
    const imported = await tuf(['import', 'root.json'])
    expect(imported.stdout).toContain('server.yaml names keys/tuf-snapshot-2.key as the snapshot key now')
    expect(await yaml()).toContain('timestamp: keys/tuf-timestamp-2.key')
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test('get successors: the root is signed by the old one and the new ones, of which two must', async () => {
    await takeOffline('root')
    const cwd = path.dirname(server.folder)
    const keys = [generatePrivateKey('ecdsa-p256'), generatePrivateKey('ecdsa-p256')]
    for (const [at, key] of keys.entries()) await writeFile(path.join(cwd, `new-${at}.key`), key.encodePem(), { mode: 0o600 })
    await writeFile(path.join(cwd, 'new.pub'), keys.map((key) => encodePublicKeyPem(key.publicKey)).join(''))
    const { exitCode } = await tuf(['rotate', '--public-key', 'root=new.pub', '--threshold', 'root=2'])
    expect(exitCode).toBe(0)
    await exportRole('root')
    await signFile('root', 'new-0.key')
    await signFile('root', 'root.key')
    const incomplete = await tuf(['import', 'root.json'])
    expect(incomplete.stdout).toContain('published: root 1')
    expect(incomplete.stdout).toContain('version 2 of root.json waits for 1 more signature of 2')
    await exportRole('root')
    await signFile('root', 'new-1.key')
    expect((await tuf(['import', 'root.json'])).stdout).toContain('published: root 2')
    expect(keyIds(await readFile(path.join(cwd, 'root.json')))['root']).toMatchObject({ threshold: 2 })
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test('sign targets that changed', async () => {
    await takeOffline('targets')
    await writeFile(
      server.file('server.yaml'),
      (await yaml()).replace(/(id: rekor-v2-1[\s\S]*?since: )(\S+)/, '$12020-01-01T00:00:00.000Z'),
    )
    await server.whileRunning(() => Promise.resolve())
    expect((await status()).awaiting).toMatchObject([{ role: 'targets', signed: 0, threshold: 1 }])
    await exportRole('targets')
    const signed = await signFile('targets', 'targets.key')
    expect(signed.stderr).toMatch(/^targets\.json, version 2, .*\ntrusted_root\.json: \d+ bytes, sha256 /m)
    expect((await tuf(['import', 'targets.json'])).stdout).toContain('targets 2')
    expect(Buffer.from(await clientSees()).toString('utf8')).toContain('2020-01-01T00:00:00')
  })

  test('are not made on the server', async () => {
    await takeOffline('root')
    const { exitCode, stderr } = await tuf(['rotate', '--new-keys', 'root'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('the root key is kept offline: make the new one there, and give its public key with --public-key root=FILE')
    expect(await readdir(server.file('keys'))).not.toContain('tuf-root-2.key')
  })

  test('are asked of a person, who sees what they sign', async () => {
    await takeOffline('root')
    await tuf(['rotate'])
    await exportRole('root')
    const cwd = path.dirname(server.folder)
    const before = await readFile(path.join(cwd, 'root.json'), 'utf8')
    const argv = ['server', 'tuf', 'sign-root', '--key', 'root.key', 'root.json']
    const declined = await runCaptured(argv, { cwd, stdin: encodeUtf8('n\n'), typed: true })
    expect(declined.exitCode).toBe(1)
    expect(declined.stderr).toContain('root: 1 of 1 keys: ')
    expect(await readFile(path.join(cwd, 'root.json'), 'utf8')).toBe(before)
    expect((await runCaptured(argv, { cwd, stdin: encodeUtf8('y\n'), typed: true })).exitCode).toBe(0)
  })

  test.each([
    [
      'nothing is exported when nothing waits',
      ['export', 'root'],
      'no root.json waits for signatures; the next root is made with: countersign server tuf rotate',
    ],
    ['no targets are exported when none wait', ['export', 'targets'], 'no targets.json waits for signatures'],
    ['only root and targets are exported', ['export', 'snapshot'], 'invalid argument "snapshot"'],
    ['a file that is none is not imported', ['import', 'none.json'], 'none.json cannot be read'],
  ])('%s', async (_, argv, message) => {
    const { exitCode, stderr } = await tuf(argv)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
  })

  test('a root without a signature that was missing is not imported, nor one that was changed', async () => {
    await takeOffline('root')
    await tuf(['rotate'])
    await exportRole('root')
    expect((await tuf(['import', 'root.json'])).stderr).toContain('has no valid signature of a root key that was missing')
    const cwd = path.dirname(server.folder)
    await signFile('root', 'root.key')
    await writeFile(
      path.join(cwd, 'root.json'),
      (await readFile(path.join(cwd, 'root.json'), 'utf8')).replace(/"expires": "\d{4}/, '"expires": "2099'),
    )
    expect((await tuf(['import', 'root.json'])).stderr).toContain('is neither the one that waits for signatures')
    expect((await status()).versions['root']).toBe(1)
  })

  test('a targets.json is not signed as a root', async () => {
    await writeFile(path.join(path.dirname(server.folder), 'root.json'), firstRoot)
    const argv = ['server', 'tuf', 'sign-targets', '--key', server.file('keys/tuf-root.key'), '--yes', 'root.json']
    const { exitCode, stderr } = await runCaptured(argv, { cwd: path.dirname(server.folder) })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('root.json is a root.json: sign it with server tuf sign-root')
  })
})

describe('resume', () => {
  test('takes a root that was lost with the database from a client, and goes on above what was published', async () => {
    await cp(server.file('countersign.sqlite'), server.file('backup'))
    await tuf(['rotate', '--new-keys', 'targets,timestamp'])
    const configured = await yaml()
    const lost = await server.whileRunning(async ({ app }) => (await app.tuf?.file('2.root.json')) ?? new Uint8Array())
    await cp(server.file('backup'), server.file('countersign.sqlite'))
    expect((await status()).problems.join()).toContain('go on above the recorded versions with: countersign server tuf resume')
    expect((await tuf(['resume'])).stderr).toContain('the database lacks 2.root.json, which was published; restore or import it first')
    await writeFile(path.join(path.dirname(server.folder), '2.root.json'), lost)
    expect((await tuf(['import', '2.root.json'])).stderr).toContain('countersign server tuf resume')
    expect(await tuf(['resume'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^published: root 2, targets 3, /) as unknown,
    })
    expect(await yaml()).toBe(configured)
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test('goes on above timestamps that were published', async () => {
    await cp(server.file('countersign.sqlite'), server.file('backup'))
    await tuf(['resume'])
    const { versions } = await status()
    expect(versions).toMatchObject({ root: 1, timestamp: 2 })
    await cp(server.file('backup'), server.file('countersign.sqlite'))
    await expect(clientSees()).rejects.toThrow('countersign server tuf resume')
    expect(await tuf(['resume'])).toMatchObject({ exitCode: 0, stdout: 'published: root 1, targets 1, snapshot 3, timestamp 3\n' })
    expect((await status()).problems).toEqual([])
    await expect(clientSees()).resolves.toBeInstanceOf(Uint8Array)
  })

  test('goes on with a clock that was ahead', async () => {
    await tuf(['rotate', '--new-keys', 'snapshot'], { now: server.time + 3 * day })
    const refused = await tuf(['rotate', '--new-keys', 'snapshot'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('if it was ahead then: countersign server tuf resume --clock')
    const { exitCode, stdout } = await tuf(['resume', '--clock'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^published: root 2, targets 1, snapshot \d+, timestamp \d+\n$/)
    expect((await tuf(['rotate'])).exitCode).toBe(0)
  })
})
