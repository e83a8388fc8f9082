import { createPublicKey, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseTilePath } from '../../../../src/merkle/tile.ts'
import type { TestCtLog } from '../../../support/ct.ts'
import { ctOrigin, leafOptions, preChain, precertificateOf, testCtLog } from '../../../support/ct.ts'
import { hasOpenssl, createOpenssl } from '../../../support/openssl.ts'
import { issue } from '../../../support/universe/certificates.ts'
import { digestOf } from '../../../support/universe/keys.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { leafOf, mth, path, proof } from '../../merkle/reference-tree.ts'

const universe = universeOf({ name: 'ct reads', rootKey: 'p256', issuingKey: 'p256' })
const issuers = universe.chain.map(({ der }) => Buffer.from(der))
const fingerprints = issuers.map((der) => Buffer.from(digestOf('sha256', der)))
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const immutable = 'public, max-age=31536000, immutable'

// Enough for a full tile and one at the edge. Every tenth entry is a certificate, the others are precertificates.
const size = 300
let now = universe.time
let ct: TestCtLog
/** What was submitted, in the order of the log. */
const submitted: { readonly kind: 'certificate' | 'precertificate'; readonly der: Buffer; readonly time: number }[] = []

beforeAll(async () => {
  ct = await testCtLog(universe, { clock: () => now })
  for (let index = 0; index < size; index++) {
    now = universe.time + index * 1000
    const kind = index % 10 === 3 ? 'certificate' : 'precertificate'
    const leaf = kind === 'certificate' ? issue(leafOptions(universe, index), universe.intermediate) : precertificateOf(universe, index)
    const chain = [leaf.der, ...issuers]
    await (kind === 'certificate' ? ct.service.addChain(chain) : ct.service.addPreChain(chain))
    submitted.push({ kind, der: Buffer.from(leaf.der), time: now })
  }
})

afterAll(() => ct.close())

const uint = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
const vector = (content: Uint8Array, lengthBytes: number): Buffer => Buffer.concat([uint(content.length, lengthBytes), content])

/** TimestampedEntry, written down from RFC 6962 section 3.4. */
function timestampedEntry(index: number): Buffer {
  const { kind, der, time } = submitted[index] ?? { kind: 'certificate', der: Buffer.alloc(0), time: 0 }
  const extensions = vector(Buffer.concat([Buffer.of(0, 0, 5), uint(index, 5)]), 2)
  const head = [Buffer.concat([Buffer.of(0, 0), uint(time, 6)]), uint(kind === 'certificate' ? 0 : 1, 2)]
  if (kind === 'certificate') return Buffer.concat([...head, vector(der, 3), extensions])
  // The certificate of the same leaf without poison: its content is what the log must have come to.
  const clean = issue(leafOptions(universe, index), universe.intermediate).der
  const start = 4 + (clean[1] === 0x82 ? 0 : -1)
  const tbs = clean.subarray(start, start + 4 + Buffer.from(clean).readUInt16BE(start + 2))
  return Buffer.concat([...head, digestOf('sha256', universe.intermediate.key.spki), vector(tbs, 3), extensions])
}

/** What the signature of the tree head is over (RFC 6962 section 3.5). */
const treeHeadOf = (rootHash: string): Buffer =>
  Buffer.concat([Buffer.of(0, 1), uint(0, 2), uint(now, 6), uint(0, 2), uint(size, 6), Buffer.from(rootHash, 'base64')])
const leafInput = (index: number): Buffer => Buffer.concat([Buffer.of(0, 0), timestampedEntry(index)])
const leaves = (count = size): Uint8Array[] => Array.from({ length: count }, (_, index) => leafOf(leafInput(index)))
const json = async (where: string): Promise<unknown> => {
  const response = await ct.get(where)
  expect(response.status, where).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  return response.json()
}

