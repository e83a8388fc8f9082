import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/verify/pattern.ts'
import type { CertificateIdentity, Policy } from '../../../src/verify/policy.ts'
import { sigstoreExtensionNames } from '../../../src/x509/sigstore-extensions.ts'
import { encodeSctAnswer } from '../../../src/api/certificate-transparency.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { parseSct } from '../../../src/x509/sct.ts'
import { derExplicit, derImplicit, derOctetString, derOid, derSequence, derSet, derUtf8String } from '../../../src/encoding/der-writer.ts'
import type { CertificateOptions } from '../../support/universe/certificates.ts'
import { codeSigning, detachedSct, extension, issue, timeStamping } from '../../support/universe/certificates.ts'
import type { SigningOptions, TrustedRootJson } from '../../support/universe/universe.ts'
import { epoch, identity, issueLeaf, issuer, namedKey, signBlob, universeOf } from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'

const universe = universeOf()
const year = 365 * 86_400_000
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const validity = { notBefore: epoch - year, notAfter: epoch + year }

function refusal(options: SigningOptions, bendRoot?: (root: TrustedRootJson) => void): { code: string; message: string } | undefined {
  return refusalOf(() => verifySigned(signBlob(options), bendRoot === undefined ? {} : { bendRoot }))
}

/** Name constraints: URIs of this host only. */
function permitted(host: string, critical = true): Uint8Array {
  return extension('2.5.29.30', derSequence(derExplicit(0, derSequence(derImplicit(6, Buffer.from(host))))), critical)
}

/** Puts other certificates in the place of the authority's chain. */
function chainOf(...certificates: readonly { readonly der: Uint8Array }[]): (root: TrustedRootJson) => void {
  return (root) => {
    const [authority] = root.certificateAuthorities
    if (authority !== undefined) authority.certChain.certificates = certificates.map(({ der }) => ({ rawBytes: base64(der) }))
  }
}

