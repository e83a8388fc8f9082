/** `verify-blob` and `verify-blob-attestation` of files from before bundles: the log entry is looked for, and believed no more than any other. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addRekorV1Entry } from '../../../../src/clients/rekor-v1.ts'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import type { PrivateSigstore } from '../../../../src/server/index.ts'
import { createServer } from '../../../../src/server/index.ts'
import { logEntryAnswer } from '../../../support/signing-services.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { hashedrekordBody, rekordBody } from '../../../support/universe/entry-bodies.ts'
import type { EntryParts } from '../../../support/universe/entry-bodies.ts'
import { digestOf, namedKey } from '../../../support/universe/keys.ts'
import type { EntryJson, EntryOptions } from '../../../support/universe/logs.ts'
import { logEntry, rekorV1 } from '../../../support/universe/logs.ts'
import { artifactBytes, identity, issuer, signBlob, signStatement, universeOf } from '../../../support/universe/universe.ts'
import { startProxy, startServer } from '../../http/test-server.ts'
import type { TestServer } from '../../http/test-server.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const [universe, third] = [universeOf(), universeOf({ name: 'third' })]
const retrievePath = '/api/v1/log/entries/retrieve'
const indexPath = '/api/v1/index/retrieve'
const keyless = signBlob({ log: 'none' })
const managed = signBlob({ log: 'none', managed: true, key: namedKey('manager') })
const attestation = signStatement({ log: 'none', managed: true })
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const files: Readonly<Record<string, string | Uint8Array>> = {
  artifact: artifactBytes,
  'fake-artifact': 'another artifact\n',
  'artifact.sig': base64(keyless.signature),
  'crt.pem': Buffer.from(pemOf(keyless.certificate)).toString('base64'),
  'managed.sig': base64(managed.signature),
  'key.pub': managed.key.pem,
  'envelope.json': JSON.stringify(attestation.bundle['dsseEnvelope']),
  'attester.pub': attestation.key.pem,
  'bundle.json': keyless.json,
  'root.json': universe.trustedRoot(),
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-search-'))
  for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(folder, name), contents)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (words: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> =>
  runCaptured(words, { cwd: folder, now: universe.time, env: { HOME: folder }, ...surroundings })
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const separate = ['--signature', 'artifact.sig', '--certificate', 'crt.pem', '--trusted-root', 'root.json']
const sentenceOf = ({ stderr }: Outcome): string => /^Error: (.*)$/m.exec(stderr)?.[1] ?? ''

/** A log that answers every question with these. */
interface LogAnswers {
  readonly retrieve?: (response: ServerResponse) => void
  readonly index?: (response: ServerResponse) => void
}

const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

function startLog({ retrieve = json([]), index = json([]) }: LogAnswers): Promise<TestServer> {
  return startServer((request: IncomingMessage, response) => {
    request.resume()
    if (request.url === retrievePath) retrieve(response)
    else if (request.url === indexPath) index(response)
    else response.writeHead(404).end()
  })
}

/** An entry of the keyless signature, in the universe's log. */
function entryOf(options: EntryOptions = {}, bend: Partial<EntryParts> = {}, log = universe.rekor, body = hashedrekordBody): EntryJson {
  const parts: EntryParts = {
    digest: digestOf('sha256', artifactBytes),
    digestAlgorithm: 'sha256',
    signature: keyless.signature,
    verifier: keyless.certificate,
    verifierKind: 'certificate',
    keyDetails: '',
    ...bend,
  }
  return logEntry(log, body(parts), { integratedTime: universe.time / 1000 + 60, ...options })
}

const answers = (...entries: readonly EntryJson[]) => json(entries.map((entry, at) => ({ [String(at).repeat(80)]: logEntryAnswer(entry) })))
const verifyAt = (log: TestServer, ...more: readonly string[]): Promise<Outcome> =>
  run(['verify-blob', 'artifact', ...separate, ...who, '--rekor-url', log.origin, ...more])

