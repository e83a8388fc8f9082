import { describe, expect, it } from 'vitest'
import { createHash } from 'node:crypto'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { parseTrustedRoot } from '../../../src/trust/trusted-root.ts'
import { codeSigning, issue } from '../../support/universe/certificates.ts'
import { rekorV1, signatureLine } from '../../support/universe/logs.ts'
import type { TrustedRootJson } from '../../support/universe/universe.ts'
import { epoch, namedKey, signBlob, universeOf } from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

const good = signBlob()
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const iso = (instant: number): string => new Date(instant).toISOString()
const year = 365 * 86_400_000

/** The refusal of a good bundle under a bent trusted root. */
function refusal(bendRoot: (root: TrustedRootJson) => void, signed = good): { code: string; message: string } | undefined {
  return refusalOf(() => verifySigned(signed, { bendRoot }))
}

/** The first of a list that is known to have one. */
function first<Element>(list: readonly Element[]): Element {
  const [element] = list
  if (element === undefined) throw new Error('the list is empty')
  return element
}

describe('item 9: media types', () => {
  for (const mediaType of [
    'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    'application/vnd.dev.sigstore.trustedroot.v0.1+json',
    'application/vnd.dev.sigstore.trustedroot.v0.2+json',
  ]) {
    it(`${mediaType} is accepted`, () => {
      expect(refusal((root) => void (root.mediaType = mediaType))).toBeUndefined()
    })
  }
  for (const mediaType of ['application/vnd.dev.sigstore.trustedroot.v0.3+json', 'application/json', '']) {
    it(`${JSON.stringify(mediaType)} is refused`, () => {
      expect(refusal((root) => void (root.mediaType = mediaType))).toMatchObject({
        code: 'TRUSTED_ROOT_INVALID',
        message: expect.stringContaining('mediaType should be'),
      })
    })
  }
})

