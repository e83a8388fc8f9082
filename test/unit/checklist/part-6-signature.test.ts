import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { ed25519ph } from '@noble/curves/ed25519.js'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { loadEd25519ph } from '../../../src/crypto/signature.ts'
import { artifactFromBytes, artifactFromDigests } from '../../../src/verify/artifact.ts'
import { signWith } from '../../support/universe/keys.ts'
import { artifactBytes, epoch, namedKey, predicateType, signBlob, signStatement, statementAbout } from '../../support/universe/universe.ts'
import type { Json, SigningOptions } from '../../support/universe/universe.ts'
import { bent } from '../../support/universe/bent.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

const hash = (algorithm: string, bytes: Uint8Array): Uint8Array => createHash(algorithm).update(bytes).digest()
const withoutLog: SigningOptions = { log: 'none', managed: true }
const noLog = { thresholds: { logEntries: 0 } }

beforeAll(() => loadEd25519ph())

describe('item 36: the signature', () => {
  for (const kind of ['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const) {
    const key = namedKey('item 36', kind)
    for (const managed of [true, false]) {
      it(`with a ${kind} key verifies over the bytes (${managed ? 'managed' : 'keyless'})`, () => {
        expect(verifySigned(signBlob({ key, managed })).logEntries).toHaveLength(1)
      })
    }
    it(`with a ${kind} key over other bytes is refused`, () => {
      const signed = signBlob({ key, ...withoutLog })
      const bundle = bent(signed.bundle, (json) => void delete (json['messageSignature'] as Json)['messageDigest'])
      const artifact = artifactFromBytes(new TextEncoder().encode('other'))
      expect(refusalOf(() => verifySigned(signed, { bundle, policy: { artifact }, options: noLog }))).toMatchObject({
        code: 'SIGNATURE_INVALID',
      })
    })
    it(`with a ${kind} key by another key is refused`, () => {
      const signed = signBlob({ key, ...withoutLog })
      const signer = { kind: 'key', key: parsePublicKey(namedKey('another', kind).spki) } as const
      expect(refusalOf(() => verifySigned(signed, { policy: { signer }, options: noLog }))).toMatchObject({ code: 'SIGNATURE_INVALID' })
    })
    if (kind === 'ed25519') continue
    it(`with a ${kind} key verifies over a given digest`, () => {
      const digests = {
        sha256: hash('sha256', artifactBytes),
        sha384: hash('sha384', artifactBytes),
        sha512: hash('sha512', artifactBytes),
      }
      expect(
        verifySigned(signBlob({ key, managed: true }), { policy: { artifact: artifactFromDigests(digests) } }).logEntries,
      ).toHaveLength(1)
      const others = {
        sha256: hash('sha256', new Uint8Array(1)),
        sha384: hash('sha384', new Uint8Array(1)),
        sha512: hash('sha512', new Uint8Array(1)),
      }
      const signed = signBlob({ key, ...withoutLog })
      const bundle = bent(signed.bundle, (json) => void delete (json['messageSignature'] as Json)['messageDigest'])
      expect(
        refusalOf(() => verifySigned(signed, { bundle, policy: { artifact: artifactFromDigests(others) }, options: noLog })),
      ).toMatchObject({ code: 'SIGNATURE_INVALID' })
    })
  }
  it("hashes as the key's curve says, or with SHA-256 as cosign used to", () => {
    for (const kind of ['p384', 'p521'] as const) {
      expect(verifySigned(signBlob({ key: namedKey('item 36', kind), digest: 'sha256', managed: true })).logEntries).toHaveLength(1)
    }
    expect(
      refusalOf(() => verifySigned(signBlob({ key: namedKey('signer'), digest: 'sha512', ...withoutLog }), { options: noLog }))?.code,
    ).toBe('SIGNATURE_INVALID')
  })
  it('of pure Ed25519 needs the artifact itself', () => {
    const signed = signBlob({ key: namedKey('item 36', 'ed25519'), ...withoutLog })
    const artifact = artifactFromDigests({ sha256: hash('sha256', artifactBytes) })
    expect(refusalOf(() => verifySigned(signed, { policy: { artifact }, options: noLog }))).toMatchObject({
      code: 'ARTIFACT_REQUIRED',
      message: expect.stringContaining('give the file instead'),
    })
  })
  it('of Ed25519ph verifies over bytes and over their SHA-512', () => {
    const key = namedKey('item 36', 'ed25519')
    const secret = key.privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32)
    const signed = signBlob({ key, ...withoutLog })
    const bundle = bent(signed.bundle, (json) => {
      const message = json['messageSignature'] as Json
      message['signature'] = Buffer.from(ed25519ph.sign(artifactBytes, secret)).toString('base64')
    })
    expect(verifySigned(signed, { bundle, options: noLog }).signer.kind).toBe('key')
    const artifact = artifactFromDigests({ sha256: hash('sha256', artifactBytes), sha512: hash('sha512', artifactBytes) })
    expect(verifySigned(signed, { bundle, policy: { artifact }, options: noLog }).signer.kind).toBe('key')
    const other = artifactFromDigests({ sha256: hash('sha256', artifactBytes), sha512: hash('sha512', new Uint8Array(1)) })
    expect(refusalOf(() => verifySigned(signed, { bundle, policy: { artifact: other }, options: noLog }))?.code).toBe('SIGNATURE_INVALID')
  })
  it('needs the digest that was signed', () => {
    const artifact = artifactFromDigests({ sha256: hash('sha256', artifactBytes) })
    const signed = signBlob({ key: namedKey('item 36', 'p384'), log: 'none', managed: true })
    expect(refusalOf(() => verifySigned(signed, { policy: { artifact }, options: noLog }))?.code).toMatch(
      /SIGNATURE_INVALID|ARTIFACT_REQUIRED/,
    )
  })
  it('cannot be checked without an artifact', () => {
    expect(refusalOf(() => verifySigned(signBlob(withoutLog), { policy: { artifact: 'any-subject' }, options: noLog }))).toMatchObject({
      code: 'ARTIFACT_REQUIRED',
    })
  })
  for (const [what, signature] of [
    ['empty ECDSA values', '3006020100020100'],
    ['a BER length', '308106020101020101'],
    ['bytes behind it', '300602010102010100'],
    ['a negative value', '30060201ff020101'],
    ['nothing but zeros', '00'.repeat(70)],
  ] as const) {
    it(`with ${what} is refused`, () => {
      const signed = signBlob(withoutLog)
      const bundle = bent(
        signed.bundle,
        (json) => void ((json['messageSignature'] as Json)['signature'] = Buffer.from(signature, 'hex').toString('base64')),
      )
      expect(refusalOf(() => verifySigned(signed, { bundle, options: noLog }))).toMatchObject({ code: 'SIGNATURE_INVALID' })
      const artifact = artifactFromDigests({ sha256: hash('sha256', artifactBytes) })
      expect(refusalOf(() => verifySigned(signed, { bundle, policy: { artifact }, options: noLog }))).toMatchObject({
        code: 'SIGNATURE_INVALID',
      })
    })
  }
})

