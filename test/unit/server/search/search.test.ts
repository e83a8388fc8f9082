import { describe, expect, test } from 'vitest'
import type { FoundEntry, SearchAnswer } from '../../../../src/api/search.ts'
import { parseSearchQuery } from '../../../../src/api/search.ts'
import { subjectTerm } from '../../../../src/bundle/log-entry-terms.ts'
import { encodeSupplement } from '../../../../src/bundle/log-entry-supplement.ts'
import { CountersignError } from '../../../../src/error.ts'
import { createRekorV1 } from '../../../../src/server/rekor/rekor-v1.ts'
import { createFollower } from '../../../../src/server/search/follower.ts'
import { createSearch } from '../../../../src/server/search/search.ts'
import type { SearchedLog } from '../../../../src/server/search/found-entry.ts'
import type { TermIndex } from '../../../../src/server/storage/term-index.ts'
import { createNaiveTerms } from '../../../support/naive-terms.ts'
import type { TestRekor } from '../../../support/rekor.ts'
import { testRekorV2, testShard } from '../../../support/rekor.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { digestOf, namedKey } from '../../../support/universe/keys.ts'
import type { SignedBundle } from '../../../support/universe/sign.ts'
import { artifactBytes, signBlob, signStatement } from '../../../support/universe/sign.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { leafOf, rootByRfc9162 } from '../../merkle/reference-tree.ts'

const universe = universeOf({ name: 'search' })
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const workflow = 'https://github.com/Universe/App/.github/workflows/release.yml@refs/heads/main'

/** What each test searches: a v1 log with offset, a v2 log, their follower and both ways to ask. */
interface Stack {
  readonly terms: TermIndex
  readonly logs: readonly SearchedLog[]
  readonly errors: unknown[]
  readonly follower: ReturnType<typeof createFollower>
  readonly v2: TestRekor
  postV1(body: object): Promise<Response>
  ask(query: string): Promise<SearchAnswer>
  status(query: string): Promise<number>
  index(query: object): Promise<Response>
}

async function stack(terms = createNaiveTerms()): Promise<Stack> {
  const { shard } = await testShard(universe, { firstIndex: 100n })
  const v1 = createRekorV1({ active: shard, terms })
  const v2 = await testRekorV2(universe)
  const logs: SearchedLog[] = [
    { log: shard.log, api: 'rekor-v1', firstIndex: 100n },
    { log: v2.log, api: 'rekor-v2', firstIndex: 0n },
  ]
  const errors: unknown[] = []
  const follower = createFollower({ logs: logs.map(({ log }) => log), terms, onError: (error) => errors.push(error) })
  const search = createSearch({ logs, terms, onError: (error) => errors.push(error) })
  const get = async (query: string): Promise<Response> => search.routes.request(`/api/search?${query}`)
  return {
    terms,
    logs,
    errors,
    follower,
    v2,
    postV1: async (body) => v1.routes.request('/api/v1/log/entries', { method: 'POST', body: JSON.stringify(body) }),
    ask: async (query) => (await get(query)).json() as Promise<SearchAnswer>,
    status: async (query) => (await get(query)).status,
    index: async (query) => v1.routes.request('/api/v1/index/retrieve', { method: 'POST', body: JSON.stringify(query) }),
  }
}

function byPerson(name: string): SignedBundle {
  return signBlob({ universe, key: namedKey(name), subjects: [{ email: `${name}@Example.com` }], log: 'none' }, Buffer.from(name))
}

function v1Of(signed: SignedBundle, kind: 'hashedrekord' | 'dsse' = 'hashedrekord'): object {
  const content = base64(pemOf(signed.certificate))
  if (kind === 'dsse') {
    const envelope = JSON.stringify(signed.bundle['dsseEnvelope'])
    return { apiVersion: '0.0.1', kind, spec: { proposedContent: { envelope, verifiers: [content] } } }
  }
  const hash = { algorithm: 'sha256', value: hex(digestOf('sha256', signed.artifact)) }
  return { apiVersion: '0.0.1', kind, spec: { data: { hash }, signature: { content: base64(signed.signature), publicKey: { content } } } }
}

