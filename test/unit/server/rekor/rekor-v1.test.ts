import { describe, expect, test } from 'vitest'
import { parseBundle } from '../../../../src/bundle/bundle.ts'
import type { LogEntry } from '../../../../src/bundle/signed-entity.ts'
import { parseConsistencyAnswer, parseLogInfo, parseRekorV1Entry } from '../../../../src/api/rekor-v1.ts'
import { encodeProposedEntry } from '../../../../src/api/rekor-v1-proposal.ts'
import { encodeBundle } from '../../../../src/bundle/encode-bundle.ts'
import { parseLogEntryBody } from '../../../../src/bundle/log-entry-body.ts'
import { parsePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { CountersignError } from '../../../../src/error.ts'
import { checkLoggedEntryV1 } from '../../../../src/server/rekor/logged-entry.ts'
import { createRekorV1 } from '../../../../src/server/rekor/rekor-v1.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import { checkSignature } from '../../../../src/server/threads/signature-check.ts'
import type { TestRekor } from '../../../support/rekor.ts'
import { testRekorV1, testShard, treeId } from '../../../support/rekor.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { dsseBody, firstIntotoBody, hashedrekordBody, intotoBody, rekordBody } from '../../../support/universe/entry-bodies.ts'
import type { EntryParts } from '../../../support/universe/entry-bodies.ts'
import type { DigestName, KeyKind, TestKey } from '../../../support/universe/keys.ts'
import { digestOf, namedKey, newKey, signPrehashed, signWith, usualDigest } from '../../../support/universe/keys.ts'
import { canonical } from '../../../support/universe/logs.ts'
import type { SignedBundle } from '../../../support/universe/sign.ts'
import { signBlob, signStatement } from '../../../support/universe/sign.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { timestamp } from '../../../support/universe/timestamps.ts'
import { verifySigned } from '../../../support/universe/verification.ts'
import { mth, proof as consistencyProof, path as inclusionPath } from '../../merkle/reference-tree.ts'
import { leafOf } from '../../merkle/reference-tree.ts'

const entries = '/api/v1/log/entries'
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const universe = universeOf({ name: 'rekor-v1' })
const key = namedKey('v1 signer')

interface EntryJson {
  readonly body: string
  readonly integratedTime: number
  readonly logID: string
  readonly logIndex: number
  readonly attestation?: { readonly data: string }
  readonly verification: {
    readonly inclusionProof: { hashes: string[]; logIndex: number; rootHash: string; treeSize: number; checkpoint: string }
    readonly signedEntryTimestamp: string
  }
}
type EntryMap = Record<string, EntryJson>

function blob(artifact = Buffer.from('an artifact'), signer: TestKey = key): SignedBundle {
  return signBlob({ universe, key: signer, log: 'none' }, artifact)
}

interface HashedRekordJson {
  readonly apiVersion: string
  readonly kind: string
  readonly spec: {
    readonly data: { readonly hash: { readonly algorithm: string; readonly value: string } }
    readonly signature: { readonly content: string; readonly publicKey: { readonly content: string } }
  }
}

function hashedRekord(signed: SignedBundle, digestName: DigestName = usualDigest(signed.key)): HashedRekordJson {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: digestName, value: hex(digestOf(digestName, signed.artifact)) } },
      signature: { content: base64(signed.signature), publicKey: { content: base64(pemOf(signed.certificate)) } },
    },
  }
}

async function errorOf(response: Response): Promise<{ code: number; message: string }> {
  return (await response.json()) as { code: number; message: string }
}

async function add(rekor: TestRekor, proposed: unknown): Promise<{ id: string; entry: EntryJson; response: Response }> {
  const response = await rekor.post(entries, proposed)
  const text = await response.text()
  expect([response.status, text]).toEqual([201, expect.any(String)])
  const [found] = Object.entries(JSON.parse(text) as EntryMap)
  if (found === undefined) throw new Error('no entry was answered')
  return { id: found[0], entry: found[1], response }
}

/** The bundle with the log's entry, written by our own encoder. */
function bundleWith(signed: SignedBundle, entry: LogEntry): string {
  return encodeBundle({ ...parseBundle(signed.json), logEntries: [entry] })
}

function bodyOf(entry: EntryJson): string {
  return Buffer.from(entry.body, 'base64').toString()
}

function partsOf(signed: SignedBundle, content: Partial<EntryParts> = {}): EntryParts {
  const digestAlgorithm = usualDigest(signed.key)
  return {
    digest: digestOf(digestAlgorithm, signed.artifact),
    digestAlgorithm,
    signature: signed.signature,
    verifier: signed.certificate,
    verifierKind: 'certificate',
    keyDetails: '',
    ...content,
  }
}

