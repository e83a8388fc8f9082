import { describe, expect, test } from 'vitest'
import { TransparencyLogEntry } from '@sigstore/protobuf-specs'
import { createHash } from 'node:crypto'
import { encodeCreateEntryRequest, parseTransparencyLogEntry } from '../../../../src/api/rekor-v2.ts'
import { preAuthenticationEncoding } from '../../../../src/bundle/dsse.ts'
import { CountersignError } from '../../../../src/error.ts'
import { parseCheckpoint } from '../../../../src/merkle/checkpoint.ts'
import { parseSignedNote } from '../../../../src/merkle/signed-note.ts'
import { createRekorV2 } from '../../../../src/server/rekor/rekor-v2.ts'
import { createNaiveLog } from '../../../support/naive-log.ts'
import { signerOf, testRekorV2 } from '../../../support/rekor.ts'
import { hashedrekordBodyV2 } from '../../../support/universe/entry-bodies.ts'
import type { KeyKind } from '../../../support/universe/keys.ts'
import { digestOf, keyDetailsOf, namedKey, newKey, signPrehashed, signWith, usualDigest } from '../../../support/universe/keys.ts'
import { canonical } from '../../../support/universe/logs.ts'
import type { SignedBundle } from '../../../support/universe/sign.ts'
import { signBlob, signStatement } from '../../../support/universe/sign.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { verifySigned } from '../../../support/universe/verification.ts'

const entries = '/api/v2/log/entries'
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const universe = universeOf({ name: 'rekor-v2' })

interface RequestJson {
  readonly hashedRekordRequestV002: { readonly digest: string; readonly signature: { readonly content: string; readonly verifier: object } }
}

/** The request for the signature of a bundle. */
function requestFor(signed: SignedBundle, bend: Record<string, unknown> = {}): object {
  const digestName = usualDigest(signed.key)
  return {
    hashedRekordRequestV002: {
      digest: base64(digestOf(digestName, signed.artifact)),
      signature: {
        content: base64(signed.signature),
        verifier: { x509Certificate: { rawBytes: base64(signed.certificate) }, keyDetails: keyDetailsOf(signed.key.kind) },
      },
      ...bend,
    },
  }
}

function blob(artifact?: Uint8Array, key = namedKey('v2 signer')): SignedBundle {
  return signBlob({ universe, key, log: 'none', timestamps: [{}] }, artifact)
}

/** The bundle with the entry that the log answered. */
function withEntry(signed: SignedBundle, entry: unknown): object {
  const material = signed.bundle['verificationMaterial']
  if (typeof material !== 'object' || material === null) throw new Error('the bundle has no verification material')
  return { ...signed.bundle, verificationMaterial: { ...material, tlogEntries: [entry] } }
}

async function errorOf(response: Response): Promise<{ code: number; message: string; details: unknown[] }> {
  return (await response.json()) as { code: number; message: string; details: unknown[] }
}

