import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Updater } from 'tuf-js'
import { describe, expect, it } from 'vitest'
import { openRepository } from '../../../src/tuf/repository.ts'
import type { RepositoryOptions } from '../../../src/tuf/repository.ts'
import { fetchTarget, fetchTrustedRoot, targetName } from '../../../src/tuf/trusted-root.ts'
import { cacheName } from '../../../src/tuf/cache.ts'
import { createKey, day, goOffline, now, serve, serveFromFolder, temporaryFolder, TestRepository } from './test-repository.ts'
import type { RunningMirror } from './test-repository.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** A repository on a server, and a client with an empty cache that starts from its first root. */
async function arrange(repository = new TestRepository()) {
  const mirror = await serve(repository)
  const cacheDirectory = temporaryFolder()
  const options = { mirror: mirror.address, cacheDirectory, initialRoot: repository.firstRoot, env: {}, now } satisfies RepositoryOptions
  const folder = path.join(cacheDirectory, cacheName(mirror.address))
  return { repository, mirror, options, folder, fetch: () => fetchTrustedRoot(options) }
}

const refusal = (message: string | RegExp) => ({
  name: 'VerificationError',
  code: 'TUF_UNVERIFIED',
  message: typeof message === 'string' ? message : expect.stringMatching(message),
})

describe('a first refresh', () => {
  it('fetches a target and keeps everything in the layout of cosign', async () => {
    const { repository, mirror, folder, fetch } = await arrange()
    expect(await fetch()).toEqual({ bytes: repository.file('targets/trusted_root.json'), mirror: mirror.address, warnings: [] })
    expect(readdirSync(folder).sort()).toEqual(['root.json', 'root_history', 'snapshot.json', 'targets', 'targets.json', 'timestamp.json'])
    expect(readFileSync(path.join(folder, 'root.json'))).toEqual(repository.firstRoot)
    expect(readFileSync(path.join(folder, 'timestamp.json'))).toEqual(repository.file('timestamp.json'))
    expect(readFileSync(path.join(folder, 'targets', 'trusted_root.json'), 'utf8')).toBe('{"first":true}')
    expect(JSON.parse(readFileSync(`${folder}.json`, 'utf8'))).toEqual({ lastTimestamp: '2026-08-22T00:00:00.000Z' })
    expect(mirror.requests.map((name) => name.replace(/[0-9a-f]{64}/, '<digest>'))).toEqual([
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
      'targets/<digest>.trusted_root.json',
    ])
  })

  it('leaves a cache that tuf-js itself can use without a network', async () => {
    const repository = new TestRepository(Date.now())
    const { options, folder } = await arrange(repository)
    await fetchTrustedRoot({ ...options, now: Date.now() })
    const fetcher = { downloadBytes: () => Promise.reject(new Error('offline')), downloadFile: () => Promise.reject(new Error('offline')) }
    const updater = new Updater({
      metadataDir: folder,
      metadataBaseUrl: 'http://127.0.0.1:1',
      targetDir: path.join(folder, 'targets'),
      fetcher,
      forceCache: true,
    })
    const description = await updater.getTargetInfo('trusted_root.json')
    expect(description?.length).toBe(14)
    expect(description && (await updater.findCachedTarget(description))).toBe(path.join(folder, 'targets', 'trusted_root.json'))
  })

  it('works with a repository that has no consistent snapshots', async () => {
    const repository = new TestRepository()
    repository.publishRoot({ consistentSnapshot: false })
    for (const role of ['snapshot', 'targets']) repository.files.set(`${role}.json`, repository.file(`1.${role}.json`))
    const { mirror, fetch } = await arrange(repository)
    expect(text((await fetch()).bytes)).toBe('{"first":true}')
    expect(mirror.requests).toEqual([
      '2.root.json',
      '3.root.json',
      'timestamp.json',
      'snapshot.json',
      'targets.json',
      'targets/trusted_root.json',
    ])
  })

  it('works with a repository in a folder', async () => {
    const repository = new TestRepository()
    const options = {
      mirror: serveFromFolder(repository),
      initialRoot: repository.firstRoot,
      cacheDirectory: temporaryFolder(),
      env: {},
      now,
    }
    expect(text((await fetchTrustedRoot(options)).bytes)).toBe('{"first":true}')
    await expect(fetchTarget('absent', options)).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
  })
})