describe('the entry of a signature without one', () => {
  it('is found by what it must look like', async () => {
    const log = await startLog({ retrieve: answers(entryOf()) })
    const verified = await verifyAt(log, '--output', 'json')
    expect(verified).toMatchObject({ exitCode: 0 })
    expect(verified.stderr).toContain('Verified OK\n')
    expect(JSON.parse(verified.stdout)).toMatchObject({ logEntries: [{ kind: 'hashedrekord', version: '0.0.1' }] })
    expect(log.requests).toEqual([`POST ${retrievePath}`])
  })

  it('is found by the index where it looks otherwise, as those of the first cosign', async () => {
    const asked: string[] = []
    const log = await startServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        asked.push(body)
        if (request.url === indexPath) json(['1'.repeat(80)])(response)
        else if (body.includes('1'.repeat(80))) answers(entryOf({}, {}, universe.rekor, rekordBody))(response)
        else json([])(response)
      })
    })
    expect(await verifyAt(log)).toMatchObject({ exitCode: 0 })
    expect(log.requests).toEqual([`POST ${retrievePath}`, `POST ${indexPath}`, `POST ${retrievePath}`])
    const hash = Buffer.from(digestOf('sha256', artifactBytes)).toString('hex')
    const content = Buffer.from(pemOf(keyless.certificate)).toString('base64')
    expect(JSON.parse(asked[1] ?? '')).toEqual({ hash: `sha256:${hash}`, publicKey: { format: 'x509', content }, operator: 'and' })
  })

  it('is the earliest, as others may be of long after the certificate', async () => {
    const late = entryOf({ integratedTime: universe.time / 1000 + 86_400 })
    for (const entries of [
      [late, entryOf()],
      [entryOf(), late],
    ]) {
      expect(await verifyAt(await startLog({ retrieve: answers(...entries) }))).toMatchObject({ exitCode: 0 })
    }
  })

  it('is not looked for with --offline', async () => {
    const log = await startLog({ retrieve: answers(entryOf()) })
    const refused = await verifyAt(log, '--offline')
    expect(refused.exitCode).toBe(1)
    expect(sentenceOf(refused)).toContain(
      'offline verification failed: the signature comes without an entry of a transparency log, and --offline forbids',
    )
    expect(log.requests).toEqual([])
  })

  it('is not looked for with --insecure-ignore-tlog, nor for a bundle', async () => {
    const log = await startLog({ retrieve: answers(entryOf()) })
    expect(await verifyAt(log, '--insecure-ignore-tlog')).toMatchObject({ exitCode: 0 })
    const bundle = await run([
      'verify-blob',
      'artifact',
      '--bundle',
      'bundle.json',
      '--trusted-root',
      'root.json',
      ...who,
      '--rekor-url',
      log.origin,
    ])
    expect(bundle.exitCode).toBe(1)
    expect(bundle.stderr).toContain('not enough verified log entries from transparency log: 0 < 1')
    expect(log.requests).toEqual([])
  })

  it.each([
    ["the public instance's log", 'https://rekor.sigstore.dev', 'rekor.sigstore.dev:443'],
    ['the log of the instance that is trusted', 'https://rekor.universe.test', 'rekor.universe.test:443'],
  ])('is looked for in %s, when none is named', async (_, baseUrl, asked) => {
    const proxy = await startProxy(9, 502)
    const env = { HOME: folder, HTTPS_PROXY: proxy.origin }
    const bend = (root: { tlogs?: { baseUrl?: string }[] }): void => root.tlogs?.forEach((log) => (log.baseUrl = baseUrl))
    writeFileSync(path.join(folder, 'named-root.json'), universe.trustedRoot(bend))
    const refused = await run(['verify-blob', 'artifact', ...separate, '--trusted-root', 'named-root.json', ...who], { env })
    expect(refused.exitCode).toBe(1)
    expect(proxy.requests[0]).toBe(`CONNECT ${asked}`)
  })

  describe('of several trusted roots', () => {
    const other = universeOf({ name: 'other' })
    const managedEntry = entryOf({}, { signature: managed.signature, verifier: managed.key.spki, verifierKind: 'public-key' })
    const withKey = ['--signature', 'managed.sig', '--key', 'key.pub']
    const verifyUnder = (more: readonly string[], ...roots: readonly (readonly [typeof universe, TestServer])[]): Promise<Outcome> => {
      const lines = roots.map(([one, { origin }]) => one.trustedRoot((root) => root.tlogs.forEach((log) => void (log.baseUrl = origin))))
      writeFileSync(path.join(folder, 'roots.jsonl'), lines.join('\n'))
      return run(['verify-blob', 'artifact', ...more, '--trusted-root', 'roots.jsonl'])
    }

    it('is looked for in the log of each, wherever it stands, and whatever the others answer', async () => {
      const log = await startLog({ retrieve: answers(managedEntry) })
      for (const elsewhere of [await startLog({}), await startLog({ retrieve: json({}, 500), index: json({}, 400) })]) {
        expect(await verifyUnder(withKey, [other, elsewhere], [universe, log])).toMatchObject({ exitCode: 0 })
        expect(await verifyUnder(withKey, [universe, log], [other, elsewhere])).toMatchObject({ exitCode: 0 })
      }
    })

    it('is looked for in none but the log of the root that knows the certificate', async () => {
      const [log, elsewhere] = [await startLog({ retrieve: answers(entryOf()) }), await startLog({ retrieve: answers(entryOf()) })]
      const withCertificate = ['--signature', 'artifact.sig', '--certificate', 'crt.pem', ...who]
      expect(await verifyUnder(withCertificate, [other, elsewhere], [universe, log])).toMatchObject({ exitCode: 0 })
      expect(elsewhere.requests).toEqual([])
    })

    it('is none where it is in none, or under the other root only', async () => {
      const [empty, log] = [await startLog({}), await startLog({ retrieve: answers(managedEntry) })]
      const nowhere = await verifyUnder(withKey, [other, empty], [universe, empty])
      expect(sentenceOf(nowhere)).toContain(`signature not found in transparency log: ${empty.origin} has no entry of it`)
      const wrong = await verifyUnder(withKey, [other, log], [third, empty])
      expect(wrong).toMatchObject({ exitCode: 1 })
      expect(wrong.stderr).toContain('unknown log')
    })
  })
})

