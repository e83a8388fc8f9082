/** Requests to both Rekor services with anything in them bent: refused in the API's own words, or meaning the same. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRekorError } from '../../src/api/rekor-error.ts'
import {
  encodeEntryId,
  encodeLogInfo,
  encodeRekorV1Entry,
  parseEntryId,
  parseLogInfo,
  parseRekorV1Entries,
  parseRekorV1Entry,
} from '../../src/api/rekor-v1.ts'
import { encodeProposedEntry, parseProposedEntry } from '../../src/api/rekor-v1-proposal.ts'
import type { ProposedEntry } from '../../src/api/rekor-v1-proposal.ts'
import { encodeIndexQuery, parseIndexAnswer, parseIndexQuery, parseRetrieveQuery } from '../../src/api/rekor-v1-query.ts'
import {
  encodeCreateEntryRequest,
  encodeTransparencyLogEntry,
  parseCreateEntryRequest,
  parseTransparencyLogEntry,
} from '../../src/api/rekor-v2.ts'
import { parseSearchQuery } from '../../src/api/search.ts'
import type { LogEntry } from '../../src/bundle/signed-entity.ts'
import { parseSupplement, statementDigests } from '../../src/bundle/log-entry-supplement.ts'
import { termsOfEntry } from '../../src/bundle/log-entry-terms.ts'
import { CountersignError } from '../../src/error.ts'
import type { TestRekor } from '../support/rekor.ts'
import { testRekorV1, testRekorV2 } from '../support/rekor.ts'
import { digestOf, namedKey } from '../support/universe/keys.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import type { Json } from '../support/universe/sign.ts'
import { signBlob, signStatement } from '../support/universe/sign.ts'
import { universeOf } from '../support/universe/services.ts'
import { timestamp } from '../support/universe/timestamps.ts'

const universe = universeOf({ name: 'rekor fuzz' })
const key = namedKey('rekor fuzz')
const blob = signBlob({ universe, key, log: 'none' })
const attestation = signStatement({ universe, key, log: 'none' })
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const envelope = attestation.bundle['dsseEnvelope'] as { payload: string; payloadType: string; signatures: [{ sig: string }] }
// Bare keys: a log knows no authority, so that a certificate with a bit flipped is another certificate, and as good.
const verifier = { publicKey: { rawBytes: base64(key.spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }

const v2Requests: Readonly<Record<string, Json>> = {
  hashedrekord: {
    hashedRekordRequestV002: {
      digest: base64(digestOf('sha256', blob.artifact)),
      signature: { content: base64(blob.signature), verifier },
    },
  },
  dsse: { dsseRequestV002: { envelope, verifiers: [verifier] } },
}

const token = timestamp(blob.signature, universe.timestampLeaf, { genTime: universe.time, certificates: [universe.timestampLeaf.der] })
const v1Requests: Readonly<Record<string, Json>> = {
  hashedrekord: {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: hex(digestOf('sha256', blob.artifact)) } },
      signature: { content: base64(blob.signature), publicKey: { content: base64(key.pem) } },
    },
  },
  dsse: {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: { proposedContent: { envelope: JSON.stringify(envelope), verifiers: [base64(key.pem)] } },
  },
  intoto: {
    apiVersion: '0.0.2',
    kind: 'intoto',
    spec: {
      content: {
        envelope: {
          payloadType: envelope.payloadType,
          payload: base64(envelope.payload),
          signatures: [{ sig: base64(envelope.signatures[0].sig), publicKey: base64(key.pem) }],
        },
        hash: { algorithm: 'sha256', value: 'ab'.repeat(32) },
      },
    },
  },
  rekord: {
    apiVersion: '0.0.1',
    kind: 'rekord',
    spec: {
      data: { content: base64(blob.artifact) },
      signature: { format: 'x509', content: base64(blob.signature), publicKey: { content: base64(key.pem) } },
    },
  },
  rfc3161: { apiVersion: '0.0.1', kind: 'rfc3161', spec: { tsr: { content: base64(token) } } },
}

/** What a request with this entry in the log already is answered: the v2 log's index, the v1 log's conflict, or a refusal. */
async function outcome(rekor: TestRekor, path: string, request: unknown): Promise<'same' | 'refused' | 'another'> {
  const { size } = await rekor.log.head()
  const response = await rekor.post(path, request)
  const text = await response.text()
  if ([400, 413].includes(response.status)) {
    const error = parseRekorError(text)
    expect(error?.message).toMatch(/^(error processing entry|invalid hashedrekord request): ./)
    expect(text.length).toBeLessThan(3000)
    return 'refused'
  }
  expect([201, 409]).toContain(response.status)
  return (await rekor.log.head()).size === size ? 'same' : 'another'
}

