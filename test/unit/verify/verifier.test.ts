/** Programs that use the library and are mistaken: none of them gets a yes that it did not ask for, and each is told what is wrong. */
import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { parsePublicKeyPem } from '../../../src/crypto/public-key.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { artifactFromBytes, artifactFromDigests } from '../../../src/verify/artifact.ts'
import { compilePattern } from '../../../src/verify/pattern.ts'
import type { CertificateIdentity, Policy } from '../../../src/verify/policy.ts'
import { createVerifier } from '../../../src/verify/verifier.ts'
import { verify } from '../../../src/verify/verify.ts'
import { identity, issuer, namedKey, predicateType, signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'
import { refusalOf } from '../../support/universe/verification.ts'

const signed = signBlob()
const attested = signStatement()
const trust = loadTrustMaterial(universeOf().trustedRoot())
const who: CertificateIdentity = { subjectAlternativeName: identity, issuer }

/** Options as a program without types may give them. */
type Untyped = Readonly<Record<string, unknown>>

function refusal(options: Untyped, bundle: unknown = attested.json, ...artifact: readonly unknown[]): ReturnType<typeof refusalOf> {
  const [given] = artifact.length === 0 ? [attested.artifact] : artifact
  return refusalOf(() => createVerifier({ trust, identities: [who], ...options }).verify(bundle as string, given as Uint8Array))
}

describe('a verifier', () => {
  it('says yes to what was asked for', () => {
    expect(refusal({ predicateType, thresholds: { logEntries: 1 } })).toBeUndefined()
    expect(refusal({ predicateType: ['https://example.com/other', predicateType] })).toBeUndefined()
    expect(refusal({}, signed.json, signed.artifact)).toBeUndefined()
    expect(refusal({}, parseBundle(signed.json), artifactFromBytes(signed.artifact))).toBeUndefined()
    expect(
      refusal({ identities: [{ subjectAlternativeName: [identity, compilePattern('release')], issuer: compilePattern('.*') }] }),
    ).toBeUndefined()
  })

  it.each<[string, Untyped, RegExp]>([
    ['no identity and no key', { identities: undefined }, /either identities \(at least one\) or a key/],
    ['an identity and a key', { key: namedKey('manager').pem }, /either identities \(at least one\) or a key/],
    ['a key that is no text', { identities: undefined, key: Buffer.from(namedKey('manager').pem) }, /a key, as the text of a PEM file/],
    ['a key that is still to come', { identities: undefined, key: Promise.resolve('') }, /a key, as the text of a PEM file/],
    ['a list without identities', { identities: [] }, /at least one certificate identity with its issuer is needed, found none/],
    ['an identity that is no list', { identities: who }, /identities should be a list, found an Object/],
    ['a text for identities', { identities: identity }, /identities should be a list, found a string/],
    ['an identity that is not there', { identities: [undefined] }, /an identity should be an object, found undefined/],
    [
      'an identity without an issuer',
      { identities: [{ subjectAlternativeName: identity }] },
      /the issuer of an identity should be a text.*found undefined/,
    ],
    ['an issuer that is null', { identities: [{ ...who, issuer: null }] }, /the issuer of an identity.*found null/],
    [
      'a regular expression of JavaScript',
      { identities: [{ ...who, subjectAlternativeName: /.*/g }] },
      /what compilePattern gave.*found a RegExp/,
    ],
    ['a function', { identities: [{ ...who, subjectAlternativeName: () => true }] }, /found a function/],
    ['alternatives in a list', { identities: [{ ...who, subjectAlternativeName: [identity, 'another'] }] }, /found an Array/],
    [
      'an empty pattern for a name',
      { identities: [{ ...who, subjectAlternativeName: compilePattern('') }] },
      /is empty and matches every name/,
    ],
    [
      'a pattern that answers later',
      { identities: [{ ...who, subjectAlternativeName: { source: 'x', matches: () => Promise.resolve(false) } }] },
      /the pattern "x" should answer true or false, found a Promise/,
    ],
    ['extensions under another name', { identities: [{ ...who, extension: { runnerEnvironment: 'x' } }] }, /found "extension"/],
    ['an extension that nobody knows', { identities: [{ ...who, extensions: { runnerEnviroment: 'x' } }] }, /found "runnerEnviroment"/],
    ['an inherited name for an extension', { identities: [{ ...who, extensions: { constructor: 'x' } }] }, /found "constructor"/],
    [
      'an extension that is undefined',
      { identities: [{ ...who, extensions: { runnerEnvironment: undefined } }] },
      /runnerEnvironment.*found undefined/,
    ],
    ['extensions in a Map', { identities: [{ ...who, extensions: new Map([['runnerEnvironment', 'x']]) }] }, /found a Map/],
    ['extensions that are null', { identities: [{ ...who, extensions: null }] }, /found null/],
    ['extensions that are undefined', { identities: [{ ...who, extensions: undefined }] }, /found undefined/],
    ['an option that is misspelt', { predicatetype: 'https://example.com' }, /other members than trust, identities.*found "predicatetype"/],
    ['a type that is undefined', { predicateType: undefined }, /predicateType should be a text, or left out.*found undefined/],
    ['a type that is null', { predicateType: null }, /predicateType should be a text.*found null/],
    ['thresholds under another name', { threshold: { logEntries: 2 } }, /found "threshold"/],
    ['a threshold that is misspelt', { thresholds: { logEntry: 2 } }, /found "logEntry"/],
    ['thresholds in a list', { thresholds: [2] }, /found an Array/],
    ['thresholds that are null', { thresholds: null }, /found null/],
    ...[-1, Number.NaN, 0.5, Infinity, '0', null, undefined, 1n].map((value): [string, Untyped, RegExp] => [
      `a threshold of ${typeof value} ${value}`,
      { thresholds: { logEntries: value } },
      /the threshold logEntries should be a whole number from 0/,
    ]),
    ['a time that is none', { currentTime: new Date(Number.NaN) }, /currentTime should be a valid Date, found an invalid one/],
    ['a time as a number', { currentTime: 0 }, /currentTime should be a valid Date, found 0/],
    ['a time as a text', { currentTime: '2026-01-01' }, /currentTime should be a valid Date, found a string/],
    ['trust that is still to come', { trust: Promise.resolve(trust) }, /loadTrustedRoot once it was awaited, found a Promise/],
    ['a trusted root that was not loaded', { trust: universeOf().trustedRoot() }, /what loadTrustMaterial gave.*found a string/],
    ['no trust', { trust: undefined }, /found undefined/],
  ])('is refused for %s', (_, options, message) => {
    expect(refusal(options)).toEqual({ code: 'POLICY_INVALID', message: expect.stringMatching(message) as string })
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /found undefined/],
    ['null', null, /found null/],
    ['a text', 'an artifact of the universe\n', /found a string/],
    ['bytes that are still to come', Promise.resolve(attested.artifact), /found a Promise/],
    ['a buffer without a view', attested.artifact.slice().buffer, /found an ArrayBuffer/],
    ['digests as they are', { sha256: new Uint8Array(32) }, /found an Object/],
  ])('refuses %s in the place of an artifact', (_, artifact, message) => {
    const wanted = { code: 'POLICY_INVALID', message: expect.stringMatching(message) as string }
    expect(refusal({}, attested.json, artifact)).toEqual(wanted)
    expect(refusal({}, signed.json, artifact)).toEqual(wanted)
  })

  it.each<[string, unknown, RegExp]>([
    ['JSON that was parsed elsewhere', JSON.parse(attested.json), /a bundle should be its JSON, as text or bytes.*found an Object/],
    ['JSON that is still to come', Promise.resolve(attested.json), /found a Promise/],
    ['null', null, /found null/],
  ])('refuses %s in the place of a bundle', (_, bundle, message) => {
    expect(refusal({}, bundle)).toEqual({ code: 'USAGE', message: expect.stringMatching(message) as string })
  })

  it('goes by what it was made with, whatever becomes of that', () => {
    const mine = { ...who, extensions: { issuerV2: issuer } }
    const identities = [mine]
    const thresholds = { logEntries: 2 }
    const strict = createVerifier({ trust, identities, thresholds })
    const verifier = createVerifier({ trust, identities })
    thresholds.logEntries = 0
    mine.subjectAlternativeName = 'somebody@example.com'
    mine.extensions.issuerV2 = 'https://issuer.example'
    identities.pop()
    expect(verifier.verify(attested.json, attested.artifact).signer.kind).toBe('certificate')
    expect(refusalOf(() => strict.verify(attested.json, attested.artifact))?.code).toBe('LOG_ENTRY_UNVERIFIED')
    const theirs = { ...who, subjectAlternativeName: 'somebody@example.com' }
    const another = createVerifier({ trust, identities: [theirs] })
    theirs.subjectAlternativeName = identity
    expect(refusalOf(() => another.verify(attested.json, attested.artifact))?.code).toBe('IDENTITY_MISMATCH')
  })

  it('knows nothing of another verifier, whose trust is another', () => {
    const elsewhere = universeOf({ issuingKey: 'p256' })
    const stranger = createVerifier({ trust: loadTrustMaterial(elsewhere.trustedRoot()), identities: [who] })
    const own = createVerifier({ trust, identities: [who] })
    const entity = parseBundle(attested.json)
    for (let round = 0; round < 2; round++) {
      expect(own.verify(entity, attested.artifact).statement?.predicateType).toBe(predicateType)
      expect(refusalOf(() => stranger.verify(entity, attested.artifact))).toBeDefined()
    }
  })
})