describe('nobody is asked about a signature that is wrong in itself', () => {
  it.each([
    [['fake-artifact', ...separate, ...who], 'verifying blob [fake-artifact]: invalid signature when validating ASN.1 encoded signature: '],
    [
      ['artifact', ...separate, '--certificate-identity', 'somebody else', '--certificate-oidc-issuer', issuer],
      `verifying blob [artifact]: none of the expected identities matched what was in the certificate, got subjects [${identity}] with issuer ${issuer}`,
    ],
    [
      ['artifact', ...separate, '--certificate-identity', identity, '--certificate-oidc-issuer', 'https://other.example'],
      `verifying blob [artifact]: none of the expected identities matched what was in the certificate, got subjects [${identity}] with issuer ${issuer}`,
    ],
    [
      ['artifact', '--signature', 'managed.sig', '--certificate', 'crt.pem', '--trusted-root', 'root.json', ...who],
      'verifying blob [artifact]: invalid signature when validating ASN.1 encoded signature: ',
    ],
  ])('%s', async (words, message) => {
    const log = await startLog({ retrieve: answers(entryOf()) })
    const refused = await run(['verify-blob', ...words, '--rekor-url', log.origin])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(sentenceOf(refused).startsWith(message), sentenceOf(refused)).toBe(true)
    expect(log.requests).toEqual([])
  })
})

describe('a log is not believed', () => {
  const stranger = namedKey('stranger')
  const wrong: readonly (readonly [string, LogAnswers, string])[] = [
    ['that has nothing', {}, 'signature not found in transparency log: http://127.0.0.1:'],
    [
      'that answers an entry of another artifact',
      { retrieve: answers(entryOf({}, { digest: new Uint8Array(32) })) },
      'is not to be believed: it answered the entry ',
    ],
    [
      'that answers an entry of another signature',
      { retrieve: answers(entryOf({}, { signature: managed.signature })) },
      'is not to be believed: it answered the entry ',
    ],
    [
      'that answers an entry of another key',
      { retrieve: answers(entryOf({}, { verifier: stranger.spki, verifierKind: 'public-key' })) },
      'is not to be believed: it answered the entry ',
    ],
    [
      'that the trusted root does not have',
      { retrieve: answers(entryOf({}, {}, rekorV1(stranger))) },
      'not enough verified log entries from transparency log: 0 < 1',
    ],
    ['whose promise somebody else signed', { retrieve: answers(entryOf({ signer: stranger })) }, 'does not verify with the key of the log'],
    [
      'that moves the time of its entry into the life of the certificate',
      {
        retrieve: answers({
          ...entryOf({ integratedTime: universe.time / 1000 + 86_400 }),
          integratedTime: String(universe.time / 1000 + 60),
        }),
      },
      'the signed entry timestamp does not verify',
    ],
    [
      'whose entry is of after the certificate',
      { retrieve: answers(entryOf({ integratedTime: universe.time / 1000 + 86_400 })) },
      'not at the time of the signature',
    ],
    [
      'that answers an entry without any proof',
      { retrieve: answers({ ...entryOf({ withProof: false }), inclusionPromise: undefined } as unknown as EntryJson) },
      'neither a signed entry timestamp nor an inclusion proof',
    ],
    [
      'that refuses',
      { retrieve: json({ code: 400, message: 'no such thing' }, 400) },
      'searching log query: the transparency log 127.0.0.1:',
    ],
    [
      'that answers a page',
      { retrieve: (response) => void response.end('<html>') },
      'searching log query: the transparency log 127.0.0.1:',
    ],
    ['that answers something else', { retrieve: json({ a: 1 }) }, "the log's answer should be an array"],
    ['whose index answers something else', { index: json(['../../secret']) }, "the log's answer should be an array of entry IDs"],
    [
      'that answers without end',
      { retrieve: (response) => void response.end(Buffer.alloc(17 * 1024 * 1024, 0x20)) },
      'more than the limit',
    ],
  ]
  it.each(wrong)('%s', async (_, behaviour, message) => {
    const refused = await verifyAt(await startLog(behaviour))
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).not.toContain('Verified OK')
    expect(sentenceOf(refused)).toContain('verifying blob [artifact]: ')
    expect(sentenceOf(refused)).toContain(message)
  })

  it('a log without an index has found nothing, when it has found nothing', async () => {
    const log = await startLog({ index: json({ code: 501, message: 'Search Index API not enabled in this Rekor instance' }, 501) })
    expect(sentenceOf(await verifyAt(log))).toContain('signature not found in transparency log')
  })

  it('no more than twenty entries of an index are looked at', async () => {
    const log = await startLog({ index: json(Array.from({ length: 900 }, (_, at) => at.toString(16).padStart(80, '0'))) })
    expect(sentenceOf(await verifyAt(log))).toContain('signature not found in transparency log')
    expect(log.requests).toHaveLength(4)
  })

  it('a log that hangs is given up when the time is over', async () => {
    const log = await startLog({ retrieve: () => undefined })
    const refused = await verifyAt(log, '--timeout', '300ms')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('the command did not finish within 300ms')
  })
})

