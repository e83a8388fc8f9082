import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeSctAnswer } from '../../../../src/api/certificate-transparency.ts'
import { parseSct } from '../../../../src/x509/sct.ts'
import { bent } from '../../../support/universe/bent.ts'
import { detachedSct, pemOf } from '../../../support/universe/certificates.ts'
import {
  artifactBytes,
  epoch,
  identity,
  issuer,
  legacyBundle,
  namedKey,
  signBlob,
  signStatement,
  universeOf,
} from '../../../support/universe/universe.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const universe = universeOf()
const keyless = signBlob()
const managed = signBlob({ managed: true })
const attestation = signStatement()
const stamped = signBlob({ timestamps: [{}] })
const managedAttestation = signStatement({ managed: true })
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const hex = (algorithm: string): string => createHash(algorithm).update(artifactBytes).digest('hex')

let folder = ''
let server: Server | undefined
let origin = ''

const files: Readonly<Record<string, string | Uint8Array>> = {
  artifact: artifactBytes,
  other: 'another artifact\n',
  'keyless.json': keyless.json,
  'managed.json': managed.json,
  'attestation.json': attestation.json,
  'managed-attestation.json': managedAttestation.json,
  'root.json': universe.trustedRoot(),
  'key.pub': managed.key.pem,
  'stranger.pub': namedKey('stranger').pem,
  'rekor.pub': universe.rekor.key.pem,
  'ct.pub': universe.ctLog.pem,
  'chain.pem': pemOf(universe.intermediate.der) + pemOf(universe.root.der),
  'root.pem': pemOf(universe.root.der),
  'intermediate.pem': pemOf(universe.intermediate.der),
  'tsa.pem': pemOf(universe.timestampLeaf.der) + pemOf(universe.timestampRoot.der),
  'legacy.json': JSON.stringify(legacyBundle(keyless)),
  'legacy-pem.json': JSON.stringify(legacyBundle(keyless, pemOf(keyless.certificate))),
  'legacy-der.json': JSON.stringify(legacyBundle(keyless, base64(keyless.certificate))),
  'legacy-key.json': JSON.stringify(legacyBundle(managed, base64(managed.key.pem))),
  'legacy-no-cert.json': JSON.stringify(legacyBundle(managed, '')),
  'signature.raw': managed.signature,
  'signature.b64': `${base64(managed.signature)}\n`,
  'keyless.sig': base64(keyless.signature),
  'cert.pem': pemOf(keyless.certificate),
  'cert.b64': base64(pemOf(keyless.certificate)),
  'cert.der': keyless.certificate,
  'cert.der.b64': base64(keyless.certificate),
  'other-cert.pem': pemOf(signBlob({ key: namedKey('other') }).certificate),
  'envelope.json': JSON.stringify(managedAttestation.bundle['dsseEnvelope']),
  'roots.jsonl': `${universeOf({ name: 'stranger' }).trustedRoot()}\n${universe.trustedRoot()}\n`,
  'foreign-roots.jsonl': ['x', 'y'].map((name) => `${universeOf({ name }).trustedRoot()}\n`).join(''),
  'broken-roots.jsonl': `${universe.trustedRoot()}\n{}\n`,
  'lines.sigstore.jsonl': `${signBlob({ key: namedKey('other') }).json}\n${keyless.json}\n`,
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-verify-'))
  for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(folder, name), contents)
  server = createServer((request, response) => {
    const contents = files[(request.url ?? '').slice(1)]
    response.writeHead(contents === undefined ? 404 : 200)
    response.end(contents)
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  origin = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
})

