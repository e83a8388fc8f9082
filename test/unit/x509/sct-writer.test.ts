import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { encodePem } from '../../../src/encoding/pem.ts'
import { generatePrivateKey } from '../../../src/crypto/private-key.ts'
import { encodeName, signCertificate } from '../../../src/x509/certificate-writer.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import { encodeSct, precertificateSignedBytes, sctListExtension } from '../../../src/x509/sct-writer.ts'
import { parseEmbeddedScts, parseSct } from '../../../src/x509/sct.ts'
import type { SignedCertificateTimestamp } from '../../../src/x509/sct.ts'
import { createOpenssl, hasOpenssl } from '../../support/openssl.ts'
import { failureOf } from '../encoding/failure.ts'

const openssl = createOpenssl()
afterAll(() => openssl.remove())

const log = generateKeyPairSync('ec', { namedCurve: 'P-256' })
// ECDSA signs differently each time.
const signature = Uint8Array.from(sign('sha256', Buffer.from('x'), log.privateKey))
const sct = (changes: Partial<SignedCertificateTimestamp> = {}): SignedCertificateTimestamp => ({
  logId: new Uint8Array(32).fill(7),
  timestamp: Date.UTC(2026, 0, 1, 12, 30, 15, 250),
  extensions: Uint8Array.of(0, 0, 5, 0, 0, 0, 1, 2),
  hashAlgorithm: 'sha256',
  signatureKind: 'ecdsa',
  signature,
  ...changes,
})

function certificateWith(...scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  const key = generatePrivateKey('ecdsa-p256')
  const name = encodeName({ commonName: 'sct' })
  const window = { notBeforeMs: 0, notAfterMs: 1_000_000 }
  const names = { issuer: name, subject: name, serialNumber: Uint8Array.of(1) }
  return signCertificate({ ...names, ...window, spki: key.publicKey.spki, extensions: [sctListExtension(...scts)] }, key.createSigner())
}

describe('a written SCT', () => {
  it.each<Partial<SignedCertificateTimestamp>>([
    {},
    { extensions: new Uint8Array(0) },
    { hashAlgorithm: 'sha512', signatureKind: 'rsa', signature: new Uint8Array(256).fill(1) },
    { hashAlgorithm: 'sha384' },
    { timestamp: Number.MAX_SAFE_INTEGER },
    { timestamp: 0 },
  ])('is read as it was: %j', (changes) => {
    expect(parseSct(encodeSct(sct(changes)))).toEqual(sct(changes))
  })

  it.skipIf(!hasOpenssl)('is read by openssl in a certificate, several of them too', () => {
    const [one, two] = [sct(), sct({ logId: new Uint8Array(32).fill(8), extensions: new Uint8Array(0) })]
    const der = certificateWith(one, two)
    const file = openssl.file('sct.pem', encodePem('CERTIFICATE', der))
    const text = Buffer.from(openssl.succeed('x509', '-in', file, '-noout', '-text')).toString()
    expect(text.match(/Signed Certificate Timestamp:/g)).toHaveLength(2)
    expect(text).toMatch(/Version +: v1 \(0x0\)\s+Log ID +: 07:07:07:07/)
    expect(text).toMatch(/Timestamp : Jan +1 12:30:15\.250 2026 GMT\s+Extensions: 00:00:05:00:00:00:01:02\s+Signature : ecdsa-with-SHA256/)
    expect(text).toMatch(/Log ID +: 08:08:08:08[^]*Extensions: none/)
    expect(parseEmbeddedScts(parseCertificate(der))).toEqual([one, two])
  })

  it.each<[string, Partial<SignedCertificateTimestamp>, string]>([
    ['a log ID of 31 bytes', { logId: new Uint8Array(31) }, 'a log ID has 32 bytes, found 31'],
    ['a log ID of 33 bytes', { logId: new Uint8Array(33) }, 'a log ID has 32 bytes, found 33'],
    ['a time before 1970', { timestamp: -1 }, 'does not fit in 8 bytes'],
    ['extensions that are too long', { extensions: new Uint8Array(65_536) }, '65536 does not fit in 2 bytes'],
    ['a signature that is too long', { signature: new Uint8Array(65_536) }, '65536 does not fit in 2 bytes'],
  ])('is not made with %s', (_, changes, message) => {
    expect(failureOf(() => encodeSct(sct(changes)))).toContain(message)
  })
})

describe('a list of SCTs', () => {
  it('is not made of none, nor of more than fit', () => {
    expect(failureOf(() => sctListExtension())).toBe('UsageError USAGE: an SCT list has at least one SCT')
    const large = sct({ extensions: new Uint8Array(60_000) })
    expect(failureOf(() => sctListExtension(large, large))).toContain('does not fit in 2 bytes')
  })
})

describe('what an SCT of a precertificate signs', () => {
  const tbs = Uint8Array.of(0x30, 0)
  const issuer = new Uint8Array(32).fill(9)

  it('is what RFC 6962 section 3.2 writes down', () => {
    const signed = precertificateSignedBytes({ timestamp: 0x0102, extensions: Uint8Array.of(5) }, tbs, issuer)
    expect(Buffer.from(signed).toString('hex')).toBe(`000000000000000001020001${'09'.repeat(32)}0000023000000105`)
  })

  it('is not made with the hash of an issuer that is none', () => {
    expect(failureOf(() => precertificateSignedBytes(sct(), tbs, new Uint8Array(20)))).toContain("the hash of an issuer's key has 32 bytes")
  })

  it('is not made of a certificate that is too long', () => {
    expect(failureOf(() => precertificateSignedBytes(sct(), new Uint8Array(2 ** 24), issuer))).toContain('does not fit in 3 bytes')
  })
})
