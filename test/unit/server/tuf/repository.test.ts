import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateSigner } from '../../../../src/crypto/private-key.ts'
import { createVersionFile } from '../../../../src/server/tuf/version-record.ts'
import { MemoryDocuments } from './memory-documents.ts'
import {
  day,
  epoch,
  fetchWithOurClient,
  get,
  getSigned,
  mirrorTo,
  newRepository,
  newSigner,
  newSigners,
  rolesOf,
  someTargets,
  startedRepository,
  target,
  temporaryFolder,
} from './served-repository.ts'

const iso = (instant: number): string => new Date(instant).toISOString().replace('.000Z', 'Z')

describe('the layout', () => {
  it('has a root, a timestamp, and snapshot and targets with their version in front', async () => {
    const { repository } = await startedRepository()
    expect(await getSigned(repository, '1.root.json')).toMatchObject({
      _type: 'root',
      spec_version: '1.0',
      version: 1,
      consistent_snapshot: true,
    })
    expect(await getSigned(repository, 'timestamp.json')).toMatchObject({ version: 1, expires: iso(epoch + 7 * day) })
    expect(await getSigned(repository, '1.snapshot.json')).toMatchObject({ version: 1, meta: { 'targets.json': { version: 1 } } })
    expect(await getSigned(repository, '1.targets.json')).toMatchObject({ version: 1 })
    for (const absent of [
      '2.root.json',
      'root.json',
      'snapshot.json',
      'targets.json',
      '0.root.json',
      '01.root.json',
      'pending-root',
      'targets/trusted_root.json',
    ])
      expect(await get(repository, absent), absent).toBeUndefined()
  })

  it('keeps targets under their digest, with a custom block for those alone that have a usage', async () => {
    const { repository } = await startedRepository()
    const { targets } = (await getSigned(repository, '1.targets.json')) as unknown as {
      targets: Record<string, { hashes: { sha256: string }; custom?: unknown }>
    }
    expect(Object.keys(targets)).toEqual(['trusted_root.json', 'signing_config.v0.2.json', 'rekor.pub'])
    expect(targets['trusted_root.json']).not.toHaveProperty('custom')
    expect(targets['rekor.pub']?.custom).toEqual({ sigstore: { usage: 'Rekor', status: 'Active', uri: 'https://sigstore.example.com' } })
    const bytes = await get(repository, `targets/${targets['trusted_root.json']?.hashes.sha256}.trusted_root.json`)
    expect(Buffer.from(bytes ?? []).toString()).toBe('{"first":true}')
  })

  it('may be cached for ever but for the timestamp, and a root that is not there yet may not', async () => {
    const { repository } = await startedRepository()
    const cacheControl = async (name: string) => (await repository.routes.request(`/tuf/${name}`)).headers.get('cache-control')
    expect(await cacheControl('1.root.json')).toContain('immutable')
    expect(await cacheControl('timestamp.json')).toBe('no-cache')
    expect(await cacheControl('2.root.json')).toBe('no-cache')
    const { headers } = await repository.routes.request('/tuf/timestamp.json')
    expect(headers.get('content-type')).toBe('application/json')
    const again = await repository.routes.request('/tuf/timestamp.json', { headers: { 'if-none-match': headers.get('etag') ?? '' } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  it('is under the prefix that was asked for', async () => {
    const { repository } = await startedRepository({ prefix: '/trust/tuf' })
    expect((await repository.routes.request('/trust/tuf/1.root.json')).status).toBe(200)
    expect((await repository.routes.request('/tuf/1.root.json')).status).toBe(404)
  })

  for (const name of [
    '../etc/passwd',
    '%2e%2e%2fx',
    'targets/..%2f..%2f1.root.json',
    '__proto__',
    'constructor',
    'targets/__proto__',
    '1.root.json/',
    '-1.root.json',
  ])
    it(`answers 404 for ${name}`, async () => {
      const { repository } = await startedRepository()
      expect((await repository.routes.request(`http://x/tuf/${name}`)).status).toBe(404)
    })
})

describe('publishing', () => {
  it('changes nothing when the targets are the same', async () => {
    const { repository } = await startedRepository()
    const before = await get(repository, 'timestamp.json')
    expect((await repository.publish(someTargets)).versions).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 })
    expect(await get(repository, 'timestamp.json')).toEqual(before)
  })

  it('replaces targets in a new edition, and a client with the old one in its cache gets the new one', async () => {
    const served = await startedRepository()
    const { repository, clock } = served
    const root = (await get(repository, '1.root.json')) ?? new Uint8Array()
    const [folder, cache] = [temporaryFolder(), temporaryFolder()]
    const mirror = await mirrorTo(folder, repository)
    expect(await fetchWithOurClient(mirror, root, cache, clock.now)).toBe('{"first":true}')
    const { versions } = await repository.publish([target('trusted_root.json', '{"second":true}')])
    expect(versions).toEqual({ root: 1, timestamp: 2, snapshot: 2, targets: 2 })
    await mirrorTo(folder, repository)
    expect(await fetchWithOurClient(mirror, root, cache, clock.now)).toBe('{"second":true}')
    expect(await get(repository, '1.targets.json'), 'old metadata stays for clients that are half way').toBeDefined()
  })

  for (const [targets, message] of [
    [[target('a/b', '')], 'should be a file name, found a/b'],
    [[target('..', '')], 'should be a file name, found ..'],
    [[target('a', ''), target('a', '1')], 'two targets are called a'],
    [[target('a', 'x'.repeat(1024 * 1024 + 1))], 'more than 1048576 bytes'],
  ] as const)
    it(`refuses targets where ${message}`, async () => {
      const { repository } = await startedRepository()
      await expect(repository.publish(targets)).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: expect.stringContaining(message),
      })
      expect((await repository.status()).versions?.targets).toBe(1)
    })

  it('by two front ends at the same time gives two editions, one after the other', async () => {
    const documents = new MemoryDocuments()
    const signers = newSigners()
    const clock = { now: epoch }
    const a = await startedRepository({ documents, signers }, clock)
    const b = await startedRepository({ documents, signers }, clock)
    let isFirst = true
    documents.beforePut = async (collection, id) => {
      if (collection !== 'tuf' || id !== 'repository' || !isFirst) return
      isFirst = false
      await b.repository.publish([target('trusted_root.json', '{"by":"b"}')])
    }
    const outcome = await a.repository.publish([target('trusted_root.json', '{"by":"a"}')])
    expect(isFirst).toBe(false)
    expect(outcome.versions).toEqual({ root: 1, timestamp: 3, snapshot: 3, targets: 3 })
    const mirror = await mirrorTo(temporaryFolder(), b.repository)
    expect(
      await fetchWithOurClient(mirror, (await get(a.repository, '1.root.json')) ?? new Uint8Array(), temporaryFolder(), clock.now),
    ).toBe('{"by":"a"}')
  })

  it('renews once when two front ends find the timestamp due at the same time', async () => {
    const documents = new MemoryDocuments()
    const signers = newSigners()
    const clock = { now: epoch }
    const a = await startedRepository({ documents, signers }, clock)
    const b = await startedRepository({ documents, signers }, clock)
    clock.now += day
    await Promise.all([a.repository.refresh(), b.repository.refresh(), a.repository.refresh(), b.repository.refresh()])
    expect((await getSigned(a.repository, 'timestamp.json')).version).toBe(2)
  })
})

