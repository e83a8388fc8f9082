/**
 * Attestations between `attest-blob` and the real cosign, both ways: every type of predicate, keyless and with keys, with either
 * Rekor and with none, in the formats of today and of cosign 1 and 2. And a tampered copy of each, refused.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import type { PrivateSigstore } from '../../src/server/index.ts'
import { createServer } from '../../src/server/index.ts'
import { predicateDocuments } from '../support/predicates.ts'
import type { Outcome } from '../unit/cli/captured-context.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeer, runPeerLive } from './peer.ts'
import { withLogsOf, writeOldTrust } from './service-files.ts'

const cosign = findPeer('cosign') ?? ''
const cosign2 = findPeer('cosign2') ?? ''
const cosign1 = findPeer('cosign1') ?? ''
const email = 'dev@example.com'
const password = 'a pässword'
const types = Object.keys(predicateDocuments)
/** cosign 3.1.3 and sigstore-go read no bundle whose predicate is a text, not even one that cosign has signed. */
const bundleTypes = types.filter((type) => type !== 'spdx')

let server: PrivateSigstore
let folder = ''

beforeAll(async () => {
  server = await createServer()
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-attested-'))
  write('artifact', 'an artifact')
  write('other', 'another artifact')
  write('third', 'a third artifact')
  write('root.json', server.trustedRoot)
  write('token', await server.identityToken(email))
  for (const version of [1, 2]) write(`config-v${version}.json`, withLogsOf(server.signingConfig, version))
  for (const type of types) write(fileOf(type), predicateDocuments[type] ?? '')
  for (const kind of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const) {
    const key = generatePrivateKey(kind)
    write(`${kind}.pem`, key.encodePem())
    write(`${kind}.pub`, encodePublicKeyPem(key.publicKey))
    if (cosign === '') continue
    const words = ['import-key-pair', '--key', `${kind}.pem`, '--output-key-prefix', kind, '--yes']
    expect(runPeer(cosign, words, folder, { COSIGN_PASSWORD: password })).toMatchObject({ exitCode: 0 })
  }
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close()
})

const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
const fileOf = (type: string): string => `predicate-${type.replaceAll(/\W/g, '-')}`

const keyless = (version: number): readonly string[] => [
  '--identity-token',
  'token',
  '--signing-config',
  `config-v${version}.json`,
  '--trusted-root',
  'root.json',
]
const identity = (): readonly string[] => ['--certificate-identity', email, '--certificate-oidc-issuer', `${server.url}/oidc`]

function ours(...words: readonly string[]): Promise<Outcome> {
  return runCaptured(words, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: password }, now: server.now() })
}

async function attest(...words: readonly string[]): Promise<Outcome> {
  const outcome = await ours('attest-blob', ...words)
  expect(outcome.exitCode, outcome.stderr).toBe(0)
  return outcome
}

/** cosign reaches the server, which runs in this process. */
async function cosignAttests(...words: readonly string[]): Promise<void> {
  await attestsWith(cosign, words)
}

async function attestsWith(program: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const ending = await runPeerLive(program, ['attest-blob', ...words], folder, { COSIGN_PASSWORD: password, ...env })
  expect(ending.exitCode, ending.stderr).toBe(0)
  return ending
}

/** cosign accepts the artifact, and refuses another one and another type. */
function expectCosignVerifies(type: string, words: readonly string[], env: Readonly<Record<string, string>> = {}, program = cosign): void {
  const verify = (blob: string, asType: string): Ending =>
    runPeer(program, ['verify-blob-attestation', blob, '--type', asType, ...words], folder, env)
  expect(verify('artifact', type).stderr, words.join(' ')).toContain('Verified OK\n')
  expect(verify('other', type).exitCode).toBe(1)
  expect(verify('artifact', 'https://example.com/other').exitCode).toBe(1)
}