describe('adding a hashedrekord', () => {
  test('answers 201, and names the entry in the body, in ETag and in Location', async () => {
    const rekor = await testRekorV1(universe)
    const { id, entry, response } = await add(rekor, hashedRekord(blob()))
    const leaf = leafOf(Buffer.from(entry.body, 'base64'))
    expect(id).toBe(`${treeId.toString(16).padStart(16, '0')}${hex(leaf)}`)
    expect(response.headers.get('etag')).toBe(id)
    expect(response.headers.get('location')).toBe(`${entries}/${id}`)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(entry).toEqual({
      body: expect.any(String) as string,
      integratedTime: universe.time / 1000 + 60,
      logID: hex(universe.rekor.logId),
      logIndex: 0,
      verification: {
        inclusionProof: {
          checkpoint: expect.stringContaining(`rekor.universe.test - ${treeId}\n1\n`) as string,
          hashes: [],
          logIndex: 0,
          rootHash: hex(leaf),
          treeSize: 1,
        },
        signedEntryTimestamp: expect.any(String) as string,
      },
    })
    expect(entry.verification.inclusionProof.checkpoint.split('— ')).toHaveLength(2)
  })

  test('what the log answers makes a bundle whose promise and proof verify', async () => {
    const rekor = await testRekorV1(universe)
    for (let at = 0; at < 4; at++) {
      const signed = blob(Buffer.from(`artifact ${at}`))
      const response = await rekor.post(entries, hashedRekord(signed))
      const { entry } = parseRekorV1Entry(Buffer.from(await response.arrayBuffer()))
      const evidence = verifySigned(signed, { bundle: bundleWith(signed, entry) })
      expect(evidence.logEntries).toHaveLength(1)
    }
  })

  test.each<[KeyKind, DigestName]>([
    ['p256', 'sha256'],
    ['p384', 'sha384'],
    ['p384', 'sha256'],
    ['p521', 'sha512'],
    ['p521', 'sha256'],
    ['rsa', 'sha256'],
  ])('takes %s over %s, and writes the canonical body', async (kind, digestName) => {
    const rekor = await testRekorV1(universe)
    const signed = signBlob({ universe, key: namedKey('v1 signer', kind), digest: digestName, log: 'none' })
    const { entry } = await add(rekor, hashedRekord(signed, digestName))
    const parts = partsOf(signed, { digest: digestOf(digestName, signed.artifact), digestAlgorithm: digestName })
    expect(bodyOf(entry)).toBe(canonical(hashedrekordBody(parts)))
  })

  test('takes Ed25519ph over sha512 by a bare key', async () => {
    const rekor = await testRekorV1(universe)
    const signer = namedKey('v1 signer', 'ed25519')
    const data = Buffer.from('prehashed')
    const proposed = (digestName: DigestName): object => ({
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: digestName, value: hex(digestOf(digestName, data)) } },
        signature: { content: base64(signPrehashed(signer, data)), publicKey: { content: base64(signer.pem) } },
      },
    })
    await add(rekor, proposed('sha512'))
    expect((await errorOf(await rekor.post(entries, proposed('sha256')))).message).toMatch(/Ed25519ph, over sha512/)
  })

  test('the PEM is written anew: whatever its lines and the text around it, the entry is the same', async () => {
    const rekor = await testRekorV1(universe)
    const signed = blob()
    const { id } = await add(rekor, hashedRekord(signed))
    const spelled = `a comment\r\n${pemOf(signed.certificate).replaceAll('\n', '\r\n')}\r\n\r\n`
    const proposed = hashedRekord(signed)
    const bent = {
      ...proposed,
      spec: { ...proposed.spec, signature: { ...proposed.spec.signature, publicKey: { content: base64(spelled) } } },
    }
    const response = await rekor.post(entries, bent)
    expect(response.status).toBe(409)
    expect(response.headers.get('location')).toBe(`${entries}/${id}`)
  })

  test('a chain is kept whole, its first certificate signs', async () => {
    const rekor = await testRekorV1(universe)
    const signed = blob()
    const chain = [signed.certificate, universe.intermediate.der, universe.root.der].map((der) => pemOf(der)).join('')
    const proposed = hashedRekord(signed)
    const withKey = (pem: string): object => ({
      ...proposed,
      spec: { ...proposed.spec, signature: { ...proposed.spec.signature, publicKey: { content: base64(pem) } } },
    })
    const { entry } = await add(rekor, withKey(chain))
    expect(bodyOf(entry)).toContain(base64(chain))
    const broken = await rekor.post(entries, withKey(pemOf(signed.certificate) + pemOf(universe.root.der)))
    expect(broken.status).toBe(400)
    expect((await errorOf(broken)).message).toMatch(/not a chain/)
  })

  test('the signatures in a chain are checked where all signatures are, so that many chains hold up nobody else', async () => {
    const checked: string[] = []
    const rekor = await testRekorV1(universe, {
      checkSignature: (check) => {
        checked.push(hex(check.signature))
        return checkSignature(check)
      },
    })
    const signed = blob()
    const chain = [signed.certificate, universe.intermediate.der, universe.root.der]
    const proposed = hashedRekord(signed)
    const publicKey = { content: base64(chain.map((der) => pemOf(der)).join('')) }
    await add(rekor, { ...proposed, spec: { ...proposed.spec, signature: { ...proposed.spec.signature, publicKey } } })
    const [leaf, intermediate] = chain.map((der) => hex(parseCertificate(der).signature))
    expect(checked.slice(0, 2)).toEqual([leaf, intermediate])
    expect(checked).toHaveLength(3)
  })

  test('an upper case hash is the same hash', async () => {
    const rekor = await testRekorV1(universe)
    const proposed = hashedRekord(blob())
    const { hash } = proposed.spec.data
    await add(rekor, { ...proposed, spec: { ...proposed.spec, data: { hash: { ...hash, value: hash.value.toUpperCase() } } } })
    expect((await rekor.post(entries, proposed)).status).toBe(409)
  })
})