afterAll(() => {
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const offline = ['--trusted-root', 'root.json']
/** Without network and without a trusted root: everything given one by one. */
const legacyTrust = { SIGSTORE_REKOR_PUBLIC_KEY: 'rekor.pub', SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: 'ct.pub', SIGSTORE_ROOT_FILE: 'chain.pem' }

const run = (verb: string, words: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> =>
  runCaptured([verb, ...words], { cwd: folder, now: epoch, ...surroundings })

async function verifies(verb: string, words: readonly string[], surroundings?: Surroundings): Promise<Outcome> {
  const outcome = await run(verb, words, surroundings)
  expect(outcome.stderr).toContain('Verified OK\n')
  expect(outcome.exitCode).toBe(0)
  return outcome
}

async function refuses(verb: string, words: readonly string[], message: RegExp, surroundings?: Surroundings): Promise<void> {
  const { exitCode, stdout, stderr } = await run(verb, words, surroundings)
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain('Verified OK')
  expect(stdout).toBe('')
  expect(exitCode).toBe(1)
}

describe('verify-blob of a bundle', () => {
  it('prints Verified OK on stderr and nothing on stdout', async () => {
    expect((await verifies('verify-blob', ['artifact', '--bundle', 'keyless.json', ...offline, ...who])).stdout).toBe('')
  })
  it('takes flags in any order, with = or a space, and old names', async () => {
    await verifies('verify-blob', [
      '--bundle=keyless.json',
      ...offline,
      `--cert-identity=${identity}`,
      '--cert-oidc-issuer',
      issuer,
      'artifact',
    ])
  })
  it('takes its flags from the environment', async () => {
    const env = {
      COSIGN_BUNDLE: 'keyless.json',
      COSIGN_TRUSTED_ROOT: 'root.json',
      COSIGN_CERTIFICATE_IDENTITY: identity,
      COSIGN_CERTIFICATE_OIDC_ISSUER: issuer,
    }
    await verifies('verify-blob', ['artifact'], { env })
  })
  it('gives the evidence as JSON', async () => {
    const { stdout } = await verifies('verify-blob', ['artifact', '--bundle', 'keyless.json', ...offline, ...who, '-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({
      verified: true,
      artifact: { name: 'artifact', sha256: hex('sha256') },
      signer: { kind: 'certificate', identity, identityKind: 'uri', issuer },
      logEntries: [
        { log: 'https://rekor.universe.test', logIndex: '1000003', kind: 'hashedrekord', integratedTime: '2026-01-15T12:01:00.000Z' },
      ],
      times: [{ time: '2026-01-15T12:01:00.000Z', source: 'transparency-log' }],
      certificateTimestamps: [{ log: 'https://ct.universe.test' }],
    })
  })
  it('does not name an artifact in the evidence that nobody has looked at', async () => {
    const words = ['--bundle', 'attestation.json', ...offline, ...who, '--type', 'slsaprovenance1', '-o', 'json']
    const checked = JSON.parse((await verifies('verify-blob-attestation', ['artifact', ...words])).stdout) as object
    expect(checked).toMatchObject({ artifact: { name: 'artifact', sha256: hex('sha256') } })
    const unchecked = JSON.parse((await verifies('verify-blob-attestation', ['other', ...words, '--check-claims=false'])).stdout) as object
    expect(unchecked).not.toHaveProperty('artifact')
    expect(unchecked).toMatchObject({ verified: true, statement: { subjects: [{ digest: { sha256: hex('sha256') } }] } })
  })
  it('takes a trusted root file with several roots, one a line, each for itself', async () => {
    const words = ['artifact', '--bundle', 'keyless.json', ...who, '--trusted-root']
    await verifies('verify-blob', [...words, 'roots.jsonl'])
    await refuses('verify-blob', [...words, 'foreign-roots.jsonl'], /^Error: failed to verify log inclusion: .*unknown log/)
    await refuses(
      'verify-blob',
      [...words, 'broken-roots.jsonl'],
      /setting trusted material: the trusted root broken-roots\.jsonl cannot be used: root 2 of the 2 in the file: .*mediaType/,
    )
    await verifies('verify-blob', [...words, 'roots.jsonl', '--bundle', 'legacy.json'])
    await refuses(
      'verify-blob',
      [...words, 'roots.jsonl', '--certificate-identity', 'me@example.com'],
      /certificate identity.*me@example\.com/,
    )
  })
  it('takes the artifact from standard input, a URL and a digest', async () => {
    const words = ['--bundle', 'keyless.json', ...offline, ...who]
    await verifies('verify-blob', ['-', ...words], { stdin: artifactBytes })
    await verifies('verify-blob', [`${origin}/artifact`, ...words])
    await verifies('verify-blob', [`sha256:${hex('sha256')}`, ...words])
    await refuses('verify-blob', ['-', ...words], /does not|is for an artifact|is about an artifact/, { stdin: Buffer.from('other') })
    await refuses('verify-blob', [`${origin}/other`, ...words], /artifact/)
    await refuses('verify-blob', [`sha256:${'0'.repeat(64)}`, ...words], /artifact with sha256/)
    await refuses('verify-blob', [`${origin}/absent`, ...words], /404/)
  })
  it('matches patterns anywhere, as cosign does', async () => {
    const words = ['artifact', '--bundle', 'keyless.json', ...offline]
    await verifies('verify-blob', [...words, '--certificate-identity-regexp', 'universe/app', '--certificate-oidc-issuer-regexp', 'token'])
    await refuses(
      'verify-blob',
      [...words, '--certificate-identity-regexp', '^universe', '--certificate-oidc-issuer-regexp', 'token'],
      /expected SAN value to match regex "\^universe", got "/,
    )
  })
  it("says which identity it found when another was expected, in cosign's words", async () => {
    const words = [
      'artifact',
      '--bundle',
      'keyless.json',
      ...offline,
      '--certificate-identity',
      'dev@example.test',
      '--certificate-oidc-issuer',
      issuer,
    ]
    await refuses(
      'verify-blob',
      words,
      /failed to verify certificate identity: none of the expected identities matched what was in the certificate, got subjects \[https:\/\/github\.com\/universe.*no matching CertificateIdentity found, last error: expected SAN value "dev@example\.test", got "/,
    )
  })
  it('checks the workflow extensions', async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'keyless.json', ...offline, ...who, '--certificate-github-workflow-ref', 'refs/heads/main'],
      /expected githubWorkflowRef "refs\/heads\/main", got none/,
    )
  })
  it('verifies a managed key, from a file, a URL and the environment', async () => {
    for (const key of ['key.pub', `${origin}/key.pub`, 'env://MY_KEY']) {
      await verifies('verify-blob', ['artifact', '--bundle', 'managed.json', ...offline, '--key', key], {
        env: { MY_KEY: managed.key.pem },
      })
    }
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'managed.json', ...offline, '--key', 'stranger.pub'],
      /the public key in the log entry is not the given key/,
    )
  })
  it('does not take a key for a certificate, nor the reverse', async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'keyless.json', ...offline, '--key', 'key.pub'],
      /expected a signature with the given key, found one with a certificate/,
    )
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'managed.json', ...offline, ...who],
      /expected a signature with a certificate, found one with a public key \(verify it with --key\)/,
    )
  })
  it('warns of what it is asked of a certificate where there is a key', async () => {
    const words = ['artifact', '--bundle', 'managed.json', '--key', 'key.pub', ...offline]
    const flags = ['--certificate-oidc-issuer', issuer, '--certificate-github-workflow-name', 'release']
    const { stderr } = await verifies('verify-blob', [...words, ...flags])
    expect(stderr).toContain(
      'WARNING: nothing is checked of --certificate-oidc-issuer, --certificate-github-workflow-name: a signature with a key has no certificate\n',
    )
    expect((await verifies('verify-blob', words)).stderr).not.toContain('nothing is checked')
  })
  it('with a key and no log needs no trusted root at all, and warns', async () => {
    const { stderr } = await verifies('verify-blob', ['artifact', '--bundle', 'managed.json', '--key', 'key.pub', '--insecure-ignore-tlog'])
    expect(stderr).toContain(
      'WARNING: Skipping tlog verification is an insecure practice that lacks transparency and auditability verification for the blob.\n',
    )
    const quiet = await verifies('verify-blob', ['artifact', '--bundle', 'managed.json', '--key', 'key.pub', '--private-infrastructure'])
    expect(quiet.stderr).not.toContain('Skipping tlog')
  })
  it('demands a timestamp when asked to', async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'keyless.json', ...offline, ...who, '--use-signed-timestamps'],
      /failed to verify timestamps: threshold not met for verified signed timestamps: 0 < 1/,
    )
    writeFileSync(path.join(folder, 'stamped.json'), signBlob({ timestamps: [{}] }).json)
    await verifies('verify-blob', ['artifact', '--bundle', 'stamped.json', ...offline, ...who, '--use-signed-timestamps'])
  })
  it('finds the right one of several bundles in a .jsonl file', async () => {
    await verifies('verify-blob', ['artifact', '--bundle', 'lines.sigstore.jsonl', ...offline, ...who])
    await refuses(
      'verify-blob',
      ['other', '--bundle', 'lines.sigstore.jsonl', ...offline, ...who],
      /none of the 2 bundles verifies: 1: .*; 2: /,
    )
  })
  it('reads standard input once for all of them, and takes none for one that is empty', async () => {
    const empty = signBlob({}, new Uint8Array(0))
    writeFileSync(path.join(folder, 'empty.jsonl'), `${keyless.json}\n${empty.json}\n`)
    const words = ['-', '--bundle', 'empty.jsonl', ...offline, ...who]
    for (const stdin of [Buffer.from('malware'), Buffer.alloc(9 * 1024 * 1024, 7)]) {
      await refuses('verify-blob', words, /none of the 2 bundles verifies/, { stdin })
    }
    await verifies('verify-blob', words, { stdin: new Uint8Array(0) })
    await verifies('verify-blob', words.with(2, 'lines.sigstore.jsonl'), { stdin: artifactBytes })
  })
  it('hashes a long artifact for every one of them, whatever is wrong with another', async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 7)
    const broken = bent(keyless.bundle, (_, { material }) => {
      material['certificate'] = { rawBytes: 'AAAA' }
    })
    for (const kind of ['p256', 'p384', 'p521'] as const) {
      const others = (['p256', 'p384'] as const).map((other) => signBlob({ key: namedKey('large', other) }).json)
      const { json } = signBlob({ key: namedKey('large', kind) }, large)
      writeFileSync(path.join(folder, 'large.jsonl'), [JSON.stringify(broken), ...others, json].join('\n'))
      await verifies('verify-blob', ['-', '--bundle', 'large.jsonl', ...offline, ...who], { stdin: large })
    }
  })
  it('verifies an artifact larger than memory is kept for', async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 7)
    writeFileSync(path.join(folder, 'large'), large)
    for (const kind of ['p256', 'p384', 'rsa'] as const) {
      const signed = signBlob({ key: namedKey('large', kind), managed: true }, large)
      writeFileSync(path.join(folder, 'large.json'), signed.json)
      writeFileSync(path.join(folder, 'large.pub'), signed.key.pem)
      await verifies('verify-blob', ['large', '--bundle', 'large.json', ...offline, '--key', 'large.pub'])
    }
    large[8_000_000] = 8
    writeFileSync(path.join(folder, 'large'), large)
    await refuses('verify-blob', ['large', '--bundle', 'large.json', ...offline, '--key', 'large.pub'], /artifact/)
  })
})