/** So do we. */
async function expectWeVerify(type: string, words: readonly string[]): Promise<void> {
  const verify = (blob: string, asType: string): Promise<Outcome> => ours('verify-blob-attestation', blob, '--type', asType, ...words)
  const right = await verify('artifact', type)
  expect(right.stderr, words.join(' ')).toContain('Verified OK\n')
  expect(await verify('other', type)).toMatchObject({ exitCode: 1 })
  expect(await verify('artifact', 'https://example.com/other')).toMatchObject({ exitCode: 1 })
}

/** A copy of a bundle in which the statement says something else. */
function tampered(bundle: string): string {
  const parsed = JSON.parse(read(bundle)) as { dsseEnvelope: { payload: string } }
  const payload = Buffer.from(parsed.dsseEnvelope.payload, 'base64').toString()
  parsed.dsseEnvelope.payload = Buffer.from(payload.replace('"predicate":', '"predicate" :')).toString('base64')
  write(`tampered-${bundle}`, JSON.stringify(parsed))
  return `tampered-${bundle}`
}

const digestFor = (kind: string) => (kind === 'ecdsa-p384' ? ['--signature-digest-algorithm', 'sha384'] : [])

describe.skipIf(cosign === '')('what we sign, cosign verifies', () => {
  it.each(bundleTypes)('keyless, of the type %s', async (type) => {
    for (const version of [1, 2]) {
      const bundle = `ours-${fileOf(type)}-v${version}.json`
      await attest('artifact', '--predicate', fileOf(type), '--type', type, '--bundle', bundle, ...keyless(version))
      const words = ['--trusted-root', 'root.json', '--use-signed-timestamps', ...identity()]
      expectCosignVerifies(type, ['--bundle', bundle, ...words])
      const broken = ['verify-blob-attestation', 'artifact', '--type', type, '--bundle', tampered(bundle), ...words]
      expect(runPeer(cosign, broken, folder).exitCode).toBe(1)
    }
  })

  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'])('with a key of the kind %s, recorded nowhere', async (kind) => {
    const bundle = `ours-${kind}.json`
    const predicate = ['--predicate', fileOf('link'), '--type', 'link', '--bundle', bundle]
    await attest('artifact', ...predicate, '--key', `${kind}.key`, '--tlog-upload=false')
    expectCosignVerifies('link', ['--key', `${kind}.pub`, '--bundle', bundle, '--insecure-ignore-tlog', ...digestFor(kind)])
  })

  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'])('with a key of the kind %s, in Rekor v1', async (kind) => {
    const bundle = `ours-${kind}-v1.json`
    const predicate = ['--predicate', fileOf('vuln'), '--type', 'vuln', '--bundle', bundle]
    await attest('artifact', ...predicate, '--key', `${kind}.key`, '--signing-config', 'config-v1.json', '--trusted-root', 'root.json')
    expectCosignVerifies('vuln', ['--key', `${kind}.pub`, '--bundle', bundle, '--trusted-root', 'root.json', ...digestFor(kind)])
  })

  // Not Ed25519: Rekor v2 takes Ed25519ph only, which cosign 3.1.3 does not verify.
  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'])('with a key of the kind %s, in Rekor v2', async (kind) => {
    const bundle = `ours-${kind}-v2.json`
    const predicate = ['--predicate', fileOf('vuln'), '--type', 'vuln', '--bundle', bundle]
    await attest('artifact', ...predicate, '--key', `${kind}.key`, '--signing-config', 'config-v2.json', '--trusted-root', 'root.json')
    expectCosignVerifies('vuln', ['--key', `${kind}.pub`, '--bundle', bundle, '--trusted-root', 'root.json', ...digestFor(kind)])
  })

  it('one attestation about several files', async () => {
    const predicate = ['--predicate', fileOf('cyclonedx'), '--type', 'cyclonedx', '--bundle', 'several.json']
    await attest('artifact', 'third', ...predicate, ...keyless(2))
    const words = ['--type', 'cyclonedx', '--bundle', 'several.json', '--trusted-root', 'root.json', ...identity()]
    for (const [blob, exitCode] of [
      ['artifact', 0],
      ['third', 0],
      ['other', 1],
    ] as const) {
      expect(runPeer(cosign, ['verify-blob-attestation', blob, ...words], folder)).toMatchObject({ exitCode })
    }
  })

  it('by digests of every length', async () => {
    const { createHash } = await import('node:crypto')
    for (const algorithm of ['sha256', 'sha384', 'sha512']) {
      const hash = createHash(algorithm).update('an artifact').digest('hex')
      const predicate = ['--predicate', fileOf('openvex'), '--type', 'openvex', '--bundle', 'hash.json']
      await attest('somewhere/app', '--hash', hash, ...predicate, '--key', 'ecdsa-p256.key', '--tlog-upload=false')
      const words = ['--type', 'openvex', '--bundle', 'hash.json', '--key', 'ecdsa-p256.pub', '--insecure-ignore-tlog']
      const byDigest = (digest: string) =>
        runPeer(cosign, ['verify-blob-attestation', '--digest', digest, '--digestAlg', algorithm, ...words], folder)
      expect(byDigest(hash).stderr).toContain('Verified OK')
      expect(byDigest(hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))).exitCode).toBe(1)
    }
  })

  it.each(['v0.1', 'v1'])('a finished statement of version %s', async (version) => {
    const { createHash } = await import('node:crypto')
    const sha256 = createHash('sha256').update('an artifact').digest('hex')
    const statement = ` {"predicate":{"n":1.0},"predicateType":"https://example.com/x","subject":[{"name":"a","digest":{"sha256":"${sha256}"}}],"_type":"https://in-toto.io/Statement/${version}"}\n`
    write('statement.json', statement)
    await attest('artifact', '--statement', 'statement.json', '--bundle', 'statement.bundle', ...keyless(1))
    const { dsseEnvelope } = JSON.parse(read('statement.bundle')) as { dsseEnvelope: { payload: string } }
    expect(Buffer.from(dsseEnvelope.payload, 'base64').toString()).toBe(statement)
    expectCosignVerifies('https://example.com/x', ['--bundle', 'statement.bundle', '--trusted-root', 'root.json', ...identity()])
  })
})

