import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheName, RepositoryCache } from '../../../src/tuf/cache.ts'
import { openRepository } from '../../../src/tuf/repository.ts'
import { fetchTrustedRoot } from '../../../src/tuf/trusted-root.ts'
import { createKey, goOffline, now, serve, serveFromFolder, temporaryFolder, TestRepository } from './test-repository.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

async function arrange() {
  const repository = new TestRepository()
  repository.publishRoot({ keys: [createKey(), createKey()] })
  repository.publish()
  const mirror = await serve(repository)
  const cacheDirectory = temporaryFolder()
  const options = { mirror: mirror.address, cacheDirectory, initialRoot: repository.firstRoot, env: {}, now }
  return {
    repository,
    mirror,
    options,
    cacheDirectory,
    folder: path.join(cacheDirectory, cacheName(mirror.address)),
    fetch: () => fetchTrustedRoot(options),
  }
}

/** Runs an action as a user who owns nothing, where the tests run as one who may do everything. */
async function unprivileged<T>(action: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return action()
  process.seteuid?.(65_534)
  try {
    return await action()
  } finally {
    process.seteuid?.(0)
  }
}

describe('cacheName', () => {
  it.each([
    ['https://tuf-repo-cdn.sigstore.dev', 'tuf-repo-cdn.sigstore.dev'],
    ['https://TUF.Example.com:8443/prod/root', 'tuf.example.com-8443-prod-root'],
    ['http://127.0.0.1:8080/', '127.0.0.1-8080-'],
    ['file:///srv/tuf', 'file----srv-tuf'],
    ['https://..', '-..'],
  ])('of %s is %s', (mirror, name) => expect(cacheName(mirror)).toBe(name))
})

describe('a damaged cache', () => {
  const files = ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json', 'root_history/2.root.json', 'targets/trusted_root.json']
  const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['empty', () => Buffer.alloc(0)],
    ['cut short', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['zeros', (bytes) => Buffer.alloc(bytes.length)],
    ['other JSON', () => Buffer.from('{"signed":{"_type":"timestamp","version":99}}')],
    ['enormous', () => Buffer.alloc(600_000, ' ')],
  ]

  it.each(files)('is repaired from the mirror when %s is damaged', async (file) => {
    const { folder, mirror, fetch } = await arrange()
    const first = await fetch()
    const name = path.join(folder, file)
    const intact = readFileSync(name)
    for (const [damage, apply] of damages) {
      writeFileSync(name, apply(intact))
      expect(await fetch(), damage).toEqual(first)
      expect(readFileSync(name), damage).toEqual(intact)
    }
    goOffline(mirror)
    expect((await fetch()).bytes).toEqual(first.bytes)
  })

  it('with a folder where a file should be does no harm but a warning', async () => {
    const { folder, fetch } = await arrange()
    await fetch()
    rmSync(path.join(folder, 'timestamp.json'))
    mkdirSync(path.join(folder, 'timestamp.json'))
    const { bytes, warnings } = await fetch()
    expect(text(bytes)).toBe('{"first":true}')
    expect(warnings).toEqual([
      expect.stringMatching(/^the TUF cache could not be updated: EISDIR.*; set TUF_ROOT to a folder that can be written$/),
    ])
  })

  it('never makes anything else than the right contents come out, whichever bit of it flips', async () => {
    const repository = new TestRepository()
    const cacheDirectory = temporaryFolder()
    const mirror = serveFromFolder(repository)
    const options = { mirror, cacheDirectory, initialRoot: repository.firstRoot, env: {}, now }
    await fetchTrustedRoot(options)
    const folder = path.join(cacheDirectory, cacheName(mirror))
    const files = ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json', 'targets/trusted_root.json']
    const flip = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bit: fc.nat(7),
    })
    await fc.assert(
      fc.asyncProperty(flip, async ({ file, at, bit }) => {
        const name = path.join(folder, file)
        const bytes = readFileSync(name)
        const index = Math.floor(at * bytes.length)
        bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index)
        writeFileSync(name, bytes)
        expect(text((await fetchTrustedRoot(options)).bytes)).toBe('{"first":true}')
      }),
      { numRuns: 60 },
    )
  })
})

describe('a damaged mirror', () => {
  it('is refused or means the same, whichever bit of it flips', async () => {
    const repository = new TestRepository()
    const target = [...repository.files.keys()].find((name) => name.endsWith('.trusted_root.json')) ?? ''
    const files = ['timestamp.json', '1.snapshot.json', '1.targets.json', target]
    const mirror = serveFromFolder(repository)
    const options = { mirror, initialRoot: repository.firstRoot, env: {}, now }
    const flip = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bit: fc.nat(7),
    })
    let refused = 0
    await fc.assert(
      fc.asyncProperty(flip, async ({ file, at, bit }) => {
        const name = new URL(`${mirror}/${file}`)
        const intact = readFileSync(name)
        const bytes = Buffer.from(intact)
        const index = Math.floor(at * bytes.length)
        bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index)
        writeFileSync(name, bytes)
        try {
          expect(text((await fetchTrustedRoot(options)).bytes)).toBe('{"first":true}')
        } catch (error) {
          expect(error).toMatchObject({ code: 'TUF_UNVERIFIED' })
          refused++
        } finally {
          writeFileSync(name, intact)
        }
      }),
      { numRuns: 100 },
    )
    expect(refused).toBeGreaterThan(50)
  })
})