/** What makes another entry of the same signature, because the client says what it is. */
const clientsOwn: Readonly<Record<string, RegExp>> = {
  hashedrekord: /^$/,
  // The hash of the envelope is that of its text, whatever the spelling.
  dsse: /envelope: a space added/,
  // Keys are kept as they were sent, and nobody can check the hash of the envelope.
  intoto: /hash\.value|publicKey: |signatures: first repeated/,
  rekord: /^$/,
  rfc3161: /^$/,
}

describe.each(Object.entries(v2Requests))('a %s request to Rekor v2 with one thing changed', (_, request) => {
  test('is refused, or is the same entry', async () => {
    const rekor = await testRekorV2(universe)
    expect(await outcome(rekor, '/api/v2/log/entries', request)).toBe('another')
    for (const { name, bundle } of mutationsOf(request)) {
      expect([name, await outcome(rekor, '/api/v2/log/entries', bundle)]).not.toEqual([name, 'another'])
    }
  })

  test('in its bytes is refused, or is the same entry', async () => {
    const rekor = await testRekorV2(universe)
    await rekor.post('/api/v2/log/entries', request)
    await fc.assert(
      fc.asyncProperty(bentText(JSON.stringify(request)), async (text) => {
        expect(await outcome(rekor, '/api/v2/log/entries', text)).not.toBe('another')
      }),
      { numRuns: 200 },
    )
  })
})

describe.each(Object.entries(v1Requests))('a %s proposed to Rekor v1 with one thing changed', (kind, request) => {
  test('is refused, is the same entry, or differs in what is its client’s', async () => {
    const rekor = await testRekorV1(universe)
    expect(await outcome(rekor, '/api/v1/log/entries', request)).toBe('another')
    const others: string[] = []
    for (const { name, bundle } of mutationsOf(request)) {
      if ((await outcome(rekor, '/api/v1/log/entries', bundle)) === 'another') others.push(name)
    }
    expect(others.filter((name) => clientsOwn[kind]?.test(name) !== true)).toEqual([])
  })

  test('in its bytes never fails inside', async () => {
    const rekor = await testRekorV1(universe)
    await fc.assert(
      fc.asyncProperty(bentText(JSON.stringify(request)), async (text) => {
        await outcome(rekor, '/api/v1/log/entries', text)
      }),
      { numRuns: 200 },
    )
  })
})

describe('questions with anything in them', () => {
  test('are answered or refused, never with a failure inside', async () => {
    const rekor = await testRekorV1(universe)
    await rekor.post('/api/v1/log/entries', v1Requests['hashedrekord'])
    const paths = fc.constantFrom('/api/v1/log/entries/retrieve', '/api/v1/index/retrieve')
    const bodies = fc.oneof(
      fc.json(),
      bentText(JSON.stringify({ entryUUIDs: ['ab'.repeat(32)], logIndexes: [0], entries: [v1Requests['hashedrekord']] })),
      bentText(
        JSON.stringify({
          email: 'a@b',
          hash: `sha256:${'ab'.repeat(32)}`,
          publicKey: { format: 'x509', content: 'AAAA' },
          operator: 'and',
        }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(paths, bodies, async (path, body) => {
        expect([200, 400, 422, 501]).toContain((await rekor.post(path, body)).status)
      }),
      { numRuns: 300 },
    )
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 100 }), async (text) => {
        const encoded = encodeURIComponent(text)
        for (const path of [
          `/api/v1/log/entries/${encoded}`,
          `/api/v1/log/entries?logIndex=${encoded}`,
          `/api/v1/log/proof?lastSize=${encoded}`,
        ]) {
          expect([200, 400, 404]).toContain((await rekor.request(path)).status)
        }
      }),
      { numRuns: 200 },
    )
  })
})