describe('the same entry again', () => {
  test('answers 409 with the words, the Location and the ETag that clients look for', async () => {
    const rekor = await testRekorV1(universe)
    const proposed = hashedRekord(blob())
    const { id } = await add(rekor, proposed)
    const response = await rekor.post(entries, proposed)
    expect(response.status).toBe(409)
    expect(response.headers.get('location')).toBe(`${entries}/${id}`)
    expect(response.headers.get('etag')).toBe(id)
    expect(await errorOf(response)).toEqual({
      code: 409,
      message: `an equivalent entry already exists in the transparency log with UUID ${id}`,
    })
    const fetched = await rekor.request(response.headers.get('location') ?? '')
    expect(Object.keys((await fetched.json()) as EntryMap)).toEqual([id])
  })

  test('of concurrent requests exactly one is answered 201', async () => {
    const rekor = await testRekorV1(universe, {}, { batchMs: 1 })
    const proposed = hashedRekord(blob())
    const answers = await Promise.all(Array.from({ length: 20 }, async () => rekor.post(entries, proposed)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19)
    expect((await rekor.log.head()).size).toBe(1n)
  })
})

describe('attestations', () => {
  const signed = signStatement({ universe, key, log: 'none' })
  const envelope = signed.bundle['dsseEnvelope'] as { payload: string; payloadType: string; signatures: { sig: string }[] }
  const envelopeText = JSON.stringify(envelope)
  const payload = Buffer.from(envelope.payload, 'base64')
  const certificate = base64(pemOf(signed.certificate))

  function dsse(text: string, verifiers: readonly string[]): object {
    return { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent: { envelope: text, verifiers } } }
  }

  test('as dsse 0.0.1: the body has the hashes and the signature, not the envelope', async () => {
    const rekor = await testRekorV1(universe)
    const response = await rekor.post(entries, dsse(envelopeText, [certificate]))
    const { entry } = parseRekorV1Entry(Buffer.from(await response.arrayBuffer()))
    const parts = partsOf(signed, {
      digest: digestOf('sha256', payload),
      envelopeHash: digestOf('sha256', Buffer.from(envelopeText)),
    })
    expect(Buffer.from(entry.body).toString()).toBe(canonical(dsseBody(parts)))
    expect(verifySigned(signed, { bundle: bundleWith(signed, entry) }).logEntries).toHaveLength(1)
  })

  test('signatures of several keys are sorted, whatever their order in the envelope', async () => {
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload])
    const keys = [newKey(), newKey('p384'), newKey('ed25519'), namedKey('v1 signer', 'rsa')]
    const sigs = keys.map((signer) => ({ sig: base64(signWith(signer, pae)), keyid: '' }))
    const verifiers = keys.map((signer) => base64(signer.pem))
    const text = JSON.stringify({ ...envelope, signatures: sigs, comment: 'ignored' })
    const rekor = await testRekorV1(universe)
    const { entry } = await add(rekor, dsse(text, verifiers))
    const body = JSON.parse(bodyOf(entry)) as { spec: { signatures: { signature: string; verifier: string }[] } }
    const sorted = body.spec.signatures.map(({ signature }) => signature)
    expect(sorted).toEqual(sigs.map(({ sig }) => sig).toSorted())
    for (const { signature, verifier } of body.spec.signatures) {
      expect(verifier).toBe(verifiers[sigs.findIndex(({ sig }) => sig === signature)])
    }
    const missing = await rekor.post(entries, dsse(text, verifiers.slice(1)))
    expect(missing.status).toBe(400)
    expect((await errorOf(missing)).message).toMatch(/all signatures must have a key that verifies it/)
  })

  test('what the log computes itself is not taken from a client, unless it is null', async () => {
    const rekor = await testRekorV1(universe)
    const proposed = (more: object): object => ({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: { proposedContent: { envelope: envelopeText, verifiers: [certificate] }, ...more },
    })
    expect((await rekor.post(entries, proposed({ payloadHash: { algorithm: 'sha256', value: 'ab'.repeat(32) } }))).status).toBe(400)
    expect((await rekor.post(entries, proposed({ signatures: [] }))).status).toBe(400)
    expect((await rekor.post(entries, proposed({ signatures: null, envelopeHash: null }))).status).toBe(201)
  })

  test('too many pairs of signature and key are refused before any is tried', async () => {
    const signatures = Array.from({ length: 16 }, (_, at) => ({ sig: base64(`signature ${at}`) }))
    const rekor = await testRekorV1(universe)
    const response = await rekor.post(
      entries,
      dsse(
        JSON.stringify({ ...envelope, signatures }),
        Array.from({ length: 16 }, () => certificate),
      ),
    )
    expect(response.status).toBe(400)
    expect((await errorOf(response)).message).toMatch(/too many for one entry/)
  })

  const intoto = (bend: object = {}): object => ({
    apiVersion: '0.0.2',
    kind: 'intoto',
    spec: {
      content: {
        envelope: {
          payloadType: envelope.payloadType,
          payload: base64(envelope.payload),
          signatures: [{ sig: base64(envelope.signatures[0]?.sig ?? ''), publicKey: certificate }],
        },
        hash: { algorithm: 'sha256', value: 'ab'.repeat(32) },
        ...bend,
      },
    },
  })

  const firstIntoto = (text: string, publicKey: string, more: object = {}): object => ({
    apiVersion: '0.0.1',
    kind: 'intoto',
    spec: { content: { envelope: text, ...more }, publicKey },
  })

  test('as intoto 0.0.1: the hashes and the key, without a signature; the payload is kept beside it', async () => {
    const rekor = await testRekorV1(universe)
    // What cosign 1 says of the hash is not taken from it.
    const response = await rekor.post(
      entries,
      firstIntoto(envelopeText, certificate, { hash: { algorithm: 'sha256', value: 'ab'.repeat(32) } }),
    )
    expect(response.status).toBe(201)
    const { entry, attestation } = parseRekorV1Entry(Buffer.from(await response.arrayBuffer()))
    const parts = partsOf(signed, { digest: digestOf('sha256', payload), envelopeHash: digestOf('sha256', Buffer.from(envelopeText)) })
    expect(Buffer.from(entry.body).toString()).toBe(canonical(firstIntotoBody(parts)))
    expect(Buffer.from(attestation ?? []).toString()).toBe(payload.toString())
    await expect(checkLoggedEntryV1({ leaf: entry.body, extra: new Uint8Array(0) }, 'signatures')).resolves.toBeUndefined()
  })

  test('as intoto 0.0.1: refused unless every signature is by the one key', async () => {
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload])
    const mallory = newKey()
    const withSignatures = (...signatures: readonly Uint8Array[]): string =>
      JSON.stringify({ ...envelope, signatures: signatures.map((sig) => ({ sig: base64(sig) })) })
    const rekor = await testRekorV1(universe)
    const foreign = signWith(mallory, pae)
    for (const [text, publicKey] of [
      [envelopeText, base64(mallory.pem)],
      [withSignatures(foreign), certificate],
      [withSignatures(signed.signature, foreign), certificate],
      [withSignatures(), certificate],
      [JSON.stringify({ ...envelope, payload: base64('{}') }), certificate],
      ['', certificate],
      ['{', certificate],
      [envelopeText, ''],
      [envelopeText, base64('no key')],
    ] as const)
      expect((await rekor.post(entries, firstIntoto(text, publicKey))).status).toBe(400)
    // As it stands in a log, which is nothing to propose.
    expect((await rekor.post(entries, { apiVersion: '0.0.1', kind: 'intoto', spec: { content: {}, publicKey: certificate } })).status).toBe(
      400,
    )
    expect((await rekor.log.head()).size).toBe(0n)
  })

  test('as intoto 0.0.2: twice base64, without the payload, which is kept beside it', async () => {
    const rekor = await testRekorV1(universe)
    const response = await rekor.post(entries, intoto())
    const { entry, attestation } = parseRekorV1Entry(Buffer.from(await response.arrayBuffer()))
    const parts = partsOf(signed, { digest: digestOf('sha256', payload), envelopeHash: Buffer.from('ab'.repeat(32), 'hex') })
    expect(Buffer.from(entry.body).toString()).toBe(canonical(intotoBody(parts, envelope.payloadType)))
    expect(Buffer.from(attestation ?? []).toString()).toBe(payload.toString())
    expect(verifySigned(signed, { bundle: bundleWith(signed, entry) }).logEntries).toHaveLength(1)
  })

  test('as intoto 0.0.2: no payload is kept where that is switched off', async () => {
    const rekor = await testRekorV1(universe, { maxAttestationBytes: 0 })
    expect((await add(rekor, intoto())).entry.attestation).toBeUndefined()
  })

  test('as intoto 0.0.2: refused where a signature stands beside a key that did not make it, though another key of the entry did', async () => {
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload])
    const mallory = newKey()
    const pair = (sig: Uint8Array, publicKey: string): object => ({ sig: base64(base64(sig)), publicKey })
    const own = signWith(mallory, pae)
    const withSignatures = (...signatures: readonly object[]): object =>
      intoto({ envelope: { payloadType: envelope.payloadType, payload: base64(envelope.payload), signatures } })
    const rekor = await testRekorV1(universe)
    for (const foreign of [own, signWith(mallory, pae)]) {
      const response = await rekor.post(entries, withSignatures(pair(own, base64(mallory.pem)), pair(foreign, certificate)))
      expect(response.status).toBe(400)
      expect((await errorOf(response)).message).toMatch(/all signatures must have a key that verifies it/)
    }
    expect((await rekor.log.head()).size).toBe(0n)
    const both = withSignatures(pair(own, base64(mallory.pem)), pair(signed.signature, certificate))
    expect((await rekor.post(entries, both)).status).toBe(201)
  })

  test('as dsse 0.0.1: no more signatures than readers of the entry take', async () => {
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload])
    const signatures = Array.from({ length: 17 }, () => ({ sig: base64(signWith(key, pae)) }))
    const rekor = await testRekorV1(universe)
    const refused = await rekor.post(entries, dsse(JSON.stringify({ ...envelope, signatures }), [base64(key.pem)]))
    expect(refused.status).toBe(400)
    const most = await add(rekor, dsse(JSON.stringify({ ...envelope, signatures: signatures.slice(1) }), [base64(key.pem)]))
    expect(parseLogEntryBody(Buffer.from(most.entry.body, 'base64')).signatures).toHaveLength(16)
  })

  test('as intoto 0.0.2: refused without the envelope hash, which only its client knows', async () => {
    const rekor = await testRekorV1(universe)
    expect((await rekor.post(entries, intoto({ hash: undefined }))).status).toBe(400)
    expect((await rekor.post(entries, intoto({ hash: { algorithm: 'sha512', value: 'ab'.repeat(64) } }))).status).toBe(400)
  })
})

