import { execFileSync } from 'node:child_process'
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Document } from 'yaml'
import { parseDocument } from 'yaml'
import type { RekorChoice } from '../../../../src/server/public-trust.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'
import type { ServerFolder } from './server-folder.ts'
import { createServerFolder } from './server-folder.ts'

let server: ServerFolder
let parent: string

beforeEach(async () => {
  server = await createServerFolder()
  parent = path.dirname(server.folder)
})
afterEach(() => server.remove())

const rotate = (...argv: readonly string[]): Promise<Outcome> => server.run(['rotate', ...argv])
const yaml = (): Promise<string> => readFile(server.file('server.yaml'), 'utf8')

/** Signs a file, and keeps its bundle under a name. */
async function sign(name: string, rekor: RekorChoice = 'v2'): Promise<void> {
  await server.whileRunning((running) => server.sign(running, name, rekor))
  await cp(path.join(parent, 'bundle.json'), path.join(parent, `${name}.bundle`))
  await writeFile(path.join(parent, name), name)
}

/** Verifies with what the server exports now. */
async function verifies(name: string): Promise<Outcome> {
  await server.run(['export-trust'])
  const identity = ['--certificate-identity', 'dev@example.com', '--certificate-oidc-issuer', `${server.url}/oidc`]
  const root = server.file('trust/trusted_root.json')
  return runCaptured(['verify-blob', name, '--bundle', `${name}.bundle`, '--trusted-root', root, ...identity], {
    cwd: parent,
    now: Date.now(),
  })
}

const isValid = { exitCode: 0 }

describe.each([
  ['the certificate authority', ['ca'], 'v2'],
  ['the certificate authority with a new root', ['ca', '--new-root'], 'v2'],
  ['the certificate authority with a key of another kind', ['ca', '--issuing-key', 'ecdsa-p384'], 'v2'],
  ['the timestamp authority', ['tsa'], 'v2'],
  ['the timestamp authority with a new root', ['tsa', '--new-root'], 'v2'],
  ['the CT log', ['log', 'ctlog'], 'v2'],
  ['Rekor v1', ['log', 'rekor-v1'], 'v1'],
  ['Rekor v2', ['log', 'rekor-v2'], 'v2'],
] as const)('%s', (_, argv, rekor) => {
  test('gets a new key: what was signed before and what is signed after verify, and so do both after another one', async () => {
    await sign('before', rekor)
    const { exitCode, stdout, stderr } = await rotate(...argv)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const [, file = ''] = /^ {2}(keys\/.*)$/m.exec(stdout) ?? []
    expect((await stat(server.file(file))).mode & 0o777).toBe(0o600)
    await sign('after', rekor)
    expect(await verifies('before')).toMatchObject(isValid)
    expect(await verifies('after')).toMatchObject(isValid)
    await rotate(...argv)
    await sign('later', rekor)
    for (const name of ['before', 'after', 'later']) expect(await verifies(name)).toMatchObject(isValid)
    expect(await server.run(['fsck'])).toMatchObject({ exitCode: 0 })
    expect(await server.whileRunning(() => server.run(['doctor']))).toMatchObject({ exitCode: 0 })
  })
})

test.each([
  ['a CT log', ['log', 'ctlog'], /the log ctlog-1 takes no more entries since ctlog-2 took its place/],
  ['a Rekor v1 log', ['log', 'rekor-v1'], /the log rekor-v1-1 takes no more entries since rekor-v1-2 took its place/],
  ['a Rekor v2 log', ['log', 'rekor-v2'], /the log rekor-v2-1 takes no more entries since rekor-v2-2 took its place/],
  ['a certificate authority', ['ca'], /the ca has got a new key/],
  ['a timestamp authority', ['tsa'], /the tsa has got a new key/],
] as const)('with a server.yaml of before %s was rotated nothing is signed or published', async (_, argv, message) => {
  await sign('before', 'v1')
  const before = await yaml()
  await rotate(...argv)
  const after = await yaml()
  await writeFile(server.file('server.yaml'), before)
  const refused = { code: 'CONFIGURATION_INVALID', message: expect.stringMatching(message) }
  await expect(server.whileRunning(async () => 'started')).rejects.toMatchObject(refused)
  expect((await server.run(['doctor'])).stdout).toMatch(message)
  expect(await server.run(['export-trust'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) })
  await writeFile(server.file('server.yaml'), after)
  expect(await server.whileRunning(async () => 'started')).toBe('started')
})

test('without the Rekor v1 log that others are counted from no entry gets an index; a Rekor v2 log may go', async () => {
  await sign('before')
  for (const kind of ['rekor-v1', 'rekor-v2']) await rotate('log', kind)
  const complete = parseDocument(await yaml())
  const without = async (id: string): Promise<void> => {
    const document = complete.clone() as Document
    const logs = (document.toJS() as { logs: { id: string }[] }).logs
    document.deleteIn(['logs', logs.findIndex((log) => log.id === id)])
    await writeFile(server.file('server.yaml'), document.toString())
  }
  await without('rekor-v2-1')
  expect(await server.whileRunning(async () => 'started')).toBe('started')
  await without('rekor-v1-1')
  await expect(server.whileRunning(async () => 'started')).rejects.toThrow(
    /the log rekor-v1-1 is not in it, and the indices of the Rekor v1 logs/,
  )
})