describe.skipIf(cosign === '')('what cosign signs, we verify', () => {
  it.each(bundleTypes)('keyless, of the type %s', async (type) => {
    for (const version of [1, 2]) {
      const bundle = `theirs-${fileOf(type)}-v${version}.json`
      await cosignAttests('artifact', '--predicate', fileOf(type), '--type', type, '--bundle', bundle, ...keyless(version), '--yes')
      const words = ['--trusted-root', 'root.json', '--use-signed-timestamps', ...identity()]
      await expectWeVerify(type, ['--bundle', bundle, ...words])
      const broken = ['verify-blob-attestation', 'artifact', '--type', type, '--bundle', tampered(bundle), ...words]
      expect(await ours(...broken)).toMatchObject({ exitCode: 1 })
    }
  })

  it.each(types)('with a key, of the type %s, and says the same as we do', async (type) => {
    const words = ['artifact', '--predicate', fileOf(type), '--type', type, '--key', 'ecdsa-p256.key']
    write('no-services.json', JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' }))
    await cosignAttests(...words, '--signing-config', 'no-services.json', '--bundle', 'theirs.json')
    await attest(...words, '--tlog-upload=false', '--bundle', 'ours.json')
    await expectWeVerify(type, ['--bundle', 'theirs.json', '--key', 'ecdsa-p256.pub', '--insecure-ignore-tlog'])
    const [theirs, mine] = ['theirs.json', 'ours.json'].map(statementIn)
    expect({ ...mine, predicate: undefined }).toEqual({ ...theirs, predicate: undefined })
    expect(withoutTime(mine?.predicate)).toMatchObject(withoutTime(theirs?.predicate))
  })
})

/** The statement of a bundle, its numbers as doubles. */
function statementIn(bundle: string): { readonly predicate: unknown } {
  const { dsseEnvelope } = JSON.parse(read(bundle)) as { dsseEnvelope: { payload: string } }
  return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()) as { predicate: unknown }
}