describe('item 37: attestations', () => {
  it('of in-toto 0.1 and 1 verify', () => {
    for (const _type of ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1']) {
      expect(verifySigned(signStatement({ statement: statementAbout(artifactBytes, { _type }) })).statement?.type).toBe(_type)
    }
  })
  const subject = (digest: Json): Json => statementAbout(artifactBytes, { subject: [{ name: 'x', digest }] })
  const hex = (algorithm: string, bytes = artifactBytes): string => Buffer.from(hash(algorithm, bytes)).toString('hex')
  it('name the artifact by any of its digests, in either case, among any number of subjects', () => {
    const statements = [
      subject({ sha256: hex('sha256') }),
      subject({ sha384: hex('sha384') }),
      subject({ sha512: hex('sha512').toUpperCase() }),
      subject({ sha256: hex('sha256'), gitCommit: 'abc' }),
      statementAbout(artifactBytes, {
        subject: [{ digest: { sha256: hex('sha256', new Uint8Array(1)) } }, { digest: { sha256: hex('sha256') } }],
      }),
    ]
    for (const statement of statements) expect(verifySigned(signStatement({ statement })).statement).toBeDefined()
  })
  const refused: readonly (readonly [string, Json | string, string, RegExp])[] = [
    [
      'another artifact',
      subject({ sha256: hex('sha256', new Uint8Array(1)) }),
      'ARTIFACT_MISMATCH',
      /does not match any digest in statement/,
    ],
    ['a digest of an unknown algorithm', subject({ md5: '00'.repeat(16) }), 'ARTIFACT_MISMATCH', /does not match/],
    [
      'a subject whose digests contradict each other',
      subject({ sha256: hex('sha256'), sha512: hex('sha512', new Uint8Array(1)) }),
      'ARTIFACT_MISMATCH',
      /does not match/,
    ],
    ['the right digest under another algorithm', subject({ sha512: hex('sha256') }), 'ARTIFACT_MISMATCH', /does not match/],
    ['no subject', statementAbout(artifactBytes, { subject: [] }), 'STATEMENT_INVALID', /has no subject/],
    ['a subject without digests', subject({}), 'STATEMENT_INVALID', /should have 1 to 32 digests/],
    ['no predicate type', statementAbout(artifactBytes, { predicateType: null }), 'STATEMENT_INVALID', /predicateType is missing/],
    [
      'another type of statement',
      statementAbout(artifactBytes, { _type: 'https://in-toto.io/Statement/v2' }),
      'STATEMENT_INVALID',
      /_type should be/,
    ],
    ['no JSON', 'hello', 'JSON_INVALID', /is not valid JSON/],
    [
      'a subject twice by duplicate keys',
      JSON.stringify(subject({ sha256: hex('sha256') })).replace('"subject"', '"subject":[],"subject"'),
      'JSON_INVALID',
      /stands twice/,
    ],
  ]
  for (const [what, statement, code, message] of refused) {
    it(`about ${what} are refused`, () => {
      expect(refusalOf(() => verifySigned(signStatement({ statement })))).toMatchObject({ code, message: expect.stringMatching(message) })
    })
  }
  it('of another payload type are refused', () => {
    expect(refusalOf(() => verifySigned(signStatement({ payloadType: 'text/plain' })))).toMatchObject({
      code: 'ARTIFACT_MISMATCH',
      message: expect.stringContaining('expected an in-toto statement'),
    })
  })
  it('with another payload type than the signed one are refused', () => {
    const signed = signStatement({ ...withoutLog, payloadType: 'application/vnd.in-toto+jsoN' })
    const bundle = bent(signed.bundle, (json) => void ((json['dsseEnvelope'] as Json)['payloadType'] = 'application/vnd.in-toto+json'))
    expect(refusalOf(() => verifySigned(signed, { bundle, options: noLog }))).toMatchObject({ code: 'SIGNATURE_INVALID' })
  })
  it('signed over the bare payload are refused', () => {
    const signed = signStatement(withoutLog)
    const { payload } = signed.bundle['dsseEnvelope'] as { payload: string }
    const bare = signWith(signed.key, Buffer.from(payload, 'base64'))
    const bundle = bent(
      signed.bundle,
      (json) => void ((json['dsseEnvelope'] as Json)['signatures'] = [{ sig: Buffer.from(bare).toString('base64') }]),
    )
    expect(refusalOf(() => verifySigned(signed, { bundle, options: noLog }))).toMatchObject({ code: 'SIGNATURE_INVALID' })
  })
  it('must have the predicate type that was asked for', () => {
    expect(verifySigned(signStatement(), { policy: { predicateType } }).statement?.predicateType).toBe(predicateType)
    expect(refusalOf(() => verifySigned(signStatement(), { policy: { predicateType: 'https://example.test/other' } }))).toMatchObject({
      code: 'PREDICATE_TYPE_MISMATCH',
      message: `invalid predicate type, expected https://example.test/other got ${predicateType}`,
    })
    expect(refusalOf(() => verifySigned(signBlob(), { policy: { predicateType } }))).toMatchObject({ code: 'PREDICATE_TYPE_MISMATCH' })
    expect(
      refusalOf(() => verifySigned(signStatement(), { policy: { predicateType: ['https://example.test/other', predicateType] } })),
    ).toBe(undefined)
    const none = refusalOf(() => verifySigned(signStatement(), { policy: { predicateType: ['a', 'b'] } }))
    expect(none?.message).toBe(`invalid predicate type, expected a or b got ${predicateType}`)
    expect(refusalOf(() => verifySigned(signStatement(), { policy: { predicateType: [] } }))?.code).toBe('PREDICATE_TYPE_MISMATCH')
  })
  it('may have a predicate of many levels, within reason', () => {
    // The statement and its predicate are two of a thousand.
    const nested = (levels: number): string =>
      JSON.stringify(statementAbout()).replace('"buildDefinition":{}', `"tree":${'['.repeat(levels)}${']'.repeat(levels)}`)
    expect(refusalOf(() => verifySigned(signStatement({ statement: nested(998) })))).toBeUndefined()
    expect(refusalOf(() => verifySigned(signStatement({ statement: nested(999) })))).toMatchObject({
      code: 'JSON_INVALID',
      message: expect.stringContaining('nested more than 1000 levels deep'),
    })
  })
  it('keep large integers of their predicate exactly', () => {
    const statement = JSON.stringify(statementAbout()).replace('"buildDefinition":{}', '"big":12345678901234567890')
    expect(verifySigned(signStatement({ statement })).statement?.predicate).toMatchObject({ big: 12345678901234567890n })
  })
})