describe('adding a signature over a digest', () => {
  test('answers 201 with every field of a TransparencyLogEntry, also the empty ones', async () => {
    const rekor = await testRekorV2(universe)
    const response = await rekor.post(entries, requestFor(blob()))
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe('application/json')
    const entry = (await response.json()) as Record<string, unknown>
    expect(entry).toEqual({
      logIndex: '0',
      logId: { keyId: base64(universe.tiles.logId) },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionPromise: null,
      inclusionProof: {
        logIndex: '0',
        rootHash: expect.any(String) as string,
        treeSize: '1',
        hashes: [],
        checkpoint: { envelope: expect.stringContaining('log1.universe.test\n1\n') as string },
      },
      canonicalizedBody: expect.any(String) as string,
    })
    expect(TransparencyLogEntry.fromJSON(entry).logIndex).toBe('0')
  })

  test('what the log answers makes a bundle that verifies', async () => {
    const rekor = await testRekorV2(universe)
    for (let at = 0; at < 5; at++) {
      const signed = blob(Buffer.from(`artifact ${at}`))
      const response = await rekor.post(entries, requestFor(signed))
      const evidence = verifySigned(signed, { bundle: withEntry(signed, await response.json()) })
      expect(evidence.logEntries.map(({ logIndex }) => logIndex)).toEqual([BigInt(at)])
    }
  })

  test.each<KeyKind>(['p256', 'p384', 'p521', 'rsa'])(
    'takes a %s key with its default algorithm, and writes the canonical body',
    async (kind) => {
      const rekor = await testRekorV2(universe)
      const signed = blob(Buffer.from('x'), namedKey('v2 signer', kind))
      const response = await rekor.post(entries, requestFor(signed))
      expect(response.status).toBe(201)
      const { body } = parseTransparencyLogEntry(Buffer.from(await response.arrayBuffer()))
      const expected = hashedrekordBodyV2({
        digest: digestOf(usualDigest(signed.key), signed.artifact),
        digestAlgorithm: usualDigest(signed.key),
        signature: signed.signature,
        verifier: signed.certificate,
        verifierKind: 'certificate',
        keyDetails: keyDetailsOf(kind),
      })
      expect(Buffer.from(body).toString()).toBe(canonical(expected))
    },
  )

  test('takes Ed25519ph by a bare key', async () => {
    const rekor = await testRekorV2(universe)
    const key = namedKey('v2 signer', 'ed25519')
    const data = Buffer.from('prehashed')
    const request = {
      hashedRekordRequestV002: {
        digest: base64(digestOf('sha512', data)),
        signature: {
          content: base64(signPrehashed(key, data)),
          verifier: { publicKey: { rawBytes: base64(key.spki) }, keyDetails: 'PKIX_ED25519_PH' },
        },
      },
    }
    expect((await rekor.post(entries, request)).status).toBe(201)
  })

  test('the same request again is answered with the same entry', async () => {
    const rekor = await testRekorV2(universe)
    const request = requestFor(blob())
    const first = await (await rekor.post(entries, request)).json()
    await rekor.post(entries, requestFor(blob(Buffer.from('another'))))
    const second = await rekor.post(entries, request)
    expect(second.status).toBe(201)
    expect(await second.json()).toMatchObject({
      logIndex: '0',
      canonicalizedBody: (first as { canonicalizedBody: string }).canonicalizedBody,
      inclusionProof: { treeSize: '2', logIndex: '0' },
    })
    expect((await rekor.log.head()).size).toBe(2n)
  })

  test('a hundred concurrent requests of ten kinds make ten entries', async () => {
    const rekor = await testRekorV2(universe, {}, { batchMs: 1 })
    const requests = Array.from({ length: 10 }, (_, at) => requestFor(blob(Buffer.from(`artifact ${at}`))))
    const answers = await Promise.all(Array.from({ length: 100 }, async (_, at) => rekor.post(entries, requests[at % 10])))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    const indices = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { logIndex: string }).logIndex))
    expect(new Set(indices).size).toBe(10)
    expect(indices.every((index, at) => index === indices[at % 10])).toBe(true)
    expect((await rekor.log.head()).size).toBe(10n)
  })

  test('tells its owner that entries were added', async () => {
    let added = 0
    const rekor = await testRekorV2(universe, { onAdded: () => added++ })
    await rekor.post(entries, requestFor(blob()))
    await rekor.post(entries, { nonsense: 1 })
    expect(added).toBe(1)
  })
})