describe('renewal', () => {
  it("keeps all metadata valid for two years without human action, and a client with yesterday's cache follows every day", async () => {
    const served = await startedRepository()
    const { repository, clock } = served
    const root = (await get(repository, '1.root.json')) ?? new Uint8Array()
    const [folder, cache] = [temporaryFolder(), temporaryFolder()]
    let last = 0
    for (let passed = 0; passed <= 730; passed += passed < 95 ? 1 : 10) {
      clock.now = epoch + passed * day
      const mirror = await mirrorTo(folder, repository)
      expect(await fetchWithOurClient(mirror, root, cache, clock.now)).toBe('{"first":true}')
      expect((await repository.status()).problems).toEqual([])
      const { version } = await getSigned(repository, 'timestamp.json')
      expect(version).toBeGreaterThanOrEqual(last)
      last = version
    }
    expect((await repository.status()).versions).toMatchObject({ root: 4, targets: 4 })
  })

  it('happens when a client asks after a long sleep, before any timer rings', async () => {
    const { repository, clock, failures } = await startedRepository()
    clock.now += 40 * day
    const { expires, version } = await getSigned(repository, 'timestamp.json')
    expect([expires, version]).toEqual([iso(clock.now + 7 * day), 2])
    expect((await repository.status()).problems).toEqual([])
    expect(failures).toEqual([])
  })

  it('does not sign anew what is not due', async () => {
    const { repository, clock } = await startedRepository()
    clock.now += day - 1
    await repository.refresh()
    expect((await getSigned(repository, 'timestamp.json')).version).toBe(1)
    clock.now += 1
    await repository.refresh()
    expect((await repository.status()).versions).toEqual({ root: 1, timestamp: 2, snapshot: 1, targets: 1 })
  })

  it('does not fill the database: timestamps of before are removed', async () => {
    const { repository, documents, clock } = await startedRepository()
    clock.now += day
    await repository.refresh()
    const { size } = documents
    for (let passed = 0; passed < 10; passed++) {
      clock.now += day
      await repository.refresh()
    }
    expect(documents.size).toBe(size)
  })
})

