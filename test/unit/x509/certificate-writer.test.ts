import { createHash, webcrypto } from 'node:crypto'
import * as pkijs from 'pkijs'
import { afterAll, describe, expect, it } from 'vitest'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { generatePrivateKey } from '../../../src/crypto/private-key.ts'
import { derOid } from '../../../src/encoding/der-writer.ts'
import { encodePem } from '../../../src/encoding/pem.ts'
import { joinTbs, parseCertificate, tbsWithoutExtension } from '../../../src/x509/certificate.ts'
import type { CertificateTemplate, IssuedName } from '../../../src/x509/certificate-writer.ts'
import {
  authorityExtension,
  authorityKeyIdentifierExtension,
  encodeExtension,
  encodeName,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  poisonExtension,
  signCertificate,
  subjectAlternativeNameExtension,
  subjectKeyIdentifierExtension,
} from '../../../src/x509/certificate-writer.ts'
import { formatName } from '../../../src/x509/name.ts'
import { createOpenssl, hasOpenssl } from '../../support/openssl.ts'
import { failureOf } from '../encoding/failure.ts'

const openssl = createOpenssl()
afterAll(() => openssl.remove())

const key = generatePrivateKey('ecdsa-p256')
const name = encodeName({ organization: 'Universe', commonName: 'writer' })
const usual: CertificateTemplate = {
  serialNumber: Uint8Array.of(0x7f, 1, 2, 3),
  issuer: name,
  subject: name,
  notBeforeMs: Date.UTC(2026, 0, 1),
  notAfterMs: Date.UTC(2027, 0, 1),
  spki: key.publicKey.spki,
  extensions: [authorityExtension()],
}
const write = (changes: Partial<CertificateTemplate> = {}, signer = key.createSigner()): Uint8Array =>
  signCertificate({ ...usual, ...changes }, signer)
const textOf = (der: Uint8Array): string =>
  Buffer.from(openssl.succeed('x509', '-in', openssl.file('one.pem', encodePem('CERTIFICATE', der)), '-noout', '-text')).toString()
const pkijsOf = (der: Uint8Array): pkijs.Certificate => pkijs.Certificate.fromBER(Uint8Array.from(der))

describe.each<KeyKind>(['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'ed25519', 'rsa-2048'] as KeyKind[])(
  'a certificate of the key %s',
  (kind) => {
    const own = generatePrivateKey(kind)
    const der = write({ spki: own.publicKey.spki }, own.createSigner())

    it.skipIf(!hasOpenssl)('is one that openssl verifies, to the strictest of its rules', () => {
      const identified = write(
        {
          spki: own.publicKey.spki,
          extensions: [keyUsageExtension(5, 6), authorityExtension(), subjectKeyIdentifierExtension(keyIdentifier(own.publicKey))],
        },
        own.createSigner(),
      )
      const file = openssl.file('self.pem', encodePem('CERTIFICATE', identified))
      const at = String(Date.UTC(2026, 5, 1) / 1000)
      expect(openssl.run('verify', '-x509_strict', '-check_ss_sig', '-attime', at, '-CAfile', file, file).output).toContain('OK')
    })

    it('is one that pkijs verifies, but not with a bit changed', async () => {
      pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto }))
      // pkijs knows no Ed25519.
      if (kind === 'ed25519') return expect(parseCertificate(der).spki).toEqual(own.publicKey.spki)
      expect(await pkijsOf(der).verify()).toBe(true)
      const bent = Uint8Array.from(der)
      const at = Buffer.from(bent).indexOf(usual.serialNumber)
      bent[at] = (bent[at] ?? 0) ^ 1
      expect(await pkijsOf(bent).verify(pkijsOf(der))).toBe(false)
    })
  },
)