describe('item 10: windows are closed at both ends, and start is required', () => {
  for (const list of ['tlogs', 'ctlogs'] as const) {
    it(`${list} without a start are refused`, () => {
      const message = expect.stringContaining('has no start, which is required')
      expect(refusal((root) => void (first(root[list]).publicKey.validFor = {}))).toMatchObject({ code: 'TRUSTED_ROOT_INVALID', message })
      expect(refusal((root) => void delete first(root[list]).publicKey.validFor)).toMatchObject({ code: 'TRUSTED_ROOT_INVALID', message })
    })
  }
  it('fractions of seconds and offsets are understood', () => {
    const instants = ['2020-01-01T00:00:00.123456789Z', '2020-01-01T00:00:00+02:00', '2020-01-01T00:00:00.1-11:30']
    for (const start of instants) expect(refusal((root) => void (first(root.tlogs).publicKey.validFor = { start }))).toBeUndefined()
    const json = universeOf().trustedRoot((root) => void (first(root.tlogs).publicKey.validFor = { start: '2020-01-01T00:00:00+02:00' }))
    expect(parseTrustedRoot(json).transparencyLogs[0]?.window.start).toBe(Date.UTC(2019, 11, 31, 22))
  })
  for (const start of ['2020-01-01', '2020-01-01T00:00:00', 'yesterday', '2020-13-01T00:00:00Z', '']) {
    it(`the start ${JSON.stringify(start)} is refused`, () => {
      expect(refusal((root) => void (first(root.tlogs).publicKey.validFor = { start }))).toMatchObject({
        code: 'TRUSTED_ROOT_INVALID',
        message: expect.stringContaining('RFC 3339'),
      })
    })
  }
  // The universe logs a minute after the certificate was issued.
  const entryTime = epoch + 60_000
  const windows: readonly (readonly [string, { start: string; end?: string }, boolean])[] = [
    ['starts with the entry', { start: iso(entryTime) }, true],
    ['starts a second after the entry', { start: iso(entryTime + 1000) }, false],
    ['ends with the entry', { start: iso(epoch - year), end: iso(entryTime) }, true],
    ['ends a second before the entry', { start: iso(epoch - year), end: iso(entryTime - 1000) }, false],
  ]
  for (const [what, validFor, accepted] of windows) {
    it(`a log key whose window ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      const refused = refusal((root) => void (first(root.tlogs).publicKey.validFor = validFor))
      expect(refused?.code).toBe(accepted ? undefined : 'LOG_ENTRY_UNVERIFIED')
    })
    it(`a certificate authority whose window ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      const refused = refusal((root) => void (first(root.certificateAuthorities).validFor = validFor))
      expect(refused?.code).toBe(accepted ? undefined : 'CERTIFICATE_EXPIRED')
    })
    it(`a timestamp authority whose window ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      const refused = refusal((root) => void (first(root.timestampAuthorities).validFor = validFor), signBlob({ timestamps: [{}] }))
      expect(refused?.code).toBe(accepted ? undefined : 'TIMESTAMP_UNVERIFIED')
    })
    it(`a Rekor v1 log key whose window ${what} (its timestamp's time, without a promise) is ${accepted ? 'good' : 'refused'}`, () => {
      const signed = signBlob({ entry: { withPromise: false }, timestamps: [{}] })
      const refused = refusal((root) => void (first(root.tlogs).publicKey.validFor = validFor), signed)
      expect(refused?.code).toBe(accepted ? undefined : 'LOG_ENTRY_UNVERIFIED')
    })
    it(`a Rekor v2 log key whose window ${what} (its timestamp's time) is ${accepted ? 'good' : 'refused'}`, () => {
      const refused = refusal((root) => void (first(root.tlogs.slice(1)).publicKey.validFor = validFor), signBlob({ log: 'v2' }))
      expect(refused?.code).toBe(accepted ? undefined : 'LOG_ENTRY_UNVERIFIED')
    })
  }
  const sctTime = epoch + 1000
  const sctWindows: readonly (readonly [string, { start: string; end?: string }, boolean])[] = [
    ['starts with the SCT', { start: iso(sctTime) }, true],
    ['starts a millisecond after it', { start: iso(sctTime + 1) }, false],
    ['ends with it', { start: iso(epoch - year), end: iso(sctTime) }, true],
    ['ends a millisecond before it', { start: iso(epoch - year), end: iso(sctTime - 1) }, false],
  ]
  for (const [what, validFor, accepted] of sctWindows) {
    it(`a CT log key whose window ${what} is ${accepted ? 'good' : 'refused'}`, () => {
      const refused = refusal((root) => void (first(root.ctlogs).publicKey.validFor = validFor))
      expect(refused?.code).toBe(accepted ? undefined : 'SCT_UNVERIFIED')
    })
  }
})