describe('a clock that went back', () => {
  it('signs nothing, says so, and leaves what is published as it was', async () => {
    const { repository, clock } = await startedRepository()
    const before = await get(repository, 'timestamp.json')
    clock.now -= 6 * 60_000
    await expect(repository.publish([target('trusted_root.json', '{}')])).rejects.toMatchObject({
      code: 'CLOCK_SUSPECT',
      message: expect.stringMatching(
        /the clock says 2026-11-21T11:54:00\.000Z, and it was 2026-11-21T12:00:00\.000Z when it was last signed; set the clock/,
      ),
    })
    expect(await get(repository, 'timestamp.json')).toEqual(before)
  })

  it('by some minutes changes nothing, as clocks of front ends differ; versions go up all the same', async () => {
    const { repository, clock } = await startedRepository()
    clock.now -= 4 * 60_000
    expect((await repository.publish([target('trusted_root.json', '{}')])).versions).toEqual({
      root: 1,
      timestamp: 2,
      snapshot: 2,
      targets: 2,
    })
  })

  it('because it was wrong before is accepted when an operator says so', async () => {
    const { repository, clock } = await startedRepository()
    clock.now += 2000 * day
    await repository.refresh()
    clock.now = epoch + day
    await expect(repository.publish([target('trusted_root.json', '{}')])).rejects.toMatchObject({ code: 'CLOCK_SUSPECT' })
    const { versions } = await repository.resume('clock')
    expect(versions).toMatchObject({ timestamp: 3, snapshot: 3 })
    expect(await getSigned(repository, 'timestamp.json')).toMatchObject({ expires: iso(clock.now + 7 * day) })
    await repository.publish([target('trusted_root.json', '{}')])
  })
})