describe('item 20: the path', () => {
  const intermediate = (options: Partial<CertificateOptions>, by = universe.root): ReturnType<typeof issue> =>
    issue(
      { key: namedKey('odd intermediate', 'p384'), name: 'odd', ca: true, extendedKeyUsage: [codeSigning], ...validity, ...options },
      by,
    )
  const through = (ca: ReturnType<typeof issue>): { code: string; message: string } | undefined =>
    refusal({ issuedBy: ca }, chainOf(ca, universe.root))

  it('may go through any number of intermediates', () => {
    const outer = intermediate({ key: namedKey('outer', 'p384'), name: 'outer' })
    const inner = intermediate({ key: namedKey('inner'), name: 'inner' }, outer)
    expect(refusal({ issuedBy: inner }, chainOf(inner, outer, universe.root))).toBeUndefined()
    expect(refusal({ issuedBy: inner }, chainOf(outer, inner, universe.root))).toBeUndefined()
    expect(refusal({ issuedBy: inner }, chainOf(inner, universe.root))).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  })
  for (const kind of ['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const) {
    it(`may be signed with ${kind} keys`, () => {
      expect(refusal({ universe: universeOf({ rootKey: kind, issuingKey: kind }) })).toBeUndefined()
    })
  }
  it('must lead to the trusted authority, not to its namesake', () => {
    const namesake = issue({ key: namedKey('namesake', 'p384'), name: 'intermediate', ca: true, ...validity })
    expect(refusal({ issuedBy: { ...namesake, subjectKeyIdentifier: universe.intermediate.subjectKeyIdentifier } })).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      message: expect.stringContaining('signature of the certificate does not verify'),
    })
  })
  it('must chain by key identifier where both certificates have one', () => {
    expect(refusal({ certificate: { authorityKeyIdentifier: new Uint8Array(20) } })).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      message: expect.stringContaining('not a certificate authority of the trusted root'),
    })
  })
  const bad: readonly (readonly [string, Partial<CertificateOptions>, RegExp])[] = [
    ['without basic constraints', { ca: false, keyUsage: [5] }, /is not a certificate authority \(basic constraints\)/],
    ['that may not sign certificates', { keyUsage: [0] }, /may not sign certificates \(key usage\)/],
    ['for time stamping only', { extendedKeyUsage: [timeStamping] }, /may not issue for this purpose/],
    [
      'with an unknown critical extension',
      { extensions: [extension('1.2.3.4', derOctetString(new Uint8Array(1)), true)] },
      /has the critical extension 1\.2\.3\.4/,
    ],
    ['that may issue for other names only', { extensions: [permitted('https://other.test')] }, /\(name constraints\)/],
    ['that says so without calling it critical', { extensions: [permitted('other.test', false)] }, /\(name constraints\)/],
  ]
  for (const [what, options, message] of bad) {
    it(`is refused through an intermediate ${what}`, () => {
      expect(through(intermediate(options))).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED', message: expect.stringMatching(message) })
    })
  }
  it('is good through an intermediate that may issue for this name', () => {
    expect(through(intermediate({ extensions: [permitted('github.com')] }))).toBeUndefined()
  })
  it('is held against the directory names that are permitted and excluded, however they are spelled', () => {
    const organization = (value: string): Uint8Array => derSequence(derSet(derSequence(derOid('2.5.4.10'), derUtf8String(value))))
    const constraint = (number: number, value: string): Uint8Array =>
      extension('2.5.29.30', derSequence(derExplicit(number, derSequence(derImplicit(4, organization(value), true)))), true)
    const issued = (limit: Uint8Array): string | undefined => {
      const ca = intermediate({ extensions: [limit] })
      return refusal({ issuedBy: ca, certificate: { name: 'me' } }, chainOf(ca, universe.root))?.message
    }
    expect(issued(constraint(0, 'UNIVERSE.test '))).toBeUndefined()
    expect(issued(constraint(0, 'other.test'))).toMatch(/has its subject, for which .* may not issue \(name constraints\)/)
    expect(issued(constraint(1, 'other.test'))).toBeUndefined()
    for (const spelled of ['universe.test', 'UNIVERSE.test', ' Universe.Test ', 'uni\u00ADverse.test'])
      expect(issued(constraint(1, spelled))).toMatch(/has its subject, for which .* may not issue \(name constraints\)/)
  })
  it('is held against the name constraints of everybody above', () => {
    const outer = intermediate({ key: namedKey('outer', 'p384'), name: 'outer', extensions: [permitted('other.test')] })
    const inner = intermediate({ key: namedKey('inner'), name: 'inner' }, outer)
    expect(refusal({ issuedBy: inner }, chainOf(inner, outer, universe.root))?.message).toContain('(name constraints)')
  })
  it('is good through an intermediate with a critical policy, since any will do', () => {
    const policies = derSequence(derSequence(derOid('2.5.29.32.0')))
    expect(through(intermediate({ extensions: [extension('2.5.29.32', policies, true)] }))).toBeUndefined()
  })
  it('is good through an intermediate without extended key usage, or with any', () => {
    expect(through(intermediate({ extendedKeyUsage: 'none' }))).toBeUndefined()
    expect(through(intermediate({ extendedKeyUsage: ['2.5.29.37.0'] }))).toBeUndefined()
  })
  it('is refused when it is longer than an authority allows', () => {
    const outer = intermediate({ key: namedKey('outer', 'p384'), name: 'outer', pathLength: 0 })
    const inner = intermediate({ key: namedKey('inner'), name: 'inner' }, outer)
    expect(refusal({ issuedBy: inner }, chainOf(inner, outer, universe.root))).toMatchObject({
      message: expect.stringContaining('allows 0 certificate authorities below it, 1 follow'),
    })
    const roomier = intermediate({ key: namedKey('outer', 'p384'), name: 'outer', pathLength: 1 })
    const below = intermediate({ key: namedKey('inner'), name: 'inner' }, roomier)
    expect(refusal({ issuedBy: below }, chainOf(below, roomier, universe.root))).toBeUndefined()
  })
  it('does not go in circles', () => {
    const a = intermediate({ key: namedKey('a'), name: 'a' }, { ...universe.root, name: 'b', key: namedKey('b') })
    const b = intermediate({ key: namedKey('b'), name: 'b' }, { ...universe.root, name: 'a', key: namedKey('a') })
    expect(refusal({ issuedBy: a }, chainOf(a, b, universe.root))).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  })
  it('is refused when a leaf issued the leaf', () => {
    const leaf = issueLeaf()
    expect(refusal({ issuedBy: { ...leaf, name: 'leaf' } })).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  })
})