describe('item 11: any number of instances, past, overlapping and future', () => {
  it('others beside the right one do no harm', () => {
    const other = universeOf({ name: 'other' })
    const bend = (root: TrustedRootJson): void => {
      const others = JSON.parse(other.trustedRoot()) as TrustedRootJson
      root.tlogs.unshift(...others.tlogs)
      root.ctlogs.unshift(...others.ctlogs)
      root.certificateAuthorities.unshift(...others.certificateAuthorities)
      root.timestampAuthorities.unshift(...others.timestampAuthorities)
    }
    expect(refusal(bend)).toBeUndefined()
    expect(refusal(bend, signBlob({ log: 'v2' }))).toBeUndefined()
  })
  it('one authority twice, once expired and once current, verifies', () => {
    const bend = (root: TrustedRootJson): void => {
      const current = first(root.certificateAuthorities)
      root.certificateAuthorities.unshift({ ...current, validFor: { start: iso(epoch - 2 * year), end: iso(epoch - year) } })
      root.certificateAuthorities.push({ ...current, validFor: { start: iso(epoch + year) } })
    }
    expect(refusal(bend)).toBeUndefined()
  })
  for (const generation of ['v1', 'v2'] as const) {
    it(`a log key of Rekor ${generation} and of its CT log in several windows verifies in each of them`, () => {
      const windows = [
        { start: iso(epoch - 2 * year), end: iso(epoch - year) },
        { start: iso(epoch - 86_400_000), end: iso(epoch + 86_400_000) },
        { start: iso(epoch + year) },
      ]
      const [past, current, future] = windows
      const repeated = (logs: TrustedRootJson['tlogs'], times: readonly ({ start: string } | undefined)[]): TrustedRootJson['tlogs'] =>
        times.flatMap((validFor) => logs.map((log) => ({ ...log, publicKey: { ...log.publicKey, ...(validFor && { validFor }) } })))
      const signed = signBlob({ log: generation })
      const always = (root: TrustedRootJson): void => {
        root.tlogs = repeated(root.tlogs, [past, current, future])
        root.ctlogs = repeated(root.ctlogs, [past, current, future])
      }
      expect(refusal(always, signed)).toBeUndefined()
      const notThen = { message: expect.stringContaining('is trusted from') }
      expect(refusal((root) => void (root.tlogs = repeated(root.tlogs, [past, future])), signed)).toMatchObject(notThen)
      expect(refusal((root) => void (root.ctlogs = repeated(root.ctlogs, [past, future])), signed)).toMatchObject(notThen)
    })
  }
  it('the anchor may be an intermediate', () => {
    expect(refusal((root) => void first(root.certificateAuthorities).certChain.certificates.pop())).toBeUndefined()
  })
  it('a chain without the issuer is refused', () => {
    expect(refusal((root) => void first(root.certificateAuthorities).certChain.certificates.shift())).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
    })
  })
  it("a timestamp authority's chain may leave the signing certificate to the token", () => {
    const universe = universeOf()
    const withLeaf = signBlob({ log: 'v2', timestamps: [{ certificates: [universe.timestampLeaf.der] }] })
    const bend = (root: TrustedRootJson): void => void first(root.timestampAuthorities).certChain.certificates.shift()
    expect(refusal(bend, withLeaf)).toBeUndefined()
    expect(refusal(bend, signBlob({ log: 'v2' }))).toMatchObject({ code: 'TIME_UNVERIFIED' })
  })
  it('a root without logs or authorities verifies nothing', () => {
    expect(refusal((root) => void (root.tlogs = []))).toMatchObject({ code: 'LOG_ENTRY_UNVERIFIED' })
    expect(refusal((root) => void (root.ctlogs = []))).toMatchObject({ code: 'SCT_UNVERIFIED' })
    expect(refusal((root) => void (root.certificateAuthorities = []))).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
    expect(refusal((root) => void (root.timestampAuthorities = []), signBlob({ log: 'v2' }))).toMatchObject({ code: 'TIME_UNVERIFIED' })
  })
})

describe('item 12: times are checked against the window and the whole chain', () => {
  it('an intermediate that had expired is refused, though the window is open', () => {
    const universe = universeOf()
    const intermediate = issue(
      {
        key: namedKey('short intermediate', 'p384'),
        name: 'short',
        ca: true,
        extendedKeyUsage: [codeSigning],
        notBefore: epoch - year,
        notAfter: epoch + 30_000,
      },
      universe.root,
    )
    const signed = signBlob({ issuedBy: intermediate })
    const refused = refusal(
      (root) => void (first(root.certificateAuthorities).certChain.certificates[0] = { rawBytes: base64(intermediate.der) }),
      signed,
    )
    expect(refused).toMatchObject({ code: 'CERTIFICATE_EXPIRED', message: expect.stringContaining('O=universe.test, CN=short') })
  })
  it('a root that was not valid yet is refused', () => {
    const late = issue({ key: namedKey(' root', 'p384'), name: 'root', ca: true, notBefore: epoch + year, notAfter: epoch + 2 * year })
    const refused = refusal((root) => void (first(root.certificateAuthorities).certChain.certificates[1] = { rawBytes: base64(late.der) }))
    expect(refused).toMatchObject({ code: 'CERTIFICATE_EXPIRED', message: expect.stringContaining('CN=root') })
  })
})

