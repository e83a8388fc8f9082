import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { cacheName } from '../../../src/tuf/cache.ts'
import { cacheDirectoryOf, compiledInRoot, locate } from '../../../src/tuf/location.ts'
import { summarizeMetadata } from '../../../src/tuf/metadata-file.ts'
import { publicGoodMirror, stagingMirror } from '../../../src/tuf/mirror.ts'
import { trustRoot } from '../../../src/tuf/trusted-metadata.ts'
import { temporaryFolder } from './test-repository.ts'

const privateMirror = 'https://tuf.example.com'
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function cacheWith(files: Readonly<Record<string, string>>): string {
  const directory = temporaryFolder()
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(path.join(directory, path.dirname(name)), { recursive: true })
    writeFileSync(path.join(directory, name), contents)
  }
  return directory
}

describe('the cache folder', () => {
  it('is the one given, TUF_ROOT, the home folder’s, or none', () => {
    const env = { TUF_ROOT: '/t', HOME: '/h', USERPROFILE: '/u' }
    expect(cacheDirectoryOf(env, '/given')).toBe('/given')
    expect(cacheDirectoryOf(env)).toBe('/t')
    expect(cacheDirectoryOf({ HOME: '/h', USERPROFILE: '/u', TUF_ROOT: '' })).toBe('/h/.sigstore/root')
    expect(cacheDirectoryOf({ USERPROFILE: '/u' })).toBe('/u/.sigstore/root')
    expect(cacheDirectoryOf({ HOME: '' })).toBeUndefined()
  })
})

describe('the mirror', () => {
  it('is the one given, the instance, TUF_MIRROR, that of remote.json, or the public-good one', async () => {
    const name = cacheName('https://recorded.example')
    const TUF_ROOT = cacheWith({ 'remote.json': '{"mirror":"https://recorded.example"}', [`${name}/root.json`]: 'cached' })
    const env = { TUF_ROOT, TUF_MIRROR: 'https://chosen.example' }
    const initialRoot = Buffer.from('root')
    expect((await locate({ mirror: privateMirror, instance: 'staging', initialRoot }, env)).mirror).toBe(privateMirror)
    expect((await locate({ instance: 'staging' }, env)).mirror).toBe(stagingMirror)
    expect((await locate({ instance: 'public-good' }, env)).mirror).toBe(publicGoodMirror)
    expect((await locate({ initialRoot }, env)).mirror).toBe('https://chosen.example')
    expect((await locate({}, { TUF_ROOT })).mirror).toBe('https://recorded.example')
    expect((await locate({}, { TUF_ROOT: temporaryFolder() })).mirror).toBe(publicGoodMirror)
    expect((await locate({}, { TUF_ROOT: '/nowhere/at/all' })).mirror).toBe(publicGoodMirror)
    expect(await locate({}, {})).toMatchObject({ mirror: publicGoodMirror, cache: undefined, warnings: [] })
  })

  it.each([
    ['sigstore-tuf-root', 'TUF_MIRROR should be the https://, http:// or file:// address of a TUF repository, found "sigstore-tuf-root"'],
    ['ftp://x', 'TUF_MIRROR should be the https://, http:// or file:// address of a TUF repository, found "ftp://x"'],
    ['https://a b', 'TUF_MIRROR should be the https://, http:// or file:// address of a TUF repository, found "https://a b"'],
    ['https://a\\..\\b', 'TUF_MIRROR should be the https://, http:// or file:// address of a TUF repository, found "https://a\\\\..\\\\b"'],
  ])('is refused when it is %s', async (TUF_MIRROR, message) => {
    await expect(locate({}, { TUF_MIRROR })).rejects.toMatchObject({ name: 'UsageError', code: 'USAGE', message })
  })

  it('is refused when remote.json does not say one', async () => {
    for (const contents of ['{}', '[]', '{"mirror":1}']) {
      await expect(locate({}, { TUF_ROOT: cacheWith({ 'remote.json': contents }) })).rejects.toMatchObject({
        name: 'DecodingError',
        code: 'JSON_INVALID',
        message: expect.stringMatching(/remote\.json should hold the address of a mirror; run initialize again, or set TUF_MIRROR$/),
      })
    }
    await expect(locate({}, { TUF_ROOT: cacheWith({ 'remote.json': '{' }) })).rejects.toMatchObject({ code: 'JSON_INVALID' })
    await expect(locate({}, { TUF_ROOT: cacheWith({ 'remote.json/x': '' }) })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^error reading remote\.json: EISDIR/),
    })
  })
})

describe('the root to start from', () => {
  it('is compiled in for the public-good and the staging repository, whatever the cache holds', async () => {
    const TUF_ROOT = cacheWith({ [`${cacheName(publicGoodMirror)}/root.json`]: 'evil', [`${cacheName(stagingMirror)}/root.json`]: 'evil' })
    for (const mirror of [publicGoodMirror, `${publicGoodMirror}/`, stagingMirror]) {
      expect((await locate({ mirror }, { TUF_ROOT })).root).toEqual(compiledInRoot(mirror))
    }
    expect(compiledInRoot(publicGoodMirror)).not.toEqual(compiledInRoot(stagingMirror))
  })

  it('is that of TUF_ROOT_JSON before the cached one, for any other repository', async () => {
    const TUF_ROOT = cacheWith({ [`${cacheName(privateMirror)}/root.json`]: 'cached', 'mine.json': 'mine' })
    expect(text((await locate({ mirror: privateMirror }, { TUF_ROOT })).root)).toBe('cached')
    expect(text((await locate({ mirror: privateMirror }, { TUF_ROOT, TUF_ROOT_JSON: path.join(TUF_ROOT, 'mine.json') })).root)).toBe('mine')
    expect(text((await locate({ mirror: stagingMirror }, { TUF_ROOT, TUF_ROOT_JSON: path.join(TUF_ROOT, 'mine.json') })).root)).toBe('mine')
  })

  it('is not that of TUF_ROOT_JSON for the public-good repository, and a warning says so', async () => {
    const { root, warnings } = await locate({}, { TUF_ROOT_JSON: '/nowhere' })
    expect(root).toEqual(compiledInRoot(publicGoodMirror))
    expect(warnings).toEqual(['TUF_ROOT_JSON is not used: the public-good repository starts from the compiled-in root'])
  })

  it('must be there', async () => {
    const message = `could not find cached root.json for the mirror ${privateMirror}; run initialize with --mirror and --root, or set TUF_ROOT_JSON`
    for (const env of [{}, { TUF_ROOT: temporaryFolder() }]) {
      await expect(locate({ mirror: privateMirror }, env)).rejects.toMatchObject({
        name: 'TransportError',
        code: 'TRUST_ROOT_UNAVAILABLE',
        message,
      })
    }
    await expect(locate({ mirror: privateMirror }, { TUF_ROOT_JSON: '/nowhere/root.json' })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: 'error reading root.json given by TUF_ROOT_JSON: there is no file /nowhere/root.json',
    })
  })

  it.each([publicGoodMirror, stagingMirror])('for %s is signed by its own keys', async (mirror) => {
    const root = compiledInRoot(mirror)
    const trusted = await trustRoot(root, mirror, Date.UTC(2026, 0, 1))
    expect(trusted.rootVersion).toBe(summarizeMetadata(root, 'root', 'it').version)
    expect(trusted.rootVersion).toBeGreaterThanOrEqual(14)
  })
})