describe('a later refresh', () => {
  it('asks for the next root and the timestamp, and for what changed', async () => {
    const { repository, mirror, fetch } = await arrange()
    await fetch()
    mirror.requests.length = 0
    await fetch()
    expect(mirror.requests).toEqual(['2.root.json', 'timestamp.json'])
    repository.setTarget('trusted_root.json', '{"second":true}')
    repository.publish()
    expect(text((await fetch()).bytes)).toBe('{"second":true}')
    expect(text((await fetch()).bytes)).toBe('{"second":true}')
  })

  it('takes a timestamp that was signed again in the same version', async () => {
    const { repository, fetch } = await arrange()
    await fetch()
    repository.publish({ timestamp: { version: 1 }, snapshot: { version: 1 }, targets: { version: 1 } })
    expect(await fetch()).toMatchObject({ warnings: [] })
  })

  it('refuses a timestamp of the same version that is not signed', async () => {
    const { repository, fetch } = await arrange()
    await fetch()
    repository.publish({ timestamp: { version: 1, signers: [createKey()] }, snapshot: { version: 1 }, targets: { version: 1 } })
    await expect(fetch()).rejects.toMatchObject(refusal(/timestamp\.json of http:.* is not trusted: timestamp was signed by 0\/1 keys/))
  })

  it('takes a cache that another client wrote, with nothing but the four files', async () => {
    const { repository, mirror, folder, fetch } = await arrange()
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'root.json'), repository.firstRoot)
    for (const role of ['snapshot', 'targets']) writeFileSync(path.join(folder, `${role}.json`), repository.file(`1.${role}.json`))
    writeFileSync(path.join(folder, 'timestamp.json'), repository.file('timestamp.json'))
    await fetch()
    expect(mirror.requests.slice(0, 2)).toEqual(['2.root.json', 'timestamp.json'])
    expect(mirror.requests).toHaveLength(3)
  })
})

describe('root rotation', () => {
  it('follows the chain, keeps every link, and needs no network for it again', async () => {
    const { repository, mirror, folder, fetch } = await arrange()
    await fetch()
    repository.publishRoot({ keys: [createKey(), createKey()] })
    repository.publishRoot({ keys: [createKey(), createKey()], online: createKey() })
    repository.publish()
    await fetch()
    expect(readdirSync(path.join(folder, 'root_history')).sort()).toEqual(['2.root.json', '3.root.json'])
    expect(readFileSync(path.join(folder, 'root.json'))).toEqual(repository.file('3.root.json'))
    mirror.requests.length = 0
    await fetch()
    expect(mirror.requests).toEqual(['4.root.json', 'timestamp.json'])
    goOffline(mirror)
    expect((await fetch()).warnings).toHaveLength(1)
  })

  it('starts from a root that has expired, if the newest has not', async () => {
    const repository = new TestRepository()
    repository.publishRoot({ version: 2, expires: now - day })
    repository.publishRoot()
    const { fetch } = await arrange(repository)
    expect(text((await fetch()).bytes)).toBe('{"first":true}')
  })

  it('refuses when the newest root has expired', async () => {
    const repository = new TestRepository()
    repository.publishRoot({ expires: now })
    const { mirror, fetch } = await arrange(repository)
    await expect(fetch()).rejects.toMatchObject(
      refusal(
        `root.json of ${mirror.address} expired at 2026-08-22T00:00:00.000Z; its operator must renew it, or this machine's clock is wrong`,
      ),
    )
  })

  it.each([
    [
      'only by its own keys',
      (old: TestRepository) => ({ keys: [createKey(), createKey()], signersOf: (keys: typeof old.rootKeys) => keys }),
      /2\.root\.json of .* is not trusted: root was signed by 0\/2 keys/,
    ],
    [
      'only by the keys before',
      (old: TestRepository) => ({ keys: [createKey(), createKey()], signersOf: () => old.rootKeys }),
      /root was signed by 0\/2 keys/,
    ],
    [
      'by too few of the keys before',
      (old: TestRepository) => ({ keys: old.rootKeys, signersOf: () => old.rootKeys.slice(1) }),
      /root was signed by 1\/2 keys/,
    ],
  ])('refuses a root that is signed %s', async (_, choose, message) => {
    const repository = new TestRepository()
    const { keys, signersOf } = choose(repository)
    repository.publishRoot({ keys, signers: signersOf(keys) })
    const { fetch, folder } = await arrange(repository)
    await expect(fetch()).rejects.toMatchObject(refusal(message))
    expect(existsSync(path.join(folder, 'timestamp.json'))).toBe(false)
  })

  it.each([1, 3])('refuses version %i as the successor of version 1', async (version) => {
    const repository = new TestRepository()
    repository.publishRoot({ version })
    const { fetch } = await arrange(repository)
    await expect(fetch()).rejects.toMatchObject(
      refusal(new RegExp(`2\\.root\\.json of .* is not trusted: expected version 2, got ${version}`)),
    )
  })

  it('keeps a verified root although what follows is refused, so that a revoked key stays revoked', async () => {
    const { repository, mirror, fetch } = await arrange()
    await fetch()
    const [oldTimestamp, stolen] = [repository.file('timestamp.json'), repository.online]
    repository.publishRoot({ online: createKey() })
    repository.publish({ timestamp: { expires: now - 1 } })
    await expect(fetch()).rejects.toMatchObject(refusal(/timestamp\.json of .* expired/))
    // An attacker with the revoked key hides the new root and serves a timestamp that the old root would have accepted.
    repository.files.delete('2.root.json')
    repository.publish({ timestamp: { signers: [stolen] }, snapshot: { signers: [stolen] }, targets: { signers: [stolen] } })
    await expect(fetch()).rejects.toMatchObject(refusal(/timestamp was signed by 0\/1 keys/))
    repository.files.set('timestamp.json', oldTimestamp)
    await expect(fetch()).rejects.toMatchObject(refusal(/timestamp was signed by 0\/1 keys/))
    expect(mirror.requests).not.toContain('targets/other.json')
  })
})