describe('refuses', () => {
  const signed = blob()
  const valid = requestFor(signed) as RequestJson
  const bent = (bend: (request: RequestJson['hashedRekordRequestV002']) => void): object => {
    const request = structuredClone(valid)
    bend(request.hashedRekordRequestV002)
    return request
  }
  const cases: readonly [string, unknown, RegExp][] = [
    ['an unknown member', { ...valid, extra: 1 }, /unknown field "extra"/],
    ['an unknown member deep inside', bent((r) => Object.assign(r.signature, { url: 'http://x' })), /unknown field "url"/],
    ['no content', {}, /invalid type, must be hashedrekord/],
    ['two contents', { ...valid, dsseRequestV002: {} }, /exactly one/],
    ['text that is not JSON', '{"hashedRekordRequestV002":', /not valid JSON/],
    ['a duplicate member', '{"hashedRekordRequestV002":{},"hashedRekordRequestV002":{}}', /stands twice/],
    ['an array', [], /should be an object/],
    ['a missing signature', bent((r) => Object.assign(r, { signature: null })), /signature is missing/],
    ['an empty digest', bent((r) => Object.assign(r, { digest: '' })), /digest is missing/],
    ['base64url', bent((r) => Object.assign(r, { digest: '_-8' })), /standard base64/],
    [
      'a digest of another length',
      bent((r) => Object.assign(r, { digest: base64(digestOf('sha384', signed.artifact)) })),
      /digest length \(48\) does not match expected size \(32\) for algorithm sha256/,
    ],
    [
      'a signature over another digest',
      bent((r) => Object.assign(r, { digest: base64(digestOf('sha256', Buffer.from('else'))) })),
      /verifying signature/,
    ],
    [
      'a signature by another key',
      bent((r) => Object.assign(r.signature, { content: base64(signWith(newKey(), signed.artifact)) })),
      /verifying signature/,
    ],
    [
      'key details of another algorithm than the default one',
      bent((r) => Object.assign(r.signature.verifier, { keyDetails: 'PKIX_ECDSA_P256_HMAC_SHA_256' })),
      /keyDetails of this key should be PKIX_ECDSA_P256_SHA_256/,
    ],
    [
      'a certificate that is none',
      bent((r) => Object.assign(r.signature.verifier, { x509Certificate: { rawBytes: 'AAAA' } })),
      /invalid hashedrekord request/,
    ],
    [
      'a certificate with something behind it',
      bent((r) =>
        Object.assign(r.signature.verifier, {
          x509Certificate: { rawBytes: base64(Buffer.concat([signed.certificate, Buffer.of(0)])) },
        }),
      ),
      /invalid hashedrekord request/,
    ],
    [
      'both a certificate and a key',
      bent((r) => Object.assign(r.signature.verifier, { publicKey: { rawBytes: base64(signed.key.spki) } })),
      /exactly one of x509Certificate and publicKey/,
    ],
  ]
  test.each(cases)('%s, with 400', async (_, body, message) => {
    const rekor = await testRekorV2(universe)
    const response = await rekor.post(entries, body)
    expect(response.status).toBe(400)
    const error = await errorOf(response)
    expect(error).toEqual({ code: 3, message: expect.stringMatching(message) as string, details: [] })
    expect((await rekor.log.head()).size).toBe(0n)
  })

  test('pure Ed25519, which signs no digest', async () => {
    const rekor = await testRekorV2(universe)
    const key = namedKey('v2 signer', 'ed25519')
    const request = (keyDetails: string): object => ({
      hashedRekordRequestV002: {
        digest: base64(digestOf('sha512', signed.artifact)),
        signature: { content: base64(signWith(key, signed.artifact)), verifier: { publicKey: { rawBytes: base64(key.spki) }, keyDetails } },
      },
    })
    expect((await errorOf(await rekor.post(entries, request('PKIX_ED25519')))).message).toMatch(/should be PKIX_ED25519_PH/)
    expect((await errorOf(await rekor.post(entries, request('PKIX_ED25519_PH')))).message).toMatch(/verifying signature/)
  })

  test('keys that its policy does not name', async () => {
    const rekor = await testRekorV2(universe, { keyDetails: ['PKIX_ECDSA_P384_SHA_384'] })
    const response = await rekor.post(entries, requestFor(signed))
    expect(response.status).toBe(400)
    expect((await errorOf(response)).message).toMatch(/not allowed: an ECDSA key on P-256 with ecdsa-sha256/)
  })

  test('a body over 4 MiB, with 413, having read no more than that', async () => {
    const rekor = await testRekorV2(universe)
    const response = await rekor.post(entries, ' '.repeat(4 * 1024 * 1024 + 1))
    expect(response.status).toBe(413)
    expect((await errorOf(response)).code).toBe(3)
  })

  test('JSON nested deep', async () => {
    const rekor = await testRekorV2(universe)
    const response = await rekor.post(entries, '['.repeat(100_000))
    expect(response.status).toBe(400)
  })

  test('everything while it is frozen, with 405 and the words that clients know', async () => {
    const rekor = await testRekorV2(universe)
    rekor.log.state = 'frozen'
    const response = await rekor.post(entries, requestFor(signed))
    expect(response.status).toBe(405)
    expect(await response.text()).toBe('This log has been frozen, please switch to the latest log.\n')
    expect((await rekor.request('/api/v2/checkpoint')).status).toBe(200)
  })

  test('with 503 and a time to come back when the log is overloaded', async () => {
    const rekor = await testRekorV2(universe, {}, { refuse: () => new CountersignError('LOG_OVERLOADED', 'too many wait') })
    const response = await rekor.post(entries, requestFor(signed))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await errorOf(response)).toEqual({ code: 14, message: 'reached max pushback; retry', details: [] })
  })

  test('with 500 that says nothing of our insides, which the owner is told', async () => {
    const errors: unknown[] = []
    const failure = new CountersignError('STORAGE_FAILED', 'disk /var/lib/x is full')
    const rekor = await testRekorV2(universe, { onError: (error) => errors.push(error) }, { refuse: () => failure })
    const response = await rekor.post(entries, requestFor(signed))
    expect(response.status).toBe(500)
    expect(await errorOf(response)).toEqual({ code: 2, message: 'failed to integrate entry', details: [] })
    expect(errors).toEqual([failure])
  })

  test('an origin that clients could not find the key by', async () => {
    for (const origin of ['rekor.example - 123', 'two words', 'a+b', '']) {
      const signer = signerOf(namedKey('origin'))
      const log = await createNaiveLog({
        origin: 'placeholder',
        signer: { name: 'x', keyId: new Uint8Array(4), sign: (m) => signer.sign(m) },
      })
      expect(() => createRekorV2({ log: { ...log, origin }, publicKey: signer.publicKey })).toThrow(/bare host name/)
    }
  })
})

