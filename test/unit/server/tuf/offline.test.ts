import { describe, expect, it } from 'vitest'
import { parsePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { tufKeyId } from '../../../../src/server/tuf/metadata.ts'
import { describeExportedMetadata, signExportedMetadata } from '../../../../src/server/tuf/offline-signatures.ts'
import type { TufRepository } from '../../../../src/server/tuf/repository.ts'
import {
  day,
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

/** Root and targets keys that are in a safe: two people, both of whom must sign the root. */
function offlineKeys() {
  const people = { root: [newSigner(), newSigner()], targets: [newSigner()] }
  const online = newSigners()
  const signers = { ...online, root: [], targets: [] }
  const roles = rolesOf({ ...people, snapshot: online.snapshot, timestamp: online.timestamp })
  return { people, signers, roles }
}

async function pendingOf(repository: TufRepository, role: 'root' | 'targets'): Promise<Uint8Array> {
  const bytes = await repository.pending(role)
  if (bytes === undefined) throw new Error(`no ${role} is pending`)
  return bytes
}

/** A repository whose root and targets have been signed by people. */
async function ceremony() {
  const keys = offlineKeys()
  const served = newRepository({ signers: keys.signers, roles: keys.roles })
  const { repository } = served
  await repository.publish(someTargets)
  for (const signer of keys.people.root) await repository.importSigned(signExportedMetadata(await pendingOf(repository, 'root'), signer))
  for (const signer of keys.people.targets)
    await repository.importSigned(signExportedMetadata(await pendingOf(repository, 'targets'), signer))
  await repository.start()
  return { ...served, keys }
}

describe('the first edition with offline keys', () => {
  it('waits for the signatures of people, and says for which', async () => {
    const { signers, roles } = offlineKeys()
    const { repository } = newRepository({ signers, roles })
    await expect(repository.start()).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(
        /have to sign root\.json \(0 of 2 signatures\) and targets\.json \(0 of 1 signatures\); use countersign server tuf export, sign-root, sign-targets and import/,
      ),
    })
    expect(await get(repository, '1.root.json')).toBeUndefined()
    expect(await get(repository, 'timestamp.json')).toBeUndefined()
  })

  it('shows people what they sign', async () => {
    const { signers, roles } = offlineKeys()
    const { repository } = newRepository({ signers, roles })
    await repository.publish(someTargets)
    expect(describeExportedMetadata(await pendingOf(repository, 'root'))).toEqual([
      'root.json, version 1, expires 2027-11-21T12:00:00Z, signatures: 0',
      expect.stringMatching(/^root: 2 of 2 keys: [0-9a-f]{64} [0-9a-f]{64}$/),
      expect.stringMatching(/^snapshot: 1 of 1 keys: /),
      expect.stringMatching(/^targets: 1 of 1 keys: /),
      expect.stringMatching(/^timestamp: 1 of 1 keys: /),
    ])
    const described = describeExportedMetadata(await pendingOf(repository, 'targets'))
    expect(described).toContainEqual(expect.stringMatching(/^trusted_root\.json: 14 bytes, sha256 [0-9a-f]{64}$/))
  })

  it('is published with the last signature, and clients trust it', async () => {
    const { repository, clock } = await ceremony()
    const root = (await get(repository, '1.root.json')) ?? new Uint8Array()
    const mirror = await mirrorTo(temporaryFolder(), repository)
    expect(await fetchWithOurClient(mirror, root, temporaryFolder(), clock.now)).toBe('{"first":true}')
    expect(await repository.status()).toMatchObject({ awaiting: [], problems: [] })
  })

  it('keeps signatures that were collected when the server starts again', async () => {
    const { people, signers, roles } = offlineKeys()
    const first = newRepository({ signers, roles })
    await first.repository.publish(someTargets)
    await first.repository.importSigned(signExportedMetadata(await pendingOf(first.repository, 'root'), people.root[0] ?? newSigner()))
    first.clock.now += 3 * day
    const again = newRepository({ signers, roles, documents: first.documents }, first.clock)
    const { awaiting } = await again.repository.publish(someTargets)
    expect(awaiting).toEqual([
      { role: 'root', version: 1, signed: 1, threshold: 2 },
      { role: 'targets', version: 1, signed: 0, threshold: 1 },
    ])
  })

  it('takes signatures that two people made at the same time', async () => {
    const { people, signers, roles } = offlineKeys()
    const { repository } = newRepository({ signers, roles })
    await repository.publish(someTargets)
    const exported = await pendingOf(repository, 'root')
    for (const signer of people.root) await repository.importSigned(signExportedMetadata(exported, signer))
    expect((await repository.status()).awaiting).toEqual([
      { role: 'root', version: 1, signed: 2, threshold: 2 },
      { role: 'targets', version: 1, signed: 0, threshold: 1 },
    ])
  })
})

