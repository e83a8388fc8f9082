import { describe, expect, it } from 'vitest'
import { issue, timeStamping } from '../../support/universe/certificates.ts'
import type { TrustedRootJson } from '../../support/universe/universe.ts'
import { epoch, identity, issuer, namedKey, signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { bent } from '../../support/universe/bent.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

const minute = 60_000
const year = 365 * 86_400_000
const universe = universeOf()
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

describe('item 16: timestamps of an authority', () => {
  it('verify over the raw signature, for signatures and attestations', () => {
    for (const signed of [signBlob({ log: 'v2' }), signStatement({ log: 'v2' })]) {
      expect(verifySigned(signed).times).toEqual([
        { time: new Date(epoch + minute), source: 'timestamp-authority', authority: 'https://tsa.universe.test' },
      ])
    }
  })
  it('verify with certificates in the token or without', () => {
    expect(verifySigned(signBlob({ log: 'v2', timestamps: [{ certificates: [universe.timestampLeaf.der] }] })).times).toHaveLength(1)
  })
  for (const imprint of ['sha384', 'sha512'] as const) {
    it(`verify with a ${imprint} imprint`, () =>
      expect(verifySigned(signBlob({ log: 'v2', timestamps: [{ imprint }] })).times).toHaveLength(1))
  }
  for (const timestampKey of ['p384', 'p521', 'rsa', 'ed25519'] as const) {
    it(`verify with a ${timestampKey} key of the authority`, () => {
      const signed = signBlob({ universe: universeOf({ timestampKey }), log: 'v2' })
      if (timestampKey === 'ed25519') expect(() => verifySigned(signed)).not.toThrow()
      else expect(verifySigned(signed).times).toHaveLength(1)
    })
  }
  it("verify in SignedData of version 1, as Sigstore's authority wrote it until 2024, and in no other but 3", () => {
    const stamped = (version: number): ReturnType<typeof signBlob> => signBlob({ log: 'v2', timestamps: [{ version }] })
    for (const version of [1, 3]) expect(verifySigned(stamped(version)).times).toHaveLength(1)
    for (const version of [0, 2, 4, 5]) expect(refusalOf(() => verifySigned(stamped(version)))).toMatchObject({ code: 'TIMESTAMP_INVALID' })
  })
  it('are checked at their own time, not now: an authority that has expired since is good', () => {
    const leaf = issue(
      {
        key: namedKey('short tsa'),
        name: 'tsa',
        extendedKeyUsage: [timeStamping],
        extendedKeyUsageCritical: true,
        notBefore: epoch - year,
        notAfter: epoch + 2 * minute,
      },
      universe.timestampRoot,
    )
    const bendRoot = (root: TrustedRootJson): void =>
      void root.timestampAuthorities[0]?.certChain.certificates.splice(0, 1, { rawBytes: base64(leaf.der) })
    expect(verifySigned(signBlob({ log: 'v2', timestamps: [{ signer: leaf }] }), { bendRoot }).times).toHaveLength(1)
    const late = signBlob({ log: 'v2', timestamps: [{ signer: leaf, genTime: epoch + 3 * minute }] })
    expect(refusalOf(() => verifySigned(late, { bendRoot }))).toMatchObject({
      code: 'CERTIFICATE_EXPIRED',
      message: expect.stringContaining('CN=tsa'),
    })
  })

  const stranger = universeOf({ name: 'stranger' })
  const badTokens: readonly (readonly [string, Parameters<typeof signBlob>[0], string, RegExp])[] = [
    ['over other bytes', { timestamps: [{ over: new Uint8Array(70) }] }, 'TIMESTAMP_UNVERIFIED', /is of other bytes than this signature/],
    [
      'with a wrong messageDigest',
      { timestamps: [{ wrongMessageDigest: true }] },
      'TIMESTAMP_UNVERIFIED',
      /messageDigest of the timestamp is not the digest of its content/,
    ],
    [
      'that names another certificate by its hash',
      { timestamps: [{ wrongCertificateHash: true }] },
      'TIMESTAMP_UNVERIFIED',
      /names another signing certificate/,
    ],
    [
      'of another content type',
      { timestamps: [{ contentType: '1.2.840.113549.1.7.1' }] },
      'TIMESTAMP_INVALID',
      /do not say that the content is a timestamp/,
    ],
    ['that was refused', { timestamps: [{ status: 2 }] }, 'TIMESTAMP_INVALID', /refused the request \(status 2\)/],
    ['with a SHA-1 imprint', { timestamps: [{ imprint: 'sha1' }] }, 'TIMESTAMP_INVALID', /uses the digest algorithm 1\.3\.14\.3\.2\.26/],
    [
      "signed with another key under the authority's name",
      { timestamps: [{ signer: { ...universe.timestampLeaf, key: namedKey('impostor') } }] },
      'TIMESTAMP_UNVERIFIED',
      /does not verify with the key of its authority/,
    ],
    ['given twice', { timestamps: [{}], bendBody: (parts) => parts }, '', /^$/],
    [
      'of an unknown authority',
      { timestamps: [{ signer: stranger.timestampLeaf, certificates: [stranger.timestampLeaf.der] }] },
      'TIME_UNVERIFIED',
      /authority that the trusted root does not have was not counted/,
    ],
  ]
  for (const [what, options, code, message] of badTokens) {
    if (code === '') continue
    it(`a token ${what} is refused`, () => {
      expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', ...options })))).toMatchObject({
        code,
        message: expect.stringMatching(message),
      })
    })
  }
  it('the same token twice is refused', () => {
    const signed = signBlob({ log: 'v2' })
    const bundle = bent(signed.bundle, (_, { material }) => {
      const data = material['timestampVerificationData'] as { rfc3161Timestamps: object[] }
      data.rfc3161Timestamps.push(...data.rfc3161Timestamps)
    })
    expect(refusalOf(() => verifySigned(signed, { bundle }))).toMatchObject({
      code: 'TIMESTAMP_UNVERIFIED',
      message: 'the bundle has the same timestamp twice',
    })
  })
  it('more than 32 tokens are refused before any is looked at', () => {
    const signed = signBlob({ log: 'v2' })
    const bundle = bent(
      signed.bundle,
      (_, { material }) =>
        void (material['timestampVerificationData'] = {
          rfc3161Timestamps: Array.from({ length: 33 }, () => ({ signedTimestamp: 'AA==' })),
        }),
    )
    expect(refusalOf(() => verifySigned(signed, { bundle }))).toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('more than the limit of 32'),
    })
  })
  it('a token of an unknown authority beside a good one does not count, and is noted', () => {
    const evidence = verifySigned(signBlob({ log: 'v2', timestamps: [{}, { signer: stranger.timestampLeaf }] }))
    expect(evidence.times).toHaveLength(1)
    expect(evidence.notes).toContain('a timestamp of an authority that the trusted root does not have was not counted')
  })
  it("a token of an authority's renewed certificate is that of the one it names, whichever stands first", () => {
    const renewed = issue(
      {
        key: universe.timestampLeaf.key,
        name: 'tsa',
        serialNumber: universe.timestampLeaf.serialNumber.subarray(2),
        extendedKeyUsage: [timeStamping],
        extendedKeyUsageCritical: true,
        notBefore: epoch - 2 * year,
        notAfter: epoch + year,
      },
      universe.timestampRoot,
    )
    const withRenewed = (root: TrustedRootJson): void => {
      const [known] = root.timestampAuthorities
      if (known === undefined) throw new Error('the root has no timestamp authority')
      const copy = structuredClone(known)
      copy.certChain.certificates.splice(0, 1, { rawBytes: base64(renewed.der) })
      root.timestampAuthorities.unshift(copy)
    }
    expect(verifySigned(signBlob({ log: 'v2' }), { bendRoot: withRenewed }).times).toHaveLength(1)
    const bad = signBlob({ log: 'v2', timestamps: [{ wrongCertificateHash: true }] })
    expect(refusalOf(() => verifySigned(bad, { bendRoot: withRenewed }))?.code).toBe('TIMESTAMP_UNVERIFIED')
  })
  it('a bad token of a known authority spoils the bundle, even beside a good time', () => {
    expect(refusalOf(() => verifySigned(signBlob({ timestamps: [{ over: new Uint8Array(3) }] })))).toMatchObject({
      code: 'TIMESTAMP_UNVERIFIED',
    })
  })

  const purposes: readonly (readonly [string, object])[] = [
    ['code signing', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] }],
    ['time stamping and more', { extendedKeyUsage: [timeStamping, '1.3.6.1.5.5.7.3.3'] }],
    ['time stamping, not critical', { extendedKeyUsage: [timeStamping], extendedKeyUsageCritical: false }],
    ['nothing in particular', { extendedKeyUsage: 'none' }],
    ['certificates too', { extendedKeyUsage: [timeStamping], ca: true }],
    ['time stamping, with a key that is to encrypt', { extendedKeyUsage: [timeStamping], keyUsage: [2] }],
  ]
  for (const keyUsage of ['none', [0], [1], [0, 1]] as const) {
    it(`an authority's certificate with the key usage ${String(keyUsage)} is good`, () => {
      const leaf = issue(
        {
          key: namedKey('usual tsa'),
          name: 'tsa',
          extendedKeyUsage: [timeStamping],
          extendedKeyUsageCritical: true,
          keyUsage,
          notBefore: epoch - year,
          notAfter: epoch + year,
        },
        universe.timestampRoot,
      )
      const bendRoot = (root: TrustedRootJson): void =>
        void root.timestampAuthorities[0]?.certChain.certificates.splice(0, 1, { rawBytes: base64(leaf.der) })
      expect(verifySigned(signBlob({ log: 'v2', timestamps: [{ signer: leaf }] }), { bendRoot }).times).toHaveLength(1)
    })
  }
  for (const [what, change] of purposes) {
    it(`an authority's certificate for ${what} is refused`, () => {
      const leaf = issue(
        {
          key: namedKey('odd tsa'),
          name: 'tsa',
          extendedKeyUsageCritical: true,
          notBefore: epoch - year,
          notAfter: epoch + year,
          ...change,
        },
        universe.timestampRoot,
      )
      const bendRoot = (root: TrustedRootJson): void =>
        void root.timestampAuthorities[0]?.certChain.certificates.splice(0, 1, { rawBytes: base64(leaf.der) })
      const signed = signBlob({ log: 'v2', timestamps: [{ signer: leaf, certificates: [leaf.der] }] })
      expect(['TIMESTAMP_UNVERIFIED', 'TIME_UNVERIFIED']).toContain(refusalOf(() => verifySigned(signed, { bendRoot }))?.code)
    })
  }
})