describe('the fields', () => {
  it('are read by pkijs as they were written', () => {
    const certificate = pkijsOf(write())
    expect(certificate.version).toBe(2)
    expect(Buffer.from(certificate.serialNumber.valueBlock.valueHexView).toString('hex')).toBe('7f010203')
    expect([certificate.notBefore.value.getTime(), certificate.notAfter.value.getTime()]).toEqual([usual.notBeforeMs, usual.notAfterMs])
    expect(certificate.subject.typesAndValues.map(({ type, value }) => [type, value.valueBlock.value])).toEqual([
      ['2.5.4.10', 'Universe'],
      ['2.5.4.3', 'writer'],
    ])
    expect(certificate.signatureAlgorithm.algorithmId).toBe('1.2.840.10045.4.3.2')
    expect(certificate.signature.algorithmId).toBe('1.2.840.10045.4.3.2')
  })

  it.skipIf(!hasOpenssl)('have times before 2050 as UTCTime and later ones as GeneralizedTime, without fractions', () => {
    const der = write({ notBeforeMs: Date.UTC(2049, 11, 31, 23, 59, 59, 999), notAfterMs: Date.UTC(2050, 0, 1) })
    const parsed = Buffer.from(openssl.succeed('asn1parse', '-inform', 'DER', '-in', openssl.file('times.der', der))).toString()
    expect(parsed).toMatch(/UTCTIME +:491231235959Z\n.*GENERALIZEDTIME +:20500101000000Z/)
  })

  it('may begin and end at the same instant', () => {
    expect(parseCertificate(write({ notAfterMs: usual.notBeforeMs }))).toMatchObject({ notAfter: usual.notBeforeMs })
  })

  it.each([
    ['begins after it ends', { notAfterMs: usual.notBeforeMs - 1 }],
    ['ends at no time', { notAfterMs: Number.NaN }],
    ['begins at no time', { notBeforeMs: Number.NaN }],
  ])('are not written for a validity that %s', (_, changes) => {
    expect(failureOf(() => write(changes))).toMatch(/^UsageError USAGE: a certificate's validity ends after it begins/)
  })

  it.each([
    ['a high bit', Uint8Array.of(0x80, 1)],
    ['zeros before it', Uint8Array.of(0, 0, 5)],
    ['20 bytes', new Uint8Array(20).fill(0x7f)],
  ])('have a serial number with %s as a positive integer', (_, serialNumber) => {
    const der = write({ serialNumber })
    expect(pkijsOf(der).serialNumber.toBigInt()).toBe(BigInt(`0x${Buffer.from(serialNumber).toString('hex')}`))
    if (!hasOpenssl) return
    const file = openssl.file('serial.pem', encodePem('CERTIFICATE', der))
    const shown = Buffer.from(openssl.succeed('x509', '-in', file, '-noout', '-serial')).toString()
    expect(BigInt(`0x${/^serial=([0-9A-F]+)\n$/.exec(shown)?.[1]}`)).toBe(BigInt(`0x${Buffer.from(serialNumber).toString('hex')}`))
  })

  it.each([
    ['none', new Uint8Array(0), 0],
    ['zero', Uint8Array.of(0), 0],
    ['21 bytes', new Uint8Array(21).fill(1), 21],
    ['20 bytes and a high bit', new Uint8Array(20).fill(0xff), 21],
  ])('are not written with a serial number that is %s', (_, serialNumber, found) => {
    expect(failureOf(() => write({ serialNumber }))).toBe(
      `UsageError USAGE: a certificate's serial number is positive and has at most 20 bytes, found ${found}`,
    )
  })
})

describe('a distinguished name', () => {
  it('has its parts in their order, and may have none', () => {
    expect(formatName(encodeName({ organization: 'O', commonName: 'C' }))).toBe('O=O, CN=C')
    expect(formatName(encodeName({ commonName: 'C' }))).toBe('CN=C')
    expect([...encodeName({})]).toEqual([0x30, 0])
  })

  it.skipIf(!hasOpenssl)('has any characters, 64 at most', () => {
    const longest = { organization: 'ü'.repeat(64), commonName: '𝔘'.repeat(64) }
    const subject = encodeName(longest)
    expect(formatName(subject)).toBe(`O=${longest.organization}, CN=${longest.commonName}`)
    const file = openssl.file('long.pem', encodePem('CERTIFICATE', write({ subject, issuer: subject })))
    const shown = Buffer.from(openssl.succeed('x509', '-in', file, '-noout', '-subject', '-nameopt', 'utf8,sep_comma_plus')).toString()
    expect(shown).toContain(longest.organization)
  })

  it.each([
    ['an organization', { organization: 'x'.repeat(65) }, 65],
    ['a common name', { commonName: 'ü'.repeat(65) }, 65],
    ['an organization', { organization: '' }, 0],
    ['a common name', { commonName: '' }, 0],
  ])('is not written with %s that is too long or empty', (_, parts, found) => {
    expect(failureOf(() => encodeName(parts))).toContain(
      `UsageError USAGE: a part of a certificate's name has 1 to 64 characters, found ${found}`,
    )
  })
})

describe('the signed part without one extension', () => {
  const oids = ['2.999.1', '2.999.2', '2.999.3']
  const certificate = parseCertificate(write({ extensions: oids.map((oid) => encodeExtension(oid, false, derOid(oid))) }))
  const others = (left: string): Uint8Array[] => certificate.extensions.flatMap(({ oid, bytes }) => (oid === left ? [] : [bytes]))

  it.each([...oids, '2.999.4'])('is that with the others: without %s', (oid) => {
    expect(Buffer.compare(tbsWithoutExtension(certificate, oid), joinTbs(certificate.tbsHead, others(oid)))).toBe(0)
  })

  it('has an empty list when there was no other', () => {
    const only = parseCertificate(write({ extensions: [encodeExtension('2.999.1', false, derOid('2.999'))] }))
    expect(Buffer.compare(tbsWithoutExtension(only, '2.999.1'), joinTbs(only.tbsHead, []))).toBe(0)
  })
})

describe('an extension', () => {
  it.skipIf(!hasOpenssl)('is read by openssl for what it is', () => {
    const identifier = keyIdentifier(key.publicKey)
    const text = textOf(
      write({
        extensions: [
          keyUsageExtension(0, 5, 6),
          extendedKeyUsageExtension(true, '1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.8'),
          authorityExtension(3),
          subjectKeyIdentifierExtension(identifier),
          authorityKeyIdentifierExtension(identifier),
          poisonExtension(),
          encodeExtension('2.999.7', false, derOid('2.999')),
        ],
      }),
    )
    const shown = Buffer.from(identifier)
      .toString('hex')
      .toUpperCase()
      .replaceAll(/..(?=.)/g, '$&:')
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/)
    expect(text).toMatch(/X509v3 Extended Key Usage: critical\s+Code Signing, Time Stamping/)
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:3/)
    expect(text).toMatch(new RegExp(`X509v3 Subject Key Identifier: *\\s+${shown}`))
    expect(text).toMatch(new RegExp(`X509v3 Authority Key Identifier: *\\s+(keyid:)?${shown}`))
    expect(text).toMatch(/CT Precertificate Poison: critical\s+NULL/)
    expect(text).toMatch(/2\.999\.7: *\n/)
  })

  it('identifies a key by the truncated SHA-256 of its bits (RFC 7093 section 2, method 1)', () => {
    const bits = key.publicKey.spki.subarray(-65)
    expect(Buffer.from(keyIdentifier(key.publicKey))).toEqual(createHash('sha256').update(bits).digest().subarray(0, 20))
  })

  it('is the same whether its identifier was written before or not', () => {
    expect(encodeExtension('2.999.8', true, Uint8Array.of(5, 0))).toEqual(encodeExtension('2.999.8', true, Uint8Array.of(5, 0)))
    expect(encodeExtension('2.999.8', true, Uint8Array.of(5, 0))).not.toEqual(encodeExtension('2.999.8', false, Uint8Array.of(5, 0)))
  })

  it('is not written without a usage or a purpose', () => {
    expect(failureOf(() => keyUsageExtension())).toBe('UsageError USAGE: a key usage has at least one bit')
    expect(failureOf(() => extendedKeyUsageExtension(false))).toBe('UsageError USAGE: an extended key usage has at least one purpose')
  })
})

