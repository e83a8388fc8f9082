import { describe, expect, it } from 'vitest'
import { parseBundle, parseBundleLines } from '../../../src/bundle/bundle.ts'
import { encodeBundle } from '../../../src/bundle/encode-bundle.ts'
import { runCaptured } from '../cli/captured-context.ts'
import type { Json } from '../../support/universe/universe.ts'
import { identity, issuer, namedKey, signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'
import { bent } from '../../support/universe/bent.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const good = signBlob()
const attestation = signStatement()

/** The refusal of the good bundle after a change to its JSON. */
function refusal(change: (bundle: Json) => void, signed = good): { code: string; message: string } | undefined {
  return refusalOf(() => verifySigned(signed, { bundle: bent(signed.bundle, change) }))
}

describe('item 1: media types', () => {
  const mediaTypes = ['0.1', '0.2', '0.3'].flatMap((version) => [
    [version, `application/vnd.dev.sigstore.bundle+json;version=${version}`],
    [version, `application/vnd.dev.sigstore.bundle.v${version}+json`],
  ])
  for (const [version, mediaType] of mediaTypes) {
    it(`${mediaType} is accepted`, () => {
      const signed = signBlob({ version: version as '0.1' })
      expect(verifySigned(signed, { bundle: { ...signed.bundle, mediaType } }).logEntries).toHaveLength(1)
    })
  }
  for (const mediaType of [
    'application/vnd.dev.sigstore.bundle.v0.4+json',
    'application/vnd.dev.sigstore.bundle+json;version=0.4',
    'application/vnd.dev.sigstore.bundle+json; version=0.3',
    'application/vnd.dev.sigstore.bundle.v0.3',
    'application/json',
    '',
    'constructor',
  ]) {
    it(`${JSON.stringify(mediaType)} is refused`, () => {
      expect(refusal((bundle) => void (bundle['mediaType'] = mediaType))).toMatchObject({
        code: 'BUNDLE_INVALID',
        message: expect.stringContaining('mediaType should be'),
      })
    })
  }
  it('no media type is refused', () => {
    expect(refusal((bundle) => void delete bundle['mediaType'])).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: 'bundle.mediaType is missing',
    })
  })
})

describe('item 2: proto3 JSON', () => {
  it('null is the same as absent', () => {
    const bundle = bent(good.bundle, (json) => void (json['dsseEnvelope'] = null))
    expect(verifySigned(good, { bundle }).logEntries).toHaveLength(1)
  })
  it('int64 may be decimal strings or JSON integers', () => {
    const bundle = bent(good.bundle, (json, { entry }) => void (entry['logIndex'] = Number(entry['logIndex'])))
    expect(verifySigned(good, { bundle }).logEntries).toHaveLength(1)
  })
  const cases: readonly (readonly [string, (bundle: Json, parts: { entry: Json; material: Json }) => void, RegExp])[] = [
    [
      'snake case',
      (_, { material, entry }) => void ((material['tlog_entries'] = [entry]), delete material['tlogEntries']),
      /unknown field "tlog_entries"/,
    ],
    [
      'an enum as a number',
      (bundle) => void ((bundle['messageSignature'] as { messageDigest: Json }).messageDigest['algorithm'] = 1),
      /should be a string, found 1/,
    ],
    [
      'a lower-case enum',
      (bundle) => void ((bundle['messageSignature'] as { messageDigest: Json }).messageDigest['algorithm'] = 'sha2_256'),
      /should be SHA2_256/,
    ],
    ['a log index with a leading zero', (_, { entry }) => void (entry['logIndex'] = '01'), /logIndex should be a 64-bit integer/],
    [
      'a log index beyond 64 bits',
      (_, { entry }) => void (entry['logIndex'] = '9223372036854775808'),
      /logIndex should be a 64-bit integer/,
    ],
    ['a log index in hexadecimal', (_, { entry }) => void (entry['logIndex'] = '0x10'), /logIndex should be a 64-bit integer/],
    ['a fractional log index', (_, { entry }) => void (entry['logIndex'] = 1.5), /logIndex should be a 64-bit integer/],
    ['base64url', (_, { entry }) => void (entry['logId'] = { keyId: '__8=' }), /not standard base64/],
    [
      'base64 with a line break',
      (_, { entry }) => void (entry['canonicalizedBody'] = `${String(entry['canonicalizedBody'])}\n`),
      /not standard base64/,
    ],
    ['base64 with stray bits', (_, { entry }) => void (entry['logId'] = { keyId: 'AB==' }), /not standard base64/],
    ['an unknown field', (bundle) => void (bundle['surprise'] = 1), /unknown field "surprise"/],
  ]
  for (const [what, change, message] of cases) {
    it(`${what} is refused`, () => {
      expect(refusalOf(() => verifySigned(good, { bundle: bent(good.bundle, change) }))).toMatchObject({
        code: 'BUNDLE_INVALID',
        message: expect.stringMatching(message),
      })
    })
  }
  it('several bundles stand one a line', () => {
    expect(parseBundleLines(`${good.json}\n\n${attestation.json}\n`)).toHaveLength(2)
    expect(refusalOf(() => parseBundleLines(`${good.json}\n{}`))).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: 'line 2: bundle.mediaType is missing',
    })
    expect(refusalOf(() => parseBundleLines('\n'))).toMatchObject({ message: 'the file holds no bundle' })
  })
  it('what is written is read back the same', () => {
    for (const signed of [good, attestation, signBlob({ log: 'v2' }), signBlob({ managed: true })]) {
      const entity = parseBundle(signed.json)
      expect(parseBundle(encodeBundle(entity))).toEqual({ ...entity, format: '0.3' })
    }
  })
})