test('sigstore-js verifies what was signed before and after everything has a new key', async () => {
  await sign('before', 'v1')
  for (const argv of [['ca', '--new-root'], ['tsa'], ['log', 'ctlog'], ['log', 'rekor-v1'], ['log', 'rekor-v2']]) await rotate(...argv)
  await sign('after', 'v1')
  await sign('after-v2')
  await server.run(['export-trust'])
  const trustedRoot = TrustedRoot.fromJSON(JSON.parse(await readFile(server.file('trust/trusted_root.json'), 'utf8')))
  const trust = toTrustMaterial(trustedRoot)
  for (const name of ['before', 'after', 'after-v2']) {
    const bundle = bundleFromJSON(JSON.parse(await readFile(path.join(parent, `${name}.bundle`), 'utf8')))
    const verifier = new Verifier(trust, {
      tlogThreshold: name === 'after-v2' ? 0 : 1,
      tsaThreshold: name === 'after-v2' ? 1 : 0,
      ctlogThreshold: 1,
    })
    const { identity } = verifier.verify(toSignedEntity(bundle, Buffer.from(name)))
    expect(identity?.subjectAlternativeName).toBe('dev@example.com')
  }
})

test('the certificates of the new key are what openssl takes for a chain', async () => {
  await sign('before')
  await rotate('ca')
  await rotate('tsa', '--new-root')
  for (const authority of ['ca', 'tsa']) {
    const file = server.file(`certificates/${authority}-2.pem`)
    const [leaf = '', root = ''] = (await readFile(file, 'utf8')).split(/(?<=-----END CERTIFICATE-----\n)/)
    await writeFile(path.join(parent, 'leaf.pem'), leaf)
    await writeFile(path.join(parent, 'ca.pem'), root)
    expect(execFileSync('openssl', ['verify', '-CAfile', path.join(parent, 'ca.pem'), path.join(parent, 'leaf.pem')]).toString()).toContain(
      'OK',
    )
  }
})

test('entries of logs that were frozen stay readable', async () => {
  await sign('before')
  for (const kind of ['ctlog', 'rekor-v2']) await rotate('log', kind)
  await sign('after')
  await server.whileRunning(async () => {
    const text = async (where: string): Promise<string> => (await fetch(`${server.url}${where}`)).text()
    expect(await text('/rekor-v2-1/api/v2/checkpoint')).toMatch(/^localhost\n1\n/)
    expect(await text('/api/v2/checkpoint')).toMatch(/^localhost\n1\n/)
    expect(await text('/rekor-v2-1/api/v2/checkpoint')).not.toBe(await text('/api/v2/checkpoint'))
    expect(JSON.parse(await text('/ctlog-1/ct/v1/get-sth'))).toMatchObject({ tree_size: 1 })
    const refused = await fetch(`${server.url}/rekor-v2-1/api/v2/log/entries`, { method: 'POST', body: '{}' })
    expect(refused.ok).toBe(false)
  })
})

describe('the trust bundle of the certificate authority', () => {
  /** The names of the files in `certificates/` whose chains it lists. */
  async function listed(): Promise<string[]> {
    const answer = await server.whileRunning(async () => (await fetch(`${server.url}/api/v2/trustBundle`)).text())
    const { chains } = JSON.parse(answer) as { chains: { certificates: string[] }[] }
    const files = ['ca', 'ca-2', 'ca-3']
    const texts = await Promise.all(files.map((name) => readFile(server.file(`certificates/${name}.pem`), 'utf8').catch(() => '')))
    return chains.map(({ certificates }) => files[texts.indexOf(certificates.map((pem) => `${pem}\n`).join(''))] ?? 'another')
  }

  test('lists the chains of before after the one in use, the newest first', async () => {
    expect(await listed()).toEqual(['ca'])
    await rotate('ca')
    expect(await listed()).toEqual(['ca-2', 'ca'])
    await rotate('ca', '--new-root')
    expect(await listed()).toEqual(['ca-3', 'ca-2', 'ca'])
  })

  test('does not list one whose key leaked: nothing in it would say until when it is good', async () => {
    expect(await listed()).toEqual(['ca'])
    expect(await rotate('ca')).toMatchObject(isValid)
    const text = await yaml()
    const since = /since: "?(\S+?)"?\n {2}earlier:/.exec(text)?.[1] ?? ''
    const leaked = new Date(Date.parse(since) - 1000).toISOString()
    await writeFile(server.file('server.yaml'), text.replace(/(\n {6}until: ).*/, `$1${leaked}`))
    expect(await listed()).toEqual(['ca-2'])
    await rotate('ca')
    expect(await listed()).toEqual(['ca-3', 'ca-2'])
  })
})