describe('metadata that must not be trusted', () => {
  it.each(['timestamp', 'snapshot', 'targets'] as const)('refuses expired %s', async (role) => {
    const repository = new TestRepository()
    repository.publish({ [role]: { expires: now - 1_000 } })
    const { mirror, fetch } = await arrange(repository)
    await expect(fetch()).rejects.toMatchObject(
      refusal(
        `${role}.json of ${mirror.address} expired at 2026-08-21T23:59:59.000Z; its operator must renew it, or this machine's clock is wrong`,
      ),
    )
  })

  it.each(['timestamp', 'snapshot', 'targets'] as const)('refuses %s that another key signed', async (role) => {
    const repository = new TestRepository()
    repository.publish({ [role]: { signers: [createKey()] } })
    const { fetch } = await arrange(repository)
    await expect(fetch()).rejects.toMatchObject(refusal(new RegExp(`${role}\\.json of .* is not trusted: ${role} was signed by 0/1 keys`)))
  })

  it.each(['timestamp', 'snapshot', 'targets'] as const)('refuses %s without a signature', async (role) => {
    const repository = new TestRepository()
    repository.publish({ [role]: { signers: [] } })
    const { fetch } = await arrange(repository)
    await expect(fetch()).rejects.toMatchObject(refusal(/was signed by 0\/1 keys/))
  })

  it('refuses a timestamp older than the cached one', async () => {
    const { repository, fetch } = await arrange()
    const old = repository.file('timestamp.json')
    repository.publish()
    await fetch()
    repository.files.set('timestamp.json', old)
    await expect(fetch()).rejects.toMatchObject(
      refusal(/timestamp\.json of .* is not trusted: new timestamp version 1 is less than current version 2/),
    )
  })

  it('refuses a timestamp older than a cached one that has expired', async () => {
    const { repository, options, fetch } = await arrange()
    repository.publish({ timestamp: { version: 5 } })
    await fetch()
    repository.publish({ timestamp: { version: 4, expires: now + 30 * day } })
    await expect(fetchTrustedRoot({ ...options, now: now + 8 * day })).rejects.toMatchObject(
      refusal(/new timestamp version 4 is less than current version 5/),
    )
  })

  it('refuses a newer timestamp that announces an older snapshot', async () => {
    const { repository, fetch } = await arrange()
    repository.publish()
    await fetch()
    repository.publish({ snapshot: { version: 1 } })
    await expect(fetch()).rejects.toMatchObject(refusal(/new snapshot version 1 is less than current version 2/))
  })

  it('refuses a newer snapshot that announces older targets', async () => {
    const { repository, fetch } = await arrange()
    repository.publish()
    await fetch()
    repository.publish({ targets: { version: 1 } })
    await expect(fetch()).rejects.toMatchObject(refusal(/new version 1 of targets\.json is less than current version 2/))
  })

  it('refuses a snapshot other than the announced one', async () => {
    const { repository, fetch } = await arrange()
    const other = text(repository.file('1.snapshot.json')).replace('"version":1', '"version":2')
    repository.files.set('1.snapshot.json', Buffer.from(other))
    await expect(fetch()).rejects.toMatchObject(
      refusal(/snapshot\.json of .* is not trusted: expected hash [0-9a-f]{64} but got [0-9a-f]{64}/),
    )
  })

  it.each([
    ['no JSON', '<html>Please log in</html>', /timestamp\.json of .* is not valid JSON/],
    ['two values for a key', '{"signed":{},"signed":{}}', /stands twice in one object/],
    ['no signed part', '{}', /is not TUF metadata: it has no signed part/],
    ['another type', '{"signed":{"_type":"root"}}', /its type should be timestamp, found "root"/],
    ['no version', '{"signed":{"_type":"timestamp"}}', /its version should be a positive integer, found undefined/],
    ['a fraction as its version', '{"signed":{"_type":"timestamp","version":1.5}}', /its version should be a positive integer, found 1\.5/],
    [
      'an expiry that is no time',
      '{"signed":{"_type":"timestamp","version":2,"expires":"never"}}',
      /its expiry should be a time, found "never"/,
    ],
  ])('refuses a timestamp with %s, even if the cache is valid', async (_, contents, message) => {
    const { repository, fetch } = await arrange()
    await fetch()
    repository.files.set('timestamp.json', Buffer.from(contents))
    await expect(fetch()).rejects.toMatchObject(refusal(message))
  })

  it.each(['timestamp.json', '1.snapshot.json', '1.targets.json'])('says that the mirror has no %s', async (name) => {
    const { repository, mirror, fetch } = await arrange()
    repository.files.delete(name)
    await expect(fetch()).rejects.toMatchObject(refusal(new RegExp(`^${mirror.address} has no ${name.replaceAll('.', '\\.')}, `)))
  })

  it('refuses an initial root that its own keys did not sign, or that is none', async () => {
    const { repository, options } = await arrange()
    const forged = Buffer.from(text(repository.firstRoot).replace('"version":1', '"version":2'))
    await expect(openRepository({ ...options, initialRoot: forged })).rejects.toMatchObject(
      refusal(/the TUF root of .* is not trusted: root was signed by 0\/2 keys/),
    )
    await expect(openRepository({ ...options, initialRoot: Buffer.from('x') })).rejects.toMatchObject(
      refusal(/the TUF root of .* is not valid JSON/),
    )
  })

  it('reads at most as much of each file as its role may have', async () => {
    const { mirror, options } = await arrange()
    const endless = (response: Parameters<Parameters<RunningMirror['misbehaviours']['set']>[1]>[0]) => {
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', write)
      }
      write()
    }
    for (const [name, limit] of [
      ['2.root.json', 512_000],
      ['timestamp.json', 16_384],
    ] as const) {
      mirror.misbehaviours.clear()
      mirror.misbehaviours.set(name, endless)
      await expect(fetchTrustedRoot(options)).rejects.toMatchObject({
        code: 'TOO_LARGE',
        message: expect.stringContaining(`more than the limit of ${limit}`),
      })
    }
  })
})