function v2Of(signed: SignedBundle): object {
  const verifier = { x509Certificate: { rawBytes: base64(signed.certificate) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  if ('dsseEnvelope' in signed.bundle) return { dsseRequestV002: { envelope: signed.bundle['dsseEnvelope'], verifiers: [verifier] } }
  return {
    hashedRekordRequestV002: {
      digest: base64(digestOf('sha256', signed.artifact)),
      signature: { content: base64(signed.signature), verifier },
    },
  }
}

async function filled(): Promise<Stack> {
  const all = await stack()
  const attestation = signStatement({ universe, key: namedKey('ci'), subjects: [{ uri: workflow }], log: 'none' })
  await all.postV1(v1Of(byPerson('ann')))
  await all.postV1(v1Of(attestation, 'dsse'))
  await all.v2.post('/api/v2/log/entries', v2Of(byPerson('ann')))
  await all.v2.post('/api/v2/log/entries', v2Of(byPerson('bob')))
  await all.v2.post('/api/v2/log/entries', v2Of(attestation))
  await all.follower.catchUp()
  expect(all.errors).toEqual([])
  return all
}

const places = ({ entries }: SearchAnswer): string[] => entries.map(({ api, index }) => `${api} ${index}`).toSorted()

describe('our search', () => {
  test('by e-mail, in either case, finds entries of both logs', async () => {
    const { ask } = await filled()
    expect(places(await ask('email=ANN@example.com'))).toEqual(['rekor-v1 100', 'rekor-v2 0'])
    expect(places(await ask('email=bob@example.com'))).toEqual(['rekor-v2 1'])
    expect(places(await ask('email=carol@example.com'))).toEqual([])
  })

  test('by subject, artifact digest, attestation subject, key and index', async () => {
    const { ask } = await filled()
    expect(places(await ask(`subject=${encodeURIComponent(workflow.toLowerCase())}`))).toEqual(['rekor-v1 101', 'rekor-v2 2'])
    const bob = hex(digestOf('sha256', Buffer.from('bob')))
    expect(places(await ask(`digest=sha256:${bob}`))).toEqual(['rekor-v2 1'])
    expect(places(await ask(`digest=${bob.toUpperCase()}`))).toEqual(['rekor-v2 1'])
    expect(places(await ask(`digest=sha256:${hex(digestOf('sha256', artifactBytes))}`))).toEqual(['rekor-v1 101', 'rekor-v2 2'])
    expect(places(await ask(`key=${hex(digestOf('sha256', namedKey('ann').spki))}`))).toEqual(['rekor-v1 100', 'rekor-v2 0'])
    expect(places(await ask('index=101'))).toEqual(['rekor-v1 101'])
    expect(places(await ask('index=1'))).toEqual(['rekor-v2 1'])
    expect(places(await ask('index=99'))).toEqual([])
  })

  test('answers who signed, and a proof that leads to the checkpoint', async () => {
    const { ask } = await filled()
    const { entries, logs } = await ask('email=bob@example.com')
    const [found] = entries as [FoundEntry]
    expect(found.kind).toBe('hashedrekord')
    expect(found.digest).toEqual({ algorithm: 'sha256', value: hex(digestOf('sha256', Buffer.from('bob'))) })
    expect(found.signers).toEqual([
      {
        kind: 'certificate',
        keyHash: hex(digestOf('sha256', namedKey('bob').spki)),
        pem: expect.stringContaining('BEGIN CERTIFICATE') as string,
        subjects: [{ kind: 'email', value: 'bob@Example.com' }],
        issuer: 'https://token.actions.universe.test',
        notBefore: new Date(universe.time).toISOString(),
        notAfter: new Date(universe.time + 600_000).toISOString(),
      },
    ])
    const { leafIndex, treeSize, rootHash, hashes, checkpoint } = found.inclusionProof
    const leaf = leafOf(Buffer.from(found.body, 'base64'))
    expect(hex(leaf)).toBe(found.leafHash)
    const root = rootByRfc9162(
      BigInt(leafIndex),
      BigInt(treeSize),
      leaf,
      hashes.map((hash) => Buffer.from(hash, 'hex')),
    )
    expect(hex(root ?? new Uint8Array())).toBe(rootHash)
    expect(checkpoint).toContain(base64(Buffer.from(rootHash, 'hex')))
    expect(logs.map(({ size, indexed }) => [size, indexed])).toEqual([
      ['2', '2'],
      ['3', '3'],
    ])
  })

  test('of one log, newest first, says when there is more', async () => {
    const all = await stack()
    for (let at = 0; at < 5; at++) {
      const signed = signBlob(
        { universe, key: namedKey('ann'), subjects: [{ email: 'ann@example.com' }], log: 'none' },
        Buffer.from(`${at}`),
      )
      await all.v2.post('/api/v2/log/entries', v2Of(signed))
    }
    await all.follower.catchUp()
    const answer = await all.ask('email=ann@example.com&limit=2&log=log1.universe.test')
    expect(answer.entries.map(({ index }) => index)).toEqual(['4', '3'])
    expect(answer.truncated).toBe(true)
    expect((await all.ask('email=ann@example.com&limit=5')).truncated).toBe(false)
    expect(await all.status('email=ann@example.com&log=other')).toBe(404)
  })

  test('of large entries answers no more than a mebibyte, says that there is more, and holds nobody up meanwhile', async () => {
    const all = await stack()
    const [, v2] = all.logs
    const leaves = Array.from({ length: 30 }, (_, at) => Buffer.alloc(60_000, at))
    for (const leaf of leaves) await v2?.log.add({ leaf })
    const indexed = leaves.map((_, at) => ({ index: BigInt(at), terms: [subjectTerm('eve')] }))
    await all.terms.add(v2?.log.id ?? '', indexed, 30n)
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const { entries, truncated } = await all.ask('subject=eve&limit=100')
    isOver = true
    expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: 17 }, (_, at) => String(29 - at)))
    expect(truncated).toBe(true)
    expect(turns).toBeGreaterThanOrEqual(17)
  })

  test.each([
    '',
    'email=',
    'email=a&subject=b',
    'email=a&email=b',
    'email=a&limit=0',
    'email=a&limit=101',
    'email=a&limit=1e1',
    'email=a&callback=x',
    'index=-1',
    'index=01',
    'index=99999999999999999999',
    'digest=xyz',
    'digest=abcd',
    'key=abcd',
    `key=sha512:${'ab'.repeat(64)}`,
    `email=${'a'.repeat(1025)}`,
  ])('refuses the question "%s"', async (query) => {
    const { status } = await stack()
    expect(await status(query)).toBe(400)
  })

  test('an answer that fails inside says nothing of it', async () => {
    const terms = { ...createNaiveTerms(), find: async () => Promise.reject(new CountersignError('STORAGE_FAILED', 'secret')) }
    const all = await stack(terms)
    expect(await all.status('email=a@b')).toBe(500)
    expect(await all.ask('email=a@b')).toEqual({ error: 'the search failed' })
    expect(all.errors).toHaveLength(2)
  })

  test('spaces around what was typed do not count', () => {
    expect(parseSearchQuery(new URLSearchParams('email= a@b '))).toEqual({ field: 'email', value: 'a@b', limit: 20 })
  })
})