describe('the CT log', () => {
  const asked = async (what: string, body?: unknown): Promise<Record<string, unknown>> =>
    server.whileRunning(async () => {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      const answer = await fetch(`${server.url}/ct/ct/v1/${what}`, init)
      return { status: answer.status, ...((await answer.json().catch(() => ({}))) as object) }
    })
  const chainOf = async (name: string): Promise<string[]> =>
    (await readFile(server.file(`certificates/${name}.pem`), 'utf8'))
      .split(/-----[A-Z ]+-----/)
      .map((text) => text.replaceAll('\n', ''))
      .filter((text) => text !== '')

  test('takes and lists the roots of before, each once, also when it has a new key', async () => {
    const before = await chainOf('ca')
    expect(await asked('get-roots')).toEqual({ status: 200, certificates: before.slice(-1) })
    await rotate('ca')
    await rotate('ca', '--new-root')
    await rotate('log', 'ctlog')
    const now = await chainOf('ca-3')
    expect(await asked('get-roots')).toEqual({ status: 200, certificates: [now.at(-1), before.at(-1)] })
    for (const chain of [before, await chainOf('ca-2'), now]) expect(await asked('add-chain', { chain })).toMatchObject({ status: 200 })
  })

  test('takes nothing of a root below which a key leaked', async () => {
    const before = await chainOf('ca')
    expect(await asked('add-chain', { chain: before })).toMatchObject({ status: 200 })
    await rotate('ca', '--new-root')
    const text = await yaml()
    const since = /since: "?(\S+?)"?\n {2}earlier:/.exec(text)?.[1] ?? ''
    await writeFile(server.file('server.yaml'), text.replace(/(\n {6}until: ).*/, `$1${new Date(Date.parse(since) - 1000).toISOString()}`))
    expect(await asked('get-roots')).toMatchObject({ certificates: [(await chainOf('ca-2')).at(-1)] })
    expect(await asked('add-chain', { chain: before })).toMatchObject({ status: 400 })
  })
})

test('comments in server.yaml stay, and the old chain and its end stand there', async () => {
  await sign('before')
  await writeFile(server.file('server.yaml'), `${await yaml()}# kept\n`)
  await rotate('ca')
  const text = await yaml()
  expect(text).toContain('# kept')
  expect(text).toMatch(
    /ca:\n {2}key: keys\/ca-2\.key\n {2}chain: certificates\/ca-2\.pem\n {2}since: .*\n {2}earlier:\n {4}- chain: certificates\/ca\.pem\n {6}since: .*\n {6}until: /,
  )
})

test('a root key that is kept elsewhere is named, and must be that of the root', async () => {
  await sign('before')
  await cp(server.file('keys/ca-root.key'), path.join(parent, 'root.key'))
  await rm(server.file('keys/ca-root.key'))
  const missing = await rotate('ca')
  expect(missing.exitCode).toBe(1)
  expect(missing.stderr).toContain(
    'the key of the root of the ca is not in keys: give its file with --root-key, or make a new root with --new-root',
  )
  const wrong = await rotate('ca', '--root-key', server.file('keys/tsa-root.key'))
  expect(wrong.stderr).toContain('is another than')
  expect(await rotate('ca', '--root-key', 'root.key')).toMatchObject(isValid)
})

test('what a leaked key signed after it leaked is refused', async () => {
  await sign('before')
  await new Promise((resolve) => {
    setTimeout(resolve, 1100)
  })
  const leaked = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString()
  await new Promise((resolve) => {
    setTimeout(resolve, 1100)
  })
  await sign('forged')
  expect(await rotate('tsa', '--until', leaked)).toMatchObject(isValid)
  expect(await verifies('before')).toMatchObject(isValid)
  expect(await verifies('forged')).toMatchObject({ exitCode: 1 })
})

test.each([
  ['an instant that is none', ['ca', '--until', 'yesterday'], '--until takes an instant such as'],
  ['an instant that is to come', ['ca', '--until', '2999-01-01T00:00:00Z'], '--until takes an instant after'],
  ['an instant before the key', ['log', 'ctlog', '--until', '2001-01-01T00:00:00Z'], '--until takes an instant after'],
  ['a kind of log that there is not', ['log', 'rekor'], 'invalid argument "rekor"'],
  ['a root that is both there and new', ['tsa', '--new-root', '--root-key', 'x'], '--new-root makes its own key'],
  ['an authority without its chain', ['ca', '--ca-key', 'x'], '--ca-key and --ca-chain are given together'],
])('%s changes nothing', async (_, argv, message) => {
  await sign('before')
  const before = await yaml()
  const { exitCode, stderr } = await rotate(...argv)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(message)
  expect(await yaml()).toBe(before)
})

test('nothing is rotated while the server runs: it would go on signing with the old key', async () => {
  await sign('before')
  const before = await yaml()
  const { exitCode, stderr } = await server.whileRunning(() => rotate('ca'))
  expect(exitCode).toBe(1)
  expect(stderr).toContain('another server runs on')
  expect(await yaml()).toBe(before)
})
