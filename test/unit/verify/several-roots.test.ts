/** A file of several trusted roots, one a line: each is a world of its own. */
import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { createVerifier } from '../../../src/verify/verifier.ts'
import { verifyInParallel } from '../../../src/verify/verify.ts'
import { bent } from '../../support/universe/bent.ts'
import type { Circumstances } from '../../support/universe/verification.ts'
import { policyFor, refusalOf, verifySigned } from '../../support/universe/verification.ts'
import type { SignedBundle, TrustedRootJson } from '../../support/universe/universe.ts'
import { identity, issuer, namedKey, signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'

const [one, two, third] = [universeOf({ name: 'one' }), universeOf({ name: 'two' }), universeOf({ name: 'third' })]
const lines = `${one.trustedRoot()}\n${two.trustedRoot()}\n`
const trust = loadTrustMaterial(lines)
const underBoth = (signed: SignedBundle, circumstances: Circumstances = {}): ReturnType<typeof refusalOf> =>
  refusalOf(() => verifySigned(signed, { trust, ...circumstances }))

describe('a signature under several trusted roots', () => {
  it('holds under whichever it is of', () => {
    for (const universe of [one, two]) {
      for (const log of ['v1', 'v2', 'both'] as const) expect(underBoth(signBlob({ universe, log }))).toBeUndefined()
      expect(underBoth(signBlob({ universe, managed: true }))).toBeUndefined()
      expect(underBoth(signStatement({ universe, timestamps: [{}] }))).toBeUndefined()
    }
  })
  it('holds where another thread helps, and by a verifier for many bundles', async () => {
    const signed = signBlob({ universe: two })
    expect((await verifyInParallel(parseBundle(signed.json), trust, policyFor(signed))).logEntries).toHaveLength(1)
    const verifier = createVerifier({ trust, identities: [{ subjectAlternativeName: identity, issuer }] })
    for (const universe of [two, one, two]) {
      const other = signBlob({ universe })
      expect(verifier.verify(other.json, other.artifact).logEntries).toHaveLength(1)
    }
  })
  it('gives the evidence of that root alone', () => {
    const evidence = verifySigned(signBlob({ universe: two, log: 'both' }), { trust })
    expect(evidence.notes).toEqual([])
    expect(evidence.logEntries).toHaveLength(2)
  })

  it('holds under one without logs, as GitHub has it for private repositories, where no log is asked for', () => {
    const withoutLogs = (root: TrustedRootJson): void => {
      root.tlogs = []
      root.ctlogs = []
    }
    const github = loadTrustMaterial(`${one.trustedRoot()}\n${two.trustedRoot(withoutLogs)}\n`)
    const signed = signStatement({ universe: two, log: 'none', scts: [], timestamps: [{}] })
    const options = { thresholds: { logEntries: 0, scts: 0, signedTimestamps: 1 } }
    expect(verifySigned(signed, { trust: github, options }).times).toMatchObject([{ source: 'timestamp-authority' }])
    expect(refusalOf(() => verifySigned(signed, { trust: github }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: 'not enough verified log entries from transparency log: 0 < 1',
    })
    const stamped = signStatement({ universe: { ...two, timestampLeaf: one.timestampLeaf }, log: 'none', scts: [], timestamps: [{}] })
    expect(refusalOf(() => verifySigned(stamped, { trust: github, options }))?.code).toBe('TIME_UNVERIFIED')
  })

  const mixed: readonly (readonly [string, SignedBundle, string])[] = [
    ["a certificate of one and the other's log", signBlob({ universe: { ...one, rekor: two.rekor } }), 'LOG_ENTRY_UNVERIFIED'],
    [
      "a certificate of one and the other's Rekor v2",
      signBlob({ universe: { ...one, tiles: two.tiles }, log: 'v2' }),
      'LOG_ENTRY_UNVERIFIED',
    ],
    ["a certificate of one and the other's SCT", signBlob({ universe: { ...one, ctLog: two.ctLog } }), 'SCT_UNVERIFIED'],
    [
      "a certificate and log of one and the other's timestamp, where that is the only time",
      signBlob({ universe: { ...one, timestampLeaf: two.timestampLeaf }, log: 'v2' }),
      'TIME_UNVERIFIED',
    ],
    [
      "everything of the second but the first's certificate",
      signBlob({ universe: two, issuedBy: one.intermediate }),
      'LOG_ENTRY_UNVERIFIED',
    ],
  ]
  for (const [what, signed, code] of mixed) {
    it(`is refused with ${what}`, () => expect(underBoth(signed)?.code).toBe(code))
    it(`is refused with ${what}, in the other order`, () => {
      const turned = loadTrustMaterial(`${two.trustedRoot()}\n${one.trustedRoot()}`)
      expect(refusalOf(() => verifySigned(signed, { trust: turned }))?.code).toBeDefined()
    })
  }
  it('does not reach a threshold with what is counted under each', () => {
    const both = signBlob({ universe: one, log: 'v1', managed: true })
    const other = signBlob({ universe: two, log: 'v1', managed: true, key: both.key })
    const bundle = bent(both.bundle, (_, { material }) => (material['tlogEntries'] as object[]).push(...other.entries))
    expect(underBoth(both, { bundle, options: { thresholds: { logEntries: 2 } } })?.code).toBeDefined()
  })
  it('is refused by everything that it is refused for under one', () => {
    const wrong: readonly (readonly [SignedBundle, string, Circumstances?])[] = [
      [signBlob({ universe: two, signer: namedKey('stranger') }), 'SIGNATURE_INVALID'],
      [signBlob({ universe: two, subjects: [{ uri: 'https://somebody.example' }] }), 'IDENTITY_MISMATCH'],
      [signBlob({ universe: two, oidcIssuer: 'https://issuer.example' }), 'IDENTITY_MISMATCH'],
      [signBlob({ universe: two, entry: { signer: namedKey('impostor') } }), 'LOG_ENTRY_UNVERIFIED'],
      [signBlob({ universe: two, certificate: { notAfter: two.time - 3_600_000 } }), 'CERTIFICATE_EXPIRED'],
      [signBlob({ universe: two, scts: [] }), 'SCT_UNVERIFIED'],
      [signBlob({ universe: two, timestamps: [{ over: new Uint8Array(3) }] }), 'TIMESTAMP_UNVERIFIED'],
    ]
    for (const [signed, code] of wrong) {
      const alone = refusalOf(() => verifySigned(signed))
      expect(alone?.code).toBe(code)
      // As under the root that it is of, word for word.
      expect(underBoth(signed)).toEqual(alone)
    }
  })
  it('with a key is refused in the words of the root whose log it is in', () => {
    const signed = signBlob({ universe: two, managed: true, entry: { signer: namedKey('impostor') } })
    expect(underBoth(signed)).toEqual(refusalOf(() => verifySigned(signed)))
  })
  it('of neither is refused with what both say', () => {
    const signed = signBlob({ universe: third })
    expect(underBoth(signed)).toEqual(refusalOf(() => verifySigned(signed, { trust: loadTrustMaterial(one.trustedRoot()) })))
  })
  it('of neither is refused with what each says, where that differs', () => {
    expect(underBoth(signBlob({ universe: { ...third, rekor: one.rekor } }))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      message: expect.stringMatching(
        /^it holds under none of the 2 trusted roots: 1: the (?:signature of the )?certificate .*; 2: .*unknown log/,
      ),
    })
  })
  it('of a root whose log is not trusted at that time is refused under the others too', () => {
    const late = (root: TrustedRootJson): void =>
      root.tlogs.forEach((log) => void (log.publicKey.validFor = { start: new Date(two.time + 86_400_000).toISOString() }))
    const withLate = loadTrustMaterial(`${one.trustedRoot()}\n${two.trustedRoot(late)}`)
    expect(refusalOf(() => verifySigned(signBlob({ universe: two }), { trust: withLate }))).toMatchObject({ message: /is trusted from/ })
  })
})

describe('a file of several trusted roots', () => {
  it('may have empty lines, spaces around them and line ends of Windows', () => {
    const text = `\r\n ${one.trustedRoot()} \r\n\r\n${two.trustedRoot()}\r\n\n`
    for (const input of [text, Buffer.from(text)])
      expect(refusalOf(() => verifySigned(signBlob({ universe: two }), { trust: loadTrustMaterial(input) }))).toBeUndefined()
  })
  it('with one line is that root', () => {
    expect(loadTrustMaterial(`${one.trustedRoot()}\n`)).not.toHaveProperty('otherRoots')
  })
  it('is not what a document over many lines is', () => {
    for (const indent of [1, 2, '\t'])
      expect(loadTrustMaterial(JSON.stringify(JSON.parse(one.trustedRoot()), null, indent))).not.toHaveProperty('otherRoots')
  })
  const bad: readonly (readonly [string, string, RegExp])[] = [
    [
      'a line that is no trusted root',
      `${one.trustedRoot()}\n{"mediaType":"x"}`,
      /^root 2 of the 2 in the file: trustedRoot\.mediaType should be/,
    ],
    ['a line that is broken', `{"mediaType":}\n${one.trustedRoot()}`, /^root 1 of the 2 in the file: /],
    ['a line that ends too early', `${one.trustedRoot()}\n${two.trustedRoot().slice(0, -1)}`, /the trusted root/],
    ['two roots on one line', `${one.trustedRoot()}${two.trustedRoot()}`, /the trusted root/],
    ['something else between the lines', `${one.trustedRoot()}\n,\n${two.trustedRoot()}`, /the trusted root/],
    ['17 lines', `${one.trustedRoot()}\n`.repeat(17), /^the file has more than 16 trusted roots, one a line$/],
  ]
  for (const [what, text, message] of bad) {
    it(`is refused with ${what}`, () => expect(refusalOf(() => loadTrustMaterial(text))?.message).toMatch(message))
  }
  it('is refused where its further roots are none', () => {
    const signed = signBlob({ universe: one })
    for (const otherRoots of [[{}], {}, 'x', [undefined]])
      expect(refusalOf(() => verifySigned(signed, { trust: { ...trust, otherRoots: otherRoots as never } }))?.code).toBe('POLICY_INVALID')
  })
})