describe('other kinds', () => {
  const signed = blob()
  const rekord = (format: string, data: object = { content: base64(signed.artifact) }): object => ({
    apiVersion: '0.0.1',
    kind: 'rekord',
    spec: { data, signature: { format, content: base64(signed.signature), publicKey: { content: base64(pemOf(signed.certificate)) } } },
  })

  test('rekord with an X.509 key: the content is replaced by its hash', async () => {
    const rekor = await testRekorV1(universe)
    const { entry } = await add(rekor, rekord('x509'))
    expect(bodyOf(entry)).toBe(canonical(rekordBody(partsOf(signed))))
  })

  test('rekord whose hash is not that of its content, or without content', async () => {
    const rekor = await testRekorV1(universe)
    const hash = { algorithm: 'sha256', value: 'ab'.repeat(32) }
    const wrong = await rekor.post(entries, rekord('x509', { content: base64(signed.artifact), hash }))
    expect((await errorOf(wrong)).message).toMatch(/SHA mismatch/)
    expect((await rekor.post(entries, rekord('x509', { hash }))).status).toBe(400)
    expect((await rekor.post(entries, rekord('x509', { content: base64('else') }))).status).toBe(400)
  })

  test.each(['pgp', 'minisign', 'ssh'])('rekord of format %s is refused, saying what is taken', async (format) => {
    const rekor = await testRekorV1(universe)
    const response = await rekor.post(entries, rekord(format))
    expect(response.status).toBe(400)
    expect((await errorOf(response)).message).toContain('only x509')
  })

  test('rfc3161: a timestamp with the certificate of its signer', async () => {
    const rekor = await testRekorV1(universe)
    const response = timestamp(signed.signature, universe.timestampLeaf, {
      genTime: universe.time,
      certificates: [universe.timestampLeaf.der],
    })
    const proposed = (der: Uint8Array): object => ({ apiVersion: '0.0.1', kind: 'rfc3161', spec: { tsr: { content: base64(der) } } })
    const { entry } = await add(rekor, proposed(response))
    expect(bodyOf(entry)).toBe(canonical(proposed(response)))
    const bent = Uint8Array.from(response)
    bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1
    expect((await rekor.post(entries, proposed(bent))).status).toBe(400)
    const bare = timestamp(signed.signature, universe.timestampLeaf, { genTime: universe.time, certificates: [] })
    expect((await errorOf(await rekor.post(entries, proposed(bare)))).message).toMatch(/certReq/)
    expect((await rekor.post(entries, proposed(new Uint8Array(11 * 1024)))).status).toBe(400)
  })

  test.each(['alpine', 'cose', 'helm', 'jar', 'rpm', 'tuf', '__proto__', 'constructor'])(
    '%s is refused, saying what is taken',
    async (kind) => {
      const rekor = await testRekorV1(universe)
      const response = await rekor.post(entries, { apiVersion: '0.0.1', kind, spec: {} })
      expect(response.status).toBe(400)
      expect((await errorOf(response)).message).toMatch(/^error processing entry: .*not supported.*hashedrekord 0\.0\.1, dsse 0\.0\.1/)
    },
  )
})