describe('the reads of RFC 6962', () => {
  it('give a tree head over exactly what was submitted, signed by the log', async () => {
    const head = (await json('/ct/v1/get-sth')) as {
      tree_size: number
      timestamp: number
      sha256_root_hash: string
      tree_head_signature: string
    }
    expect(head).toMatchObject({ tree_size: size, timestamp: now, sha256_root_hash: base64(mth(leaves())) })
    const signature = Buffer.from(head.tree_head_signature, 'base64')
    expect(signature.subarray(0, 4)).toEqual(Buffer.concat([Buffer.of(4, 3), uint(signature.length - 4, 2)]))
    const signed = treeHeadOf(head.sha256_root_hash)
    expect(verify('sha256', signed, createPublicKey(universe.ctLog.pem), signature.subarray(4))).toBe(true)
  })

  it.skipIf(!hasOpenssl)('give a tree head that openssl verifies', async () => {
    const head = (await json('/ct/v1/get-sth')) as { sha256_root_hash: string; tree_head_signature: string }
    const openssl = createOpenssl()
    const signed = treeHeadOf(head.sha256_root_hash)
    const key = openssl.file('key.pem', universe.ctLog.pem)
    const signature = openssl.file('signature', Buffer.from(head.tree_head_signature, 'base64').subarray(4))
    expect(openssl.succeed('dgst', '-sha256', '-verify', key, '-signature', signature, openssl.file('data', signed)).toString()).toContain(
      'Verified OK',
    )
    openssl.remove()
  })

  it('give every entry with its precertificate and its chain', async () => {
    const entries: { leaf_input: string; extra_data: string }[] = []
    while (entries.length < size) {
      const some = (await json(`/ct/v1/get-entries?start=${entries.length}&end=${size + 1000}`)) as { entries: typeof entries }
      expect(some.entries.length).toBeGreaterThan(0)
      entries.push(...some.entries)
    }
    expect(entries.map(({ leaf_input }) => leaf_input)).toEqual(submitted.map((_, index) => base64(leafInput(index))))
    const chain = vector(Buffer.concat(issuers.map((der) => vector(der, 3))), 3)
    const extra = submitted.map(({ kind, der }) => (kind === 'certificate' ? chain : Buffer.concat([vector(der, 3), chain])))
    expect(entries.map(({ extra_data }) => extra_data)).toEqual(extra.map(base64))
  })

  it('give no more entries than were asked for', async () => {
    expect(await json('/ct/v1/get-entries?start=5&end=7')).toMatchObject({ entries: [{}, {}, {}] })
  })

  it('prove that each leaf is in a tree of any size, by its hash and by its index', async () => {
    for (const [index, treeSize] of [
      [0, 1],
      [0, 2],
      [1, 2],
      [5, 7],
      [6, 7],
      [0, 256],
      [255, 257],
      [256, 257],
      [299, 300],
      [128, 300],
    ] as const) {
      const audit = path(index, leaves(treeSize)).map(base64)
      const hash = encodeURIComponent(base64(leafOf(leafInput(index))))
      expect(await json(`/ct/v1/get-proof-by-hash?hash=${hash}&tree_size=${treeSize}`)).toEqual({ leaf_index: index, audit_path: audit })
      const withProof = await json(`/ct/v1/get-entry-and-proof?leaf_index=${index}&tree_size=${treeSize}`)
      expect(withProof).toMatchObject({ leaf_input: base64(leafInput(index)), audit_path: audit })
    }
  })

  it('prove that each tree continues each earlier one', async () => {
    for (const [first, second] of [
      [1, 2],
      [1, 300],
      [2, 3],
      [6, 7],
      [128, 256],
      [255, 256],
      [256, 300],
      [299, 300],
    ] as const) {
      const consistency = proof(first, leaves(second)).map(base64)
      expect(await json(`/ct/v1/get-sth-consistency?first=${first}&second=${second}`)).toEqual({ consistency })
    }
    expect(await json('/ct/v1/get-sth-consistency?first=0&second=300')).toEqual({ consistency: [] })
    expect(await json('/ct/v1/get-sth-consistency?first=300&second=300')).toEqual({ consistency: [] })
  })

  it('give the accepted roots', async () => {
    expect(await json('/ct/v1/get-roots')).toEqual({ certificates: [base64(universe.root.der)] })
  })

  const unknown = encodeURIComponent(base64(digestOf('sha256', Buffer.of(1))))
  const last = (): string => encodeURIComponent(base64(leafOf(leafInput(size - 1))))
  it.each<[() => string, number, string]>([
    [() => 'get-sth-consistency', 400, 'first is missing'],
    [() => 'get-sth-consistency?first=1', 400, 'second is missing'],
    [() => 'get-sth-consistency?first=2&second=1', 400, 'should be in order and up to 300'],
    [() => 'get-sth-consistency?first=1&second=301', 400, 'should be in order and up to 300'],
    [() => 'get-sth-consistency?first=-1&second=3', 400, 'first should be a decimal number, found "-1"'],
    [() => 'get-sth-consistency?first=01&second=3', 400, 'first should be a decimal number'],
    [() => 'get-sth-consistency?first=1e2&second=300', 400, 'first should be a decimal number'],
    [() => `get-sth-consistency?first=1&second=${'9'.repeat(5000)}`, 400, 'second should be a decimal number'],
    [() => 'get-proof-by-hash?tree_size=3', 400, 'hash is missing'],
    [() => 'get-proof-by-hash?hash=AAAA&tree_size=3', 400, 'hash should be base64 of 32 bytes, found "AAAA"'],
    [() => `get-proof-by-hash?hash=${unknown}&tree_size=0`, 400, 'tree_size should lie between 1 and 300, found 0'],
    [() => `get-proof-by-hash?hash=${unknown}&tree_size=301`, 400, 'tree_size should lie between 1 and 300, found 301'],
    [() => `get-proof-by-hash?hash=${unknown}&tree_size=300`, 404, 'there is no leaf with this hash in the tree of 300 leaves'],
    [() => `get-proof-by-hash?hash=${last()}&tree_size=299`, 404, 'there is no leaf with this hash in the tree of 299 leaves'],
    [() => 'get-entries?start=3&end=2', 400, 'the tree has the entries 0 to 299'],
    [() => 'get-entries?start=300&end=300', 400, 'the tree has the entries 0 to 299'],
    [() => 'get-entries?end=2', 400, 'start is missing'],
    [() => 'get-entry-and-proof?leaf_index=5&tree_size=5', 400, 'leaf_index should be below the tree size 5'],
  ])('refuse what cannot be answered (%#)', async (query, status, message) => {
    const response = await ct.get(`/ct/v1/${query()}`)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toContain(message)
  })

  it('give a signed head, and no entries, of an empty log', async () => {
    const empty = await testCtLog(universe)
    expect(await (await empty.get('/ct/v1/get-sth')).json()).toMatchObject({ tree_size: 0, sha256_root_hash: base64(digestOf('sha256')) })
    expect((await empty.get('/ct/v1/get-entries?start=0&end=0')).status).toBe(400)
    await empty.close()
  })
})