describe('an artifact', () => {
  it('is what is in memory now, not what was there before', () => {
    for (const made of [attested, signed]) {
      const memory = Buffer.from(made.artifact)
      const artifact = artifactFromBytes(memory)
      expect(refusal({}, made.json, artifact)).toBeUndefined()
      memory.reverse()
      expect(refusal({}, made.json, artifact)?.code).toMatch(/ARTIFACT_MISMATCH|LOG_ENTRY_MISMATCH/)
    }
  })

  it('of digests keeps them, whatever becomes of the memory they were in', () => {
    const memory = Buffer.from(artifactFromBytes(attested.artifact).digest('sha256') ?? [])
    const artifact = artifactFromDigests({ sha256: memory })
    memory.fill(0)
    expect(refusal({}, attested.json, artifact)).toBeUndefined()
  })

  it('is made of bytes, and digests are bytes', () => {
    const message = /should be a Uint8Array, found a string/
    expect(refusalOf(() => artifactFromBytes('text' as unknown as Uint8Array))).toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    })
    for (const text of ['ab'.repeat(32), 'a'.repeat(32)]) {
      const digests = { sha256: text as unknown as Uint8Array }
      expect(refusalOf(() => artifactFromDigests(digests))).toMatchObject({
        code: 'USAGE',
        message: expect.stringMatching(message) as string,
      })
    }
  })
})