describe('item 3: exactly one content', () => {
  it('two contents are refused', () => {
    const message = 'the bundle has two contents, messageSignature and dsseEnvelope, where exactly one was expected'
    expect(refusal((bundle) => void (bundle['dsseEnvelope'] = attestation.bundle['dsseEnvelope']))).toMatchObject({
      code: 'BUNDLE_INVALID',
      message,
    })
  })
  it('no content is refused', () => {
    expect(refusal((bundle) => void delete bundle['messageSignature'])).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('has no content'),
    })
  })
  for (const count of [0, 2]) {
    it(`an envelope with ${count} signatures is refused`, () => {
      const change = (bundle: Json): void => {
        const envelope = bundle['dsseEnvelope'] as { signatures: Json[] }
        const [signature = {}] = envelope.signatures
        envelope.signatures = Array.from({ length: count }, () => signature)
      }
      expect(refusal(change, attestation)).toMatchObject({
        code: 'BUNDLE_INVALID',
        message: `the DSSE envelope has ${count} signatures, exactly one was expected`,
      })
    })
  }
})

describe('item 4: key material', () => {
  it('an empty chain is refused', () => {
    const signed = signBlob({ version: '0.2' })
    expect(refusal(() => undefined, signed)).toBeUndefined()
    expect(
      refusal((bundle) => void ((bundle['verificationMaterial'] as Json)['x509CertificateChain'] = { certificates: [] }), signed),
    ).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('holds no certificate'),
    })
  })
  it('a chain in version 0.3 is refused unless it is asked for', () => {
    const signed = signBlob({ chain: [] })
    expect(refusalOf(() => verifySigned(signed))).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('--allow-certificate-chain'),
    })
    expect(verifySigned(signed, { bundleOptions: { allowCertificateChain: true } }).signer.kind).toBe('certificate')
  })
  it('a single certificate before version 0.3 is refused', () => {
    expect(refusal((bundle) => void (bundle['mediaType'] = 'application/vnd.dev.sigstore.bundle.v0.2+json'))).toMatchObject({
      message: expect.stringContaining('should have x509CertificateChain, found certificate'),
    })
  })
  it('two kinds of key material at once are refused', () => {
    expect(refusal((bundle) => void ((bundle['verificationMaterial'] as Json)['publicKey'] = { hint: 'x' }))).toMatchObject({
      message: expect.stringContaining('more than one of publicKey, certificate'),
    })
  })
  it("the trusted root's own certificates may come along, and are not used", () => {
    const universe = universeOf()
    const signed = signBlob({ version: '0.2', chain: [universe.intermediate.der, universe.root.der] })
    expect(verifySigned(signed).signer.kind).toBe('certificate')
  })
  it("a root of the bundle's own is refused", () => {
    const signed = signBlob({ version: '0.2', chain: [universeOf({ name: 'stranger' }).root.der] })
    expect(refusalOf(() => verifySigned(signed))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      message: expect.stringContaining('brings its own root certificate'),
    })
  })
  it("an intermediate of the bundle's own is of no use", () => {
    const stranger = universeOf({ name: 'stranger' })
    const signed = signBlob({ version: '0.2', issuedBy: stranger.intermediate, chain: [stranger.intermediate.der] })
    expect(refusalOf(() => verifySigned(signed))).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  })
})

describe('item 5: public key material', () => {
  const managed = signBlob({ managed: true })
  it('verifies with the key, and never keyless', () => {
    expect(verifySigned(managed).signer.kind).toBe('key')
    const signer = { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] } as const
    expect(refusalOf(() => verifySigned(managed, { policy: { signer } }))).toMatchObject({
      code: 'KEY_MISMATCH',
      message: expect.stringContaining('expected a signature with a certificate'),
    })
  })
  it("an envelope's keyid must be the hint", () => {
    expect(verifySigned(signStatement({ managed: true, hint: 'k1', keyid: 'k1' })).signer.kind).toBe('key')
    expect(refusalOf(() => verifySigned(signStatement({ managed: true, hint: 'k1', keyid: 'k2' })))).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('is not the keyid of its envelope'),
    })
  })
})