describe('refuses', () => {
  const signed = blob()
  const valid = hashedRekord(signed)
  const spec = (bend: object): object => ({ ...valid, spec: { ...valid.spec, ...bend } })
  const cases: readonly [string, unknown, RegExp][] = [
    ['text that is not JSON', '{', /not valid JSON/],
    ['an unknown member', { ...valid, more: 1 }, /unknown field "more"/],
    [
      'a key by URL (GHSA-4c4x-jm2x-pf9j)',
      spec({ signature: { content: base64(signed.signature), publicKey: { url: 'http://169.254.169.254/' } } }),
      /unknown field "url"/,
    ],
    ['another version', { ...valid, apiVersion: '0.0.2' }, /not supported/],
    ['a signature over something else', spec({ data: { hash: { algorithm: 'sha256', value: 'ab'.repeat(32) } } }), /verifying signature/],
    ['a digest that is too short', spec({ data: { hash: { algorithm: 'sha256', value: 'abcd' } } }), /digest of 2 bytes/],
    ['a digest that is not hexadecimal', spec({ data: { hash: { algorithm: 'sha256', value: 'zz'.repeat(32) } } }), /not hexadecimal/],
    ['sha1', spec({ data: { hash: { algorithm: 'sha1', value: 'ab'.repeat(20) } } }), /should be sha256, sha384, sha512/],
    ['sha512 with a P-256 key', spec({ data: { hash: { algorithm: 'sha512', value: 'ab'.repeat(64) } } }), /not allowed/],
    [
      'a private key',
      spec({ signature: { content: 'AAAA', publicKey: { content: base64(pemOf(Buffer.from('x'), 'PRIVATE KEY')) } } }),
      /cannot handle type "PRIVATE KEY"/,
    ],
    ['a key that is not PEM', spec({ signature: { content: 'AAAA', publicKey: { content: base64('hello') } } }), /no PEM block/],
    ['an empty signature', spec({ signature: { content: '', publicKey: { content: base64(key.pem) } } }), /content is missing/],
    [
      'a chain of eleven',
      spec({ signature: { content: 'AAAA', publicKey: { content: base64(pemOf(signed.certificate).repeat(11)) } } }),
      /at most 10/,
    ],
    ['null', null, /should be an object/],
  ]
  test.each(cases)('%s, with 400', async (_, body, message) => {
    const rekor = await testRekorV1(universe)
    const response = await rekor.post(entries, body)
    expect(response.status).toBe(400)
    const error = await errorOf(response)
    expect(error.code).toBe(400)
    expect(error.message).toMatch(/^error processing entry: /)
    expect(error.message).toMatch(message)
    expect((await rekor.log.head()).size).toBe(0n)
  })

  test('a body over its limit, with 413', async () => {
    const rekor = await testRekorV1(universe, { maxRequestBytes: 1000 })
    expect((await rekor.post(entries, ' '.repeat(1001))).status).toBe(413)
  })

  test('with 503 and a time to come back when the log is overloaded, with 500 and no detail when it fails', async () => {
    let failure = new CountersignError('LOG_OVERLOADED', 'too many')
    const errors: unknown[] = []
    const rekor = await testRekorV1(universe, { onError: (error) => errors.push(error) }, { refuse: () => failure })
    expect((await rekor.post(entries, valid)).status).toBe(503)
    failure = new CountersignError('STORAGE_FAILED', 'secret path')
    const response = await rekor.post(entries, valid)
    expect(response.status).toBe(500)
    expect((await errorOf(response)).message).toBe('unexpected result from transparency log')
    expect(errors).toEqual([failure])
  })

  test('with 405 while it is frozen', async () => {
    const rekor = await testRekorV1(universe)
    rekor.log.state = 'frozen'
    expect((await rekor.post(entries, valid)).status).toBe(405)
  })
})