describe('envelopes of older clients', () => {
  const signed = signStatement({ universe, key: namedKey('v2 signer'), log: 'none', timestamps: [{}] })
  const envelope = signed.bundle['dsseEnvelope'] as { payload: string; payloadType: string; signatures: { sig: string }[] }
  const verifier = { x509Certificate: { rawBytes: base64(signed.certificate) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  const request = { dsseRequestV002: { envelope, verifiers: [verifier] } }

  test('are logged as a hashedrekord over their encoding, and the answer says so', async () => {
    const rekor = await testRekorV2(universe)
    const response = await rekor.post(entries, request)
    expect(response.status).toBe(201)
    const entry = (await response.json()) as { kindVersion: object; canonicalizedBody: string }
    expect(entry.kindVersion).toEqual({ kind: 'hashedrekord', version: '0.0.2' })
    const encoded = preAuthenticationEncoding(envelope.payloadType, Buffer.from(envelope.payload, 'base64'))
    const body = JSON.parse(Buffer.from(entry.canonicalizedBody, 'base64').toString()) as {
      spec: { hashedRekordV002: { data: { digest: string } } }
    }
    expect(body.spec.hashedRekordV002.data.digest).toBe(createHash('sha256').update(encoded).digest('base64'))
    expect(verifySigned(signed, { bundle: withEntry(signed, entry) }).statement?.subjects).toHaveLength(1)
  })

  test('are logged as dsse 0.0.2 where the log is for old clients', async () => {
    const rekor = await testRekorV2(universe, { envelopesAs: 'dsse' })
    const entry = (await (await rekor.post(entries, request)).json()) as { kindVersion: object }
    expect(entry.kindVersion).toEqual({ kind: 'dsse', version: '0.0.2' })
    verifySigned(signed, { bundle: withEntry(signed, entry) })
  })

  test('are refused when no verifier fits, or with two signatures', async () => {
    const rekor = await testRekorV2(universe)
    const other = { publicKey: { rawBytes: base64(newKey().spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
    const wrong = await rekor.post(entries, { dsseRequestV002: { envelope, verifiers: [other] } })
    expect(wrong.status).toBe(400)
    expect((await errorOf(wrong)).message).toMatch(/not a signature over the envelope/)
    const two = { ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] }
    expect((await rekor.post(entries, { dsseRequestV002: { envelope: two, verifiers: [verifier] } })).status).toBe(400)
    expect((await rekor.post(entries, { dsseRequestV002: { envelope, verifiers: [] } })).status).toBe(400)
    expect((await rekor.post(entries, { dsseRequestV002: { envelope, verifiers: [other, verifier] } })).status).toBe(201)
  })
})

describe('reads', () => {
  test('the checkpoint is text, never cached, and that of the newest tree', async () => {
    const rekor = await testRekorV2(universe)
    await rekor.post(entries, requestFor(blob()))
    const response = await rekor.request('/api/v2/checkpoint')
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const checkpoint = parseCheckpoint(parseSignedNote(await response.text()).text)
    expect(checkpoint).toMatchObject({ origin: 'log1.universe.test', size: 1n })
  })

  test('tiles and entry bundles are immutable, and 304 when they are known', async () => {
    const rekor = await testRekorV2(universe)
    for (let at = 0; at < 3; at++) await rekor.post(entries, requestFor(blob(Buffer.from(`${at}`))))
    const tile = await rekor.request('/api/v2/tile/0/000.p/3')
    expect(tile.status).toBe(200)
    expect(tile.headers.get('content-type')).toBe('application/octet-stream')
    expect(tile.headers.get('cache-control')).toContain('immutable')
    expect((await tile.arrayBuffer()).byteLength).toBe(96)
    const etag = tile.headers.get('etag') ?? ''
    const again = await rekor.request('/api/v2/tile/0/000.p/3', { headers: { 'if-none-match': `"x", ${etag}` } })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
    const bundle = await rekor.request('/api/v2/tile/entries/000.p/2')
    expect(Buffer.from(await bundle.arrayBuffer()).readUInt16BE(0)).toBeGreaterThan(500)
  })

  test.each([
    ['a tile that is not there yet', 'tile/0/000', 404],
    ['a wider one than there is', 'tile/0/000.p/4', 404],
    ['a level that no tree has', 'tile/64/000', 400],
    ['a path that is none', 'tile/0/../../x', 404],
    ['an index with leading zeros', 'tile/0/x000/001', 400],
    ['a partial tile of 256', 'tile/0/000.p/256', 400],
  ])('%s: refused', async (_, path, status) => {
    const rekor = await testRekorV2(universe)
    expect((await rekor.request(`/api/v2/${path}`)).status).toBe(status)
  })

  test('an encoded request of ours is one that the server takes', async () => {
    const rekor = await testRekorV2(universe)
    const signed = blob()
    const body = encodeCreateEntryRequest({
      kind: 'hashedrekord',
      digest: digestOf('sha256', signed.artifact),
      signature: signed.signature,
      verifier: { kind: 'certificate', der: signed.certificate, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
    })
    expect((await rekor.post(entries, body)).status).toBe(201)
  })
})