describe('verify-blob of a bundle, with what scripts of cosign 1 and 2 give beside theirs', () => {
  const words = ['artifact', '--bundle', 'keyless.json', ...who]
  const envelope = (signed: typeof attestation, changed: object = {}): string =>
    JSON.stringify({ ...(signed.bundle['dsseEnvelope'] as object), ...changed })

  it('takes the signature, the certificate and the timestamp that are in it', async () => {
    await verifies('verify-blob', [...words, ...offline, '--signature', 'keyless.sig', '--certificate', 'cert.b64'])
    await verifies('verify-blob', [...words, ...offline, '--signature', base64(keyless.signature)])
    await verifies('verify-blob', ['artifact', '--bundle', 'managed.json', ...offline, '--key', 'key.pub', '--signature', 'signature.raw'])
    writeFileSync(path.join(folder, 'held.json'), JSON.stringify({ SignedRFC3161Timestamp: base64(stamped.tokens[0] ?? '') }))
    writeFileSync(path.join(folder, 'stamped.json'), stamped.json)
    const timed = [...words.with(2, 'stamped.json'), ...offline, '--rfc3161-timestamp', 'held.json', '--timestamp-certificate-chain']
    await verifies('verify-blob', [...timed, 'tsa.pem'])
    await refuses('verify-blob', [...timed, 'chain.pem'], /Error: /)
    writeFileSync(path.join(folder, 'held-envelope.json'), envelope(attestation))
    const attested = ['artifact', '--bundle', 'attestation.json', ...offline, ...who, '--type', 'slsaprovenance1', '--signature']
    await verifies('verify-blob-attestation', [...attested, 'held-envelope.json'])
    writeFileSync(path.join(folder, 'held-envelope.json'), `\n \t${envelope(attestation)}`)
    await verifies('verify-blob-attestation', [...attested, 'held-envelope.json'])
  })

  it.each([
    ['signature', ['--signature', 'signature.b64'], /the signature passed in does not match the signature in the provided bundle/],
    ['certificate', ['--certificate', 'other-cert.pem'], /the cert passed in does not match the cert in the provided bundle/],
    [
      'timestamp',
      ['--rfc3161-timestamp', 'stranger-stamp.json', '--use-signed-timestamps'],
      /the timestamp passed in is not in the provided bundle/,
    ],
  ])('refuses another %s than the one in it', async (_, more, reason) => {
    const stranger = { SignedRFC3161Timestamp: base64(stamped.tokens[0] ?? '') }
    writeFileSync(path.join(folder, 'stranger-stamp.json'), JSON.stringify(stranger))
    await refuses('verify-blob', [...words, ...offline, ...more], reason)
  })

  it('refuses a timestamp that nobody asks to check: one of an unknown authority would be passed over', async () => {
    const stranger = signBlob({ timestamps: [{ signer: universeOf({ name: 'stranger' }).timestampLeaf }] })
    writeFileSync(path.join(folder, 'unknown.json'), stranger.json)
    writeFileSync(path.join(folder, 'unknown.tsr'), stranger.tokens[0] ?? '')
    const timed = [...words.with(2, 'unknown.json'), ...offline, '--rfc3161-timestamp', 'unknown.tsr']
    await refuses('verify-blob', timed, /you must also specify --use-signed-timestamps or --timestamp-certificate-chain/)
    await refuses('verify-blob', [...timed, '--use-signed-timestamps'], /threshold not met for verified signed timestamps/)
  })

  it('verifies the timestamp that is given, for which no other one of the bundle stands in', async () => {
    const both = signBlob({ timestamps: [{}, { signer: universeOf({ name: 'stranger' }).timestampLeaf }] })
    writeFileSync(path.join(folder, 'both.json'), both.json)
    const timed = [...words.with(2, 'both.json'), ...offline, '--use-signed-timestamps', '--rfc3161-timestamp', 'given.tsr']
    writeFileSync(path.join(folder, 'given.tsr'), both.tokens[0] ?? '')
    await verifies('verify-blob', timed)
    writeFileSync(path.join(folder, 'given.tsr'), both.tokens[1] ?? '')
    await refuses('verify-blob', timed, /threshold not met for verified signed timestamps/)
  })

  it('looks for the signature among attestations and signatures, and in an envelope with several', async () => {
    writeFileSync(path.join(folder, 'mixed.jsonl'), `${attestation.json}\n${keyless.json}\n`)
    const mixed = [...words.with(2, 'mixed.jsonl'), ...offline, '--signature']
    await verifies('verify-blob', [...mixed, 'keyless.sig'])
    await refuses('verify-blob', [...mixed, 'signature.b64'], /does not match the signature in the provided bundle/)
    const attested = ['artifact', '--bundle', 'mixed.jsonl', ...offline, ...who, '--type', 'slsaprovenance1', '--signature']
    const [own] = (attestation.bundle['dsseEnvelope'] as { signatures: object[] }).signatures
    const junk = { sig: base64('junk') }
    for (const signatures of [
      [own, junk],
      [junk, own],
    ]) {
      writeFileSync(path.join(folder, 'several.json'), envelope(attestation, { signatures }))
      await verifies('verify-blob-attestation', [...attested, 'several.json'])
    }
    writeFileSync(path.join(folder, 'several.json'), envelope(attestation, { signatures: [junk, junk] }))
    await refuses('verify-blob-attestation', [...attested, 'several.json'], /does not match the signature in the provided bundle/)
  })

  it('refuses a certificate beside a bundle that has none', async () => {
    const own = ['artifact', '--bundle', 'managed.json', ...offline, ...who, '--certificate', 'cert.pem']
    await refuses('verify-blob', own, /the cert passed in does not match the cert in the provided bundle/)
  })

  it.each([
    ['payload', { payload: base64('{}') }],
    ['type', { payloadType: 'application/json' }],
  ])('refuses an envelope with another %s under the same signature', async (what, changed) => {
    writeFileSync(path.join(folder, `other-${what}.json`), envelope(attestation, changed))
    const attested = ['artifact', '--bundle', 'attestation.json', ...offline, ...who, '--type', 'slsaprovenance1']
    await refuses(
      'verify-blob-attestation',
      [...attested, '--signature', `other-${what}.json`],
      /does not match the signature in the provided/,
    )
  })

  it('trusts the authorities that are given, and no others', async () => {
    const other = universeOf({ name: 'other' })
    writeFileSync(path.join(folder, 'foreign-ca.pem'), pemOf(other.intermediate.der) + pemOf(other.root.der))
    const { SIGSTORE_ROOT_FILE: _, ...env } = legacyTrust
    for (const flags of [
      ['--certificate-chain', 'chain.pem'],
      ['--ca-roots', 'root.pem', '--ca-intermediates', 'intermediate.pem'],
    ]) {
      await verifies('verify-blob', [...words, ...offline, ...flags])
      await verifies('verify-blob', [...words, ...flags], { env })
    }
    for (const flag of ['--certificate-chain', '--ca-roots']) {
      await refuses('verify-blob', [...words, ...offline, flag, 'foreign-ca.pem'], /not a certificate authority of the trusted root/)
    }
  })

  it('takes the bundle with that certificate out of several', async () => {
    const several = [...words.with(2, 'lines.sigstore.jsonl'), ...offline, '--certificate']
    await verifies('verify-blob', [...several, 'cert.pem'])
    await refuses('verify-blob', [...several.with(0, 'other'), 'cert.pem'], /Error: /)
  })
})