describe('item 13: keys', () => {
  for (const kind of ['p256', 'p384', 'p521', 'rsa'] as const) {
    it(`a ${kind} log key verifies`, () => {
      const signed = signBlob({ universe: universeOf({ logKey: kind }) })
      expect(verifySigned(signed).logEntries).toHaveLength(1)
    })
  }
  it('a PKCS#1 key with the old name verifies', () => {
    const signed = signBlob({ universe: universeOf({ logKey: 'rsa' }) })
    const pkcs1 = signed.universe.rekor.key.publicKey.export({ type: 'pkcs1', format: 'der' })
    const bend = (root: TrustedRootJson): void => {
      const { publicKey } = first(root.tlogs)
      publicKey.rawBytes = base64(pkcs1)
      publicKey.keyDetails = 'PKCS1_RSA_PKCS1V5'
    }
    expect(refusal(bend, signed)).toBeUndefined()
  })
  it('an unsupported key disables that instance only, and says so', () => {
    const bend = (root: TrustedRootJson): void => {
      root.tlogs.unshift({
        ...first(root.tlogs),
        logId: { keyId: base64(new Uint8Array(32)) },
        publicKey: { ...first(root.tlogs).publicKey, keyDetails: 'LMS_SHA256' },
      })
    }
    const evidence = verifySigned(good, { bendRoot: bend })
    expect(evidence.notes).toEqual([
      expect.stringContaining('transparency log 1 of the trusted root is not used: keys of the kind "LMS_SHA256" are not supported'),
    ])
  })
  it('without the instance that is needed, nothing verifies', () => {
    expect(refusal((root) => void (first(root.tlogs).publicKey.keyDetails = 'LMS_SHA256'))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('is not used'),
    })
  })
  for (const [what, bytes] of [
    ['an empty', ''],
    ['a truncated', base64(good.universe.rekor.key.spki.subarray(0, 40))],
    ['a malformed', 'AAAA'],
  ] as const) {
    it(`${what} key makes the whole root invalid`, () => {
      expect(refusal((root) => void (first(root.tlogs).publicKey.rawBytes = bytes))).toMatchObject({ code: 'TRUSTED_ROOT_INVALID' })
    })
  }
  it('a key of another kind than stated makes it invalid', () => {
    expect(refusal((root) => void (first(root.tlogs).publicKey.keyDetails = 'PKIX_ED25519'))).toMatchObject({
      code: 'TRUSTED_ROOT_INVALID',
      message: expect.stringContaining('should be of the kind PKIX_ED25519, found ecdsa P-256'),
    })
  })
})

describe('item 14: which log', () => {
  it('is found by checkpointKeyId where the root states it', () => {
    const signed = signBlob({ log: 'v2' })
    const bend = (root: TrustedRootJson): void => {
      const log = root.tlogs[1]
      if (log === undefined) throw new Error('the universe has a second log')
      log.checkpointKeyId = log.logId
      log.logId = { keyId: base64(new Uint8Array(32).fill(7)) }
    }
    expect(refusal(bend, signed)).toBeUndefined()
  })
  it('is not guessed: an entry of another log ID does not count', () => {
    expect(refusal((root) => void (first(root.tlogs).logId = { keyId: base64(new Uint8Array(32)) }))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('unknown log'),
    })
  })
  it("must have signed itself: another log's checkpoint is refused", () => {
    const stranger = namedKey('stranger log')
    const signed = signBlob({ entry: { signer: stranger, withPromise: false }, timestamps: [{}] })
    expect(refusalOf(() => verifySigned(signed))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('the checkpoint is not signed by the log'),
    })
  })
  it('four bytes of a key ID are not enough when the key is another', () => {
    const { universe } = good
    const impostor = namedKey('impostor')
    const line = signatureLine('rekor.universe.test', createHash('sha256').update(universe.rekor.key.spki).digest(), Buffer.alloc(70))
    const signed = signBlob({ entry: { signer: impostor, withPromise: false, linesAfter: [line] }, timestamps: [{}] })
    expect(refusalOf(() => verifySigned(signed))).toMatchObject({
      code: 'LOG_ENTRY_UNVERIFIED',
      message: expect.stringContaining('the checkpoint is not signed by the log'),
    })
  })
})