describe('item 21: intermediates come from the trusted root', () => {
  it('one from the bundle is dropped, good though it is', () => {
    const missing = chainOf(universe.root)
    expect(refusal({ version: '0.2', chain: [universe.intermediate.der] }, missing)).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
    expect(refusal({ version: '0.2', chain: [universe.intermediate.der] })).toBeUndefined()
  })
})

describe('item 22: the leaf', () => {
  for (const kind of ['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const) {
    it(`may have a ${kind} key`, () => expect(refusal({ key: namedKey('leaf', kind) })).toBeUndefined())
  }
  for (const subjects of [[{ email: 'dev@example.test' }], [{ uri: identity }], [{ username: 'dev!example.test' }]]) {
    it(`may be for ${JSON.stringify(subjects)}`, () => {
      const [subjectAlternativeName = ''] = Object.values(subjects[0] ?? {})
      const signer = { kind: 'certificate', identities: [{ subjectAlternativeName, issuer }] } as const
      expect(verifySigned(signBlob({ subjects }), { policy: { signer } }).signer).toMatchObject({
        identity: { value: subjectAlternativeName },
      })
    })
  }
  it('may have a subject beside its name, which is no identity', () => {
    expect(refusal({ certificate: { name: 'a subject' } })).toBeUndefined()
    const signer: Policy['signer'] = { kind: 'certificate', identities: [{ subjectAlternativeName: 'a subject', issuer }] }
    expect(refusalOf(() => verifySigned(signBlob({ certificate: { name: 'a subject' } }), { policy: { signer } }))).toMatchObject({
      code: 'IDENTITY_MISMATCH',
    })
  })
  const bad: readonly (readonly [string, SigningOptions, RegExp])[] = [
    ['for encryption only', { certificate: { keyUsage: [2] } }, /is not for digital signatures/],
    ['without key usage', { certificate: { keyUsage: 'none' } }, /is not for digital signatures/],
    ['for web servers', { certificate: { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] } }, /is not for code signing/],
    [
      'for any purpose, which code signing must be named beside',
      { certificate: { extendedKeyUsage: ['2.5.29.37.0'] } },
      /is not for code signing/,
    ],
    ['without a purpose', { certificate: { extendedKeyUsage: 'none' } }, /is not for code signing/],
    [
      'of a certificate authority',
      { certificate: { ca: true, keyUsage: [0, 5], extendedKeyUsage: [codeSigning] } },
      /is that of a certificate authority/,
    ],
    ['without a name', { subjects: [] }, /has no subject alternative name/],
    ['with two names', { subjects: [{ uri: identity }, { email: 'dev@example.test' }] }, /has 2 subject alternative names/],
    ['for a host', { subjects: [{ dns: 'example.test' }] }, /neither an e-mail address, a URI nor a user name/],
    ['with a name that is not critical', { certificate: { subjectsCritical: false } }, /not critical/],
    [
      'with an unknown critical extension',
      { certificate: { extensions: [extension('1.2.3.4', derOctetString(new Uint8Array(1)), true)] } },
      /critical extension 1\.2\.3\.4/,
    ],
    [
      'that is still a precertificate',
      { certificate: { extensions: [extension('1.3.6.1.4.1.11129.2.4.3', new Uint8Array([5, 0]), true)] } },
      /critical extension 1\.3\.6\.1\.4\.1\.11129\.2\.4\.3/,
    ],
  ]
  for (const [what, options, message] of bad) {
    it(`${what} is refused`, () =>
      expect(refusal(options)).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED', message: expect.stringMatching(message) }))
  }
  for (const [what, subject] of [
    ['a NUL', 'https://good.test\u0000.evil.test'],
    ['a letter beyond ASCII', 'https://gööd.test'],
  ] as const) {
    it(`with ${what} in its name is refused`, () =>
      expect(refusal({ subjects: [{ uri: subject }] })).toMatchObject({ code: 'CERTIFICATE_INVALID' }))
  }
  it('with an extension twice is refused', () => {
    const twice = extension('1.3.6.1.4.1.57264.1.9', new Uint8Array([0x0c, 1, 0x61]))
    expect(refusal({ certificate: { extensions: [twice, twice] } })).toMatchObject({
      code: 'CERTIFICATE_INVALID',
      message: expect.stringContaining('twice'),
    })
  })
})

describe('the leaf of an authority in the trusted root that knows nothing of Fulcio', () => {
  const own = (options: Partial<CertificateOptions>, wanted = identity): { code: string; message: string } | undefined => {
    const signer = { kind: 'certificate', identities: [{ subjectAlternativeName: wanted, issuer: compilePattern('') }] } as const
    const signed = signBlob({ certificate: { sigstore: {}, name: 'me', ...options } })
    return refusalOf(() => verifySigned(signed, { policy: { signer } }))
  }
  const several = [{ dns: 'example.test' }, { email: 'dev@example.test' }, { uri: identity }]

  it.each([
    ['is for any of several names', { subjects: several }],
    ['does not say what its key is for', { keyUsage: 'none' as const }],
    ['has a key for commitments', { keyUsage: [1] }],
    ['does not say what it is for', { extendedKeyUsage: 'none' as const }],
    ['is for anything', { extendedKeyUsage: ['2.5.29.37.0'] }],
    ['has a name that is not critical', { name: '', subjectsCritical: false }],
  ])('is good where it %s', (_, options) => expect(own(options)).toBeUndefined())

  it.each([
    [
      'is of a certificate authority',
      { ca: true, keyUsage: [0, 5], extendedKeyUsage: [codeSigning] },
      /is that of a certificate authority/,
    ],
    ['has a key for encryption', { keyUsage: [2] }, /is not for digital signatures/],
    ['has a key for certificates', { keyUsage: [5] }, /is not for digital signatures/],
    ['is for web servers', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, /is not for code signing/],
    ['is for e-mail', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] }, /is not for code signing/],
    ['has no name', { subjects: [] }, /has no subject alternative name/],
  ])('is refused where it %s', (_, options, message) => {
    expect(own(options)).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED', message: expect.stringMatching(message) })
  })

  it('is for its names only, and for no issuer', () => {
    expect(own({ subjects: several }, 'dev@example.test')).toBeUndefined()
    expect(own({ subjects: several }, 'example.tes')?.code).toBe('IDENTITY_MISMATCH')
    const signed = signBlob({ certificate: { sigstore: {}, name: 'me', subjects: several } })
    expect(refusalOf(() => verifySigned(signed))?.message).toContain('expected issuer value')
  })

  it('follows the profile of Fulcio as soon as it has anything of it', () => {
    expect(own({ sigstore: { 8: issuer }, subjects: several })?.message).toContain('has 3 subject alternative names')
    expect(own({ sigstore: { 9: 'x' }, extendedKeyUsage: 'none' })?.message).toContain('is not for code signing')
  })
})