describe('targets', () => {
  const digestPath = (repository: TestRepository) =>
    [...repository.files.keys()].find((name) => /^targets\/[0-9a-f]{64}\.trusted_root/.test(name)) ?? ''

  it('refuses one with other contents of the same length, and keeps it out of the cache', async () => {
    const { repository, folder, fetch } = await arrange()
    repository.files.set(digestPath(repository), Buffer.from('{"first":TRUE}'))
    await expect(fetch()).rejects.toMatchObject(
      refusal(/the target "trusted_root\.json" of .* is not trusted: its sha256 digest should be "[0-9a-f]{64}", found [0-9a-f]{64}/),
    )
    expect(existsSync(path.join(folder, 'targets', 'trusted_root.json'))).toBe(false)
  })

  it('refuses one that is shorter, and one that is longer', async () => {
    const { repository, fetch } = await arrange()
    repository.files.set(digestPath(repository), Buffer.from('{}'))
    await expect(fetch()).rejects.toMatchObject(refusal(/it should be 14 bytes long, found 2/))
    repository.files.set(digestPath(repository), Buffer.from('{"first":true} '))
    await expect(fetch()).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('answered with 15 bytes, more than the limit of 14'),
    })
  })

  it('refuses one without a digest that is worth anything', async () => {
    const { repository, fetch } = await arrange()
    repository.setTarget('trusted_root.json', 'x', { hashes: { md5: '9dd4e461268c8034f5c8564e155c67a6' } })
    repository.files.set('targets/9dd4e461268c8034f5c8564e155c67a6.trusted_root.json', Buffer.from('x'))
    repository.publish()
    await expect(fetch()).rejects.toMatchObject(refusal(/is not trusted: it has no SHA-2 digest/))
  })

  it('refuses one that claims to be enormous', async () => {
    const { repository, fetch } = await arrange()
    repository.setTarget('trusted_root.json', 'x', { length: 1e12 })
    repository.publish()
    await expect(fetch()).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it('says that a target is not described, or described and not there', async () => {
    const { repository, mirror, options, fetch } = await arrange()
    await expect(fetchTarget(targetName.signingConfig, options)).rejects.toMatchObject({
      name: 'TransportError',
      code: 'TRUST_ROOT_UNAVAILABLE',
      message: `the TUF repository ${mirror.address} has no target "signing_config.v0.2.json"`,
    })
    await expect(fetchTarget('__proto__', options)).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
    repository.files.delete(digestPath(repository))
    await expect(fetch()).rejects.toMatchObject(
      refusal(/has no targets\/[0-9a-f]{64}\.trusted_root\.json, although its metadata describes it/),
    )
  })

  it('does not use a cached target that the metadata no longer describes', async () => {
    const { repository, folder, fetch } = await arrange()
    await fetch()
    writeFileSync(path.join(folder, 'targets', 'trusted_root.json'), '{"evil":true }')
    expect(text((await fetch()).bytes)).toBe('{"first":true}')
    repository.removeTarget('trusted_root.json')
    repository.publish()
    await expect(fetch()).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
  })

  it('finds delegated targets in the most trusted role that has them', async () => {
    const { repository, folder, options } = await arrange()
    repository.delegate('first', ['keys/*'], { 'keys/a.json': 'from first' })
    repository.delegate('second', ['keys/*', 'other/*'], {
      'keys/a.json': 'from second',
      'keys/b.json': 'b',
      'other/c.json': 'c',
      'elsewhere/d.json': 'd',
    })
    repository.publish()
    expect(text((await fetchTarget('keys/a.json', options)).bytes)).toBe('from first')
    expect(text((await fetchTarget('keys/b.json', options)).bytes)).toBe('b')
    expect(existsSync(path.join(folder, 'targets', 'keys%2Fb.json'))).toBe(true)
    expect(existsSync(path.join(folder, 'second.json'))).toBe(true)
    // Delegated only under these paths.
    await expect(fetchTarget('elsewhere/d.json', options)).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
  })

  it('ends the search at a terminating delegation, and refuses a delegated role with a wrong signature', async () => {
    const { repository, options } = await arrange()
    repository.delegate('first', ['keys/*'], {}, { terminating: true })
    repository.delegate('second', ['keys/*', 'other/*'], { 'keys/a.json': 'a' }, { signers: [createKey()] })
    repository.publish()
    await expect(fetchTarget('keys/a.json', options)).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
    await expect(fetchTarget('other/a.json', options)).rejects.toMatchObject(
      refusal(/second\.json of .* is not trusted: second was signed by 0\/1 keys/),
    )
  })
})

