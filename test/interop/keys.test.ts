/** Key files and cosign: 3.1, 2.6 and 1.13 read ours and we theirs, for every kind of key and password. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEncryptedPrivateKeyPem } from '../../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import type { Outcome, Surroundings } from '../unit/cli/captured-context.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeer } from './peer.ts'

const versions = [
  { name: 'cosign 3.1', program: findPeer('cosign'), label: 'SIGSTORE', readsOurs: true, config: ['--use-signing-config=false'] },
  { name: 'cosign 2.6', program: findPeer('cosign2'), label: 'SIGSTORE', readsOurs: true, config: [] },
  // Of 2022: it knows its own label only.
  { name: 'cosign 1.13', program: findPeer('cosign1'), label: 'COSIGN', readsOurs: false, config: [] },
]
const newest = versions[0]?.program

const passwords = [
  ['empty', ''],
  ['long', 'x'.repeat(4096)],
  ['not ASCII', 'pässwörd — 密码 🔑'],
  ['with a line break', 'a\n'],
] as const

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-keys-'))
  write('artifact', 'an artifact')
  write('other', 'another artifact')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
const mode = (name: string): number => statSync(path.join(folder, name)).mode & 0o777

const run = (words: readonly string[], password: string, surroundings: Surroundings = {}): Promise<Outcome> =>
  runCaptured(words, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: password }, ...surroundings })
const runCosign = (program: string | undefined, words: readonly string[], password: string): Ending =>
  runPeer(program ?? '', words, folder, { COSIGN_PASSWORD: password })

/** Signs into a file of its own, which every version knows. */
const signWords = (key: string, signature: string) => [
  'sign-blob',
  'artifact',
  '--key',
  key,
  '--tlog-upload=false',
  '--output-signature',
  signature,
]
const verifyWords = (key: string, signature: string, artifact = 'artifact') => [
  'verify-blob',
  artifact,
  '--key',
  key,
  '--signature',
  signature,
  '--insecure-ignore-tlog',
]

describe.each(versions)('a key file of $name', ({ program, label, readsOurs, config }) => {
  it.skipIf(program === undefined).each(passwords)('signs here, with a password that is %s', async (_, password) => {
    expect(runCosign(program, ['generate-key-pair'], password)).toMatchObject({ exitCode: 0 })
    expect(read('cosign.key')).toContain(`-----BEGIN ENCRYPTED ${label} PRIVATE KEY-----\n`)
    expect(await run(['public-key', '--key', 'cosign.key'], password)).toMatchObject({ exitCode: 0, stdout: read('cosign.pub') })
    const signed = await run(signWords('cosign.key', 'ours.sig'), password)
    expect(signed.exitCode, signed.stderr).toBe(0)
    const words = (artifact?: string) => verifyWords('cosign.pub', 'ours.sig', artifact)
    const forProgram = (artifact?: string) =>
      readsOurs ? words(artifact) : words(artifact).filter((word) => word !== '--insecure-ignore-tlog')
    expect(runCosign(program, forProgram(), password).stderr).toContain('Verified OK')
    expect(runCosign(program, forProgram('other'), password).exitCode).not.toBe(0)
    rmSync(path.join(folder, 'cosign.key'))
  })

  if (readsOurs) {
    it.skipIf(program === undefined).each(passwords)('that we made signs there, with a password that is %s', async (_, password) => {
      expect(await run(['generate-key-pair', '--output-key-prefix', 'ours', '--yes'], password)).toMatchObject({ exitCode: 0 })
      expect(runCosign(program, ['public-key', '--key', 'ours.key'], password)).toMatchObject({ exitCode: 0, stdout: read('ours.pub') })
      const signed = runCosign(program, [...signWords('ours.key', 'theirs.sig'), '--new-bundle-format=false', ...config], password)
      expect(signed.exitCode, signed.stderr).toBe(0)
      expect((await run(verifyWords('ours.pub', 'theirs.sig'), password)).stderr).toContain('Verified OK')
      expect((await run(verifyWords('ours.pub', 'theirs.sig', 'other'), password)).exitCode).toBe(1)
    })
  }

  it.skipIf(program === undefined)('is not opened by a wrong password, on either side', async () => {
    const prefix = ['--output-key-prefix', 'shut']
    if (readsOurs) await run(['generate-key-pair', ...prefix, '--yes'], 'right')
    else runCosign(program, ['generate-key-pair'], 'right')
    const key = readsOurs ? 'shut.key' : 'cosign.key'
    const words = ['public-key', '--key', key]
    expect(runCosign(program, words, 'wrong').stderr).toContain('decrypt: encrypted: decryption failed')
    expect((await run(words, 'wrong')).stderr).toContain('decrypt: encrypted: decryption failed')
    rmSync(path.join(folder, key))
  })
})