describe('reading', () => {
  async function filled(count: number): Promise<{ rekor: TestRekor; ids: string[] }> {
    const rekor = await testRekorV1(universe)
    const ids: string[] = []
    for (let at = 0; at < count; at++) ids.push((await add(rekor, hashedRekord(blob(Buffer.from(`artifact ${at}`))))).id)
    return { rekor, ids }
  }

  test('by entry ID, by UUID in either case and by index', async () => {
    const { rekor, ids } = await filled(3)
    const id = ids[1] ?? ''
    for (const path of [`/${id}`, `/${id.slice(16)}`, `/${id.slice(16).toUpperCase()}`, '?logIndex=1']) {
      const response = await rekor.request(`${entries}${path}`)
      expect(response.status).toBe(200)
      expect(response.headers.get('etag')).toBe(id)
      const [[found, entry]] = Object.entries((await response.json()) as EntryMap) as [[string, EntryJson]]
      expect(found).toBe(id)
      expect(entry.logIndex).toBe(1)
      expect(entry.verification.inclusionProof.treeSize).toBe(3)
    }
  })

  test.each([
    ['an unknown UUID', `/${'ab'.repeat(32)}`, 404],
    ['an unknown tree', `/${'01'.repeat(8)}${'ab'.repeat(32)}`, 404],
    ['an index behind the end', '?logIndex=3', 404],
    ['a UUID of another length', '/abcd', 400],
    ['a UUID that is not hexadecimal', `/${'zz'.repeat(32)}`, 400],
    ['the tree 0', `/${'00'.repeat(8)}${'ab'.repeat(32)}`, 400],
    ['a negative tree', `/${'ff'.repeat(8)}${'ab'.repeat(32)}`, 400],
    ['a negative index', '?logIndex=-1', 400],
    ['an index that is no number', '?logIndex=1e3', 400],
    ['no index', '', 400],
  ])('%s', async (_, path, status) => {
    const { rekor } = await filled(3)
    const response = await rekor.request(`${entries}${path}`)
    expect(response.status).toBe(status)
    if (status === 404) expect(await response.text()).toBe('')
    else expect((await errorOf(response)).code).toBe(400)
  })

  test('retrieves by UUID, index and proposed entry, leaving out what is not there', async () => {
    const { rekor, ids } = await filled(3)
    const response = await rekor.post(`${entries}/retrieve`, {
      entryUUIDs: [ids[0], 'ab'.repeat(32)],
      logIndexes: [1, 99],
      entries: [
        hashedRekord(blob(Buffer.from('artifact 2'))),
        hashedRekord(blob(Buffer.from('artifact 3'))),
        { apiVersion: '0.0.1', kind: 'helm', spec: {} },
      ],
    })
    // The signature is new each time, so the two proposals are not those in the log.
    expect(((await response.json()) as EntryMap[]).map((map) => Object.keys(map)[0])).toEqual([ids[0], ids[1]])
  })

  test('retrieves an entry as it was proposed', async () => {
    const rekor = await testRekorV1(universe)
    const proposed = hashedRekord(blob())
    const { id } = await add(rekor, proposed)
    const response = await rekor.post(`${entries}/retrieve`, { entries: [proposed] })
    expect(((await response.json()) as EntryMap[]).map((map) => Object.keys(map)[0])).toEqual([id])
  })

  test('refuses to look for an entry whose signature is of something else, in the words that clients repeat', async () => {
    const rekor = await testRekorV1(universe)
    const proposed = hashedRekord(blob())
    const other = hashedRekord(blob(Buffer.from('another artifact')))
    const bent = { ...proposed, spec: { ...proposed.spec, data: other.spec.data } }
    const response = await rekor.post(`${entries}/retrieve`, { entries: [bent] })
    expect(response.status).toBe(400)
    expect(await errorOf(response)).toEqual({
      code: 400,
      message: expect.stringMatching(
        /^unmarshalling entry: verifying signature: invalid signature when validating ASN\.1 encoded signature/,
      ),
    })
  })

  test('retrieves no more than ten at once', async () => {
    const { rekor } = await filled(1)
    const response = await rekor.post(`${entries}/retrieve`, { logIndexes: Array.from({ length: 11 }, (_, at) => at) })
    expect(response.status).toBe(422)
    expect(await errorOf(response)).toEqual({ code: 422, message: 'more than max allowed 10 entries in request' })
    expect((await rekor.post(`${entries}/retrieve`, { entryUUIDs: ['abc'] })).status).toBe(400)
    expect((await rekor.post(`${entries}/retrieve`, { logIndexes: [-1] })).status).toBe(400)
    expect((await rekor.post(`${entries}/retrieve`, { urls: [] })).status).toBe(400)
  })

  test('the log tells its head, its key and that it is there', async () => {
    const { rekor } = await filled(2)
    const info = parseLogInfo(Buffer.from(await (await rekor.request('/api/v1/log?stable=true')).arrayBuffer()))
    expect(info).toMatchObject({ treeId, treeSize: 2n, inactiveShards: [] })
    expect(info.signedTreeHead).toContain(base64(info.rootHash))
    const keyResponse = await rekor.request('/api/v1/log/publicKey')
    expect(keyResponse.headers.get('content-type')).toBe('application/x-pem-file')
    expect(hex(parsePublicKeyPem(await keyResponse.text()).spki)).toBe(hex(universe.rekor.key.spki))
    expect((await rekor.request('/api/v1/log/publicKey?treeID=5')).status).toBe(400)
    expect((await rekor.request('/api/v1/log/publicKey?treeID=x')).status).toBe(400)
    expect((await rekor.request('/ping')).status).toBe(200)
  })

  test.each([
    ['firstSize=3&lastSize=2', /firstSize\(3\) must be less than lastSize\(2\)/],
    ['firstSize=1&lastSize=4', /the tree size requested\(4\) was greater than what is currently observable\(3\)/],
    ['firstSize=0&lastSize=2', /at least 1/],
    ['lastSize=x', /should be a number/],
    ['', /lastSize/],
    ['lastSize=2&treeID=7', /not a tree of this log/],
    ['lastSize=2&treeID=x', /invalid tree ID/],
  ])('the consistency proof of %s is refused', async (query, message) => {
    const { rekor } = await filled(3)
    const response = await rekor.request(`/api/v1/log/proof?${query}`)
    expect(response.status).toBe(400)
    expect((await errorOf(response)).message).toMatch(message)
  })
})