describe('a mirror that needs a password', () => {
  it('gets it, and nobody else', async () => {
    const { repository, mirror, options } = await arrange()
    const address = mirror.address.replace('//', '//user:s3cret@')
    const opened = await openRepository({ ...options, mirror: address })
    expect(opened.mirror).toBe(`${mirror.address}/`)
    goOffline(mirror)
    expect((await openRepository({ ...options, mirror: address })).warnings).toEqual([expect.not.stringContaining('s3cret')])
    repository.files.clear()
    mirror.misbehaviours.clear()
    await expect(openRepository({ ...options, mirror: address })).rejects.not.toThrow('s3cret')
    const failure = openRepository({ mirror: address, env: {}, now })
    await expect(failure).rejects.toThrow(/^could not find cached root\.json for the mirror http:\/\/127/)
    await expect(failure).rejects.not.toThrow('s3cret')
  })
})

describe('delegations', () => {
  it('to a role with the name of a top-level role are refused, also where file names ignore case', async () => {
    const { repository, options } = await arrange()
    repository.delegate('Timestamp', ['keys/*'], { 'keys/a.json': 'a' })
    repository.publish()
    await expect(fetchTarget('keys/a.json', options)).rejects.toMatchObject(
      refusal(/targets\.json of .* delegates to "Timestamp", the name of a top-level role/),
    )
  })
})