describe('a database that went back', () => {
  async function restored() {
    const record = createVersionFile(path.join(temporaryFolder(), 'tuf-versions.json'))
    const served = await startedRepository({ record })
    const backup = served.documents.copy()
    await served.repository.publish([target('trusted_root.json', '{"newer":true}')])
    return { served, backup, record, clock: served.clock }
  }

  it('is refused with a sentence, and nothing is signed', async () => {
    const { served, backup, record, clock } = await restored()
    const { repository } = newRepository({ documents: backup, signers: served.signers, record }, clock)
    const refusal = {
      code: 'TUF_ROLLED_BACK',
      message: expect.stringMatching(
        /database has version 1 of targets\.json, and version 2 was published before \(.*tuf-versions\.json\); restore a newer backup, or go on/,
      ),
    }
    await expect(repository.start()).rejects.toMatchObject(refusal)
    await expect(repository.publish(someTargets)).rejects.toMatchObject(refusal)
    await expect(repository.refresh()).rejects.toMatchObject(refusal)
    await expect(repository.rotate()).rejects.toMatchObject(refusal)
    expect((await getSigned(repository, 'timestamp.json')).version).toBe(1)
    expect((await repository.status()).problems).toEqual([expect.stringContaining('version 2 was published before')])
  })

  it('goes on above the recorded versions when an operator says so, and clients of before follow', async () => {
    const { served, backup, record, clock } = await restored()
    const root = (await get(served.repository, '1.root.json')) ?? new Uint8Array()
    const [folder, cache] = [temporaryFolder(), temporaryFolder()]
    const mirror = await mirrorTo(folder, served.repository)
    expect(await fetchWithOurClient(mirror, root, cache, clock.now)).toBe('{"newer":true}')
    const { repository } = newRepository({ documents: backup, signers: served.signers, record }, clock)
    expect((await repository.resume('rollback')).versions).toEqual({ root: 1, timestamp: 3, snapshot: 3, targets: 3 })
    await mirrorTo(folder, repository)
    expect(await fetchWithOurClient(mirror, root, cache, clock.now)).toBe('{"first":true}')
    await repository.start()
  })

  it('is noticed when it is empty', async () => {
    const { served, record, clock } = await restored()
    const { repository } = newRepository({ signers: served.signers, record }, clock)
    await expect(repository.start()).rejects.toMatchObject({ code: 'TUF_ROLLED_BACK' })
  })

  it('is noticed when the versions are the same and the history is another', async () => {
    const { served, backup, record, clock } = await restored()
    const { repository: fork } = newRepository({ documents: backup, signers: served.signers }, clock)
    await fork.publish([target('trusted_root.json', '{"fork":true}')])
    const { repository } = newRepository({ documents: backup, signers: served.signers, record }, clock)
    await expect(repository.refresh()).rejects.toMatchObject({
      code: 'TUF_ROLLED_BACK',
      message: expect.stringContaining('another version 2 of timestamp.json'),
    })
  })

  it('is not confused with another front end that published since', async () => {
    const documents = new MemoryDocuments()
    const signers = newSigners()
    const record = () => createVersionFile(path.join(temporaryFolder(), 'tuf-versions.json'))
    const a = await startedRepository({ documents, signers, record: record() })
    const b = await startedRepository({ documents, signers, record: record() })
    await a.repository.publish([target('trusted_root.json', '{"a":1}')])
    await b.repository.publish([target('trusted_root.json', '{"b":1}')])
    expect((await a.repository.publish([target('trusted_root.json', '{"a":2}')])).versions?.timestamp).toBe(4)
  })

  it('lacking a root that was published is not gone on with', async () => {
    const record = createVersionFile(path.join(temporaryFolder(), 'tuf-versions.json'))
    const served = await startedRepository({ record })
    const backup = served.documents.copy()
    await served.repository.rotate()
    const secondRoot = (await get(served.repository, '2.root.json')) ?? new Uint8Array()
    const { repository } = newRepository({ documents: backup, signers: served.signers, record }, served.clock)
    await expect(repository.resume('rollback')).rejects.toMatchObject({ message: expect.stringContaining('lacks 2.root.json') })
    await expect(repository.importSigned(secondRoot)).rejects.toMatchObject({ code: 'TUF_ROLLED_BACK' })
    expect((await repository.resume('rollback')).versions?.root).toBe(2)
    expect(await get(repository, '2.root.json')).toEqual(secondRoot)
  })

  for (const contents of ['{}', 'not json', '{"versions":{"root":1},"timestampDigest":"x"}', 'x'.repeat(5000)])
    it(`cannot be told with a damaged record (${contents.slice(0, 20)}), so nothing is signed`, async () => {
      const file = path.join(temporaryFolder(), 'tuf-versions.json')
      await writeFile(file, contents)
      await expect(newRepository({ record: createVersionFile(file) }).repository.start()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    })
})

describe('keys', () => {
  it('other than ECDSA on P-256 are refused', async () => {
    for (const kind of ['ecdsa-p384', 'ed25519', 'rsa-2048'] as const)
      await expect(
        newRepository({ signers: { ...newSigners(), snapshot: generateSigner(kind) } }).repository.start(),
      ).rejects.toMatchObject({
        code: 'KEY_UNSUPPORTED',
        message: expect.stringContaining('keys of the TUF repository should be ECDSA keys on P-256'),
      })
  })

  it('that the root does not name publish nothing, and the refusal says what to do', async () => {
    const served = await startedRepository()
    const { repository } = newRepository(
      { documents: served.documents, signers: { ...served.signers, timestamp: newSigner() } },
      served.clock,
    )
    served.clock.now += 2 * day
    await expect(repository.refresh()).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(
        /timestamp\.json is not signed by the timestamp keys that 1\.root\.json names.*countersign server tuf rotate/,
      ),
    })
    expect((await getSigned(repository, 'timestamp.json')).version).toBe(1)
  })

  it('of every role can be rotated at once, and a client that trusts the first root follows', async () => {
    const served = await startedRepository()
    const root = (await get(served.repository, '1.root.json')) ?? new Uint8Array()
    const [folder, cache] = [temporaryFolder(), temporaryFolder()]
    const mirror = await mirrorTo(folder, served.repository)
    await fetchWithOurClient(mirror, root, cache, served.clock.now)
    const fresh = newSigners()
    const signers = { ...fresh, root: [...served.signers.root, ...fresh.root] }
    const { repository } = newRepository({ documents: served.documents, signers }, served.clock)
    expect((await repository.rotate(rolesOf(fresh))).versions).toEqual({ root: 2, timestamp: 2, snapshot: 2, targets: 2 })
    await mirrorTo(folder, repository)
    expect(await fetchWithOurClient(mirror, root, cache, served.clock.now)).toBe('{"first":true}')
    expect(await fetchWithOurClient(mirror, root, temporaryFolder(), served.clock.now)).toBe('{"first":true}')
    const alone = newRepository({ documents: served.documents, signers: fresh }, served.clock)
    expect((await alone.repository.rotate()).versions?.root).toBe(3)
    served.clock.now += day
    await expect(served.repository.refresh()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })

  it('cannot be taken over without the root keys of before', async () => {
    const served = await startedRepository()
    const thief = newSigners()
    const { repository } = newRepository({ documents: served.documents, signers: thief }, served.clock)
    const { versions, awaiting } = await repository.rotate(rolesOf(thief))
    expect(versions?.root).toBe(1)
    expect(awaiting).toEqual([{ role: 'root', version: 2, signed: 0, threshold: 1 }])
    expect(await get(repository, '2.root.json')).toBeUndefined()
  })

  it('with a threshold beyond their number are refused', async () => {
    const signers = newSigners()
    const roles = { ...rolesOf(signers), snapshot: { keys: [signers.snapshot.publicKey], threshold: 2 } }
    await expect(newRepository({ signers, roles }).repository.start()).rejects.toMatchObject({
      message: 'the snapshot role should need from 1 to all of its 1 keys, found a threshold of 2',
    })
  })
})