describe('item 6: what each version demands of its entries', () => {
  it('version 0.1 needs the promise', () => {
    expect(refusalOf(() => verifySigned(signBlob({ version: '0.1', entry: { withPromise: false } })))).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('inclusionPromise is missing'),
    })
  })
  it('version 0.1 may do without the proof', () => {
    expect(verifySigned(signBlob({ version: '0.1', entry: { withProof: false } })).logEntries[0]?.treeSize).toBeUndefined()
  })
  for (const version of ['0.2', '0.3'] as const) {
    it(`version ${version} needs the proof, and its checkpoint`, () => {
      for (const entry of [{ withProof: false }, { withCheckpoint: false }]) {
        expect(refusalOf(() => verifySigned(signBlob({ version, entry })))).toMatchObject({
          code: 'BUNDLE_INVALID',
          message: expect.stringContaining('with a checkpoint is missing'),
        })
      }
    })
    it(`version ${version} may do without the promise if there is another time`, () => {
      expect(verifySigned(signBlob({ version, entry: { withPromise: false }, timestamps: [{}] })).times[0]?.source).toBe(
        'timestamp-authority',
      )
      expect(refusalOf(() => verifySigned(signBlob({ version, entry: { withPromise: false } })))).toMatchObject({ code: 'TIME_UNVERIFIED' })
    })
  }
  it('an integrated time without a promise is no time', () => {
    const evidence = verifySigned(signBlob({ entry: { withPromise: false }, timestamps: [{}] }))
    expect(evidence.logEntries[0]?.integratedTime).toBeUndefined()
    expect(evidence.times).toHaveLength(1)
  })
})

describe('item 7: the digest in the bundle is a hint', () => {
  it('may be absent', () => {
    const bundle = bent(good.bundle, (json) => void delete (json['messageSignature'] as Json)['messageDigest'])
    expect(verifySigned(good, { bundle }).logEntries).toHaveLength(1)
  })
  it('may be empty, as cosign writes it for Ed25519, but not half there', () => {
    const withDigest = (messageDigest: Json): Json =>
      bent(good.bundle, (json) => void ((json['messageSignature'] as Json)['messageDigest'] = messageDigest))
    expect(verifySigned(good, { bundle: withDigest({}) }).logEntries).toHaveLength(1)
    expect(refusalOf(() => verifySigned(good, { bundle: withDigest({ algorithm: 'SHA2_256' }) }))?.code).toBe('BUNDLE_INVALID')
    expect(refusalOf(() => verifySigned(good, { bundle: withDigest({ digest: 'AA==' }) }))?.code).toBe('BUNDLE_INVALID')
  })
  it('is refused when it is not that of the artifact', () => {
    const change = (bundle: Json): void =>
      void ((bundle['messageSignature'] as { messageDigest: Json }).messageDigest['digest'] = Buffer.alloc(32).toString('base64'))
    expect(refusal(change)).toMatchObject({
      code: 'ARTIFACT_MISMATCH',
      message: expect.stringContaining('the bundle is for an artifact with sha256 0000'),
    })
  })
  it('does not stand in for the artifact: a signature over other bytes with a fitting hint is refused', () => {
    const other = signBlob({ log: 'v1' }, new TextEncoder().encode('other'))
    const bundle = bent(
      good.bundle,
      (json) => void ((json['messageSignature'] as Json)['signature'] = (other.bundle['messageSignature'] as Json)['signature']),
    )
    expect(
      refusalOf(() => verifySigned(good, { bundle, options: { thresholds: { logEntries: 0, times: 0 }, currentTime: new Date() } }))?.code,
    ).toBe('LOG_ENTRY_MISMATCH')
  })
})

describe('item 8: the command line looks for the bundle', () => {
  const managed = signBlob({ managed: true, log: 'none' })
  const other = signBlob({ managed: true, log: 'none', key: namedKey('another') })
  const run = async (files: Readonly<Record<string, string>>, ...words: string[]): Promise<number> => {
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-discovery-'))
    try {
      writeFileSync(path.join(folder, 'x'), managed.artifact)
      writeFileSync(path.join(folder, 'x.pub'), managed.key.pem)
      for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(folder, name), contents)
      return (await runCaptured(['verify-blob', 'x', '--key', 'x.pub', '--insecure-ignore-tlog', ...words], { cwd: folder })).exitCode
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  it('first x.sigstore.json, then x.sigstore', async () => {
    expect(await run({ 'x.sigstore.json': managed.json })).toBe(0)
    expect(await run({ 'x.sigstore': managed.json })).toBe(0)
    expect(await run({ 'x.sigstore.json': managed.json, 'x.sigstore': other.json })).toBe(0)
    expect(await run({ 'x.sigstore.json': other.json, 'x.sigstore': managed.json })).toBe(1)
  })
  it('but an explicit flag comes first, and nothing is made up', async () => {
    expect(await run({ 'x.sigstore.json': other.json, 'mine.json': managed.json }, '--bundle', 'mine.json')).toBe(0)
    expect(await run({})).toBe(1)
  })
})
