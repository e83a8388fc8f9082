/**
 * Security advisories of other implementations, and what re-implementations are known to get wrong: each as the attack that
 * it describes, made by whoever can write the files that are verified.
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { compilePattern } from '../../../src/verify/pattern.ts'
import { bent } from '../../support/universe/bent.ts'
import type { Json, SignedBundle, SigningOptions } from '../../support/universe/universe.ts'
import {
  artifactBytes,
  epoch,
  identity,
  issuer,
  legacyBundle,
  namedKey,
  predicateType,
  signBlob,
  signStatement,
  universeOf,
} from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'
import type { Outcome } from '../cli/captured-context.ts'
import { runCaptured } from '../cli/captured-context.ts'

const universe = universeOf()
const attacker = namedKey('attacker')
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const offline = ['--trusted-root', 'root.json']
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-advisories-'))
  write('artifact', artifactBytes)
  write('root.json', universe.trustedRoot())
  write('key.pub', namedKey('signer').pem)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, contents: string | Uint8Array | Json): string {
  writeFileSync(
    path.join(folder, name),
    typeof contents === 'string' || contents instanceof Uint8Array ? contents : JSON.stringify(contents),
  )
  return name
}

const run = (...words: readonly string[]): Promise<Outcome> => runCaptured(words, { cwd: folder, now: epoch })

async function refuses(words: readonly string[], message: RegExp): Promise<void> {
  const { exitCode, stderr } = await run(...words)
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain('Verified OK')
  expect(exitCode).toBe(1)
}

async function verifies(words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run(...words)
  expect(stderr).toContain('Verified OK\n')
  expect(exitCode).toBe(0)
}

/** The bundle with the log entries of another, which the log has really taken. */
function withEntriesOf(signed: SignedBundle, other: SignedBundle): Json {
  return bent(signed.bundle, (_, { material }) => (material['tlogEntries'] = entriesOf(other)))
}

function entriesOf({ bundle }: SignedBundle): unknown {
  return (bundle['verificationMaterial'] as Json)['tlogEntries']
}