describe('item 17: the time of Rekor v1', () => {
  it('is the promised one', () => {
    expect(verifySigned(signBlob()).times).toEqual([
      { time: new Date(epoch + minute), source: 'transparency-log', authority: 'https://rekor.universe.test' },
    ])
  })
  for (const [field, change] of [
    ['integratedTime', '1768478461'],
    ['logIndex', '1000004'],
  ] as const) {
    it(`another ${field} than the promised one is refused`, () => {
      const signed = signBlob()
      expect(
        refusalOf(() => verifySigned(signed, { bundle: bent(signed.bundle, (_, { entry }) => void (entry[field] = change)) })),
      ).toMatchObject({
        code: 'LOG_ENTRY_UNVERIFIED',
        message: 'the signed entry timestamp does not verify with the key of the log',
      })
    })
  }
  it('signed with another key is refused', () => {
    expect(refusalOf(() => verifySigned(signBlob({ entry: { signer: namedKey('impostor') } })))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
    })
  })
  it('is refused when it is 0, though the log signed it', () => {
    expect(refusalOf(() => verifySigned(signBlob({ entry: { integratedTime: 0 } })))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: 'the time of the log entry, 0, is not a time',
    })
  })
})

describe('item 18: Rekor v2 gives no time', () => {
  it('so a timestamp is needed for certificates', () => {
    expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', timestamps: [] })))).toMatchObject({ code: 'TIME_UNVERIFIED' })
  })
  it('and an integrated time is ignored', () => {
    const signed = signBlob({ log: 'v2' })
    const bundle = bent(signed.bundle, (_, { entry }) => void (entry['integratedTime'] = '1'))
    expect(verifySigned(signed, { bundle }).logEntries[0]?.integratedTime).toBeUndefined()
    const without = signBlob({ log: 'v2', timestamps: [] })
    const claiming = bent(without.bundle, (_, { entry }) => void (entry['integratedTime'] = String((epoch + minute) / 1000)))
    expect(refusalOf(() => verifySigned(without, { bundle: claiming }))?.code).toBe('TIME_UNVERIFIED')
  })
  it('and has no promise: one that is there is refused', () => {
    const signed = signBlob({ log: 'v2', entry: { withPromise: true } })
    expect(refusalOf(() => verifySigned(signed))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('has no signed entry timestamps'),
    })
  })
  it('a managed key needs no time', () => {
    expect(verifySigned(signBlob({ log: 'v2', timestamps: [], managed: true })).times).toHaveLength(0)
  })
})