describe('without a network', () => {
  it('uses what is cached as long as it is valid, and says so', async () => {
    const { mirror, options, fetch } = await arrange()
    await fetch()
    goOffline(mirror)
    const { bytes, warnings } = await fetch()
    expect(text(bytes)).toBe('{"first":true}')
    expect(warnings).toEqual([
      `the TUF repository ${mirror.address} is out of reach, so its cached metadata is used, which is still valid: ${mirror.address.slice(7)} answered 503 to GET "/2.root.json"`,
    ])
    await expect(fetchTarget('other.json', options)).rejects.toMatchObject({
      code: 'TRUST_ROOT_UNAVAILABLE',
      message: expect.stringMatching(/^the target "other\.json" is not in the cache, and http:.* is out of reach: /),
    })
  })

  it('does so when the server hangs or the connection fails', async () => {
    const { mirror, options, fetch } = await arrange()
    await fetch()
    mirror.misbehaviours.set('timestamp.json', () => {})
    expect((await fetchTrustedRoot({ ...options, timeoutMs: 100 })).warnings[0]).toMatch(/was not complete within 0\.1 s/)
    mirror.misbehaviours.set('*', (response) => response.destroy())
    expect((await fetch()).warnings[0]).toMatch(/could not reach .* after 3 attempts: the connection was closed/)
  })

  it('uses the older set when the newer one cannot be had completely', async () => {
    const { repository, mirror, fetch } = await arrange()
    await fetch()
    repository.setTarget('trusted_root.json', '{"second":true}')
    repository.publish()
    mirror.misbehaviours.set('2.targets.json', (response) => response.writeHead(503, { 'retry-after': '3600' }).end())
    expect(await fetch()).toMatchObject({ bytes: Buffer.from('{"first":true}'), warnings: [expect.stringContaining('is out of reach')] })
    mirror.misbehaviours.clear()
    expect(await fetch()).toMatchObject({ bytes: Buffer.from('{"second":true}'), warnings: [] })
  })

  it.each(['timestamp.json', 'root.json'])('fails once %s has expired', async (name) => {
    const { mirror, options, fetch } = await arrange()
    await fetch()
    goOffline(mirror)
    const later = now + (name === 'root.json' ? 101 : 8) * day
    await expect(fetchTrustedRoot({ ...options, now: later })).rejects.toMatchObject({
      name: 'TransportError',
      code: 'TRUST_ROOT_UNAVAILABLE',
      message: expect.stringMatching(
        new RegExp(
          `is out of reach \\(.* answered 503 .*\\), and there is no valid copy of its metadata: ${name.replace('.', '\\.')} of .* expired`,
        ),
      ),
    })
  })

  it('fails when nothing is cached, or not everything', async () => {
    const { mirror, folder, options, fetch } = await arrange()
    goOffline(mirror)
    await expect(fetch()).rejects.toMatchObject({
      code: 'TRUST_ROOT_UNAVAILABLE',
      message: expect.stringMatching(/and there is no valid copy of its metadata: the cache holds no complete metadata of http/),
    })
    mirror.misbehaviours.clear()
    await fetch()
    goOffline(mirror)
    writeFileSync(path.join(folder, 'targets.json'), '{}')
    await expect(fetchTrustedRoot(options)).rejects.toMatchObject({ code: 'TRUST_ROOT_UNAVAILABLE' })
  })

  it('does not take a plain refusal for an absent network', async () => {
    const { mirror, fetch } = await arrange()
    await fetch()
    mirror.misbehaviours.set('timestamp.json', (response) => response.writeHead(401).end())
    await expect(fetch()).rejects.toMatchObject({ name: 'HttpStatusError', status: 401 })
  })

  it('stops when the caller aborts, and does not fall back', async () => {
    const { mirror, options, fetch } = await arrange()
    await fetch()
    mirror.misbehaviours.set('timestamp.json', () => {})
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 30)
    await expect(fetchTrustedRoot({ ...options, signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