describe('verify-blob of what cosign 1 and 2 wrote', () => {
  for (const bundle of ['legacy.json', 'legacy-pem.json', 'legacy-der.json']) {
    it(`verifies the local bundle ${bundle} with a certificate`, async () => {
      await verifies('verify-blob', ['artifact', '--bundle', bundle, ...offline, ...who])
      await refuses('verify-blob', ['other', '--bundle', bundle, ...offline, ...who], /Error: verifying blob \[other\]: /)
    })
  }
  it('verifies it with keys and certificates from files and the environment, and no network', async () => {
    await verifies('verify-blob', ['artifact', '--bundle', 'legacy.json', ...who], { env: legacyTrust })
    const { SIGSTORE_ROOT_FILE: _, ...env } = legacyTrust
    await verifies('verify-blob', ['artifact', '--bundle', 'legacy.json', '--certificate-chain', 'chain.pem', ...who], { env })
    await verifies(
      'verify-blob',
      ['artifact', '--bundle', 'legacy.json', '--ca-roots', 'root.pem', '--ca-intermediates', 'intermediate.pem', ...who],
      { env },
    )
  })
  for (const logKey of ['p384', 'p521'] as const) {
    it(`verifies it with the ${logKey} key of a log that signs over SHA-256, as Rekor does, or over the digest of its curve`, async () => {
      const own = universeOf({ logKey })
      writeFileSync(path.join(folder, 'own-rekor.pub'), own.rekor.key.pem)
      const env = { ...legacyTrust, SIGSTORE_REKOR_PUBLIC_KEY: 'own-rekor.pub' }
      const words = ['artifact', '--bundle', 'own-log.json', '--key', 'key.pub']
      for (const entry of [{ digest: 'sha256' as const }, {}]) {
        const signed = signBlob({ universe: own, managed: true, entry })
        writeFileSync(path.join(folder, 'own-log.json'), JSON.stringify(legacyBundle(signed)))
        await verifies('verify-blob', words, { env })
      }
      const forged = signBlob({ universe: own, managed: true, entry: { signer: namedKey('stranger', logKey), digest: 'sha256' } })
      writeFileSync(path.join(folder, 'own-log.json'), JSON.stringify(legacyBundle(forged)))
      await refuses('verify-blob', words, /signed entry timestamp does not verify/, { env })
    })
  }
  it('takes authorities that are given beside a trusted root, and not those of the root', async () => {
    const other = universeOf({ name: 'other' })
    writeFileSync(path.join(folder, 'other-ca.pem'), pemOf(other.intermediate.der) + pemOf(other.root.der))
    writeFileSync(path.join(folder, 'other-tsa.pem'), pemOf(other.timestampLeaf.der) + pemOf(other.timestampRoot.der))
    const words = ['artifact', '--bundle', 'legacy.json', ...offline, ...who]
    for (const flag of ['--certificate-chain', '--ca-roots']) {
      await verifies('verify-blob', [...words, flag, 'chain.pem'])
      await refuses('verify-blob', [...words, flag, 'other-ca.pem'], /not a certificate authority of the trusted root/)
    }
    writeFileSync(path.join(folder, 'stamp.json'), JSON.stringify({ SignedRFC3161Timestamp: base64(stamped.tokens[0] ?? '') }))
    writeFileSync(path.join(folder, 'stamped-legacy.json'), JSON.stringify(legacyBundle(stamped)))
    const timed = [...words.with(2, 'stamped-legacy.json'), '--rfc3161-timestamp', 'stamp.json', '--timestamp-certificate-chain']
    await verifies('verify-blob', [...timed, 'tsa.pem'])
    await refuses('verify-blob', [...timed, 'other-tsa.pem'], /threshold not met for verified signed timestamps: 0 < 1/)
  })
  it('verifies a local bundle with a key, whatever key the bundle brings', async () => {
    for (const bundle of ['legacy-key.json', 'legacy-no-cert.json']) {
      await verifies('verify-blob', ['artifact', '--bundle', bundle, ...offline, '--key', 'key.pub'])
      await refuses(
        'verify-blob',
        ['artifact', '--bundle', bundle, ...offline, '--key', 'stranger.pub'],
        /the public key in the log entry is not the given key/,
      )
    }
  })
  it('never trusts a key that came with the signature', async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'legacy-key.json', ...offline, ...who],
      /bundle does not contain cert for verification, please provide public key: it holds a public key, which is not to be trusted/,
    )
  })
  for (const signature of ['signature.raw', 'signature.b64']) {
    it(`verifies the separate signature ${signature} with a key`, async () => {
      await verifies('verify-blob', ['artifact', '--signature', signature, '--key', 'key.pub', '--insecure-ignore-tlog'])
    })
  }
  it('verifies a signature given as text, and from a URL', async () => {
    await verifies('verify-blob', ['artifact', '--signature', base64(managed.signature), '--key', 'key.pub', '--insecure-ignore-tlog=true'])
    await verifies('verify-blob', ['artifact', '--signature', `${origin}/signature.b64`, '--key', 'key.pub', '--private-infrastructure'])
    await refuses(
      'verify-blob',
      ['other', '--signature', base64(managed.signature), '--key', 'key.pub', '--insecure-ignore-tlog'],
      /Error: verifying blob \[other\]: invalid signature when validating ASN\.1 encoded signature/,
    )
  })
  for (const certificate of ['cert.pem', 'cert.b64', 'cert.der', 'cert.der.b64']) {
    it(`verifies separate signature and certificate ${certificate}`, async () => {
      const words = ['artifact', '--signature', 'keyless.sig', '--certificate', certificate, ...offline, '--insecure-ignore-tlog']
      await verifies('verify-blob', [...words, ...who])
      await refuses(
        'verify-blob',
        [...words, '--certificate-identity', 'x', '--certificate-oidc-issuer', issuer],
        /Error: verifying blob \[artifact\]: none of the expected identities matched what was in the certificate, got subjects \[/,
      )
    })
  }
  it('does not take the current time when the certificate has expired', async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--signature', 'keyless.sig', '--certificate', 'cert.pem', ...offline, '--insecure-ignore-tlog', ...who],
      /was valid from .* not at the time of the signature/,
      { now: epoch + 86_400_000 },
    )
  })
  it('verifies what a key service signed over SHA-512 with an RSA key, however long the artifact is', async () => {
    const key = namedKey('large', 'rsa')
    for (const artifact of [artifactBytes, Buffer.alloc(9 * 1024 * 1024, 7)]) {
      for (const digest of ['sha384', 'sha512'] as const) {
        const signed = signBlob({ key, managed: true, digest }, artifact)
        writeFileSync(path.join(folder, 'service.artifact'), artifact)
        writeFileSync(path.join(folder, 'service.sig'), base64(signed.signature))
        writeFileSync(path.join(folder, 'service.pub'), key.pem)
        const words = ['service.artifact', '--signature', 'service.sig', '--key', 'service.pub', '--insecure-ignore-tlog']
        await verifies('verify-blob', words)
        writeFileSync(path.join(folder, 'service.json'), JSON.stringify(legacyBundle(signed)))
        await verifies('verify-blob', ['service.artifact', '--bundle', 'service.json', '--key', 'service.pub', ...offline])
      }
    }
  })
  it('says what to do about a signature without a log entry', async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--signature', 'signature.b64', '--key', 'key.pub', '--offline', ...offline],
      /offline verification failed: the signature comes without an entry of a transparency log, and --offline forbids to look for it \(give a --bundle that holds one, or --insecure-ignore-tlog/,
    )
  })
  it("takes the CT log's answer for a certificate without its timestamp", async () => {
    const signed = signBlob({ scts: [] })
    const sct = detachedSct({ log: universe.ctLog, time: epoch }, signed.certificate)
    writeFileSync(path.join(folder, 'no-sct.json'), JSON.stringify(legacyBundle(signed)))
    writeFileSync(path.join(folder, 'sct.json'), encodeSctAnswer(parseSct(sct)))
    writeFileSync(path.join(folder, 'sct.bin'), sct)
    const words = ['artifact', '--bundle', 'no-sct.json', ...offline, ...who]
    for (const file of ['sct.json', 'sct.bin']) await verifies('verify-blob', [...words, '--sct', file])
    await refuses('verify-blob', words, /unable to meet threshold of 1: the certificate has none/)
    await refuses('verify-blob', [...words.with(2, 'legacy.json'), '--sct', 'sct.json'], /the signature of the SCT does not verify/)
  })
  it("refuses a certificate that is not the bundle's", async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--bundle', 'legacy.json', '--certificate', 'other-cert.pem', ...offline, ...who],
      /the cert passed in does not match the cert in the provided bundle/,
    )
  })
  it("keeps cosign's rules about timestamps", async () => {
    await refuses(
      'verify-blob',
      ['artifact', '--signature', 'signature.b64', '--key', 'key.pub', '--rfc3161-timestamp', 'x'],
      /when specifying --rfc3161-timestamp-path, you must also specify --use-signed-timestamps/,
    )
    await refuses(
      'verify-blob',
      ['artifact', '--signature', 'signature.b64', '--key', 'key.pub', '--use-signed-timestamps'],
      /you must also specify --rfc3161-timestamp-path/,
    )
    const stamped = signBlob({ timestamps: [{}], managed: true })
    writeFileSync(path.join(folder, 'stamp.json'), JSON.stringify({ SignedRFC3161Timestamp: base64(stamped.tokens[0] ?? '') }))
    writeFileSync(path.join(folder, 'stamped.sig'), base64(stamped.signature))
    const words = [
      'artifact',
      '--signature',
      'stamped.sig',
      '--key',
      'key.pub',
      '--insecure-ignore-tlog',
      '--rfc3161-timestamp',
      'stamp.json',
      '--timestamp-certificate-chain',
      'tsa.pem',
    ]
    await verifies('verify-blob', words)
    await refuses('verify-blob', words.with(2, 'signature.b64'), /the timestamp is of other bytes than this signature/)
    // In any order and among others, as cosign takes them.
    const other = universeOf({ name: 'other' })
    const [leaf, root, otherLeaf, otherRoot] = [universe.timestampLeaf, universe.timestampRoot, other.timestampLeaf, other.timestampRoot]
    for (const [verified, certificates] of [
      [true, [root, leaf]],
      [true, [otherRoot, otherLeaf, root, leaf]],
      [true, [leaf, otherLeaf, root, otherRoot]],
      [false, [otherRoot, otherLeaf]],
      [false, [otherRoot, leaf]],
      [false, [root, otherLeaf]],
    ] as const) {
      writeFileSync(path.join(folder, 'tsa.pem'), certificates.map(({ der }) => pemOf(der)).join(''))
      if (verified) await verifies('verify-blob', words)
      else await refuses('verify-blob', words, /timestamp|trusted certificate authority/)
    }
    writeFileSync(path.join(folder, 'tsa.pem'), files['tsa.pem'] ?? '')
  })
})