describe("Rekor's index", () => {
  test('finds by e-mail, subject in any case, hash, certificate and key', async () => {
    const { index } = await filled()
    const ids = async (query: object): Promise<number> => ((await (await index(query)).json()) as string[]).length
    expect(await ids({ email: 'Ann@example.COM' })).toBe(1)
    expect(await ids({ subject: workflow.toUpperCase() })).toBe(1)
    expect(await ids({ hash: `sha256:${hex(digestOf('sha256', Buffer.from('ann')))}` })).toBe(1)
    expect(await ids({ hash: hex(digestOf('sha256', Buffer.from('ann'))) })).toBe(1)
    expect(await ids({ hash: hex(digestOf('sha256', artifactBytes)) })).toBe(1)
    expect(await ids({ publicKey: { format: 'x509', content: base64(namedKey('ann').pem) } })).toBe(1)
    expect(await ids({ email: 'nobody@example.com' })).toBe(0)
    expect(await ids({})).toBe(0)
  })

  test('answers entry IDs that can be retrieved', async () => {
    const { index } = await filled()
    const [id] = (await (await index({ email: 'ann@example.com' })).json()) as string[]
    expect(id).toMatch(/^[0-9a-f]{80}$/)
  })

  test('with "and" everything must match, with "or" anything', async () => {
    const { index } = await filled()
    const count = async (query: object): Promise<number> => ((await (await index(query)).json()) as string[]).length
    const ann = hex(digestOf('sha256', Buffer.from('ann')))
    expect(await count({ email: 'ann@example.com', hash: ann, operator: 'and' })).toBe(1)
    expect(await count({ email: 'ann@example.com', subject: workflow, operator: 'and' })).toBe(0)
    expect(await count({ email: 'ann@example.com', subject: workflow, operator: 'or' })).toBe(2)
    expect(await count({ email: 'ann@example.com', subject: workflow })).toBe(2)
  })

  test.each([
    ['a key by URL', { publicKey: { format: 'x509', url: 'http://169.254.169.254/' } }, /never|not fetched/],
    ['another key format', { publicKey: { format: 'pgp', content: 'AAAA' } }, /PKI format requested is not supported/],
    ['a key that is none', { publicKey: { format: 'x509', content: base64('nonsense') } }, /no PEM block/],
    ['an unknown operator', { email: 'a@b', operator: 'xor' }, /operator/],
    ['a hash of another length', { hash: 'abc' }, /hash should be/],
    ['a hash with the wrong name', { hash: `sha1:${'ab'.repeat(32)}` }, /hash should be/],
    ['an empty subject', { subject: '' }, /1 to 512/],
    ['a subject that is too long', { subject: 'a'.repeat(513) }, /1 to 512/],
    ['an unknown member', { mail: 'x' }, /unknown field/],
  ])('refuses %s', async (_, query, message) => {
    const { index } = await stack()
    const response = await index(query)
    expect(response.status).toBe(400)
    expect(((await response.json()) as { message: string }).message).toMatch(message)
  })

  test('answers 501 where there is none', async () => {
    const { shard } = await testShard(universe)
    const service = createRekorV1({ active: shard })
    const response = await service.routes.request('/api/v1/index/retrieve', { method: 'POST', body: '{}' })
    expect(response.status).toBe(501)
  })
})