describe('item 19: every time must fit the certificate', () => {
  const times: readonly (readonly [string, number, boolean])[] = [
    ['its first second', epoch, true],
    ['a second before it', epoch - 1000, false],
    ['its last second', epoch + 10 * minute, true],
    ['a second after it', epoch + 10 * minute + 1000, false],
  ]
  for (const [what, time, accepted] of times) {
    it(`an integrated time of ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      expect(refusalOf(() => verifySigned(signBlob({ entry: { integratedTime: time / 1000 } })))?.code).toBe(
        accepted ? undefined : 'CERTIFICATE_EXPIRED',
      )
    })
    it(`a timestamp of ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', timestamps: [{ genTime: time }] })))?.code).toBe(
        accepted ? undefined : 'CERTIFICATE_EXPIRED',
      )
    })
  }
  /** The instant, and a fraction of a second that its milliseconds do not show. */
  const finer = (instant: number, fraction: string): string =>
    `${new Date(instant).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}.${fraction}Z`
  const fractions: readonly (readonly [string, string, boolean])[] = [
    ['a microsecond before its first second', finer(epoch - 1000, '999999'), false],
    ['a microsecond after its first second', finer(epoch, '000001'), true],
    ['a microsecond before its last second', finer(epoch + 10 * minute - 1000, '999999'), true],
    ['a microsecond after its last second', finer(epoch + 10 * minute, '000001'), false],
    ['a hundred thousandth of a microsecond after its last second', finer(epoch + 10 * minute, '00000000001'), false],
  ]
  for (const [what, genTimeText, accepted] of fractions) {
    it(`a timestamp of ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      expect(refusalOf(() => verifySigned(signBlob({ log: 'v2', timestamps: [{ genTimeText }] })))?.code).toBe(
        accepted ? undefined : 'CERTIFICATE_EXPIRED',
      )
    })
  }
  it('as reported, a time is cut to the millisecond', () => {
    const signed = signBlob({ log: 'v2', timestamps: [{ genTimeText: finer(epoch + minute, '1239999') }] })
    expect(verifySigned(signed).times[0]?.time).toEqual(new Date(epoch + minute + 123))
  })
  it('a time that is finer than a millisecond must lie in every window', () => {
    const late = signBlob({ log: 'v2', timestamps: [{ genTimeText: finer(epoch + minute, '0000001') }] })
    const early = signBlob({ log: 'v2', timestamps: [{ genTimeText: finer(epoch + minute - 1000, '9999999') }] })
    const [start, end] = [epoch - year, epoch + minute].map((instant) => new Date(instant).toISOString())
    const untilThen = { start: start ?? '', end: end ?? '' }
    const fromThen = { start: end ?? '' }
    for (const [signed, validFor] of [
      [late, untilThen],
      [early, fromThen],
    ] as const) {
      const ofAuthority = (root: TrustedRootJson): void => root.timestampAuthorities.forEach((one) => void (one.validFor = validFor))
      const ofCa = (root: TrustedRootJson): void => root.certificateAuthorities.forEach((one) => void (one.validFor = validFor))
      const ofLog = (root: TrustedRootJson): void => root.tlogs.forEach((one) => void (one.publicKey.validFor = validFor))
      expect(refusalOf(() => verifySigned(signed, { bendRoot: ofAuthority }))?.code).toBe('TIMESTAMP_UNVERIFIED')
      expect(refusalOf(() => verifySigned(signed, { bendRoot: ofCa }))?.code).toBe('CERTIFICATE_EXPIRED')
      expect(refusalOf(() => verifySigned(signed, { bendRoot: ofLog }))?.code).toBe('LOG_ENTRY_UNVERIFIED')
    }
    const managed = signBlob({ log: 'v2', managed: true, timestamps: [{ genTimeText: finer(epoch + minute, '0000001') }] })
    const window = { start: epoch - year, end: epoch + minute }
    const signer = { kind: 'key', key: parsePublicKey(managed.key.spki), window } as const
    expect(refusalOf(() => verifySigned(managed, { policy: { signer } }))?.code).toBe('KEY_MISMATCH')
    expect(verifySigned(managed, { policy: { signer: { ...signer, window: { ...window, end: epoch + minute + 1 } } } }).times).toHaveLength(
      1,
    )
  })
  it('a window that begins or ends within a millisecond has the whole ones that lie in it', () => {
    const at = epoch + minute
    const text = (instant: number, finerDigits: string): string => new Date(instant).toISOString().replace('Z', `${finerDigits}Z`)
    const windows: readonly (readonly [{ start: string; end?: string }, boolean])[] = [
      [{ start: text(at, '000001') }, false],
      [{ start: text(at, '000000') }, true],
      [{ start: text(at - 1, '999999') }, true],
      [{ start: text(epoch - year, ''), end: text(at - 1, '999999') }, false],
      [{ start: text(epoch - year, ''), end: text(at, '000001') }, true],
    ]
    for (const [validFor, accepted] of windows) {
      const bendRoot = (root: TrustedRootJson): void => root.tlogs.forEach((one) => void (one.publicKey.validFor = validFor))
      expect(refusalOf(() => verifySigned(signBlob(), { bendRoot }))?.code).toBe(accepted ? undefined : 'LOG_ENTRY_UNVERIFIED')
    }
  })
  it('of two times, both', () => {
    expect(verifySigned(signBlob({ timestamps: [{}] })).times).toHaveLength(2)
    expect(refusalOf(() => verifySigned(signBlob({ timestamps: [{ genTime: epoch - minute }] })))?.code).toBe('CERTIFICATE_EXPIRED')
    expect(refusalOf(() => verifySigned(signBlob({ timestamps: [{}], entry: { integratedTime: epoch / 1000 - 60 } })))?.code).toBe(
      'CERTIFICATE_EXPIRED',
    )
  })
  it('the current time counts only when the caller gives it and asks for no other', () => {
    const signed = signBlob({ log: 'none' })
    const thresholds = { logEntries: 0, times: 0 }
    expect(refusalOf(() => verifySigned(signed, { options: { thresholds } }))).toMatchObject({
      code: 'TIME_UNVERIFIED',
      message: expect.stringContaining('the current time was not given'),
    })
    expect(verifySigned(signed, { options: { thresholds, currentTime: new Date(epoch + minute) } }).times[0]?.source).toBe('current-time')
    expect(refusalOf(() => verifySigned(signed, { options: { thresholds, currentTime: new Date(epoch + year) } }))?.code).toBe(
      'CERTIFICATE_EXPIRED',
    )
    expect(refusalOf(() => verifySigned(signed, { options: { thresholds: { logEntries: 0 }, currentTime: new Date(epoch) } }))?.code).toBe(
      'TIME_UNVERIFIED',
    )
  })
  it('and the current time never stands in for a verified one that does not fit', () => {
    const signed = signBlob({ entry: { integratedTime: epoch / 1000 - 60 } })
    const signer = { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] } as const
    expect(refusalOf(() => verifySigned(signed, { policy: { signer }, options: { currentTime: new Date(epoch) } }))?.code).toBe(
      'CERTIFICATE_EXPIRED',
    )
  })
})