/** cosign writes times in its own way, and both the time of a custom predicate; a text is put into an object, to be compared. */
function withoutTime(predicate: unknown): object {
  const text = JSON.stringify({ predicate }, (key: string, value: unknown) =>
    /^(?:Timestamp|build\w+On|\w+edOn)$/.test(key) ? undefined : value,
  )
  return JSON.parse(text) as object
}

const oldTrust = (): Record<string, string> => writeOldTrust(folder, server.trustedRoot)

describe.skipIf(cosign === '')('in the formats of cosign 1 and 2', () => {
  const urls = (): readonly string[] => ['--fulcio-url', server.url, '--rekor-url', server.url, '--identity-token', 'token', '--yes']
  const predicate = ['--predicate', fileOf('slsaprovenance1'), '--type', 'slsaprovenance1']

  it('envelope and certificate in files of their own', async () => {
    const files = ['--output-signature', 'k.att', '--output-certificate', 'k.pem', '--output-attestation', 'k.intoto.json']
    await attest('artifact', ...predicate, ...files, ...urls(), '--trusted-root', 'root.json')
    expect(read('k.pem')).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    const envelope = JSON.parse(read('k.att')) as { payload: string }
    expect(Buffer.from(envelope.payload, 'base64').toString()).toBe(read('k.intoto.json'))
    const words = ['--signature', 'k.att', '--certificate', 'k.pem', '--insecure-ignore-tlog', ...identity()]
    expectCosignVerifies('slsaprovenance1', words, oldTrust())
    await expectWeVerify('slsaprovenance1', [...words, '--trusted-root', 'root.json'])
  })

  it('the local bundle', async () => {
    await attest('artifact', ...predicate, '--new-bundle-format=false', '--bundle', 'k.json', ...urls(), '--trusted-root', 'root.json')
    expectCosignVerifies('slsaprovenance1', ['--bundle', 'k.json', ...identity()], oldTrust())
    await expectWeVerify('slsaprovenance1', ['--bundle', 'k.json', '--trusted-root', 'root.json', ...identity()])
  })

  it('with a key, and a timestamp in a file of its own', async () => {
    const key = ['--key', 'ecdsa-p256.key', '--rekor-url', server.url, '--timestamp-server-url', `${server.url}/api/v1/timestamp`, '--yes']
    const files = ['--new-bundle-format=false', '--bundle', 'local.json', '--rfc3161-timestamp-bundle', 'local.ts']
    await attest('artifact', ...predicate, ...key, ...files, '--trusted-root', 'root.json')
    const words = ['--key', 'ecdsa-p256.pub', '--bundle', 'local.json', '--rfc3161-timestamp', 'local.ts', '--use-signed-timestamps']
    expectCosignVerifies('slsaprovenance1', [...words, '--timestamp-certificate-chain', 'tsa.pem'], oldTrust())
    await expectWeVerify('slsaprovenance1', [...words, '--trusted-root', 'root.json'])
  })

  it('SPDX as text, which cosign 3.1.3 signs and cannot verify, and of which we warn', async () => {
    const spdx = ['artifact', '--predicate', fileOf('spdx'), '--type', 'spdx', '--key', 'ecdsa-p256.key', '--tlog-upload=false']
    await cosignAttests(...spdx, '--use-signing-config=false', '--new-bundle-format=false', '--bundle', 'their-text.json')
    const { stderr } = await attest(...spdx, '--new-bundle-format=false', '--bundle', 'our-text.json')
    expect(stderr).toContain('WARNING: cosign 3 and sigstore-go do not verify an attestation whose predicate is a text')
    for (const bundle of ['their-text.json', 'our-text.json']) {
      const words = ['--bundle', bundle, '--key', 'ecdsa-p256.pub', '--insecure-ignore-tlog']
      const { stderr: refusal } = runPeer(cosign, ['verify-blob-attestation', 'artifact', '--type', 'spdx', ...words], folder)
      expect(refusal).toContain('invalid predicate type, expected spdx got \n')
      await expectWeVerify('spdx', words)
    }
  })

  it('what cosign writes, we verify', async () => {
    const cosignUrls = ['--use-signing-config=false', '--new-bundle-format=false', ...urls(), '--trusted-root', 'root.json']
    const files = [
      '--bundle',
      'c.json',
      '--output-signature',
      'c.att',
      '--output-certificate',
      'c.pem',
      '--output-attestation',
      'c.intoto.json',
    ]
    await cosignAttests('artifact', ...predicate, ...cosignUrls, ...files)
    await expectWeVerify('slsaprovenance1', ['--bundle', 'c.json', '--trusted-root', 'root.json', ...identity()])
    const separate = ['--signature', 'c.att', '--certificate', 'c.pem', '--insecure-ignore-tlog', '--trusted-root', 'root.json']
    await expectWeVerify('slsaprovenance1', [...separate, ...identity()])
  })
})