describe('verify-blob-attestation', () => {
  const type = ['--type', 'slsaprovenance1']
  it('verifies a bundle, by file, by digest and without claims', async () => {
    const words = ['--bundle', 'attestation.json', ...offline, ...who, ...type]
    await verifies('verify-blob-attestation', ['artifact', ...words])
    await verifies('verify-blob-attestation', [...words, '--digest', hex('sha256'), '--digestAlg', 'sha256'])
    await verifies('verify-blob-attestation', [...words, '--check-claims=false'])
    await refuses('verify-blob-attestation', ['other', ...words], /provided artifact digest does not match any digest in statement/)
    await refuses('verify-blob-attestation', [...words, '--digest', '00'.repeat(32), '--digestAlg', 'sha256'], /does not match any digest/)
  })
  it('demands the predicate type, in both formats', async () => {
    await refuses(
      'verify-blob-attestation',
      ['artifact', '--bundle', 'attestation.json', ...offline, ...who],
      /invalid predicate type, expected https:\/\/cosign\.sigstore\.dev\/attestation\/v1 or cosign\.sigstore\.dev\/attestation\/v1 got https:\/\/slsa\.dev\/provenance\/v1/,
    )
    const legacy = ['artifact', '--signature', 'envelope.json', '--key', 'key.pub', '--insecure-ignore-tlog']
    await verifies('verify-blob-attestation', [...legacy, ...type])
    await refuses('verify-blob-attestation', legacy, /invalid predicate type, expected https:\/\/cosign/)
    await refuses('verify-blob-attestation', ['other', ...legacy.slice(1), ...type], /does not match any digest/)
  })
  it("says what is missing, in cosign's words", async () => {
    await refuses('verify-blob-attestation', [], /please specify path to the DSSE envelope signature via --signature or --bundle/)
    await refuses(
      'verify-blob-attestation',
      ['--bundle', 'attestation.json', ...offline, ...who, ...type],
      /must provide path to blob or digest and digestAlg/,
    )
    await refuses(
      'verify-blob-attestation',
      ['--bundle', 'attestation.json', '--digest', 'ab', '--digestAlg', 'md5'],
      /unsupported --digestAlg "md5"/,
    )
    await refuses(
      'verify-blob-attestation',
      ['--bundle', 'attestation.json', ...offline, ...who, ...type, '--digest', 'xy', '--digestAlg', 'sha256'],
      /unable to decode provided digest: /,
    )
    await refuses(
      'verify-blob-attestation',
      ['artifact', '--bundle', 'attestation.json', '--type', 'nonsense'],
      /invalid predicate type: nonsense/,
    )
  })
  it('prefers the file to a digest, and says so', async () => {
    const { stderr } = await verifies('verify-blob-attestation', [
      'artifact',
      '--bundle',
      'attestation.json',
      ...offline,
      ...who,
      ...type,
      '--digest',
      '00',
      '--digestAlg',
      'sha256',
    ])
    expect(stderr).toContain('WARNING: Ignoring provided --digest in favor of provided blob')
  })
  it('does not take a plain signature', async () => {
    await refuses(
      'verify-blob-attestation',
      ['artifact', '--bundle', 'keyless.json', ...offline, ...who, ...type],
      /expected an attestation of type/,
    )
  })
  it('puts the statement into the JSON', async () => {
    const { stdout } = await verifies('verify-blob-attestation', [
      'artifact',
      '--bundle',
      'managed-attestation.json',
      ...offline,
      '--key',
      'key.pub',
      ...type,
      '-o',
      'json',
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      signer: { kind: 'key' },
      statement: { predicateType: 'https://slsa.dev/provenance/v1', subjects: [{ name: 'app', digest: { sha256: hex('sha256') } }] },
    })
  })
})
