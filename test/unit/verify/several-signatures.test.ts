/** Envelopes with several signatures, as they may be attached to images and lie in files: one by the signer is enough, and no other counts. */
import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { encodeBundle } from '../../../src/bundle/encode-bundle.ts'
import { encodeEnvelope } from '../../../src/bundle/dsse.ts'
import { readImageAttestation, signatureAnnotation } from '../../../src/bundle/image-signature.ts'
import type { SignedEntity } from '../../../src/bundle/signed-entity.ts'
import { loadEd25519ph } from '../../../src/crypto/signature.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { Evidence } from '../../../src/verify/evidence.ts'
import type { VerifyOptions } from '../../../src/verify/policy.ts'
import { verify } from '../../../src/verify/verify.ts'
import { pemOf } from '../../support/universe/certificates.ts'
import type { TestKey } from '../../support/universe/keys.ts'
import type { Json, SignedBundle, StatementOptions } from '../../support/universe/universe.ts'
import { legacyBundle, namedKey, signStatement } from '../../support/universe/universe.ts'
import { policyFor, refusalOf } from '../../support/universe/verification.ts'

const [first, second, stranger] = [namedKey('first'), namedKey('second'), namedKey('stranger')]
const sign = (key: TestKey, options: StatementOptions = {}): SignedBundle => signStatement({ managed: true, key, ...options })
const signaturesOf = ({ bundle }: SignedBundle): Json[] => (bundle['dsseEnvelope'] as { signatures: Json[] }).signatures
const junk = { keyid: '', sig: Buffer.from('junk').toString('base64') }

/** The layer of an attestation with these signatures, and everything else of the one that is told. */
function layer(signed: SignedBundle, signatures: readonly object[]): SignedEntity {
  const text = JSON.stringify({ ...(signed.bundle['dsseEnvelope'] as Json), signatures })
  const rekorBundle = legacyBundle(signed)['rekorBundle']
  return readImageAttestation(encodeUtf8(text), {
    ...(rekorBundle === undefined ? {} : { [signatureAnnotation.rekorBundle]: JSON.stringify(rekorBundle) }),
    ...(signed.certificate.length === 0 ? {} : { [signatureAnnotation.certificate]: pemOf(signed.certificate) }),
  })
}
const verifyAs = (signed: SignedBundle, entity: SignedEntity, options: VerifyOptions = {}): Evidence =>
  verify(entity, loadTrustMaterial(signed.universe.trustedRoot()), policyFor(signed), options)
const withoutLog = { thresholds: { logEntries: 0, times: 0 }, currentTime: new Date(signStatement().universe.time) }