describe('what is imported', () => {
  async function waiting() {
    const keys = offlineKeys()
    const { repository } = newRepository({ signers: keys.signers, roles: keys.roles })
    await repository.publish(someTargets)
    return { ...keys, repository, root: await pendingOf(repository, 'root'), targets: await pendingOf(repository, 'targets') }
  }

  function changed(
    bytes: Uint8Array,
    change: (document: { signed: Record<string, unknown>; signatures: { keyid: string; sig: string }[] }) => void,
  ): Uint8Array {
    const document = JSON.parse(Buffer.from(bytes).toString())
    change(document)
    return encodeUtf8(JSON.stringify(document))
  }

  it('without a new signature is refused', async () => {
    const { repository, root, people } = await waiting()
    const refusal = { code: 'SIGNATURE_INVALID', message: 'the imported root.json has no valid signature of a root key that was missing' }
    await expect(repository.importSigned(root)).rejects.toMatchObject(refusal)
    const signed = signExportedMetadata(root, people.root[0] ?? newSigner())
    await repository.importSigned(signed)
    await expect(repository.importSigned(signed)).rejects.toMatchObject(refusal)
  })

  it('with the signature of a stranger or of a key of another role is refused', async () => {
    const { repository, root, targets, people, signers } = await waiting()
    for (const stranger of [newSigner(), people.targets[0] ?? newSigner(), signers.timestamp])
      await expect(repository.importSigned(signExportedMetadata(root, stranger))).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
    for (const stranger of [newSigner(), people.root[0] ?? newSigner()])
      await expect(repository.importSigned(signExportedMetadata(targets, stranger))).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
  })

  it('with a signature that does not verify is refused', async () => {
    const { repository, root, people } = await waiting()
    const signed = signExportedMetadata(root, people.root[0] ?? newSigner())
    const bent = changed(signed, ({ signatures }) => {
      for (const signature of signatures) signature.sig = `${signature.sig.slice(0, -2)}${signature.sig.endsWith('00') ? '01' : '00'}`
    })
    await expect(repository.importSigned(bent)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
  })

  for (const [what, change] of [
    ['another expiry', (signed: Record<string, unknown>) => (signed['expires'] = '2099-01-01T00:00:00Z')],
    ['another version', (signed: Record<string, unknown>) => (signed['version'] = 2)],
    ['no consistent snapshots', (signed: Record<string, unknown>) => (signed['consistent_snapshot'] = false)],
    ['a further field', (signed: Record<string, unknown>) => (signed['more'] = true)],
  ] as const)
    it(`with ${what} than what waits is refused, though people signed it`, async () => {
      const { repository, root, people } = await waiting()
      const bent = changed(root, ({ signed }) => void change(signed))
      await expect(repository.importSigned(signExportedMetadata(bent, people.root[0] ?? newSigner()))).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('neither the one that waits for signatures nor a complete next one'),
      })
    })

  for (const [what, bytes] of [
    ['a timestamp', '{"signed":{"_type":"timestamp","version":1,"expires":"2027-01-01T00:00:00Z"},"signatures":[]}'],
    ['no JSON', 'root'],
    ['the same key twice', '{"signed":{},"signed":{}}'],
    ['nothing', ''],
    ['too many bytes', `{"signed":"${'x'.repeat(600_000)}"}`],
  ] as const)
    it(`that is ${what} is refused`, async () => {
      const { repository } = await waiting()
      await expect(repository.importSigned(encodeUtf8(bytes))).rejects.toMatchObject({ code: 'TUF_UNVERIFIED' })
      expect(() => signExportedMetadata(encodeUtf8(bytes), newSigner())).toThrow('should be a root.json or targets.json')
    })
})