describe('GHSA-whqx-f9j3-ch6m: a log entry that is about something else', () => {
  const own = signBlob()
  const others: readonly (readonly [string, SignedBundle])[] = [
    ['artifact', signBlob({ key: own.key }, Buffer.from('another artifact'))],
    ['signature', signBlob({ key: own.key })],
    ['key', signBlob({ key: attacker })],
    ['kind of content', signStatement({ key: own.key })],
  ]
  for (const [what, other] of others) {
    it(`another ${what}: refused, though the log vouches for the entry`, () => {
      expect(verifySigned(other).logEntries).toHaveLength(1)
      expect(refusalOf(() => verifySigned(own, { bundle: withEntriesOf(own, other) }))?.code).toBe('LOG_ENTRY_MISMATCH')
    })
  }

  it('the same on Rekor v2', () => {
    const signed = signBlob({ log: 'v2' })
    const other = signBlob({ log: 'v2', key: signed.key }, Buffer.from('another artifact'))
    expect(refusalOf(() => verifySigned(signed, { bundle: withEntriesOf(signed, other) }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })

  it('the same for attestations', () => {
    const signed = signStatement()
    const other = signStatement({ key: signed.key, statement: { ...statementOfAnother(), predicate: {} } })
    expect(refusalOf(() => verifySigned(signed, { bundle: withEntriesOf(signed, other) }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })

  it("the same in cosign's local bundle, by the command line", async () => {
    const other = signBlob({ key: own.key }, Buffer.from('another artifact'))
    const legacy = { ...legacyBundle(own), rekorBundle: legacyBundle(other)['rekorBundle'] }
    await refuses(['verify-blob', 'artifact', '--bundle', write('whqx.json', legacy), ...offline, ...who], /log entry/)
    await verifies(['verify-blob', 'artifact', '--bundle', write('whqx.json', legacyBundle(own)), ...offline, ...who])
  })

  it('a second entry that is about something else spoils the first', () => {
    const other = signBlob({ key: attacker, entry: { logIndex: 1_000_004, leafIndex: 4 } })
    const bundle = bent(own.bundle, (_, { material }) => (material['tlogEntries'] = [entriesOf(own), entriesOf(other)].flat()))
    expect(refusalOf(() => verifySigned(own, { bundle }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
})

function statementOfAnother(): Json {
  return { _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'other', digest: { sha256: '00'.repeat(32) } }], predicateType }
}

describe('GHSA-w6c6-c85g-mmv6: the type of the predicate', () => {
  const signed = signStatement({ managed: true })
  const mismatch = /invalid predicate type, expected https:\/\/spdx\.dev\/Document got https:\/\/slsa\.dev\/provenance\/v1/
  const key = ['--key', 'key.pub']
  const formats: readonly (readonly [string, () => string[]])[] = [
    ['a bundle', () => ['--bundle', write('w6c6.json', signed.bundle), ...offline]],
    ['a local bundle', () => ['--bundle', write('w6c6-legacy.json', legacyBundle(signed)), ...offline]],
    ['an envelope', () => ['--signature', write('w6c6.dsse', signed.bundle['dsseEnvelope'] as Json), '--insecure-ignore-tlog']],
  ]
  for (const [what, words] of formats) {
    it(`is compared in ${what}`, async () => {
      const verb = ['verify-blob-attestation', 'artifact', ...key, ...words()]
      await verifies([...verb, '--type', 'slsaprovenance1'])
      await refuses([...verb, '--type', 'spdxjson'], mismatch)
    })
    it(`is compared in ${what} when the subjects are not`, async () => {
      const verb = ['verify-blob-attestation', 'artifact', '--check-claims=false', ...key, ...words()]
      await verifies([...verb, '--type', 'slsaprovenance1'])
      await refuses([...verb, '--type', 'spdxjson'], mismatch)
    })
    it(`may not be left out of ${what}`, async () => {
      await refuses(['verify-blob-attestation', 'artifact', ...key, ...words()], /invalid predicate type, expected https:\/\/cosign/)
    })
  }

  it('a payload that is no statement is refused, not passed over', async () => {
    for (const statement of ['{}', 'null', '[]', '{"predicateType":7}', 'nonsense']) {
      const broken = signStatement({ managed: true, statement })
      const envelope = ['--signature', write('broken.dsse', broken.bundle['dsseEnvelope'] as Json), '--insecure-ignore-tlog']
      for (const words of [['--bundle', write('broken.json', broken.bundle), ...offline], envelope]) {
        await refuses(['verify-blob-attestation', 'artifact', ...key, ...words, '--type', 'slsaprovenance1'], /^Error: /m)
      }
    }
  })

  it('a payload of another type is refused, whatever it holds', async () => {
    const other = signStatement({ managed: true, payloadType: 'application/json' })
    const words = ['--bundle', write('payload-type.json', other.bundle), ...offline, '--type', 'slsaprovenance1']
    await refuses(['verify-blob-attestation', 'artifact', ...key, ...words], /payload ?type|application\/json/i)
  })
})

describe('GHSA-fx35-mq7g-6g98: a key that comes with the signature', () => {
  const forged = signBlob({ managed: true, key: attacker })
  const forgedAttestation = signStatement({ managed: true, key: attacker })
  const type = ['--type', 'slsaprovenance1']
  const notTaken =
    /^Error: .*(?:is not the given key|with the given key, found one with a certificate|holds a public key, which is not to be trusted|the certificate is not valid DER|invalid signature|signature does not verify)/m
  const spellings: readonly (readonly [string, string])[] = [
    ['PEM', attacker.pem],
    ['base64 of PEM', base64(attacker.pem)],
    ['DER', base64(attacker.spki)],
  ]
  for (const [spelling, cert] of spellings) {
    for (const [what, words] of [
      ['--key', ['--key', 'key.pub']],
      ['an identity', who],
    ] as const) {
      it(`as ${spelling} does not stand in for ${what}, logged or not`, async () => {
        const file = write('fx35.json', legacyBundle(forged, cert))
        await refuses(['verify-blob', 'artifact', '--bundle', file, ...words, ...offline], notTaken)
        await refuses(['verify-blob', 'artifact', '--bundle', file, ...words, ...offline, '--insecure-ignore-tlog'], notTaken)
        const attestation = write('fx35-attestation.json', legacyBundle(forgedAttestation, cert))
        const verb = ['verify-blob-attestation', 'artifact', '--bundle', attestation, ...words, ...offline, ...type]
        await refuses(verb, notTaken)
        await refuses([...verb, '--insecure-ignore-tlog'], notTaken)
      })
    }
  }

  it("a bundle with the attacker's key hint is verified with the given key alone", () => {
    const own = signBlob({ managed: true })
    const bundle = { ...forged.bundle }
    expect(refusalOf(() => verifySigned(own, { bundle }))?.code).toMatch(/^(?:LOG_ENTRY_MISMATCH|SIGNATURE_INVALID)$/)
  })

  it('a certificate in a local bundle does not make up for a --key that did not sign', async () => {
    const keyless = signBlob({ key: attacker })
    const words = ['--bundle', write('fx35-cert.json', legacyBundle(keyless)), '--key', 'key.pub', ...offline]
    await refuses(['verify-blob', 'artifact', ...words], notTaken)
  })
})

describe('GHSA-88jx-383q-w4qc, GHSA-95pr-fxf5-86gv: input without end', () => {
  it('a bundle over the limit is refused by its size, before it is read', async () => {
    truncateSync(path.join(folder, write('endless.json', '{')), 2 ** 34)
    await refuses(
      ['verify-blob', 'artifact', '--bundle', 'endless.json', ...offline, ...who],
      /17179869184 bytes long, more than the limit/,
    )
  })
  it('so are a signature, a certificate, a key and a trusted root', async () => {
    truncateSync(path.join(folder, write('endless', '{')), 2 ** 34)
    const signed = write('bounded.json', signBlob({ managed: true }).bundle)
    const tooLong = /17179869184 bytes long, more than the limit/
    await refuses(['verify-blob', 'artifact', '--signature', 'endless', '--key', 'key.pub', '--insecure-ignore-tlog'], tooLong)
    await refuses(['verify-blob', 'artifact', '--signature', 'bounded.json', '--certificate', 'endless', ...who, ...offline], tooLong)
    await refuses(
      ['verify-blob', 'artifact', '--bundle', signed, '--key', 'endless', ...offline],
      /public key endless is longer than the limit of 65536 bytes/,
    )
    await refuses(['verify-blob', 'artifact', '--bundle', signed, '--key', 'key.pub', '--trusted-root', 'endless'], tooLong)
  })
  it('a bundle of nothing but brackets is refused at a depth, not by the stack', () => {
    expect(refusalOf(() => parseBundle('['.repeat(1_000_000)))).toMatchObject({
      code: expect.stringMatching(/^(?:JSON_INVALID|TOO_LARGE)$/),
    })
    expect(refusalOf(() => parseBundle('{"a":'.repeat(1_000_000)))).toBeDefined()
  })
  it('entries and timestamps are counted before any of them is verified', () => {
    const signed = signBlob({ timestamps: [{}] })
    const [entry, token] = [signed.entries[0], { signedTimestamp: base64(signed.tokens[0] ?? '') }]
    const many = bent(signed.bundle, (_, { material }) => (material['tlogEntries'] = Array.from({ length: 1000 }, () => entry)))
    expect(refusalOf(() => verifySigned(signed, { bundle: many }))?.message).toMatch(/1000/)
    const stamped = bent(
      signed.bundle,
      (_, { material }) => (material['timestampVerificationData'] = { rfc3161Timestamps: Array.from({ length: 1000 }, () => token) }),
    )
    expect(refusalOf(() => verifySigned(signed, { bundle: stamped }))?.message).toMatch(/1000/)
  })
})

describe('patterns for identities', () => {
  it('match anywhere unless they say otherwise, as in Go', () => {
    expect(compilePattern('universe/app').matches(identity)).toBe(true)
    expect(compilePattern('^universe/app').matches(identity)).toBe(false)
    expect(compilePattern('main$').matches(`${identity}-of-somebody`)).toBe(false)
    expect(compilePattern('^https://x$').matches('https://x\n')).toBe(false)
  })
  it('are RE2: what Go has and JavaScript has not', () => {
    expect(compilePattern('(?i)UNIVERSE').matches(identity)).toBe(true)
    expect(compilePattern('\\Ahttps://(?P<host>[^/]+)/\\Quniverse\\E/.*main\\z').matches(identity)).toBe(true)
    expect(compilePattern('\\pL').matches('\u00e9')).toBe(true)
  })
  for (const source of ['(?=a)', '(?!a)', '(?<=a)b', '(a)\\1', '(?<!a)b', '(', 'a**', '[z-a]', 'a{1001}']) {
    it(`what Go refuses is refused: ${source}`, () => {
      expect(refusalOf(() => compilePattern(source))?.code).toBe('POLICY_INVALID')
    })
  }
  it('take linear time, whatever they and the certificate say', () => {
    expect(compilePattern('^(a+)+$').matches(`${'a'.repeat(50_000)}b`)).toBe(false)
    expect(compilePattern('(a|a)*(a|a)*(a|a)*c').matches('a'.repeat(20_000))).toBe(false)
  })
  it('an exact identity is no pattern: a dot is a dot', async () => {
    const words = [
      'verify-blob',
      'artifact',
      '--bundle',
      write('exact.json', signBlob().bundle),
      ...offline,
      '--certificate-oidc-issuer',
      issuer,
    ]
    await refuses([...words, '--certificate-identity', identity.replaceAll('.', '?')], /expected SAN value/)
    await refuses([...words, '--certificate-identity', '.*'], /expected SAN value/)
  })
})

describe('log entries', () => {
  it("the proof's index is the shard's, the entry's and the promise's the global one", () => {
    const [entry] = signBlob().entries
    expect(entry?.logIndex).not.toBe(entry?.inclusionProof?.logIndex)
    expect(verifySigned(signBlob()).logEntries[0]?.logIndex).toBe(BigInt(entry?.logIndex ?? 0))
  })
  it('neither index serves for the other', () => {
    const signed = signBlob()
    const proofOf = (parts: Json): Json => parts['inclusionProof'] as Json
    const global = bent(signed.bundle, (_, { entry }) => (proofOf(entry)['logIndex'] = entry['logIndex']))
    const local = bent(signed.bundle, (_, { entry }) => (entry['logIndex'] = proofOf(entry)['logIndex']))
    expect(refusalOf(() => verifySigned(signed, { bundle: global }))).toBeDefined()
    expect(refusalOf(() => verifySigned(signed, { bundle: local }))?.message).toMatch(/signed entry timestamp/)
  })
  it('the promise is over canonical JSON: members in order, no spaces, the log in hex', () => {
    const bends: readonly NonNullable<NonNullable<SigningOptions['entry']>['bendPromise']>[] = [
      ({ body, integratedTime, logID, logIndex }) =>
        `{"logIndex":${logIndex},"logID":"${logID}","integratedTime":${integratedTime},"body":"${body}"}`,
      (payload) => JSON.stringify(payload, undefined, 1),
      (payload) => ({ ...payload, logID: base64(Buffer.from(payload.logID, 'hex')) }),
      (payload) => ({ ...payload, logID: payload.logID.toUpperCase() }),
      (payload) => ({ ...payload, integratedTime: String(payload.integratedTime) }),
      (payload) => ({ ...payload, body: Buffer.from(payload.body, 'base64').toString('utf8') }),
    ]
    for (const bendPromise of bends) {
      const signed = signBlob({ entry: { bendPromise } })
      expect(refusalOf(() => verifySigned(signed))).toMatchObject({
        code: 'LOG_ENTRY_UNVERIFIED',
        message: expect.stringMatching(/signed entry timestamp/),
      })
    }
  })
  it('a Rekor v2 entry has neither promise nor time: one that is written in is refused or does not count', () => {
    const signed = signBlob({ log: 'v2', timestamps: [] })
    const timed = bent(signed.bundle, (_, { entry }) => (entry['integratedTime'] = String(epoch / 1000 + 60)))
    expect(refusalOf(() => verifySigned(signed, { bundle: timed }))).toBeDefined()
    const [{ inclusionPromise } = { inclusionPromise: undefined }] = signBlob().entries
    const promised = bent(timed, (_, { entry }) => (entry['inclusionPromise'] = inclusionPromise))
    expect(refusalOf(() => verifySigned(signed, { bundle: promised }))).toBeDefined()
  })
  it('an integrated time without a promise is no time: nobody signed it', () => {
    const signed = signBlob({ entry: { withPromise: false } })
    expect(entriesOf(signed)).toMatchObject([{ integratedTime: String(epoch / 1000 + 60) }])
    expect(refusalOf(() => verifySigned(signed))?.message).toMatch(/time/)
  })
})
