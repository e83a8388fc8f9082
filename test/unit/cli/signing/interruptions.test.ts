/**
 * Every step of `sign-blob`, and everything that can come between: whatever it is, one clear sentence is said, nothing is left, nothing is logged
 * that was not signed, and no secret is shown.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ExitError } from '../../../../src/cli/failure.ts'
import { encryptPrivateKey } from '../../../../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { paths } from '../../../support/signing-services.ts'
import { universeOf } from '../../../support/universe/universe.ts'
import { startServer } from '../../http/test-server.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import type { Workspace, WorkspaceOptions } from './signing-workspace.ts'
import { createWorkspace, tokenOf } from './signing-workspace.ts'

/** Bytes that still fit on the disk; undefined for any number. */
const disk = vi.hoisted((): { left: number | undefined } => ({ left: undefined }))

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof FileSystem>()
  const writeFile: typeof real.writeFileSync = (file, data, options) => {
    if (typeof file !== 'number' || disk.left === undefined) return real.writeFileSync(file, data, options)
    const bytes = Buffer.from(data as Uint8Array)
    const fitting = bytes.subarray(0, disk.left)
    disk.left -= fitting.length
    real.writeFileSync(file, fitting)
    if (fitting.length < bytes.length) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  }
  return { ...real, writeFileSync: writeFile }
})

afterEach(() => {
  disk.left = undefined
})

const password = 'correct horse battery staple'
const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json']
const keyless = ['--bundle', 'b.json', '--identity-token', 'token', ...services]
const withKey = ['--bundle', 'b.json', '--key', 'cosign.key', ...services]

interface Step {
  readonly name: string
  readonly words: readonly string[]
  readonly options?: WorkspaceOptions
  readonly surroundings?: Surroundings
  /** Makes the trouble, once the workspace is there. */
  readonly trouble?: (workspace: Workspace) => void | Promise<void>
  readonly sentence: RegExp
  /** Requests that were made before it went wrong; none by default. */
  readonly asked?: readonly string[]
  /** Others that may have been made by then, as they are made at the same time. */
  readonly perhaps?: readonly string[]
}

const reset = ['reset', 'reset', 'reset'] as ('reset' | 'hang')[]
const refused = [{ status: 400, body: '{"message":"not today"}' }]
const now = universeOf().time / 1000
const env = { COSIGN_PASSWORD: password }
const [ca, log] = [`POST ${paths.certificate}`, `POST ${paths.rekorV1}`]

