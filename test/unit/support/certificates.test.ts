import { X509Certificate } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { derNull, derOid } from '../../../src/encoding/der-writer.ts'
import type { CertificateOptions, TestCertificate } from '../../support/universe/certificates.ts'
import { certificateAlgorithm, detachedSct, extension, issue, sctExtension } from '../../support/universe/certificates.ts'
import type { KeyKind } from '../../support/universe/keys.ts'
import { epoch, issueLeaf, namedKey, universeOf } from '../../support/universe/universe.ts'
import { digestOf } from '../../support/universe/keys.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('skipped: openssl is not installed')

const validity = { notBefore: epoch, notAfter: epoch + 600_000 }
const kinds: readonly KeyKind[] = ['p256', 'p384', 'p521', 'rsa', 'ed25519']

function authorityOf(kind: KeyKind): TestCertificate {
  return issue({ key: namedKey('authority', kind), name: 'authority', ca: true, ...validity })
}

/** A leaf with one thing different. */
function leafWith(options: Partial<CertificateOptions>, authority = authorityOf('p256')): TestCertificate {
  return issue({ key: namedKey('leaf'), ...validity, ...options }, authority)
}

function opensslText(der: Uint8Array): string {
  const words = ['x509', '-inform', 'der', '-noout', '-text']
  const { status, stdout, stderr } = spawnSync('openssl', words, { input: der, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

describe('a certificate', () => {
  for (const kind of kinds) {
    it(`of a ${kind} authority is one that node accepts`, () => {
      const authority = authorityOf(kind)
      const leaf = new X509Certificate(leafWith({}, authority).der)
      const issuer = new X509Certificate(authority.der)
      expect(leaf.checkIssued(issuer)).toBe(true)
      expect(leaf.verify(authority.key.publicKey)).toBe(true)
      expect(issuer.verify(authority.key.publicKey)).toBe(true)
      expect([leaf.ca, issuer.ca]).toEqual([false, true])
    })
  }

  it('has the validity and the serial number that were asked for', () => {
    const leaf = new X509Certificate(leafWith({ serialNumber: Uint8Array.of(0x12, 0x34) }).der)
    expect(leaf.serialNumber).toBe('1234')
    expect([leaf.validFrom, leaf.validTo].map((time) => Date.parse(time))).toEqual([validity.notBefore, validity.notAfter])
  })

  it('differs from every other one by its serial number', () => {
    expect(leafWith({}).serialNumber).not.toEqual(leafWith({}).serialNumber)
  })

  it('signed by another key does not verify', () => {
    const leaf = new X509Certificate(leafWith({ signer: namedKey('stranger') }).der)
    expect(leaf.checkIssued(new X509Certificate(authorityOf('p256').der))).toBe(true)
    expect(leaf.verify(authorityOf('p256').key.publicKey)).toBe(false)
  })

  it('by an issuer of another name was not issued by the one who signed it', () => {
    const leaf = new X509Certificate(leafWith({ issuerName: 'nobody' }).der)
    expect(leaf.issuer).toContain('CN=nobody')
    expect(leaf.checkIssued(new X509Certificate(authorityOf('p256').der))).toBe(false)
    expect(leaf.verify(authorityOf('p256').key.publicKey)).toBe(true)
  })
})

describe('openssl', () => {
  const extensions: readonly (readonly [string, Partial<CertificateOptions>, RegExp])[] = [
    ['the empty subject of a leaf', {}, /Subject: *\n/],
    ['a common name', { name: 'leaf' }, /Subject: O = universe\.test, CN = leaf/],
    ['the key usage', {}, /Key Usage: critical\s+Digital Signature\n/],
    ['a key usage that is not critical', { keyUsageCritical: false, keyUsage: [0, 7] }, /Key Usage: \s+Digital Signature, Encipher Only\n/],
    ['the extended key usage', {}, /Extended Key Usage: \s+Code Signing\n/],
    ['a critical extended key usage', { extendedKeyUsageCritical: true }, /Extended Key Usage: critical/],
    ['basic constraints of an authority', { ca: true, pathLength: 3 }, /Basic Constraints: critical\s+CA:TRUE, pathlen:3/],
    ['basic constraints of a leaf', { basicConstraints: 'not critical' }, /Basic Constraints: \s+CA:FALSE/],
    ['an e-mail address', { subjects: [{ email: 'a@b.test' }] }, /Alternative Name: critical\s+email:a@b\.test/],
    ['a URI', { subjects: [{ uri: 'https://b.test/x' }] }, /URI:https:\/\/b\.test\/x/],
    ['a user name', { subjects: [{ username: 'a!b.test' }] }, /othername: *(1\.3\.6\.1\.4\.1\.57264\.1\.7::)?(a!b\.test|<unsupported>)/],
    ['a host', { subjects: [{ dns: 'b.test' }], subjectsCritical: false }, /Alternative Name: \s+DNS:b\.test/],
    ['an extension of its own', { extensions: [extension('1.2.3.4', derNull(), true)] }, /1\.2\.3\.4: critical/],
    ['an issuer without DER', { sigstore: { 1: 'https://i.test' } }, /57264\.1\.1: \s+https:\/\/i\.test/],
    ['an issuer in DER', { sigstore: { 8: 'https://i.test' } }, /57264\.1\.8: \s+\.\.https:\/\/i\.test/],
    ['an authority key identifier', { authorityKeyIdentifier: Uint8Array.of(1, 2) }, /Authority Key Identifier: \s+(keyid:)?01:02/],
  ]
  for (const [what, options, expected] of extensions) {
    it.skipIf(!hasOpenssl)(`finds ${what}`, () => {
      expect(opensslText(leafWith(options).der)).toMatch(expected)
    })
  }

  const absent: readonly (readonly [string, Partial<CertificateOptions>, RegExp])[] = [
    ['key usage', { keyUsage: 'none' }, /X509v3 Key Usage/],
    ['extended key usage', { extendedKeyUsage: 'none' }, /Extended Key Usage/],
    ['basic constraints', { ca: true, basicConstraints: 'none' }, /Basic Constraints/],
    ['subject alternative name', { subjects: [] }, /Alternative Name/],
    ['SCT', { scts: [] }, /SCTs/],
  ]
  for (const [what, options, unexpected] of absent) {
    it.skipIf(!hasOpenssl)(`finds no ${what} where none was asked for`, () => {
      expect(opensslText(leafWith(options).der)).not.toMatch(unexpected)
    })
  }

  it.skipIf(!hasOpenssl)('finds each SCT, with the log and the time it is of', () => {
    const { ctLog } = universeOf()
    const text = opensslText(issueLeaf({ scts: [{}, { time: epoch + 5000, extensions: Uint8Array.of(0, 0, 5, 0, 0, 0, 0, 9) }] }).der)
    const logId = [...digestOf('sha256', ctLog.spki)].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase())
    expect(text.match(/Signed Certificate Timestamp/g)).toHaveLength(2)
    expect(text.replaceAll(/\s/g, '')).toContain(logId.join(':'))
    expect(text).toContain('Jan 15 12:00:05.000 2026 GMT')
    expect(text).toMatch(/Extensions: 00:00:05:00:00:00:00:09/)
  })

  it.skipIf(!hasOpenssl)('finds nothing but bytes in an SCT list that is none', () => {
    const broken = leafWith({ extensions: [sctExtension([Uint8Array.of(0)])] })
    expect(opensslText(broken.der)).not.toContain('Signed Certificate Timestamp:')
  })

  it.skipIf(!hasOpenssl)('refuses a certificate that states two signature algorithms', () => {
    const { der } = leafWith({ outerAlgorithm: certificateAlgorithm('p384') })
    expect(new X509Certificate(der).verify(authorityOf('p256').key.publicKey)).toBe(false)
  })
})

describe('a detached SCT', () => {
  it('is over a whole certificate, and so differs with it', () => {
    const sct = { log: namedKey('ct'), time: epoch }
    const [one, two] = [leafWith({}), leafWith({})].map(({ der }) => detachedSct(sct, der))
    expect(one?.subarray(0, 43)).toEqual(two?.subarray(0, 43))
    expect(one).not.toEqual(two)
  })
})

describe('an extension', () => {
  it('states that it is critical only when it is', () => {
    const value = derOid('1.2.3')
    expect(Buffer.from(extension('1.2.3', value, true)).toString('hex')).toContain('0101ff')
    expect(Buffer.from(extension('1.2.3', value)).toString('hex')).not.toContain('0101')
  })
})