describe('an envelope with several signatures', () => {
  const [one, two] = [sign(first), sign(second)]
  const both = [...signaturesOf(one), ...signaturesOf(two)]
  it('is verified by each of the keys, wherever its signature stands', () => {
    for (const signatures of [both, both.toReversed(), [junk, ...both], [...both, junk]]) {
      for (const signed of [one, two]) expect(verifyAs(signed, layer(signed, signatures)).logEntries).toHaveLength(1)
    }
  })
  it.each<[string, object]>([
    ['empty', { keyid: '', sig: '' }],
    ['null', { keyid: '', sig: null }],
    ['not there', { keyid: '' }],
  ])("is verified beside a signature that is %s, which is nobody's", (_, empty) => {
    for (const signatures of [
      [empty, ...both],
      [...both, empty],
      [empty, ...both, empty],
    ]) {
      for (const signed of [one, two]) expect(verifyAs(signed, layer(signed, signatures)).logEntries).toHaveLength(1)
    }
    const other = sign(stranger, { log: 'none' })
    expect(refusalOf(() => verifyAs(other, layer(other, [empty, ...both]), withoutLog))?.code).toBe('SIGNATURE_INVALID')
    expect(refusalOf(() => verifyAs(other, layer(other, [empty, empty]), withoutLog))?.code).toBe('SIGNATURE_INVALID')
    expect(refusalOf(() => verifyAs(one, layer(one, [empty, empty])))?.code).toBe('LOG_ENTRY_MISMATCH')
    // Alone it is a mistake, and in a bundle, too.
    expect(refusalOf(() => layer(one, [empty]))?.code).toBe('BUNDLE_INVALID')
    const bundle = { ...one.bundle, dsseEnvelope: { ...(one.bundle['dsseEnvelope'] as Json), signatures: [empty] } }
    expect(refusalOf(() => parseBundle(JSON.stringify(bundle)))?.message).toBe('bundle.dsseEnvelope.signatures[0].sig is missing')
  })
  it('is verified by no key of any kind where a signature is empty', async () => {
    await loadEd25519ph()
    for (const kind of ['ed25519', 'rsa', 'p384', 'p521', 'p256'] as const) {
      const signed = sign(namedKey(`the ${kind} one`, kind), { log: 'none' })
      const empty = [{ sig: '' }, { sig: '' }]
      expect(refusalOf(() => verifyAs(signed, layer(signed, empty), withoutLog))?.code).toBe('SIGNATURE_INVALID')
    }
  })
  it('is verified by the certificate that comes with it', () => {
    const keyless = signStatement()
    expect(verifyAs(keyless, layer(keyless, [junk, ...both, ...signaturesOf(keyless)])).signer.kind).toBe('certificate')
  })
  it('has the one that holds in the evidence, wherever it stands', () => {
    for (const signatures of [both, both.toReversed(), [junk, ...both]]) {
      for (const signed of [one, two])
        expect(Buffer.from(verifyAs(signed, layer(signed, signatures)).signature)).toEqual(Buffer.from(signed.signature))
    }
  })
  it('may have a signature in either alphabet of base64, each text in one', () => {
    const other = (text: unknown): string => String(text).replaceAll('+', '-').replaceAll('/', '_')
    const signed = [...Array(64).keys()]
      .map(() => sign(first))
      .find(({ signature }) => /\+.*\/|\/.*\+/.test(Buffer.from(signature).toString('base64')))
    if (signed === undefined) throw new Error('no signature has both characters')
    const [{ sig } = {}] = signaturesOf(signed)
    for (const signatures of [[{ sig: other(sig) }], [junk, { sig: other(sig) }]])
      expect(verifyAs(signed, layer(signed, signatures)).logEntries).toHaveLength(1)
    const mixed = String(sig).replace('+', '-')
    expect(refusalOf(() => layer(signed, [{ sig: mixed.includes('/') ? mixed : `${mixed}/` }]))?.code).toBe('BUNDLE_INVALID')
    const bundle = { ...signed.bundle, dsseEnvelope: { ...(signed.bundle['dsseEnvelope'] as Json), signatures: [{ sig: other(sig) }] } }
    expect(refusalOf(() => parseBundle(JSON.stringify(bundle)))?.message).toContain('is not standard base64 with padding')
  })
  it('is refused with a key that made none of them', () => {
    const other = sign(stranger, { log: 'none' })
    expect(refusalOf(() => verifyAs(other, layer(other, both), withoutLog))?.code).toBe('SIGNATURE_INVALID')
    const logged = sign(stranger)
    expect(refusalOf(() => verifyAs(logged, layer(logged, both)))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
  it("is refused with one of the keys and the other's log entry", () => {
    expect(refusalOf(() => verifyAs(one, { ...layer(two, both) }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
  it('is refused where the timestamp is of the signature of another', () => {
    const stamped = sign(first, { timestamps: [{ over: two.signature }] })
    const entity = { ...layer(stamped, [...signaturesOf(stamped), ...signaturesOf(two)]), timestamps: stamped.tokens }
    expect(refusalOf(() => verifyAs(stamped, entity))?.code).toBe('TIMESTAMP_UNVERIFIED')
    const right = sign(first, { timestamps: [{}] })
    const good = { ...layer(right, [...signaturesOf(two), ...signaturesOf(right)]), timestamps: right.tokens }
    expect(verifyAs(right, good).times).toHaveLength(2)
  })
  it('is refused where the statement is another than was signed, however many signed it', () => {
    const other = { ...one, bundle: signStatement({ statement: 'another' }).bundle }
    expect(refusalOf(() => verifyAs(one, layer(other, both), { thresholds: { logEntries: 0 } }))).toBeDefined()
  })
  it('is verified by either of two signatures of one key, the one that is in the log', () => {
    const again = sign(first)
    expect(again.signature).not.toEqual(one.signature)
    for (const signed of [one, again])
      expect(verifyAs(signed, layer(signed, [...signaturesOf(one), ...signaturesOf(again)])).logEntries).toHaveLength(1)
  })
  it('may have an entry with several signatures, of which one is that of the signer', () => {
    const body = (signed: SignedBundle): { spec: { signatures: object[] } } =>
      JSON.parse(Buffer.from(signed.entries[0]?.canonicalizedBody ?? '', 'base64').toString()) as never
    const whole = body(one)
    whole.spec.signatures.push(...body(two).spec.signatures)
    const logged = { ...one, entries: sign(first, { body: whole }).entries }
    expect(verifyAs(one, layer(logged, both)).logEntries).toHaveLength(1)
    // An envelope with one signature has an entry with one.
    expect(refusalOf(() => verifyAs(one, layer(logged, signaturesOf(one))))?.message).toBe(
      'the log entry has 2 signatures, exactly one was expected',
    )
    const swapped = body(one) as unknown as { spec: { signatures: { signature: string; verifier: string }[] } }
    const [mine, theirs] = [body(one), body(two)].map(({ spec }) => spec.signatures[0] as { signature: string; verifier: string })
    swapped.spec.signatures = [
      { signature: mine?.signature ?? '', verifier: theirs?.verifier ?? '' },
      { signature: theirs?.signature ?? '', verifier: mine?.verifier ?? '' },
    ]
    const crossed = { ...one, entries: sign(first, { body: swapped }).entries }
    expect(refusalOf(() => verifyAs(one, layer(crossed, both)))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
  it('keeps all of them in what is printed, and is no bundle', () => {
    const { content, ...rest } = layer(one, both)
    expect(content.kind === 'dsse-envelope' && (JSON.parse(encodeEnvelope(content)) as Json)['signatures']).toMatchObject(
      both.map(({ sig }) => ({ sig })),
    )
    const material = { kind: 'public-key', hint: '' } as const
    expect(refusalOf(() => encodeBundle({ ...rest, content, keyMaterial: material }))?.message).toBe(
      'the DSSE envelope has 2 signatures, and a bundle holds exactly one',
    )
  })
  it('is refused in a bundle, with none, and with more than 16', () => {
    const bundle = { ...one.bundle, dsseEnvelope: { ...(one.bundle['dsseEnvelope'] as Json), signatures: both } }
    expect(refusalOf(() => parseBundle(JSON.stringify(bundle)))?.message).toMatch(/has 2 signatures, exactly one was expected/)
    expect(refusalOf(() => layer(one, []))?.message).toMatch(/has 0 signatures, at least one was expected/)
    expect(
      refusalOf(() =>
        layer(
          one,
          Array.from({ length: 17 }, () => junk),
        ),
      )?.message,
    ).toMatch(/more than the limit of 16/)
    expect(refusalOf(() => layer(one, [{ sig: '***' }, ...both]))?.code).toBe('BUNDLE_INVALID')
  })
  it('is verified with a key of Ed25519, RSA and P-384 beside others', async () => {
    await loadEd25519ph()
    for (const kind of ['ed25519', 'rsa', 'p384'] as const) {
      const signed = sign(namedKey(`the ${kind} one`, kind))
      expect(verifyAs(signed, layer(signed, [...both, ...signaturesOf(signed)])).logEntries).toHaveLength(1)
    }
  })
})