describe('item 38: managed keys', () => {
  it("only the caller's key counts, never the entry's nor the hint", () => {
    const signed = signBlob({ managed: true, hint: 'anything' })
    expect(verifySigned(signed).signer).toMatchObject({ kind: 'key' })
    const other = { kind: 'key', key: parsePublicKey(namedKey('another').spki) } as const
    expect(refusalOf(() => verifySigned(signed, { policy: { signer: other } }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
  it('a certificate does not stand in for the key, though it holds it', () => {
    const signed = signBlob()
    const signer = { kind: 'key', key: parsePublicKey(signed.key.spki) } as const
    expect(refusalOf(() => verifySigned(signed, { policy: { signer } }))).toMatchObject({
      code: 'KEY_MISMATCH',
      message: expect.stringContaining('expected a signature with the given key, found one with a certificate'),
    })
  })
  const time = epoch + 60_000
  const windows: readonly (readonly [string, { start: number; end: number | undefined }, boolean])[] = [
    ['open since the signature', { start: time, end: undefined }, true],
    ['open a millisecond later', { start: time + 1, end: undefined }, false],
    ['closed with the signature', { start: 0, end: time }, true],
    ['closed a millisecond before', { start: 0, end: time - 1 }, false],
  ]
  for (const [what, window, accepted] of windows) {
    it(`a key whose window is ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      const signed = signBlob({ managed: true })
      const signer = { kind: 'key', key: parsePublicKey(signed.key.spki), window } as const
      expect(refusalOf(() => verifySigned(signed, { policy: { signer } }))?.code).toBe(accepted ? undefined : 'KEY_MISMATCH')
    })
  }
  it('a window needs a verified time', () => {
    const signed = signBlob({ managed: true, log: 'v2', timestamps: [] })
    const signer = { kind: 'key', key: parsePublicKey(signed.key.spki), window: { start: 0, end: undefined } } as const
    expect(refusalOf(() => verifySigned(signed, { policy: { signer } }))?.code).toBe('TIME_UNVERIFIED')
  })
})
