/** `initialize`: the instance that later commands use. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { now, serve, TestRepository } from '../../tuf/test-repository.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

let folder = ''
let repository: TestRepository
let mirror = ''

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-initialize-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  repository = new TestRepository()
  repository.setTarget('signing_config.v0.2.json', '{}')
  repository.publish()
  writeFileSync(path.join(folder, 'root.json'), repository.firstRoot)
  mirror = (await serve(repository)).address
})

const initialize = (...words: readonly string[]): Promise<Outcome> =>
  runCaptured(['initialize', ...words], { cwd: folder, env: { HOME: folder, TUF_ROOT: path.join(folder, 'tuf') }, now })
const digestOf = (algorithm: string): string => createHash(algorithm).update(repository.firstRoot).digest('hex')

it('fills the cache as cosign does, and says nothing', async () => {
  expect(await initialize('--mirror', mirror, '--root', 'root.json')).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  const cache = path.join(folder, 'tuf')
  expect(JSON.parse(readFileSync(path.join(cache, 'remote.json'), 'utf8'))).toEqual({ mirror })
  const name = new URL(mirror).host.replace(':', '-')
  expect(readdirSync(cache).filter((file) => !file.startsWith('.'))).toEqual([name, `${name}.json`, 'remote.json'])
  expect(readdirSync(path.join(cache, name, 'targets')).sort()).toEqual(['signing_config.v0.2.json', 'trusted_root.json'])
})

it('empties the cache of what was there before', async () => {
  const old = path.join(folder, 'tuf', 'old.example')
  mkdirSync(old, { recursive: true })
  await initialize('--mirror', mirror, '--root', 'root.json')
  expect(existsSync(old)).toBe(false)
})

it('fills the cache even where others are told to keep none: later commands start there', async () => {
  const env = { HOME: folder, TUF_ROOT: path.join(folder, 'tuf'), SIGSTORE_NO_CACHE: 'true' }
  const words = ['initialize', '--mirror', mirror, '--root', 'root.json']
  expect(await runCaptured(words, { cwd: folder, env, now })).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  const name = new URL(mirror).host.replace(':', '-')
  expect(existsSync(path.join(folder, 'tuf', name, 'root.json'))).toBe(true)
})

it('has the mirror of --mirror, whatever TUF_MIRROR and TUF_ROOT_JSON say', async () => {
  const env = { HOME: folder, TUF_ROOT: path.join(folder, 'tuf'), TUF_MIRROR: 'http://127.0.0.1:9', TUF_ROOT_JSON: '/nowhere' }
  const words = ['initialize', '--mirror', mirror, '--root', 'root.json']
  expect(await runCaptured(words, { cwd: folder, env, now })).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(JSON.parse(readFileSync(path.join(folder, 'tuf', 'remote.json'), 'utf8'))).toEqual({ mirror })
})

it('takes a repository in a folder', async () => {
  const place = path.join(folder, 'mirrored')
  for (const [name, bytes] of repository.files) {
    mkdirSync(path.dirname(path.join(place, name)), { recursive: true })
    writeFileSync(path.join(place, name), bytes)
  }
  expect(await initialize('--mirror', `file://${place}`, '--root', 'root.json')).toEqual({ exitCode: 0, stdout: '', stderr: '' })
})

it('takes a checksum in either case', async () => {
  const words = ['--mirror', mirror, '--root', 'root.json', '--root-checksum', digestOf('sha256').toUpperCase()]
  expect(await initialize(...words)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
})

it.each([
  ['sha256', ''],
  ['sha256', 'sha256:'],
  ['sha512', 'sha512:'],
])('takes a root from an address with its %s checksum (%s)', async (algorithm, prefix) => {
  const words = ['--mirror', mirror, '--root', `${mirror}/1.root.json`, '--root-checksum', `${prefix}${digestOf(algorithm)}`]
  expect(await initialize(...words)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
})

it('takes a root from an address without a checksum, with a warning', async () => {
  const outcome = await initialize('--mirror', mirror, '--root', `${mirror}/1.root.json`)
  expect(outcome.exitCode).toBe(0)
  expect(outcome.stderr).toContain('WARNING: Fetching initial root from URL without providing its checksum is deprecated')
})

describe('is refused', () => {
  it.each([
    [() => ['--root', 'root.json', '--root-checksum', '0'.repeat(64)], 'should have the sha256 checksum 000'],
    [() => ['--root', 'root.json', '--root-checksum', 'abc'], '--root-checksum should be a SHA-256 checksum in hex'],
    [() => ['--root', 'root.json', '--root-checksum', `md5:${'0'.repeat(32)}`], '--root-checksum should be a SHA-256 checksum in hex'],
    [() => ['--root', 'root.json', '--root-checksum', `sha512:${'0'.repeat(64)}`], 'or sha512: and a SHA-512 one'],
    [() => ['--root-checksum', '0'.repeat(64)], '--root-checksum is the checksum of --root, which is not given'],
    [() => ['--root', 'nowhere.json'], 'the TUF root nowhere.json cannot be read: no such file or directory'],
    [() => ['--staging', '--root', 'root.json'], '--staging has a mirror and a root of its own'],
    [() => ['--root', `${mirror}/nowhere.json`, '--root-checksum', '0'.repeat(64)], 'answered 404 to GET "/nowhere.json"'],
  ])('%o', async (words, message) => {
    const old = path.join(folder, 'tuf', 'of-before')
    mkdirSync(old, { recursive: true })
    const outcome = await initialize('--mirror', mirror, ...words())
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
    expect(outcome.stderr).toContain(message)
    // What was trusted before is trusted still.
    expect(existsSync(old)).toBe(true)
  })

  it('with the root of another repository', async () => {
    writeFileSync(path.join(folder, 'other.json'), new TestRepository().firstRoot)
    repository.publishRoot()
    repository.publish()
    const outcome = await initialize('--mirror', mirror, '--root', 'other.json')
    expect(outcome.exitCode).toBe(1)
  })

  it('with a mirror that is no address', async () => {
    expect(
      (await runCaptured(['initialize', '--mirror', 'nonsense'], { cwd: folder, env: { TUF_ROOT: path.join(folder, 'tuf') }, now })).stderr,
    ).toContain('the TUF mirror should be the https://, http:// or file:// address')
  })
})

it('warns of a repository without a signing config', async () => {
  const bare = new TestRepository()
  writeFileSync(path.join(folder, 'bare.json'), bare.firstRoot)
  const { address } = await serve(bare)
  const outcome = await initialize('--mirror', address, '--root', 'bare.json')
  expect(outcome.exitCode).toBe(0)
  expect(outcome.stderr).toMatch(
    /^WARNING: Could not fetch signing_config.json from the TUF mirror \(encountered error: .*\)\. It is recommended/,
  )
})