describe('every proof of a tree of 1 to 300 entries', () => {
  test('is that of the definition', async () => {
    const { shard, log } = await testShard(universe)
    const service = createRekorV1({ active: shard })
    const leaves: Uint8Array[] = []
    for (let size = 1; size <= 300; size++) {
      const leaf = Buffer.from(`{"apiVersion":"0.0.1","kind":"test","spec":${size}}`)
      await log.add({ leaf })
      leaves.push(leafOf(leaf))
      const root = hex(mth(leaves))
      // The edges, and a leaf and an older size that move through the tree.
      for (const index of new Set([0, size - 1, Math.floor(size / 2), 7919 % size])) {
        const response = await service.routes.request(`${entries}?logIndex=${index}`)
        const [entry] = Object.values((await response.json()) as EntryMap)
        const proof = entry?.verification.inclusionProof
        expect(proof?.rootHash).toBe(root)
        expect(proof?.hashes).toEqual(inclusionPath(index, leaves).map(hex))
      }
      const older = 1 + (104_729 % size)
      const answer = await service.routes.request(`/api/v1/log/proof?firstSize=${older}&lastSize=${size}`)
      const { rootHash, hashes } = parseConsistencyAnswer(Buffer.from(await answer.arrayBuffer()))
      expect(hex(rootHash)).toBe(root)
      expect(hashes.map(hex)).toEqual(consistencyProof(older, leaves).map(hex))
    }
  })
})