describe('a subject alternative name', () => {
  const names: readonly (readonly [IssuedName, string])[] = [
    [{ kind: 'email', value: 'dev@example.com' }, 'email:dev@example.com'],
    [{ kind: 'uri', value: 'https://example.com/a?b=c' }, 'URI:https://example.com/a?b=c'],
    [{ kind: 'username', value: 'dév!example.com' }, 'othername'],
  ]

  it.each(names)('is %j, to our reader and to openssl', (issued, shown) => {
    const der = write({ extensions: [subjectAlternativeNameExtension(issued)] })
    expect(parseCertificate(der).subjectAlternativeNames).toEqual([issued])
    if (hasOpenssl)
      expect(textOf(der)).toMatch(new RegExp(`Subject Alternative Name: critical\\s+${shown.replaceAll(/[?.]/g, '\\$&')}`, 'i'))
  })

  it.each<IssuedName>([
    { kind: 'email', value: 'dév@example.com' },
    { kind: 'email', value: 'dev@example.com\0.evil.test' },
    { kind: 'email', value: '' },
    { kind: 'uri', value: 'https://example.com/\n' },
    { kind: 'uri', value: 'https://exämple.com' },
    { kind: 'uri', value: '' },
    { kind: 'username', value: '' },
  ])('is not written for %j', (issued) => {
    expect(failureOf(() => subjectAlternativeNameExtension(issued))).toContain('CERTIFICATE_INVALID: ')
  })
})
