import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { cacheName } from '../../../src/tuf/cache.ts'
import { initializeRepository, resetCache } from '../../../src/tuf/initialize.ts'
import type { LoadTrustedRootOptions } from '../../../src/tuf/load-trusted-root.ts'
import { loadTrustedRoot } from '../../../src/tuf/load-trusted-root.ts'
import { publicGoodMirror } from '../../../src/tuf/mirror.ts'
import { fetchTrustedRoot } from '../../../src/tuf/trusted-root.ts'
import { goOffline, now, serve, temporaryFolder, TestRepository } from './test-repository.ts'

describe('resetCache', () => {
  it('removes everything, also what older versions left, and records the mirror', async () => {
    const TUF_ROOT = path.join(temporaryFolder(), 'root')
    mkdirSync(path.join(TUF_ROOT, 'tuf.db'), { recursive: true })
    writeFileSync(path.join(TUF_ROOT, 'tuf.db', 'LOCK'), '')
    expect(await resetCache('https://tuf.example.com', { TUF_ROOT })).toBe(TUF_ROOT)
    expect(existsSync(path.join(TUF_ROOT, 'tuf.db'))).toBe(false)
    expect(readFileSync(path.join(TUF_ROOT, 'remote.json'), 'utf8')).toBe('{"mirror":"https://tuf.example.com"}')
    expect(statSync(TUF_ROOT).mode & 0o777).toBe(0o700)
    expect(statSync(path.join(TUF_ROOT, 'remote.json')).mode & 0o777).toBe(0o600)
  })

  it.each(['.', '..', '/'])('does not empty %s, where the user is', async (TUF_ROOT) => {
    await expect(resetCache(publicGoodMirror, { TUF_ROOT })).rejects.toMatchObject({
      name: 'UsageError',
      code: 'USAGE',
      message: expect.stringMatching(/^the TUF cache .* would be emptied, but .* is in it; set TUF_ROOT to a folder of its own$/),
    })
    expect(existsSync('package.json')).toBe(true)
  })

  it('does not empty the home folder', async () => {
    const home = temporaryFolder()
    await expect(resetCache(publicGoodMirror, { TUF_ROOT: home, HOME: home })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(resetCache(publicGoodMirror, { HOME: home })).resolves.toBe(path.join(home, '.sigstore', 'root'))
  })

  it('needs a folder, one that can be written, and an address', async () => {
    await expect(resetCache(publicGoodMirror, {})).rejects.toMatchObject({
      code: 'USAGE',
      message: 'there is no home folder to keep the TUF cache in; set TUF_ROOT to a folder',
    })
    await expect(resetCache(publicGoodMirror, { HOME: '/dev/null' })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^the TUF cache \/dev\/null\/\.sigstore\/root could not be renewed: ENOTDIR/),
    })
    await expect(resetCache('bucket', { HOME: temporaryFolder() })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('initializeRepository', () => {
  it('makes a private repository usable by later calls that name nothing', async () => {
    const repository = new TestRepository()
    const mirror = await serve(repository)
    const env = { TUF_ROOT: path.join(temporaryFolder(), 'root') }
    await initializeRepository({ mirror: mirror.address, initialRoot: repository.firstRoot, env, now })
    repository.publishRoot()
    const fetched = await fetchTrustedRoot({ env, now })
    expect(fetched).toEqual({ bytes: Buffer.from('{"first":true}'), mirror: mirror.address, warnings: [] })
    expect(readFileSync(path.join(env.TUF_ROOT, cacheName(mirror.address), 'root.json'))).toEqual(repository.file('2.root.json'))
  })

  it('keeps the root even when the mirror is out of reach', async () => {
    const repository = new TestRepository()
    const mirror = await serve(repository)
    goOffline(mirror)
    const env = { TUF_ROOT: path.join(temporaryFolder(), 'root') }
    const failure = initializeRepository({ mirror: mirror.address, initialRoot: repository.firstRoot, env, now })
    await expect(failure).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
    mirror.misbehaviours.clear()
    expect((await fetchTrustedRoot({ env, now })).warnings).toEqual([])
  })

  it('refuses a repository that does not descend from the root', async () => {
    const [repository, other] = [new TestRepository(), new TestRepository()]
    const mirror = await serve(repository)
    const env = { TUF_ROOT: path.join(temporaryFolder(), 'root') }
    await expect(initializeRepository({ mirror: mirror.address, initialRoot: other.firstRoot, env, now })).rejects.toMatchObject({
      code: 'TUF_UNVERIFIED',
    })
    await expect(initializeRepository({ mirror: mirror.address, env, now })).rejects.toMatchObject({ code: 'TUF_UNVERIFIED' })
  })

  it('leaves what was trusted before when there is nothing to trust now', async () => {
    const [repository, other] = [new TestRepository(), new TestRepository()]
    const mirror = await serve(repository)
    const env = { TUF_ROOT: path.join(temporaryFolder(), 'root') }
    await initializeRepository({ mirror: mirror.address, initialRoot: repository.firstRoot, env, now })
    const nowhere = `${mirror.address}/nowhere`
    for (const [wrong, initialRoot] of [
      [mirror.address, other.firstRoot],
      [mirror.address, Buffer.from('no root')],
      [nowhere, repository.firstRoot],
    ] as const) {
      await expect(initializeRepository({ mirror: wrong, initialRoot, env, now })).rejects.toThrow()
      expect((await fetchTrustedRoot({ env, now })).mirror).toBe(mirror.address)
    }
  })
})

describe('loadTrustedRoot', () => {
  it('decodes the target, and passes warnings on', async () => {
    const repository = new TestRepository()
    repository.setTarget('trusted_root.json', '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    repository.publish()
    const mirror = await serve(repository)
    const warnings: string[] = []
    const options = {
      mirror: mirror.address,
      initialRoot: repository.firstRoot,
      env: { HOME: temporaryFolder() },
      now,
      onWarning: (warning: string) => warnings.push(warning),
    }
    expect((await loadTrustedRoot(options)).logs).toEqual([])
    goOffline(mirror)
    await loadTrustedRoot(options)
    expect(warnings).toEqual([expect.stringContaining('is out of reach')])
  })

  it.each<[string, unknown, RegExp]>([
    ['a path for options', 'trusted_root.json', /the options of loadTrustedRoot should be an object, found a string/],
    ['an option that is misspelt', { path: 'trusted_root.json' }, /found "path"/],
    ['a file that is undefined', { file: undefined }, /file should be a text, or left out for the default, found undefined/],
    ['a mirror that is undefined', { mirror: undefined }, /mirror should be a text/],
    ['an instance that is null', { instance: null }, /instance should be a text/],
    ['an instance that nobody knows', { instance: 'Staging' }, /the instance should be public-good or staging, found "Staging"/],
  ])('does not take the public instance for %s', async (_, options, message) => {
    const given = typeof options === 'object' ? { ...options, env: {} } : options
    await expect(loadTrustedRoot(given as LoadTrustedRootOptions)).rejects.toThrow(message)
  })

  it('refuses a target that is no trusted root', async () => {
    const repository = new TestRepository()
    const mirror = await serve(repository)
    const failure = loadTrustedRoot({ mirror: mirror.address, initialRoot: repository.firstRoot, env: {}, now })
    await expect(failure).rejects.toMatchObject({ name: 'DecodingError' })
  })
})