describe('a running repository with offline keys', () => {
  it('does not take the first root of a stranger for its own, though that is signed by itself', async () => {
    const stranger = await startedRepository()
    const root = (await get(stranger.repository, '1.root.json')) ?? new Uint8Array()
    const { signers, roles } = offlineKeys()
    const { repository } = newRepository({ signers, roles })
    await expect(repository.importSigned(root)).rejects.toMatchObject({ code: 'CONFLICT' })
    await repository.publish(someTargets)
    await expect(repository.importSigned(root)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('may have begun with all keys on the server: the root and targets keys are taken away afterwards', async () => {
    const { documents, signers, clock } = await startedRepository()
    const { repository } = newRepository({ documents, signers: { ...signers, root: [], targets: [] } }, clock)
    await repository.start()
    clock.now += 40 * day
    expect((await repository.refresh()).versions).toEqual({ root: 1, timestamp: 2, snapshot: 2, targets: 1 })
    expect((await repository.publish([target('trusted_root.json', '{"new":true}')])).awaiting).toEqual([
      { role: 'targets', version: 2, signed: 0, threshold: 1 },
    ])
    await repository.importSigned(signExportedMetadata(await pendingOf(repository, 'targets'), signers.targets[0] ?? newSigner()))
    expect((await repository.status()).versions?.targets).toBe(2)
  })

  it('renews snapshot and timestamp by itself, and tells early that the root will expire', async () => {
    const { repository, clock } = await ceremony()
    clock.now += 290 * day
    await repository.refresh()
    expect((await repository.status()).problems).toEqual([])
    clock.now += 30 * day
    await repository.refresh()
    // Clients go on: it is no reason to take the server out of service.
    expect(await repository.status()).toMatchObject({ problems: [] })
    expect((await repository.status()).notices).toEqual([
      'root.json expires at 2027-11-21T12:00:00.000Z and is not renewed by itself',
      'targets.json expires at 2027-11-21T12:00:00.000Z and is not renewed by itself',
    ])
    clock.now += 60 * day
    await repository.refresh()
    expect((await repository.status()).problems).toContain('root.json expired at 2027-11-21T12:00:00.000Z')
  })

  it('publishes new targets when people have signed them, and goes on with the old ones until then', async () => {
    const { repository, keys, clock } = await ceremony()
    const { versions, awaiting } = await repository.publish([target('trusted_root.json', '{"new":true}')])
    expect(versions?.targets).toBe(1)
    expect(awaiting).toEqual([{ role: 'targets', version: 2, signed: 0, threshold: 1 }])
    clock.now += 2 * day
    await repository.refresh()
    expect((await getSigned(repository, 'timestamp.json')).version).toBe(2)
    const signed = signExportedMetadata(await pendingOf(repository, 'targets'), keys.people.targets[0] ?? newSigner())
    expect(await repository.importSigned(signed)).toMatchObject({ versions: { targets: 2, snapshot: 2, timestamp: 3 }, awaiting: [] })
    const root = (await get(repository, '1.root.json')) ?? new Uint8Array()
    const mirror = await mirrorTo(temporaryFolder(), repository)
    expect(await fetchWithOurClient(mirror, root, temporaryFolder(), clock.now)).toBe('{"new":true}')
  })

  it('renews the root with signatures of people', async () => {
    const { repository, keys } = await ceremony()
    expect(await repository.rotate()).toMatchObject({
      versions: { root: 1 },
      awaiting: [{ role: 'root', version: 2, signed: 0, threshold: 2 }],
    })
    for (const signer of keys.people.root) await repository.importSigned(signExportedMetadata(await pendingOf(repository, 'root'), signer))
    expect(await repository.status()).toMatchObject({ versions: { root: 2 }, awaiting: [] })
  })

  it('replaces people: the old and the new ones sign, and the targets are signed by theirs first', async () => {
    const { repository, keys, clock } = await ceremony()
    const firstRoot = (await get(repository, '1.root.json')) ?? new Uint8Array()
    const people = { root: [newSigner()], targets: [newSigner()] }
    await repository.rotate(rolesOf({ ...people, snapshot: keys.signers.snapshot, timestamp: keys.signers.timestamp }))
    for (const signer of [...keys.people.root, ...people.root]) {
      expect((await repository.status()).versions?.root).toBe(1)
      await repository.importSigned(signExportedMetadata(await pendingOf(repository, 'root'), signer))
    }
    const { versions, awaiting } = await repository.status()
    expect(versions?.root, 'nothing would verify the targets').toBe(1)
    expect(awaiting).toContainEqual({ role: 'targets', version: 2, signed: 0, threshold: 1 })
    await repository.importSigned(signExportedMetadata(await pendingOf(repository, 'targets'), people.targets[0] ?? newSigner()))
    expect(await repository.status()).toMatchObject({ versions: { root: 2, targets: 2 }, awaiting: [] })
    const mirror = await mirrorTo(temporaryFolder(), repository)
    expect(await fetchWithOurClient(mirror, firstRoot, temporaryFolder(), clock.now)).toBe('{"first":true}')
  })

  it('takes a next root that was made and signed elsewhere', async () => {
    const { documents, signers, clock, repository } = await startedRepository()
    const elsewhere = newRepository({ documents: documents.copy(), signers }, clock)
    await elsewhere.repository.rotate()
    const made = (await get(elsewhere.repository, '2.root.json')) ?? new Uint8Array()
    expect((await repository.importSigned(made)).versions?.root).toBe(2)
    expect(await get(repository, '2.root.json')).toEqual(made)
    await expect(repository.importSigned(made)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('does not keep a next root that names other online keys than the configured ones, and goes on renewing', async () => {
    const { documents, signers, clock, repository } = await startedRepository()
    const fresh = { ...newSigners(), root: signers.root, targets: signers.targets }
    const elsewhere = newRepository({ documents: documents.copy(), signers: fresh }, clock)
    await elsewhere.repository.rotate(rolesOf(fresh))
    const made = (await get(elsewhere.repository, '2.root.json')) ?? new Uint8Array()
    await expect(repository.importSigned(made)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('not signed by the snapshot keys that 2.root.json names'),
    })
    expect(await repository.pending('root')).toBeUndefined()
    clock.now += 2 * day
    expect((await repository.refresh()).versions).toMatchObject({ root: 1, timestamp: 2 })
  })

  it('refuses a next root that is signed by itself alone', async () => {
    const { repository } = await startedRepository()
    const thief = newRepository()
    await thief.repository.start()
    await thief.repository.rotate()
    for (const name of ['1.root.json', '2.root.json'])
      await expect(repository.importSigned((await get(thief.repository, name)) ?? new Uint8Array())).rejects.toMatchObject({
        code: 'CONFLICT',
      })
  })
})

it('key identifiers are those that securesystemslib computes', () => {
  const pem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMxpPOJCIZ5otG4106fGJseEQi3V9
pkMYQ4uyV9Tj1M7WHXIyLG+jkfvuG0glQ1JZbRZZBV3gAR4sojdGHISeow==
-----END PUBLIC KEY-----
`
  expect(tufKeyId(parsePublicKeyPem(pem))).toBe('55c2e1af0160432cbcaee000660c159c93c532880591b5d03b96118f6fbee103')
})