describe('a certificate that is itself what is trusted', () => {
  const selfSigned = (options: Partial<CertificateOptions> = {}): ReturnType<typeof issue> =>
    issue({ key: namedKey('self'), name: 'self', subjects: [{ uri: identity }], ...validity, ...options })
  const judge = (certificate: ReturnType<typeof issue>, trusted = certificate): { code: string; message: string } | undefined => {
    const signer = { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer: compilePattern('') }] } as const
    const signed = signBlob({ key: certificate.key, issued: certificate })
    return refusalOf(() => verifySigned(signed, { bendRoot: chainOf(trusted), policy: { signer }, options: { thresholds: { scts: 0 } } }))
  }

  it('is good, whether it calls itself an authority or not', () => {
    expect(judge(selfSigned())).toBeUndefined()
    expect(judge(selfSigned({ ca: true, keyUsage: [0, 5], extendedKeyUsage: [codeSigning] }))).toBeUndefined()
  })
  it('is refused where another of its name is trusted, with the same key or with another', () => {
    expect(judge(selfSigned(), selfSigned())?.code).toBe('CERTIFICATE_UNTRUSTED')
    expect(judge(selfSigned(), selfSigned({ key: namedKey('another self') }))?.code).toBe('CERTIFICATE_UNTRUSTED')
  })
  it('is refused for what every signer is refused for', () => {
    expect(judge(selfSigned({ notAfter: epoch - 1 }))?.code).toBe('CERTIFICATE_EXPIRED')
    expect(judge(selfSigned({ keyUsage: [2] }))?.code).toBe('CERTIFICATE_UNTRUSTED')
    expect(judge(selfSigned({ extendedKeyUsage: [timeStamping] }))?.code).toBe('CERTIFICATE_UNTRUSTED')
    const unknown = extension('1.2.3.4', derOctetString(new Uint8Array(1)), true)
    expect(judge(selfSigned({ extensions: [unknown] }))?.message).toContain('critical extension 1.2.3.4')
  })
  it('has no certificate timestamp that anybody could verify', () => {
    const certificate = selfSigned()
    const signed = signBlob({ key: certificate.key, issued: certificate })
    expect(refusalOf(() => verifySigned(signed, { bendRoot: chainOf(certificate) }))?.code).toBe('SCT_UNVERIFIED')
  })
})