const steps: readonly Step[] = [
  { name: 'the blob is not there', words: ['nowhere', ...keyless], sentence: /the blob nowhere cannot be read/ },
  {
    name: 'the bundle has no folder',
    words: ['artifact', ...keyless, '--bundle', 'no/b.json'],
    sentence: /create bundle file: no\/b\.json/,
  },
  { name: 'the bundle is a folder', words: ['artifact', ...keyless, '--output-signature', '.'], sentence: /it is a directory/ },
  {
    name: 'the key is not there',
    words: ['artifact', ...withKey, '--key', 'k'],
    surroundings: { env },
    sentence: /the key k cannot be read/,
  },
  {
    name: 'the password is wrong',
    words: ['artifact', ...withKey],
    surroundings: { env: { COSIGN_PASSWORD: `${password}r` } },
    sentence: /reading key cosign\.key: decrypt: encrypted: decryption failed: the password is wrong, or the file is damaged$/,
  },
  {
    name: 'no password is typed',
    words: ['artifact', ...withKey],
    surroundings: { typed: true, stdin: Buffer.from('') },
    sentence: /decryption failed|no password was entered/,
  },
  {
    name: 'the password has no place to come from',
    words: ['-', ...withKey],
    surroundings: { stdin: Buffer.from('x') },
    sentence: /the key is encrypted, and standard input is what is signed: give the password in COSIGN_PASSWORD/,
  },
  {
    name: 'the signing config is none',
    words: ['artifact', ...keyless],
    trouble: ({ folder }) => writeFileSync(path.join(folder, 'config.json'), '{"half":'),
    sentence: /signing config/i,
  },
  {
    name: 'the trusted root is none',
    words: ['artifact', ...keyless],
    trouble: ({ folder }) => writeFileSync(path.join(folder, 'root.json'), '{}'),
    sentence: /trusted ?root/i,
  },
  {
    name: 'the TUF repository is down',
    words: ['artifact', '--bundle', 'b.json', '--identity-token', 'token'],
    surroundings: { env: { TUF_MIRROR: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' } },
    sentence: /getting the signing config from TUF: .*\(instead, give --signing-config/,
  },
  {
    name: 'the token expired',
    words: ['artifact', ...keyless],
    options: { claims: { exp: now - 1 } },
    sentence: /it expired at .*; get a new one/,
  },
  {
    name: 'the token is in no file',
    words: ['artifact', ...keyless, '--identity-token', 'no.jwt'],
    sentence: /the identity token no\.jwt cannot be read/,
  },
  {
    name: 'the token is for another audience',
    words: ['artifact', ...keyless],
    options: { claims: { aud: 'https://vault.example' }, answers: { [paths.certificate]: refused } },
    sentence: /refused with status 400: "not today"; it was given a token of the issuer .* for the audience "https:\/\/vault\.example"/,
    asked: [ca],
  },
  {
    name: 'the certificate authority is down',
    words: ['artifact', ...keyless],
    options: { answers: { [paths.certificate]: reset } },
    sentence: /the certificate authority 127\.0\.0\.1:\d+ cannot be used/,
    asked: [ca, ca, ca],
  },
  {
    name: 'the timestamp authority refuses',
    words: ['artifact', ...keyless],
    options: { answers: { [paths.timestamp]: refused, [paths.rekorV1]: ['hang'] } },
    sentence: /the timestamp authority 127\.0\.0\.1:\d+\S* refused with status 400: "not today"/,
    asked: [ca, `POST ${paths.timestamp}`],
    perhaps: [log],
  },
  {
    name: 'the log is down',
    words: ['artifact', ...keyless],
    options: { answers: { [paths.rekorV1]: reset } },
    sentence: /the transparency log 127\.0\.0\.1:\d+ cannot be used/,
    asked: [ca, log, log, log, `POST ${paths.timestamp}`],
  },
  {
    name: 'the disk is full before the bundle',
    words: ['artifact', ...keyless],
    trouble: () => void (disk.left = 0),
    sentence: /create bundle file: b\.json cannot be written: there is no space left on the disk$/,
    asked: [ca, log, `POST ${paths.timestamp}`],
  },
  {
    name: 'the disk is full in the middle of the bundle',
    words: ['artifact', ...keyless],
    trouble: () => void (disk.left = 1000),
    sentence: /create bundle file: b\.json cannot be written: there is no space left on the disk$/,
    asked: [ca, log, `POST ${paths.timestamp}`],
  },
  {
    name: 'the disk is full in the middle of the second file',
    words: ['artifact', ...keyless, '--output-signature', 'b.sig', '--output-certificate', 'b.pem'],
    trouble: () => void (disk.left = 6000),
    sentence: /create (?:bundle|signature|certificate) file: b\.\w+ cannot be written: there is no space left on the disk$/,
    asked: [ca, log, `POST ${paths.timestamp}`],
  },
]

/** The claims of a token, its signature and the password are shown nowhere, and are in no file that was not there. */
function expectNoSecrets(workspace: Workspace, { stdout, stderr }: Outcome, before: readonly string[]): void {
  const [, claims = ''] = workspace.read('token').split('.')
  const written = readdirSync(workspace.folder).filter((name) => !before.includes(name))
  const texts = [stdout, stderr, ...written.map((name) => readFileSync(path.join(workspace.folder, name), 'latin1'))]
  for (const text of texts) {
    for (const secret of [password, claims]) expect(text).not.toContain(secret)
  }
}

async function prepared(options: WorkspaceOptions = {}): Promise<{ readonly workspace: Workspace; readonly before: readonly string[] }> {
  const workspace = await createWorkspace(options)
  const key = await encryptPrivateKey(generatePrivateKey('ecdsa-p256'), Buffer.from(password))
  writeFileSync(path.join(workspace.folder, 'cosign.key'), key)
  writeFileSync(path.join(workspace.folder, 'b.json'), 'of before')
  return { workspace, before: readdirSync(workspace.folder) }
}

describe('a signature is not made when', () => {
  it.each(steps)('$name', async ({ words, options, surroundings, trouble, sentence, asked = [], perhaps = [] }) => {
    const { workspace, before } = await prepared(options)
    await trouble?.(workspace)
    const given = { HOME: workspace.folder, ...surroundings?.env }
    const outcome = await workspace.run(['sign-blob', ...words], { ...surroundings, env: given })
    disk.left = undefined
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
    const said = outcome.stderr.split('\n').filter((line) => line.startsWith('Error: '))
    expect(said).toEqual([expect.stringMatching(sentence)])
    expect(workspace.read('b.json')).toBe('of before')
    // TUF keeps a folder for its cache, which is no part of a signature.
    expect(readdirSync(workspace.folder).filter((name) => name !== '.sigstore')).toEqual([...before])
    expect(workspace.services.requests.filter((request) => !perhaps.includes(request)).toSorted()).toEqual([...asked].toSorted())
    expectNoSecrets(workspace, outcome, before)
  })
})

/** Where somebody may press Ctrl-C: while something does not answer. */
const waits: readonly (readonly [name: string, options: WorkspaceOptions, waitsFor: string])[] = [
  ['the certificate authority', { answers: { [paths.certificate]: ['hang'] } }, paths.certificate],
  ['the timestamp authority', { answers: { [paths.timestamp]: ['hang'] } }, paths.timestamp],
  ['the log', { answers: { [paths.rekorV1]: ['hang'] } }, paths.rekorV1],
  ['the log of Rekor v2', { log: 'v2', answers: { [paths.rekorV2]: ['hang'] } }, paths.rekorV2],
]

async function interrupt(running: (signal: AbortSignal) => Promise<Outcome>, isWaiting: () => boolean): Promise<Outcome> {
  const interruption = new AbortController()
  const ending = running(interruption.signal)
  await expect.poll(isWaiting, { interval: 5 }).toBe(true)
  interruption.abort(new ExitError(130, 'ABORTED', 'interrupted by SIGINT'))
  return ending
}

describe('Ctrl-C while it waits for', () => {
  it.each(waits)('%s leaves nothing', async (_, options, waitsFor) => {
    const { workspace, before } = await prepared(options)
    const outcome = await interrupt(
      (signal) => workspace.run(['sign-blob', 'artifact', ...keyless], { signal }),
      () => workspace.services.requests.includes(`POST ${waitsFor}`),
    )
    expect(outcome).toMatchObject({ exitCode: 130, stdout: '' })
    expect(outcome.stderr.match(/^Error: .*/gm)).toEqual(['Error: interrupted by SIGINT'])
    expect(workspace.read('b.json')).toBe('of before')
    expect(readdirSync(workspace.folder)).toEqual([...before])
    expectNoSecrets(workspace, outcome, before)
  })

  it('the identity token of a job leaves nothing', async () => {
    const { workspace, before } = await prepared()
    const issuer = await startServer(() => undefined)
    const secret = 'the secret of the job'
    const job = {
      HOME: workspace.folder,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer.origin}/token?a=b`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    }
    const outcome = await interrupt(
      (signal) => workspace.run(['sign-blob', 'artifact', '--bundle', 'b.json', ...services], { signal, env: job }),
      () => issuer.requests.length > 0,
    )
    expect(outcome.exitCode).toBe(130)
    expect(outcome.stderr).not.toContain(secret)
    expect(readdirSync(workspace.folder)).toEqual([...before])
    expect(workspace.services.requests).toEqual([])
  })
})

it('what is made in the end holds no secret either', async () => {
  const { workspace, before } = await prepared()
  const made = await workspace.run(['sign-blob', 'artifact', ...keyless, '--verbose', '-o', 'json'])
  expect(made.exitCode).toBe(0)
  expectNoSecrets(workspace, made, before)
  const again = await workspace.run(['sign-blob', 'artifact', ...withKey, '--verbose', '-o', 'json'], {
    env: { HOME: workspace.folder, ...env },
  })
  expect(again.exitCode).toBe(0)
  expectNoSecrets(workspace, again, before)
})

it('a token on the command line is not repeated, whatever goes wrong with it', async () => {
  const { workspace, before } = await prepared({ answers: { [paths.certificate]: refused } })
  const token = tokenOf(workspace.universe)
  const outcome = await workspace.run(['sign-blob', 'artifact', '--bundle', 'b.json', '--identity-token', token, ...services])
  expect(outcome.exitCode).toBe(1)
  expectNoSecrets(workspace, outcome, before)
})