describe.skipIf(cosign2 === '')('with cosign 2.6.5', () => {
  const predicate = ['--predicate', fileOf('slsaprovenance1'), '--type', 'slsaprovenance1']
  const urls = (): readonly string[] => ['--fulcio-url', server.url, '--rekor-url', server.url, '--identity-token', 'token', '--yes']
  const tsa = (): readonly string[] => ['--timestamp-server-url', `${server.url}/api/v1/timestamp`]
  const files = (name: string): readonly string[] => [
    '--bundle',
    `${name}.json`,
    '--output-signature',
    `${name}.att`,
    '--output-attestation',
    `${name}.intoto.json`,
    '--output-certificate',
    `${name}.pem`,
    '--rfc3161-timestamp-bundle',
    `${name}.tsr`,
  ]
  /** The ways to verify what was written. */
  const local = (name: string): readonly string[] => [
    '--bundle',
    `${name}.json`,
    '--rfc3161-timestamp',
    `${name}.tsr`,
    '--use-signed-timestamps',
  ]
  const separate = (name: string): readonly string[] =>
    `--signature ${name}.att --certificate ${name}.pem --insecure-ignore-tlog --rfc3161-timestamp ${name}.tsr --use-signed-timestamps`.split(
      ' ',
    )

  it('the old files, all at once, verify both ways', async () => {
    const trust = { ...oldTrust(), SIGSTORE_TSA_CERTIFICATE_FILE: 'tsa.pem' }
    const old = [...predicate, ...urls(), ...tsa()]
    await attest('artifact', ...old, '--new-bundle-format=false', ...files('our2'), '--trusted-root', 'root.json')
    await attestsWith(cosign2, ['artifact', ...old, '--new-bundle-format=false', ...files('their2')], trust)
    for (const name of ['our2', 'their2']) {
      for (const words of [local(name), separate(name)]) {
        expectCosignVerifies('slsaprovenance1', [...words, ...identity()], trust, cosign2)
        await expectWeVerify('slsaprovenance1', [...words, '--trusted-root', 'root.json', ...identity()])
      }
    }
  })

  it('the old files have the same form', () => {
    for (const extension of ['json', 'att', 'tsr']) {
      const [ours2, theirs2] = ['our2', 'their2'].map((name) => Object.keys(JSON.parse(read(`${name}.${extension}`)) as object))
      expect(ours2, extension).toEqual(theirs2)
    }
    const [envelope, theirEnvelope] = ['our2', 'their2'].map((name) =>
      read(`${name}.att`).replaceAll(/"(payload|sig)":"[^"]*"/g, '"$1":""'),
    )
    expect(envelope).toBe(theirEnvelope)
    expect(read('our2.pem').split('\n').length).toBe(read('their2.pem').split('\n').length)
  })

  it('prints the envelope, as we do', async () => {
    const words = ['artifact', ...predicate, '--key', 'ecdsa-p256.key', '--tlog-upload=false']
    const theirs = await attestsWith(cosign2, words)
    const mine = await attest(...words)
    for (const { stdout } of [theirs, mine]) {
      write('printed.att', stdout)
      const verified = ['--signature', 'printed.att', '--key', 'ecdsa-p256.pub', '--insecure-ignore-tlog']
      expectCosignVerifies('slsaprovenance1', verified, {}, cosign2)
      await expectWeVerify('slsaprovenance1', verified)
    }
  })

  it.each(types)('verifies what we sign of the type %s with a key, and we what it signs', async (type) => {
    const words = ['artifact', '--predicate', fileOf(type), '--type', type, '--key', 'ecdsa-p256.key', '--tlog-upload=false']
    await attest(...words, '--output-signature', 'our2.att')
    await attestsWith(cosign2, [...words, '--output-signature', 'their2.att'])
    for (const file of ['our2.att', 'their2.att']) {
      const verified = ['--signature', file, '--key', 'ecdsa-p256.pub', '--insecure-ignore-tlog']
      expectCosignVerifies(type, verified, {}, cosign2)
      await expectWeVerify(type, verified)
    }
  })

  it('verifies a bundle of today', async () => {
    await attest('artifact', ...predicate, '--bundle', 'today.json', ...keyless(1))
    const words = ['--bundle', 'today.json', '--new-bundle-format', '--trusted-root', 'root.json', ...identity()]
    expectCosignVerifies('slsaprovenance1', words, {}, cosign2)
  })
})