describe('item 23: SCTs', () => {
  const impostor = namedKey('impostor ct')
  it('one is needed and enough', () => {
    expect(verifySigned(signBlob()).certificateTimestamps).toHaveLength(1)
    expect(refusal({ scts: [] })).toMatchObject({
      code: 'SCT_UNVERIFIED',
      message: 'only able to verify 0 SCT entries; unable to meet threshold of 1: the certificate has none',
    })
  })
  it('may have extensions, which are signed too', () =>
    expect(refusal({ scts: [{ extensions: Uint8Array.of(0, 0, 5, 1, 2, 3, 4, 5) }] })).toBeUndefined())
  it('an RSA CT log verifies', () => expect(refusal({ universe: universeOf({ ctKey: 'rsa' }) })).toBeUndefined())
  it('one that the log did not sign is refused', () => {
    expect(refusal({ scts: [{ signer: impostor }] })).toMatchObject({
      code: 'SCT_UNVERIFIED',
      message: expect.stringContaining('does not verify with the key of the CT log'),
    })
  })
  it("one for another issuer's key is refused", () => {
    expect(refusal({ scts: [{ issuerSpki: universe.root.key.spki }] })).toMatchObject({ code: 'SCT_UNVERIFIED' })
  })
  it('one of an unknown log does not count', () => {
    expect(refusal({ scts: [{ log: impostor }] })).toMatchObject({
      code: 'SCT_UNVERIFIED',
      message: expect.stringContaining('unknown CT log'),
    })
    expect(refusal({ scts: [{ log: impostor }, {}] })).toBeUndefined()
  })
  it('a good one does not outweigh one that a known log did not sign', () => {
    expect(refusal({ scts: [{}, { signer: impostor }] })).toMatchObject({ code: 'SCT_UNVERIFIED' })
  })
  it('one of a later version does not count, and takes nothing from another', () => {
    expect(refusal({ scts: [{ version: 1 }] })).toMatchObject({
      code: 'SCT_UNVERIFIED',
      message: expect.stringContaining('the certificate has none of version 1'),
    })
    for (const version of [1, 255]) expect(refusal({ scts: [{ version }, {}] })).toBeUndefined()
    expect(refusal({ scts: [{ version: 1 }, { signer: impostor }] })).toMatchObject({ code: 'SCT_UNVERIFIED' })
    expect(refusal({ scts: Array.from({ length: 17 }, () => ({ version: 1 })) })).toMatchObject({ code: 'SCT_INVALID' })
  })
  for (const [what, hash, signature] of [
    ['signature algorithm', 4, 7],
    ['hash', 2, 3],
  ] as const) {
    const odd = { algorithm: [hash, signature] } as const
    it(`one of an unknown ${what} does not count, and takes nothing from another`, () => {
      const reason = `an SCT that is signed with an unknown algorithm (hash ${hash}, signature ${signature}) was not counted`
      expect(refusal({ scts: [odd] })).toMatchObject({ code: 'SCT_UNVERIFIED', message: expect.stringContaining(reason) })
      for (const scts of [
        [odd, {}],
        [{}, odd],
        [{ ...odd, log: impostor }, {}],
      ]) {
        const { certificateTimestamps, notes } = verifySigned(signBlob({ scts }))
        expect(certificateTimestamps).toHaveLength(1)
        expect(notes).toContain(reason)
      }
      const signed = signBlob({ scts: [odd, {}] })
      expect(refusalOf(() => verifySigned(signed, { options: { thresholds: { scts: 2 } } }))).toMatchObject({ code: 'SCT_UNVERIFIED' })
      expect(refusal({ scts: [odd, { signer: impostor }] })).toMatchObject({ code: 'SCT_UNVERIFIED' })
      expect(refusal({ scts: [{}, ...Array.from({ length: 16 }, () => odd)] })).toMatchObject({ code: 'SCT_INVALID' })
    })
    it(`one of an unknown ${what} is refused for its form, as every other, and where it is given by itself`, () => {
      expect(refusal({ scts: [{}, { ...odd, behind: Uint8Array.of(0) }] })).toMatchObject({ code: 'SCT_INVALID' })
      expect(refusal({ scts: [{}, { ...odd, time: 2 ** 53 }] })).toMatchObject({ code: 'SCT_INVALID' })
      const signed = signBlob()
      const sct = detachedSct({ ...odd, log: universe.ctLog, time: epoch + 1000 }, signed.certificate)
      expect(refusalOf(() => verifySigned(signed, { options: { detachedSct: sct } }))).toMatchObject({ code: 'SCT_INVALID' })
    })
  }
  it('two of one log are one', () => {
    const signed = signBlob({ scts: [{}, { time: epoch + 2000 }] })
    expect(verifySigned(signed).certificateTimestamps).toHaveLength(2)
    expect(refusalOf(() => verifySigned(signed, { options: { thresholds: { scts: 2 } } }))).toMatchObject({ code: 'SCT_UNVERIFIED' })
  })
  it('none is needed when the caller says so', () => {
    expect(verifySigned(signBlob({ scts: [] }), { options: { thresholds: { scts: 0 } } }).certificateTimestamps).toEqual([])
  })
  it('a detached one serves a certificate without', () => {
    const signed = signBlob({ scts: [] })
    const sct = detachedSct({ log: universe.ctLog, time: epoch + 1000 }, signed.certificate)
    expect(verifySigned(signed, { options: { detachedSct: sct } }).certificateTimestamps).toHaveLength(1)
    const answer = encodeUtf8(` ${encodeSctAnswer(parseSct(sct))}\n`)
    expect(verifySigned(signed, { options: { detachedSct: answer } }).certificateTimestamps).toHaveLength(1)
    const other = detachedSct({ log: universe.ctLog, time: epoch + 1000 }, issueLeaf({ scts: [] }).der)
    for (const bytes of [other, encodeUtf8(encodeSctAnswer(parseSct(other)))])
      expect(refusalOf(() => verifySigned(signed, { options: { detachedSct: bytes } }))).toMatchObject({ code: 'SCT_UNVERIFIED' })
    for (const text of ['{}', '{"sct_version":1}', 'no SCT'])
      expect(refusalOf(() => verifySigned(signed, { options: { detachedSct: encodeUtf8(text) } }))?.code).toMatch(
        /SCT_INVALID|JSON_INVALID/,
      )
  })
  for (const [time, code] of [
    [8_640_000_000_000_000, undefined],
    [8_640_000_000_000_001, 'SCT_UNVERIFIED'],
    [Number.MAX_SAFE_INTEGER, 'SCT_UNVERIFIED'],
  ] as const) {
    it(`one of the time ${time} is ${code === undefined ? 'good, and not after the end of a window' : 'refused'}`, () => {
      const signed = signBlob({ scts: [{ time }] })
      const bendRoot = (root: TrustedRootJson): void => {
        for (const { publicKey } of root.ctlogs) publicKey.validFor = { ...publicKey.validFor, end: new Date(epoch + year).toISOString() }
      }
      expect(refusalOf(() => verifySigned(signed))?.code).toBe(code)
      expect(refusalOf(() => verifySigned(signed, { bendRoot }))?.code).toBe(code ?? 'SCT_UNVERIFIED')
    })
  }
  for (const [what, list] of [
    ['empty', '0000'],
    ['truncated', '00100001'],
    ['with bytes behind it', '000000'],
  ] as const) {
    it(`a list that is ${what} is refused`, () => {
      const value = derOctetString(Buffer.from(list, 'hex'))
      expect(refusal({ scts: [], certificate: { extensions: [extension('1.3.6.1.4.1.11129.2.4.2', value)] } })).toMatchObject({
        code: 'SCT_INVALID',
      })
    })
  }
})