describe('in a private Sigstore', () => {
  let server: PrivateSigstore
  const email = 'dev@example.com'
  const at = (...words: readonly string[]): Promise<Outcome> =>
    run([...words, '--rekor-url', server.url, '--trusted-root', 'private-root.json'], { now: server.now() })
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)

  beforeAll(async () => {
    server = await createServer()
    write('private-root.json', server.trustedRoot)
    write('token', await server.identityToken(email))
  })
  afterAll(() => server.close())

  const sign = (...words: readonly string[]): Promise<Outcome> => at('sign-blob', 'artifact', '--yes', ...words)

  it('what sign-blob wrote as cosign 2 is verified with nothing but its files', async () => {
    const outputs = ['--output-signature', 'p.sig', '--output-certificate', 'p.pem']
    expect(await sign('--fulcio-url', server.url, '--identity-token', 'token', ...outputs)).toMatchObject({ exitCode: 0 })
    const verify = [
      '--signature',
      'p.sig',
      '--certificate',
      'p.pem',
      '--certificate-identity',
      email,
      '--certificate-oidc-issuer',
      `${server.url}/oidc`,
    ]
    expect((await at('verify-blob', 'artifact', ...verify)).stderr).toContain('Verified OK')
    expect((await at('verify-blob', 'fake-artifact', ...verify)).exitCode).toBe(1)
  })

  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const)('a signature with a key of the kind %s is found', async (kind) => {
    const key = generatePrivateKey(kind)
    write(`${kind}.key`, key.encodePem())
    write(`${kind}.pub`, encodePublicKeyPem(key.publicKey))
    const signed = await sign('--key', `${kind}.key`)
    const verify = (blob: string): Promise<Outcome> => at('verify-blob', blob, '--signature', signed.stdout.trim(), '--key', `${kind}.pub`)
    expect((await verify('artifact')).stderr).toContain('Verified OK')
    expect((await verify('fake-artifact')).exitCode).toBe(1)
  })

  it('a signature that was never logged is not', async () => {
    const refused = await at('verify-blob', 'artifact', '--signature', 'managed.sig', '--key', 'key.pub')
    expect(sentenceOf(refused)).toContain(
      `verifying blob [artifact]: signature not found in transparency log: ${server.url} has no entry of it`,
    )
  })

  it('an attestation is found by its envelope, and by its payload where that was written anew, to make a bundle, too', async () => {
    const verify = (envelope: string): Promise<Outcome> =>
      at('verify-blob-attestation', 'artifact', '--signature', envelope, '--key', 'attester.pub', '--type', 'slsaprovenance1')
    expect(sentenceOf(await verify('envelope.json'))).toContain('signature not found in transparency log')
    const envelope = JSON.stringify(JSON.parse(String(files['envelope.json'])), undefined, 3)
    await addRekorV1Entry(server.url, { kind: 'dsse', envelope, verifiers: [attestation.key.pem] })
    write('logged.json', envelope)
    expect((await verify('logged.json')).stderr).toContain('Verified OK')
    // The index follows the log.
    await expect.poll(async () => (await verify('envelope.json')).stderr).toContain('Verified OK')
    const words = ['--artifact', 'artifact', '--attestation', 'envelope.json', '--key', 'attester.pub', '--rekor-url', server.url]
    const created = await run(['bundle', 'create', ...words], { now: server.now() })
    expect(created).toMatchObject({ exitCode: 0 })
    expect(JSON.parse(created.stdout)).toMatchObject({ verificationMaterial: { tlogEntries: [{ kindVersion: { kind: 'dsse' } }] } })
  })
})