describe('the follower', () => {
  test('catches up from where it was, and an entry that cannot be read does not stop it', async () => {
    const all = await filled()
    const [, v2] = all.logs
    await v2?.log.add({ leaf: Buffer.from('not JSON') })
    await v2?.log.add({ leaf: Buffer.from('{"apiVersion":"9","kind":"new","spec":{}}') })
    await all.v2.post('/api/v2/log/entries', v2Of(byPerson('carol')))
    await all.follower.catchUp()
    expect(all.errors).toHaveLength(2)
    expect(String(all.errors[0])).toMatch(/the entry 3 of log1.universe.test has no search terms/)
    expect(places(await all.ask('email=carol@example.com'))).toEqual(['rekor-v2 5'])
    expect(places(await all.ask('index=3'))).toEqual(['rekor-v2 3'])
    const [broken] = (await all.ask('index=3')).entries as [FoundEntry]
    expect([broken.kind, broken.digest, broken.signers]).toEqual(['', null, []])
  })

  test('writes entries of thousands of terms in portions, each once, and goes on with the one that it stopped in', async () => {
    const naive = createNaiveTerms()
    const writes: { readonly count: number; readonly position: bigint }[] = []
    let failAt = 3
    const terms: TermIndex = {
      ...naive,
      add: async (log, added, position) => {
        if (--failAt === 0) throw new CountersignError('STORAGE_FAILED', 'the disk is full')
        writes.push({ count: added.reduce((sum, one) => sum + one.terms.length, 0), position })
        await naive.add(log, added, position)
      },
    }
    const all = await stack(terms)
    const [, v2] = all.logs
    await all.v2.post('/api/v2/log/entries', v2Of(byPerson('ann')))
    const subjects = (entry: number): string[] =>
      Array.from({ length: 4096 }, (_, at) => `sha256:${hex(digestOf('sha256', Buffer.from(`${entry} ${at}`)))}`)
    const elsewhere = await testRekorV2(universe)
    for (const name of ['bob', 'dave']) await elsewhere.post('/api/v2/log/entries', v2Of(byPerson(name)))
    for (const [at, { leaf }] of (await elsewhere.log.entries(0n, 2)).entries())
      await v2?.log.add({ leaf, extra: encodeSupplement({ digests: subjects(at + 1), attestation: undefined }) })
    await all.v2.post('/api/v2/log/entries', v2Of(byPerson('carol')))
    await expect(all.follower.catchUp()).rejects.toThrow(/disk is full/)
    expect(await terms.position(v2?.log.id ?? '')).toBe(1n)
    await all.follower.catchUp()
    expect(Math.max(...writes.map(({ count }) => count))).toBeLessThanOrEqual(2000)
    expect(places(await all.ask('email=ann@example.com'))).toEqual(['rekor-v2 0'])
    expect(places(await all.ask('email=carol@example.com'))).toEqual(['rekor-v2 3'])
    for (const entry of [1, 2])
      for (const at of [0, 1999, 2000, 4095]) expect(places(await all.ask(`digest=${subjects(entry)[at]}`))).toEqual([`rekor-v2 ${entry}`])
  })

  test('rebuilds the index of one log', async () => {
    const all = await filled()
    const [, v2] = all.logs
    await all.terms.reset(v2?.log.id ?? '')
    expect(places(await all.ask('email=ann@example.com'))).toEqual(['rekor-v1 100'])
    await all.follower.rebuild(v2?.log.id ?? '')
    expect(places(await all.ask('email=ann@example.com'))).toEqual(['rekor-v1 100', 'rekor-v2 0'])
    await expect(all.follower.rebuild('other')).rejects.toThrow(/no log other/)
  })

  test('follows by itself when it is started and woken', async () => {
    const all = await stack()
    const follower = createFollower({ logs: all.logs.map(({ log }) => log), terms: all.terms, intervalMs: 60_000, delayMs: 1 })
    follower.start()
    await all.v2.post('/api/v2/log/entries', v2Of(byPerson('ann')))
    follower.wake()
    await expect.poll(async () => places(await all.ask('email=ann@example.com'))).toEqual(['rekor-v2 0'])
    await all.v2.post('/api/v2/log/entries', v2Of(byPerson('bob')))
    follower.wake()
    await expect.poll(async () => places(await all.ask('email=bob@example.com'))).toEqual(['rekor-v2 1'])
    await follower.close()
  })

  test('tries again when the storage failed', async () => {
    const naive = createNaiveTerms()
    let failures = 2
    const terms: TermIndex = {
      ...naive,
      add: async (...parameters) => {
        if (failures-- > 0) throw new CountersignError('STORAGE_FAILED', 'the disk is full')
        return naive.add(...parameters)
      },
    }
    const all = await stack(terms)
    await all.v2.post('/api/v2/log/entries', v2Of(byPerson('ann')))
    const errors: unknown[] = []
    const follower = createFollower({ logs: all.logs.map(({ log }) => log), terms, intervalMs: 1, onError: (error) => errors.push(error) })
    follower.start()
    await expect.poll(async () => places(await all.ask('email=ann@example.com'))).toEqual(['rekor-v2 0'])
    await follower.close()
    expect(errors.length).toBe(2)
  })

  test('gives names that are too long for a term one by their digest', async () => {
    const all = await stack()
    const long = `https://example.com/${'a'.repeat(600)}`
    await all.v2.post('/api/v2/log/entries', v2Of(signBlob({ universe, subjects: [{ uri: long }], log: 'none' })))
    await all.follower.catchUp()
    expect(places(await all.ask(`subject=${encodeURIComponent(long)}`))).toEqual(['rekor-v2 0'])
  })
})