describe('the cached root', () => {
  it('stays when it is newer than the one to start from and the mirror cannot be asked', async () => {
    const { repository, mirror, folder, fetch } = await arrange()
    repository.publishRoot()
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'root.json'), repository.file('3.root.json'))
    goOffline(mirror)
    await expect(fetch()).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
    expect(readFileSync(path.join(folder, 'root.json'))).toEqual(Buffer.from(repository.file('3.root.json')))
  })

  it('is replaced when it is not on the way to the newest', async () => {
    const { repository, folder, fetch } = await arrange()
    const other = new TestRepository()
    for (let version = 2; version <= 9; version++) other.publishRoot()
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'root.json'), other.file('9.root.json'))
    await fetch()
    expect(readFileSync(path.join(folder, 'root.json'))).toEqual(Buffer.from(repository.file('2.root.json')))
  })
})

describe('a mirror called remote', () => {
  it('leaves the record of the mirror alone', async () => {
    const repository = new TestRepository()
    const directory = temporaryFolder()
    writeFileSync(path.join(directory, 'remote.json'), '{"mirror":"https://remote"}')
    const file = (name: string) => repository.file(name)
    const current = { timestamp: file('timestamp.json'), snapshot: file('1.snapshot.json'), targets: file('1.targets.json') }
    const cache = new RepositoryCache(directory, cacheName('https://remote'))
    await cache.publish({ root: repository.firstRoot, rootHistory: new Map(), current }, await cache.read(), now)
    expect(readFileSync(path.join(directory, 'remote.json'), 'utf8')).toBe('{"mirror":"https://remote"}')
    expect(existsSync(path.join(directory, 'remote', 'timestamp.json'))).toBe(true)
  })
})

describe('where no cache can be kept', () => {
  it('everything works in memory without a home', async () => {
    const { mirror, options } = await arrange()
    const { cacheDirectory: _, ...rest } = options
    const repository = await openRepository(rest)
    expect(text(await repository.target('trusted_root.json'))).toBe('{"first":true}')
    expect(repository.warnings).toEqual([])
    expect(mirror.requests).toContain('timestamp.json')
  })

  it('a home that does not exist and cannot be made is a warning', async () => {
    const { options } = await arrange()
    const { cacheDirectory: _, ...rest } = options
    const { warnings, bytes } = await fetchTrustedRoot({ ...rest, env: { HOME: '/dev/null' } })
    expect(text(bytes)).toBe('{"first":true}')
    expect(warnings).toEqual([
      expect.stringMatching(/^the TUF cache could not be updated: ENOTDIR/),
      expect.stringMatching(/^the TUF cache could not be updated: ENOTDIR/),
    ])
  })

  it('a read-only cache is used, and a warning', async () => {
    const { repository, cacheDirectory, folder, mirror, fetch } = await arrange()
    await fetch()
    for (const name of [cacheDirectory, folder, path.join(folder, 'targets'), path.join(folder, 'root_history')]) chmodSync(name, 0o555)
    for (const name of readdirSync(folder)) if (name.endsWith('.json')) chmodSync(path.join(folder, name), 0o444)
    chmodSync(path.join(folder, 'targets', 'trusted_root.json'), 0o444)
    chmodSync(path.join(folder, 'root_history', '2.root.json'), 0o444)
    mirror.requests.length = 0
    await unprivileged(async () => {
      expect(await fetch()).toMatchObject({ warnings: [] })
      expect(mirror.requests).toEqual(['3.root.json', 'timestamp.json'])
      repository.setTarget('trusted_root.json', '{"second":true}')
      repository.publish()
      const { bytes, warnings } = await fetch()
      expect(text(bytes)).toBe('{"second":true}')
      expect(warnings).toHaveLength(2)
      expect(warnings[0]).toMatch(/^the TUF cache could not be updated: EACCES/)
    })
  })

  it("another user's home is not used, and a warning", async () => {
    const { cacheDirectory, options } = await arrange()
    chmodSync(cacheDirectory, 0o000)
    await unprivileged(async () => {
      const { bytes, warnings } = await fetchTrustedRoot(options)
      expect(text(bytes)).toBe('{"first":true}')
      expect(warnings).toEqual([`the TUF cache ${cacheDirectory} may not be read, so it is not used; set TUF_ROOT to a folder that may`])
    })
    chmodSync(cacheDirectory, 0o700)
  })

  it('is readable by its user alone', async () => {
    const { folder, fetch } = await arrange()
    await fetch()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(path.join(folder, 'timestamp.json')).mode & 0o777).toBe(0o600)
  })
})