describe('a policy', () => {
  const key = parsePublicKeyPem(namedKey('manager').pem)
  const refused = (policy: Untyped, options: Untyped = {}): ReturnType<typeof refusalOf> =>
    refusalOf(() => verify(parseBundle(attested.json), trust, { artifact: 'any-subject', ...policy } as unknown as Policy, options))

  it.each<[string, Untyped, RegExp]>([
    ['without a signer', {}, /the signer should be of the kind "key" or "certificate", found undefined/],
    ['with a signer of no kind', { signer: { identities: [who] } }, /of the kind "key" or "certificate"/],
    ['with a key as text', { signer: { kind: 'key', key: namedKey('manager').pem } }, /what parsePublicKeyPem gave, found a string/],
    ['with a window under another name', { signer: { kind: 'key', key, windows: { start: 0, end: 1 } } }, /found "windows"/],
    ['with an empty list of identities', { signer: { kind: 'certificate', identities: [] } }, /found none/],
    ['with a type under another name', { signer: { kind: 'certificate', identities: [who] }, type: 'x' }, /found "type"/],
  ])('%s is refused', (_, policy, message) => {
    expect(refused(policy)).toEqual({ code: 'POLICY_INVALID', message: expect.stringMatching(message) as string })
  })

  it('is not taken with options that nobody knows', () => {
    const policy = { signer: { kind: 'certificate', identities: [who] } }
    expect(refused(policy)).toBeUndefined()
    expect(refused(policy, { logEntries: 2 })?.message).toContain('found "logEntries"')
  })
})

describe('a pattern', () => {
  it('that is anchored is of the whole text, however it is written', () => {
    const matches = (source: string, text: string): boolean => compilePattern(source, { anchored: true }).matches(text)
    expect([matches('a|ab', 'ab'), matches('\\Qa.b', 'a.b'), matches('a.*', 'ab')]).toEqual([true, true, true])
    expect([
      matches('a|b', 'ab'),
      matches('a', 'a\n'),
      matches('(?m)^a$', 'a\nb'),
      matches('b', 'abc'),
      matches('a.*', 'a\nb'),
    ]).not.toContain(true)
    expect(() => matches('a)|(?:b', 'abc')).toThrow(/not a regular expression in RE2 syntax/)
  })

  it.each<[unknown, unknown]>([
    [/^b$/, {}],
    [undefined, {}],
    ['b', true],
    ['b', { anchored: 'true' }],
    ['b', { anchored: 1 }],
    ['b', { anchor: true }],
    ['b', null],
  ])('of %s and %j is refused', (source, options) => {
    expect(refusalOf(() => compilePattern(source as string, options as object))?.code).toBe('POLICY_INVALID')
  })
})