describe('item 15: thresholds count operators', () => {
  const two = signBlob({ bendBody: (parts) => parts })
  const withTwoLogs = (sameOperator: boolean): { code: string; message: string } | undefined => {
    const second = rekorV1(namedKey('second rekor'), 'https://rekor2.universe.test')
    const other = signBlob({ universe: { ...universeOf(), rekor: second } })
    const bundle = structuredClone(other.bundle) as { verificationMaterial: { tlogEntries: object[] } }
    const logged = signBlob({ body: bodyOf(other) })
    bundle.verificationMaterial.tlogEntries.push(...(logged.bundle['verificationMaterial'] as { tlogEntries: object[] }).tlogEntries)
    const bendRoot = (root: TrustedRootJson): void => {
      const log = first(root.tlogs)
      root.tlogs.push({
        ...log,
        baseUrl: second.baseUrl,
        logId: { keyId: base64(second.logId) },
        publicKey: { ...log.publicKey, rawBytes: base64(second.key.spki) },
        operator: sameOperator ? 'one' : 'two',
      })
      log.operator = 'one'
    }
    return refusalOf(() => verifySigned(other, { bundle, bendRoot, options: { thresholds: { logEntries: 2 } } }))
  }
  it('two logs of two operators are two', () => expect(withTwoLogs(false)).toBeUndefined())
  it('two logs of one operator are one', () =>
    expect(withTwoLogs(true)).toMatchObject({ code: 'LOG_ENTRY_UNVERIFIED', message: expect.stringContaining('1 < 2') }))
  it('one log is one', () => {
    expect(refusalOf(() => verifySigned(two, { options: { thresholds: { logEntries: 2 } } }))).toMatchObject({
      message: 'not enough verified log entries from transparency log: 1 < 2',
    })
  })
  it('a log and a timestamp authority of one operator are one witness of the time', () => {
    const options = { thresholds: { times: 2 } }
    const stamped = signBlob({ timestamps: [{}] })
    const run = (operator: string) => (root: TrustedRootJson) => {
      first(root.tlogs).operator = 'one'
      first(root.timestampAuthorities).operator = operator
    }
    expect(refusalOf(() => verifySigned(stamped, { options, bendRoot: run('two') }))).toBeUndefined()
    expect(refusalOf(() => verifySigned(stamped, { options, bendRoot: run('one') }))).toMatchObject({ code: 'TIME_UNVERIFIED' })
  })
  it('a threshold that is no number is an error of the caller', () => {
    expect(refusalOf(() => verifySigned(two, { options: { thresholds: { logEntries: -1 } } }))).toMatchObject({ code: 'POLICY_INVALID' })
    expect(refusalOf(() => verifySigned(two, { options: { thresholds: { scts: 0.5 } } }))).toMatchObject({ code: 'POLICY_INVALID' })
  })
  it('trust material is made once and serves any number of bundles', () => {
    const trust = loadTrustMaterial(universeOf().trustedRoot())
    for (const signed of [good, signBlob({ log: 'v2' }), signBlob({ key: namedKey('another') })])
      expect(verifySigned(signed, { trust }).logEntries).toHaveLength(1)
  })
})

function bodyOf(signed: { readonly bundle: Record<string, unknown> }): object {
  const { tlogEntries } = signed.bundle['verificationMaterial'] as { tlogEntries: { canonicalizedBody: string }[] }
  return JSON.parse(Buffer.from(first(tlogEntries).canonicalizedBody, 'base64').toString()) as object
}