describe('the reads of a static log', () => {
  it('give a checkpoint with the signature of the tree head', async () => {
    const response = await ct.get('/checkpoint')
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const [text = '', line = ''] = (await response.text()).split('\n\n')
    expect(text).toBe(`${ctOrigin}\n${size}\n${base64(mth(leaves()))}`)
    const [dash, name, encoded = ''] = line.trim().split(' ')
    expect([dash, name]).toEqual(['—', ctOrigin])
    const body = Buffer.from(encoded, 'base64')
    const logId = digestOf('sha256', universe.ctLog.spki)
    expect(body.subarray(0, 4)).toEqual(Buffer.from(digestOf('sha256', Buffer.from(`${ctOrigin}\n\x05`), logId)).subarray(0, 4))
    expect(body.readBigUInt64BE(4)).toBe(BigInt(now))
    const head = (await json('/ct/v1/get-sth')) as { tree_head_signature: string }
    expect(base64(body.subarray(12))).toBe(head.tree_head_signature)
  })

  it('give tiles of hashes, never to be fetched again', async () => {
    const all = leaves()
    const tiles: [string, Uint8Array][] = [
      ['tile/0/000', Buffer.concat(all.slice(0, 256))],
      ['tile/0/001.p/44', Buffer.concat(all.slice(256))],
      ['tile/1/000.p/1', mth(all.slice(0, 256))],
    ]
    for (const [where, bytes] of tiles) {
      const response = await ct.get(`/${where}`)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/octet-stream')
      expect(response.headers.get('cache-control')).toBe(immutable)
      expect(base64(new Uint8Array(await response.arrayBuffer()))).toBe(base64(bytes))
    }
  })

  it('give data tiles with every entry, its precertificate and the fingerprints of its chain', async () => {
    for (const where of ['tile/data/000', 'tile/data/001.p/44', 'tile/data/001.p/7']) {
      const response = await ct.get(`/${where}`)
      expect(response.headers.get('content-encoding')).toBe('gzip')
      expect(response.headers.get('cache-control')).toBe(immutable)
      const { index, width } = parseTilePath(where.replace('data', 'entries'))
      const expected = Array.from({ length: width }, (_, position) => {
        const at = Number(index) * 256 + position
        const { kind, der } = submitted[at] ?? { kind: 'certificate', der: Buffer.alloc(0) }
        return Buffer.concat([
          timestampedEntry(at),
          ...(kind === 'certificate' ? [] : [vector(der, 3)]),
          vector(Buffer.concat(fingerprints), 2),
        ])
      })
      const bytes = gunzipSync(Buffer.from(await response.arrayBuffer()))
      expect(bytes.equals(Buffer.concat(expected)), where).toBe(true)
    }
  })

  it('give the names in the certificates, a line for each', async () => {
    const response = await ct.get('/tile/names/001.p/44')
    expect(response.headers.get('content-type')).toBe('application/jsonl; charset=utf-8')
    const lines = gunzipSync(Buffer.from(await response.arrayBuffer()))
      .toString()
      .split('\n')
    expect(lines).toHaveLength(45)
    expect(lines.pop()).toBe('')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      submitted.slice(256).map(({ time }, position) => ({ Timestamp: time, Email: [`dev${256 + position}@universe.test`] })),
    )
  })

  it('give each issuer by its fingerprint, also after a restart and when the root is accepted no more', async () => {
    const restarted = await testCtLog(universe, { storage: ct.storage, log: ct.log, acceptedRoots: [] })
    for (const service of [ct, restarted]) {
      for (const [position, fingerprint] of fingerprints.entries()) {
        const response = await service.get(`/issuer/${fingerprint.toString('hex')}`)
        expect(response.headers.get('content-type')).toBe('application/pkix-cert')
        expect(response.headers.get('cache-control')).toBe(immutable)
        expect(Buffer.from(await response.arrayBuffer())).toEqual(issuers[position])
      }
    }
    expect((await restarted.get('/ct/v1/get-entries?start=0&end=0')).status).toBe(200)
  })

  it.each([
    'tile/0/001',
    'tile/0/001.p/45',
    'tile/0/002',
    'tile/0/000.p/256',
    'tile/0/0',
    'tile/0/x000/000',
    'tile/00/000',
    'tile/1/000',
    'tile/6/000',
    'tile/entries/000',
    'tile/data/001',
    'tile/data/001.p/45',
    'tile/data/x000/000',
    'tile/data/000%2e',
    'tile/names/001.p/0',
    'tile/names/999',
    'tile/8/0/000',
    'tile/-1/000',
    `tile/0/${'x999/'.repeat(100)}999`,
    'issuer/00',
    `issuer/${'0'.repeat(64)}`,
    `issuer/${'A'.repeat(64)}`,
    'issuer/',
    'elsewhere',
  ])('have nothing at %s', async (where) => {
    expect((await ct.get(`/${where}`)).status).toBe(404)
  })

  it('never lose an issuer of an entry that was answered for', async () => {
    const order: string[] = []
    const storage = {
      get: ct.storage.documents.get.bind(ct.storage.documents),
      put: async (...words: Parameters<typeof ct.storage.documents.put>) => {
        const written = await ct.storage.documents.put(...words)
        order.push('issuer kept')
        return written
      },
    }
    const log = { ...ct.log, add: async (...words: Parameters<typeof ct.log.add>) => (order.push('entry added'), ct.log.add(...words)) }
    const other = await testCtLog(universe, { log, storage: { ...ct.storage, documents: { ...ct.storage.documents, ...storage } } })
    await other.service.addPreChain(preChain(universe, 0))
    expect(order).toEqual(['issuer kept', 'issuer kept', 'entry added'])
  })
})