describe('several processes', () => {
  it('share one cache: eight at once, all succeed, and it is whole afterwards', async () => {
    const { repository, mirror, options, cacheDirectory, folder, fetch } = await arrange()
    const work = temporaryFolder()
    const rootFile = path.join(work, 'root.json')
    writeFileSync(rootFile, repository.firstRoot)
    const script = path.join(work, 'client.mjs')
    await build({
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
      stdin: {
        resolveDir: path.resolve('.'),
        loader: 'ts',
        contents: `
          import { readFileSync } from 'node:fs'
          import { fetchTrustedRoot } from './src/tuf/trusted-root.ts'
          const [mirror, rootFile] = process.argv.slice(2)
          for (let round = 0; round < 3; round++) {
            const { bytes, warnings } = await fetchTrustedRoot({ mirror, initialRoot: readFileSync(rootFile), now: ${now} })
            console.log(JSON.stringify([Buffer.from(bytes).toString(), warnings]))
          }`,
      },
    })
    const run = promisify(execFile)
    const env = { ...process.env, TUF_ROOT: cacheDirectory }
    const processes = Array.from({ length: 8 }, () => run(process.execPath, [script, mirror.address, rootFile], { env }))
    for (const { stdout } of await Promise.all(processes)) expect(stdout).toBe('["{\\"first\\":true}",[]]\n'.repeat(3))
    expect(readdirSync(folder).sort()).toEqual(['root.json', 'root_history', 'snapshot.json', 'targets', 'targets.json', 'timestamp.json'])
    goOffline(mirror)
    expect(text((await fetch()).bytes)).toBe('{"first":true}')
    expect(options.cacheDirectory).toBe(cacheDirectory)
  })

  it('do not overwrite what another wrote in the meantime and is newer', async () => {
    const { repository, options, folder, fetch } = await arrange()
    const old = {
      root: repository.file('2.root.json'),
      timestamp: repository.file('timestamp.json'),
      snapshot: repository.file('2.snapshot.json'),
      targets: repository.file('2.targets.json'),
    }
    await fetch()
    const before = await new RepositoryCache(options.cacheDirectory, cacheName(options.mirror)).read()
    repository.publishRoot()
    repository.publish()
    await fetch()
    const slow = new RepositoryCache(options.cacheDirectory, cacheName(options.mirror))
    await slow.publish({ root: old.root, rootHistory: new Map(), current: old }, { ...before, snapshot: undefined }, now)
    expect(readFileSync(path.join(folder, 'timestamp.json'))).toEqual(repository.file('timestamp.json'))
    expect(readFileSync(path.join(folder, 'snapshot.json'))).toEqual(repository.file('3.snapshot.json'))
    expect(readFileSync(path.join(folder, 'root.json'))).toEqual(repository.file('3.root.json'))
  })

  it('are not stopped by one that died while it held the lock', async () => {
    const { folder, fetch } = await arrange()
    mkdirSync(folder, { recursive: true })
    const { hostname } = await import('node:os')
    writeFileSync(path.join(folder, '.lock'), `${hostname()} 2147483646 0123\n`)
    expect((await fetch()).warnings).toEqual([])
    expect(existsSync(path.join(folder, '.lock'))).toBe(false)
  })
})

describe('SIGSTORE_NO_CACHE', () => {
  async function arrangeInHome() {
    const { repository, options, cacheDirectory, folder } = await arrange()
    const { cacheDirectory: _, ...rest } = options
    const open = (SIGSTORE_NO_CACHE: string) => openRepository({ ...rest, env: { TUF_ROOT: cacheDirectory, SIGSTORE_NO_CACHE } })
    return { repository, cacheDirectory, folder, open }
  }

  it.each(['true', '1', 'T'])('of %s keeps nothing', async (value) => {
    const { cacheDirectory, open } = await arrangeInHome()
    const opened = await open(value)
    await opened.target('trusted_root.json')
    expect(opened.warnings).toEqual([])
    expect(readdirSync(cacheDirectory)).toEqual([])
  })

  it.each(['false', '0', ''])('of "%s" changes nothing', async (value) => {
    const { folder, open } = await arrangeInHome()
    await (await open(value)).target('trusted_root.json')
    expect(existsSync(path.join(folder, 'targets', 'trusted_root.json'))).toBe(true)
  })

  it('of something else changes nothing, with a warning', async () => {
    const { folder, open } = await arrangeInHome()
    expect((await open('yes')).warnings).toEqual(['SIGSTORE_NO_CACHE should be true or false, found "yes": trust material is kept on disk'])
    expect(existsSync(path.join(folder, 'timestamp.json'))).toBe(true)
  })

  it('leaves what is there, which still holds off a mirror that goes back in time', async () => {
    const { repository, folder, open } = await arrangeInHome()
    const old = new Map(repository.files)
    repository.publish()
    await open('false')
    const kept = readFileSync(path.join(folder, 'timestamp.json'))
    for (const [name, bytes] of old) repository.files.set(name, bytes)
    await expect(open('true')).rejects.toMatchObject({ code: 'TUF_UNVERIFIED' })
    expect(readFileSync(path.join(folder, 'timestamp.json'))).toEqual(kept)
  })
})