/** Every decoder of the contracts, with an input that it takes. */
const entry: LogEntry = {
  logIndex: 7n,
  logId: digestOf('sha256', key.spki),
  kind: 'hashedrekord',
  version: '0.0.1',
  integratedTime: 1_700_000_000n,
  signedEntryTimestamp: Buffer.from('promise'),
  inclusionProof: {
    logIndex: 5n,
    treeSize: 6n,
    rootHash: digestOf('sha256', Buffer.of(1)),
    hashes: [digestOf('sha256', Buffer.of(2)), digestOf('sha256', Buffer.of(3))],
    checkpoint: 'host - 1\n6\nAAAA\n\n— host AAAA\n',
  },
  body: Buffer.from(JSON.stringify(v1Requests['hashedrekord'])),
}
const entryId = encodeEntryId(5n, digestOf('sha256', entry.body))
const shard = { treeId: 5n, treeSize: 6n, rootHash: digestOf('sha256', Buffer.of(1)), signedTreeHead: 'note' }
const decoders: readonly (readonly [string, string, (bytes: Uint8Array) => unknown])[] = [
  ['a request to Rekor v2', JSON.stringify(v2Requests['hashedrekord']), parseCreateEntryRequest],
  ['an answer of Rekor v2', encodeTransparencyLogEntry(entry), parseTransparencyLogEntry],
  ['a proposal to Rekor v1', JSON.stringify(v1Requests['intoto']), (bytes) => parseProposedEntry(bytes, 1 << 22)],
  ['an answer of Rekor v1', JSON.stringify(encodeRekorV1Entry({ entryId, entry, attestation: Buffer.from('x') })), parseRekorV1Entry],
  ['answers of Rekor v1', JSON.stringify([encodeRekorV1Entry({ entryId, entry, attestation: undefined })]), parseRekorV1Entries],
  ['the state of a log', encodeLogInfo({ ...shard, inactiveShards: [shard] }), parseLogInfo],
  ['an entry ID', entryId, (bytes) => parseEntryId(Buffer.from(bytes).toString('latin1'))],
  [
    'a request to retrieve',
    JSON.stringify({ logIndexes: [1], entries: [v1Requests['dsse']] }),
    (bytes) => parseRetrieveQuery(bytes, 1 << 22),
  ],
  ['a question to the index', encodeIndexQuery({ email: 'a@b', publicKey: Buffer.of(1), operator: 'or' }), parseIndexQuery],
  ['an answer of the index', JSON.stringify([entryId]), parseIndexAnswer],
  [
    'a question to the search',
    'email=a%40b&limit=5',
    (bytes) => parseSearchQuery(new URLSearchParams(Buffer.from(bytes).toString('latin1'))),
  ],
  ['an error', '{"code":400,"message":"x"}', parseRekorError],
  ['a supplement', '{"digests":["sha256:ab"],"attestation":"AAAA"}', parseSupplement],
  ['a statement, for its digests', '{"subject":[{"digest":{"sha256":"ab"}}]}', (bytes) => statementDigests(envelope.payloadType, bytes)],
  ['an entry, for its terms', JSON.stringify(v1Requests['hashedrekord']), (bytes) => termsOfEntry(bytes, new Uint8Array(0))],
]

describe.each(decoders)('the decoder of %s', (_, good, decode) => {
  test('takes what it should', () => {
    expect(() => decode(Buffer.from(good))).not.toThrow()
  })

  test('throws nothing but our errors', () => {
    const survives = (bytes: Uint8Array): void => {
      try {
        decode(bytes)
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error
        expect(error.message.length).toBeLessThan(2000)
      }
    }
    fc.assert(
      fc.property(bentText(good), (text) => {
        survives(Buffer.from(text))
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        survives(bytes)
      }),
    )
    for (const text of ['['.repeat(100_000), '{"a":'.repeat(50_000), '9'.repeat(100_000), `"${'\\u0000'.repeat(20_000)}"`])
      survives(Buffer.from(text))
  })
})