describe('item 24: identity', () => {
  const check = (identities: readonly CertificateIdentity[], options: SigningOptions = {}): { code: string; message: string } | undefined =>
    refusalOf(() => verifySigned(signBlob(options), { policy: { signer: { kind: 'certificate', identities } } }))
  const exact: CertificateIdentity = { subjectAlternativeName: identity, issuer }

  it('both name and issuer must match', () => {
    expect(check([exact])).toBeUndefined()
    expect(check([{ ...exact, subjectAlternativeName: 'https://github.com/universe/app' }])).toMatchObject({
      code: 'IDENTITY_MISMATCH',
      message: expect.stringMatching(
        /got subjects \[https:\/\/github\.com\/universe.* with issuer https:\/\/token.*expected SAN value "https:\/\/github\.com\/universe\/app", got "/,
      ),
    })
    expect(check([{ ...exact, issuer: 'https://token.actions.universe.test/' }])).toMatchObject({
      code: 'IDENTITY_MISMATCH',
      message: expect.stringContaining(
        'expected issuer value "https://token.actions.universe.test/", got "https://token.actions.universe.test"',
      ),
    })
  })
  it('exactly: neither case, nor prefix, nor a pattern in an exact value', () => {
    for (const subjectAlternativeName of [identity.toUpperCase(), identity.slice(0, -1), `${identity} `, '.*', '']) {
      expect(check([{ ...exact, subjectAlternativeName }])?.code).toBe('IDENTITY_MISMATCH')
    }
  })
  it('one of several identities is enough, none is an error of the caller', () => {
    expect(check([{ ...exact, issuer: 'x' }, exact])).toBeUndefined()
    expect(check([])).toMatchObject({ code: 'POLICY_INVALID' })
  })
  it('a pattern matches anywhere, or the whole text if it is anchored', () => {
    expect(check([{ ...exact, subjectAlternativeName: compilePattern('universe/app') }])).toBeUndefined()
    expect(check([{ ...exact, subjectAlternativeName: compilePattern('universe/app', { anchored: true }) }])).toMatchObject({
      message: expect.stringContaining('to match regex "universe/app"'),
    })
    expect(
      check([{ ...exact, subjectAlternativeName: compilePattern('https://github.com/universe/.*', { anchored: true }) }]),
    ).toBeUndefined()
    expect(check([{ ...exact, issuer: compilePattern('^https://token') }])).toBeUndefined()
  })
  it('exact value and pattern must both match where both are given', () => {
    expect(check([{ ...exact, subjectAlternativeName: [identity, compilePattern('universe')] }])).toBeUndefined()
    expect(check([{ ...exact, subjectAlternativeName: [identity, compilePattern('multiverse')] }])?.code).toBe('IDENTITY_MISMATCH')
    expect(check([{ ...exact, subjectAlternativeName: ['x', compilePattern('universe')] }])?.code).toBe('IDENTITY_MISMATCH')
  })
  it("patterns are RE2's, in linear time", () => {
    expect(compilePattern('(?i)UNIVERSE\\z').matches('the universe')).toBe(true)
    expect(compilePattern('^(a+)+$').matches(`${'a'.repeat(5000)}b`)).toBe(false)
    expect(() => compilePattern('(?=x)')).toThrow('RE2 syntax')
    expect(() => compilePattern('(a)\\1')).toThrow('RE2 syntax')
  })
  it('the issuer is extension .8, or .1 in older certificates', () => {
    expect(check([exact], { certificate: { sigstore: { 1: issuer } } })).toBeUndefined()
    expect(check([exact], { certificate: { sigstore: { 8: issuer } } })).toBeUndefined()
    expect(check([exact], { certificate: { sigstore: { 1: issuer, 8: 'https://other.test' } } })?.code).toBe('IDENTITY_MISMATCH')
    expect(check([exact], { certificate: { sigstore: {} } })).toMatchObject({ message: expect.stringContaining('got none') })
  })
  for (const [index, name] of sigstoreExtensionNames.entries()) {
    const number = index + 1
    if (name === undefined || number === 1 || number === 8) continue
    it(`extension .${number} (${name}) is compared exactly`, () => {
      const options = { certificate: { sigstore: { 8: issuer, [number]: 'a value' } } }
      const extensions = (value: string): CertificateIdentity => ({ ...exact, extensions: { [name]: value } })
      expect(check([extensions('a value')], options)).toBeUndefined()
      expect(check([extensions('a valu')], options)).toMatchObject({
        message: expect.stringContaining(`expected ${name} "a valu", got "a value"`),
      })
      expect(check([extensions('a value')])).toMatchObject({ message: expect.stringContaining(`expected ${name} "a value", got none`) })
    })
  }
  it('an extension of the wrong encoding is refused', () => {
    const raw = extension('1.3.6.1.4.1.57264.1.9', new TextEncoder().encode('bare'))
    expect(check([exact], { certificate: { extensions: [raw] } })?.code).toMatch(/CERTIFICATE_INVALID|DER_INVALID/)
  })
})