describe.skipIf(cosign1 === '')('with cosign 1.13.6', () => {
  // It reads no keys of later versions, and for attestations only those with an empty password.
  const env = { COSIGN_PASSWORD: '' }
  const key = ['--key', 'cosign.key']
  const verified = (file: string): readonly string[] => ['--signature', file, '--key', 'cosign.pub', '--insecure-ignore-tlog']
  const theyVerify = (blob: string, file: string, type: string): Ending =>
    runPeer(cosign1, ['verify-blob-attestation', blob, '--type', type, '--key', 'cosign.pub', '--signature', file], folder)

  beforeAll(() => {
    expect(runPeer(cosign1, ['generate-key-pair'], folder, env)).toMatchObject({ exitCode: 0 })
  })

  async function sign(type: string): Promise<void> {
    const words = ['artifact', '--predicate', fileOf(type), '--type', type, ...key]
    const mine = await runCaptured(['attest-blob', ...words, '--tlog-upload=false', '--output-signature', 'our1.att'], {
      cwd: folder,
      env: { HOME: folder, ...env },
      now: server.now(),
    })
    expect(mine.exitCode, mine.stderr).toBe(0)
    await attestsWith(cosign1, [...words, '--output-signature', 'their1.att'], env)
  }

  // What it has names for. Two of its own types were no URIs yet.
  it.each(types.filter((type) => !['custom', 'vuln', 'slsaprovenance02', 'slsaprovenance1', 'openvex'].includes(type)))(
    'an envelope with a predicate of the type %s verifies both ways',
    async (type) => {
      await sign(type)
      await expectWeVerify(type, verified('their1.att'))
      // Version 1 reads, and writes, nothing but base64 of the envelope.
      write('our1.b64', Buffer.from(read('our1.att')).toString('base64'))
      expect(theyVerify('artifact', 'our1.b64', type).stderr).toContain('Verified OK')
      expect(theyVerify('other', 'our1.b64', type).exitCode).toBe(1)
    },
  )

  it.each([
    ['custom', 'cosign.sigstore.dev/attestation/v1', 'vuln'],
    ['vuln', 'cosign.sigstore.dev/attestation/vuln/v1', 'custom'],
  ])('an envelope with its %s predicate is verified by that name, and by the type that it has there', async (type, itsType, other) => {
    await sign(type)
    await expectWeVerify(type, verified('their1.att'))
    await expectWeVerify(itsType, verified('their1.att'))
    expect((await ours('verify-blob-attestation', 'artifact', '--type', other, ...verified('their1.att'))).stderr).toMatch(
      new RegExp(`invalid predicate type, expected \\S+ or \\S+ got ${itsType}\\n`),
    )
  })
})