describe('what we encode, we decode', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((value) => Buffer.from(value))
  const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((value) => Buffer.from(value))
  const text = fc.string({ minLength: 1, unit: 'grapheme' })
  const index = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n })
  const proof = fc.record({
    logIndex: index,
    treeSize: index,
    rootHash: sha256,
    hashes: fc.array(sha256, { maxLength: 60 }),
    checkpoint: text,
  })
  const logEntry = fc.record({
    logIndex: index,
    logId: sha256,
    kind: fc.constant('hashedrekord'),
    version: fc.constant('0.0.1'),
    integratedTime: index,
    signedEntryTimestamp: fc.option(bytes, { nil: undefined }),
    inclusionProof: fc.option(proof, { nil: undefined }),
    body: fc.constant(entry.body),
  })
  const signature = fc.record({ signature: bytes, verifier: text, keyId: fc.string({ unit: 'grapheme' }) })
  const proposal: fc.Arbitrary<ProposedEntry> = fc.oneof(
    fc.record({
      kind: fc.constant('hashedrekord' as const),
      digest: fc.record({ algorithm: fc.constant('sha256' as const), value: sha256 }),
      signature: bytes,
      verifier: text,
    }),
    fc.record({ kind: fc.constant('dsse' as const), envelope: text, verifiers: fc.array(text, { minLength: 1, maxLength: 5 }) }),
    fc.record({ kind: fc.constant('intoto' as const), version: fc.constant('0.0.1' as const), envelope: text, verifier: text }),
    fc.record({
      kind: fc.constant('intoto' as const),
      version: fc.constant('0.0.2' as const),
      payloadType: text,
      payload: bytes,
      signatures: fc.array(signature, { minLength: 1, maxLength: 5 }),
      envelopeHash: sha256,
    }),
    fc.record({
      kind: fc.constant('rekord' as const),
      content: bytes,
      digest: fc.option(sha256, { nil: undefined }),
      signature: bytes,
      verifier: text,
    }),
    fc.record({ kind: fc.constant('rfc3161' as const), response: bytes }),
  )

  test('entries of both APIs', () => {
    fc.assert(
      fc.property(logEntry, (value) => {
        expect(parseTransparencyLogEntry(Buffer.from(encodeTransparencyLogEntry(value)))).toEqual(value)
        const answer = { entryId, entry: value, attestation: undefined }
        expect(parseRekorV1Entry(Buffer.from(JSON.stringify(encodeRekorV1Entry(answer))))).toEqual(answer)
      }),
    )
  })

  test('proposals and requests', () => {
    fc.assert(
      fc.property(proposal, (value) => {
        expect(parseProposedEntry(Buffer.from(encodeProposedEntry(value)), 1 << 22)).toEqual(value)
      }),
    )
    fc.assert(
      fc.property(bytes, bytes, bytes, text, (digest, content, der, keyDetails) => {
        const request = { kind: 'hashedrekord', digest, signature: content, verifier: { kind: 'public-key', der, keyDetails } } as const
        expect(parseCreateEntryRequest(Buffer.from(encodeCreateEntryRequest(request)))).toEqual(request)
      }),
    )
  })

  test('entry IDs', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), sha256, (treeId, leafHash) => {
        expect(parseEntryId(encodeEntryId(treeId, leafHash))).toEqual({ treeId, leafHash })
      }),
    )
  })
})

/** A text with a few characters changed, cut out or put in. */
function bentText(good: string): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(), fc.string({ maxLength: 1, unit: 'binary-ascii' }), fc.nat({ max: 3 }))
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let text = good
    for (const [place, character, cut] of changes) {
      const at = text.length === 0 ? 0 : place % text.length
      text = text.slice(0, at) + character + text.slice(at + cut)
    }
    return text
  })
}