describe.skipIf(newest === undefined)('an imported key', () => {
  const algorithms = { 'ecdsa-p256': 'sha256', 'ecdsa-p384': 'sha384', 'rsa-2048': 'sha256', ed25519: 'sha256' } as const
  const kinds = Object.keys(algorithms) as (keyof typeof algorithms)[]

  it.each(kinds)('%s is the same on both sides, and each side signs with what the other wrote', async (kind) => {
    const password = 'pässword'
    write('import.pem', generatePrivateKey(kind).encodePem())
    const words = (prefix: string) => ['import-key-pair', '--key', 'import.pem', '--output-key-prefix', prefix, '--yes']
    const [ours, theirs] = [`${kind}-ours`, `${kind}-theirs`]
    const [ourEnd, theirEnd] = [await run(words(ours), password), runCosign(newest, words(theirs), password)]
    expect(ourEnd.exitCode, ourEnd.stderr).toBe(0)
    expect(ourEnd.stderr.replaceAll(ours, theirs)).toBe(theirEnd.stderr)
    expect(read(`${ours}.pub`)).toBe(read(`${theirs}.pub`))
    expect([mode(`${ours}.key`), mode(`${ours}.pub`)]).toEqual([mode(`${theirs}.key`), mode(`${theirs}.pub`)])

    const bundle = ['--tlog-upload=false', '--bundle', `${kind}.json`]
    const verify = (artifact: string) => [
      'verify-blob',
      artifact,
      '--key',
      `${ours}.pub`,
      '--bundle',
      `${kind}.json`,
      '--insecure-ignore-tlog',
    ]
    // cosign 3.1.3 takes SHA-256 for every key unless it is told otherwise (sigstore/cosign#5092).
    const digest = ['--signature-digest-algorithm', algorithms[kind]]
    expect(await run(['sign-blob', 'artifact', '--key', `${theirs}.key`, ...bundle], password)).toMatchObject({ exitCode: 0 })
    expect(runCosign(newest, [...verify('artifact'), ...digest], '').stderr).toContain('Verified OK')
    expect(runCosign(newest, [...verify('other'), ...digest], '').exitCode).toBe(1)
    const signed = runCosign(newest, ['sign-blob', 'artifact', '--key', `${ours}.key`, ...bundle, '--use-signing-config=false'], password)
    expect(signed.exitCode, signed.stderr).toBe(0)
    expect((await run(verify('artifact'), '')).stderr).toContain('Verified OK')
    expect((await run(verify('other'), '')).exitCode).toBe(1)
  })
})

it.skipIf(newest === undefined)('the file has the same members, sizes and lines on both sides', async () => {
  await run(['generate-key-pair', '--output-key-prefix', 'ours', '--yes'], 'x')
  expect(runCosign(newest, ['generate-key-pair', '--output-key-prefix', 'theirs'], 'x')).toMatchObject({ exitCode: 0 })
  const shapeOf = (name: string) => {
    const text = read(name)
    const json = Buffer.from(text.replaceAll(/-----.*-----|\n/g, ''), 'base64').toString()
    const { cost, salt, nonce, ciphertext } = parseEncryptedPrivateKeyPem(text)
    return {
      lines: text.split('\n').map((line) => line.length),
      json: json.replaceAll(/"[\w+/]{30,}=*"/g, '""'),
      sizes: [cost, salt.length, nonce.length, ciphertext.length],
    }
  }
  expect(shapeOf('ours.key')).toEqual(shapeOf('theirs.key'))
  expect(
    read('ours.pub')
      .split('\n')
      .map((line) => line.length),
  ).toEqual(
    read('theirs.pub')
      .split('\n')
      .map((line) => line.length),
  )
})

describe.skipIf(newest === undefined)('says what cosign says', () => {
  /** The lines of both, for a command line that neither carries out. */
  async function compare(words: readonly string[], password = 'x'): Promise<void> {
    const theirs = runCosign(newest, words, password)
    const ours = await run(words, password)
    const first = theirs.stderr.split('\n').find((line) => line.startsWith('Error: ')) ?? 'nothing'
    expect(ours.exitCode).toBe(theirs.exitCode)
    expect(ours.stderr, words.join(' ')).toContain(first)
  }

  it('where the command line is not complete', async () => {
    await compare(['public-key'])
    await compare(['public-key', '--key', 'a', '--sk'])
    await compare(['generate-key-pair', 'owner/repo'])
    await compare(['generate-key-pair', 'floppy://x'])
    await compare(['generate-key-pair', 'github://owner/repo'])
    await compare(['generate-key-pair', 'gitlab://group/project'])
    await compare(['generate-key-pair', 'k8s://name'])
  })

  it('about a key that is there already', async () => {
    write('there.key', 'old')
    const words = ['generate-key-pair', '--output-key-prefix', 'there']
    const theirs = runCosign(newest, words, 'x')
    const ours = await run(words, 'x')
    const [question = ''] = theirs.stderr.split('Error: ')
    expect(question).toContain('Overwrite?')
    expect(ours.stderr.startsWith(question)).toBe(true)
    expect([ours.exitCode, read('there.key')]).toEqual([theirs.exitCode, 'old'])
  })

  it('about what is no key to import', async () => {
    for (const [contents, said] of [
      ['no key', 'invalid pem block'],
      ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'unsupported private key'],
      ['-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n', 'error parsing pkcs #8 private key'],
      ['-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n', 'error parsing rsa private key'],
      ['-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n', 'error parsing ecdsa private key'],
    ] as const) {
      write('bad.pem', contents)
      const words = ['import-key-pair', '--key', 'bad.pem']
      expect(runCosign(newest, words, 'x').stderr).toContain(said)
      expect((await run(words, 'x')).stderr).toContain(said)
    }
  })

  it('about a private key where a public one is needed', async () => {
    await run(['generate-key-pair', '--output-key-prefix', 'ours', '--yes'], 'x')
    await run(signWords('ours.key', 'a.sig'), 'x')
    expect(runCosign(newest, verifyWords('ours.key', 'a.sig'), 'x').exitCode).toBe(1)
    expect((await run(verifyWords('ours.key', 'a.sig'), 'x')).exitCode).toBe(1)
  })
})