describe('shards', () => {
  test('share one virtual index: the promise covers it, the proof has that of the tree', async () => {
    const oldKey = namedKey('old rekor')
    const old = await testShard(universe, { treeId: 77n, key: oldKey })
    const oldService = { service: createRekorV1({ active: old.shard }), log: old.log }
    const post = async (
      service: { routes: { request: (path: string, init: RequestInit) => Response | Promise<Response> } },
      body: object,
    ) => service.routes.request(entries, { method: 'POST', body: JSON.stringify(body) })
    for (let at = 0; at < 3; at++) await post(oldService.service, hashedRekord(blob(Buffer.from(`old ${at}`))))
    old.log.state = 'retired'
    const current = await testShard(universe, { firstIndex: 3n })
    const service = createRekorV1({ active: current.shard, inactive: [old.shard] })

    const signed = blob(Buffer.from('new'))
    const response = await post(service, hashedRekord(signed))
    const { entry } = parseRekorV1Entry(Buffer.from(await response.arrayBuffer()))
    expect(entry.logIndex).toBe(3n)
    expect(entry.inclusionProof?.logIndex).toBe(0n)
    verifySigned(signed, { bundle: bundleWith(signed, entry) })

    const [oldEntry] = Object.entries((await (await service.routes.request(`${entries}?logIndex=2`)).json()) as EntryMap)
    expect(oldEntry?.[0].slice(0, 16)).toBe('000000000000004d')
    expect(oldEntry?.[1].logID).toBe(hex(digestOf('sha256', oldKey.spki)))
    expect(oldEntry?.[1].verification.inclusionProof.logIndex).toBe(2)
    const byUuid = await service.routes.request(`${entries}/${oldEntry?.[0].slice(16)}`)
    expect(Object.keys((await byUuid.json()) as EntryMap)).toEqual([oldEntry?.[0]])
    expect((await service.routes.request(`${entries}?logIndex=4`)).status).toBe(404)

    const info = parseLogInfo(Buffer.from(await (await service.routes.request('/api/v1/log')).arrayBuffer()))
    expect(info.inactiveShards.map((shard) => [shard.treeId, shard.treeSize])).toEqual([[77n, 3n]])
    const oldPem = await (await service.routes.request('/api/v1/log/publicKey?treeID=77')).text()
    expect(oldPem).toBe(oldKey.pem)
    expect((await service.routes.request('/api/v1/log/proof?firstSize=1&lastSize=3&treeID=77')).status).toBe(200)
  })

  test('that clients could not tell apart are refused', async () => {
    const { shard } = await testShard(universe)
    const wrongOrigin = { ...shard, log: { ...shard.log, origin: 'rekor.universe.test' } }
    expect(() => createRekorV1({ active: wrongOrigin })).toThrow(/origin of the shard/)
    expect(() => createRekorV1({ active: shard, inactive: [shard] })).toThrow(/number of its own/)
    expect(() => createRekorV1({ active: { ...shard, treeId: 0n } })).toThrow(/number of its own/)
    const later = await testShard(universe, { treeId: 5n, firstIndex: 10n })
    expect(() => createRekorV1({ active: shard, inactive: [later.shard] })).toThrow(/before one that is older/)
  })
})

test('a proposal that we encode is one that the log takes', async () => {
  const rekor = await testRekorV1(universe)
  const signed = blob()
  const proposal = encodeProposedEntry({
    kind: 'hashedrekord',
    digest: { algorithm: 'sha256', value: digestOf('sha256', signed.artifact) },
    signature: signed.signature,
    verifier: pemOf(signed.certificate),
  })
  expect(JSON.parse(proposal)).toEqual(hashedRekord(signed))
  expect((await rekor.post(entries, proposal)).status).toBe(201)
})
