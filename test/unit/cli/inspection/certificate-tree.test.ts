import { describe, expect, it } from 'vitest'
import { attempt } from '../../../../src/cli/inspection/attempt.ts'
import { certificateTree, publicKeyTree } from '../../../../src/cli/inspection/certificate-tree.ts'
import { describePublicKey } from '../../../../src/cli/inspection/public-key-details.ts'
import { renderTree } from '../../../../src/cli/inspection/tree.ts'
import { digest } from '../../../../src/crypto/digest.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import {
  derBitString,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
} from '../../../../src/encoding/der-writer.ts'
import { encodeHex } from '../../../../src/encoding/hex.ts'
import type { CertificateOptions } from '../../../support/universe/certificates.ts'
import { extension, issue } from '../../../support/universe/certificates.ts'
import type { KeyKind } from '../../../support/universe/keys.ts'
import { epoch, issueLeaf, issuer, namedKey, universeOf } from '../../../support/universe/universe.ts'
import { section } from './inspection.ts'

const hour = 3_600_000

function linesOf(der: Uint8Array): string[] {
  return renderTree(certificateTree(der)).trimEnd().split('\n')
}

function linesFor(options: Partial<CertificateOptions>): string[] {
  return linesOf(issue({ key: namedKey('inspected'), notBefore: epoch, notAfter: epoch + hour, ...options }).der)
}

function keyLines(spki: Uint8Array): string[] {
  return renderTree(publicKeyTree(attempt(() => describePublicKey(spki))))
    .trimEnd()
    .split('\n')
}

describe('the lines about a certificate', () => {
  it('are those of a signing certificate', () => {
    const { intermediate, ctLog } = universeOf()
    const leaf = issueLeaf({ key: namedKey('inspected') })
    expect(linesOf(leaf.der)).toEqual([
      '- Signature Algorithm: ECDSA-SHA384',
      '- Issuer:',
      '  - Common Name: intermediate',
      '  - Organization: universe.test',
      '- Validity:',
      '  - Not Before: 2026-01-15T12:00:00Z',
      '  - Not After: 2026-01-15T12:10:00Z',
      '- Subject Public Key Info:',
      '  - Algorithm: ECDSA',
      '  - Curve: P-256',
      expect.stringMatching(/^ {2}- Public Key: 04[0-9a-f]{6}\.\.\.[0-9a-f]{8} \(65 bytes\)$/),
      '- Extensions:',
      '  - Identity (Subject Alternative Name):',
      '    - URI: https://github.com/universe/app/.github/workflows/release.yml@refs/heads/main',
      '  - Key Usage: Digital Signature',
      '  - Extended Key Usage: Code Signing',
      `  - Subject Key ID: ${encodeHex(leaf.subjectKeyIdentifier)}`,
      `  - Authority Key ID: ${encodeHex(intermediate.subjectKeyIdentifier)}`,
      `  - OIDC Issuer: ${issuer}`,
      `  - Issuer (V2): ${issuer}`,
      '  - Signed Certificate Timestamps: 1',
      '    - Signed Certificate Timestamp [0]:',
      '      - Version: v1',
      `      - Log ID: ${encodeHex(digest('sha256', ctLog.spki))}`,
      '      - Timestamp: 2026-01-15T12:00:01Z',
      '      - Extensions: none',
      expect.stringMatching(/^ {6}- Signature: Present \(\d+ bytes\)$/),
      expect.stringMatching(/^- Signature: Present \(\d+ bytes\)$/),
    ])
  })

  it.each<[KeyKind, string]>([
    ['p256', 'ECDSA-SHA256'],
    ['p384', 'ECDSA-SHA384'],
    ['p521', 'ECDSA-SHA512'],
    ['rsa', 'SHA256-RSA'],
    ['ed25519', 'Ed25519'],
  ])('name the algorithm of a signature by a key of the kind %s as Go does', (kind, name) => {
    expect(linesFor({ key: namedKey('inspected', kind) })[0]).toBe(`- Signature Algorithm: ${name}`)
  })

  it('say when the SCT list has extensions', () => {
    const { ctLog } = universeOf()
    const lines = linesFor({
      scts: [
        { log: ctLog, time: epoch, extensions: new Uint8Array(8) },
        { log: ctLog, time: epoch },
      ],
    })
    expect(section(lines, 'Signed Certificate Timestamps').filter((line) => line.includes('Extensions'))).toEqual([
      '    - Extensions: 8 bytes',
      '    - Extensions: none',
    ])
  })

  it('say that an SCT time beyond every calendar is no date', () => {
    const lines = linesFor({ scts: [{ log: universeOf().ctLog, time: Number.MAX_SAFE_INTEGER }] })
    expect(section(lines, 'Timestamp')).toEqual(['- Timestamp: 9007199254740991 ms since 1970 (not a date)'])
  })

  it('show an SCT of an unknown algorithm beside another', () => {
    const log = universeOf().ctLog
    const lines = linesFor({
      scts: [
        { log, time: epoch, algorithm: [4, 7] },
        { log, time: epoch },
      ],
    })
    expect(section(lines, 'Signed Certificate Timestamps').filter((line) => line.includes('Log ID'))).toHaveLength(2)
  })

  it('show why an SCT list cannot be parsed, and go on', () => {
    const lines = linesFor({ extensions: [extension('1.3.6.1.4.1.11129.2.4.2', derOctetString(Uint8Array.of(0, 9, 1)))] })
    expect(section(lines, 'OID: 1.3.6.1.4.1.11129.2.4.2')).toEqual([
      '- OID: 1.3.6.1.4.1.11129.2.4.2: (Critical: false) [5 bytes] (cannot be parsed: the SCT list ends early: 9 more bytes were expected, 1 are left)',
    ])
    expect(lines.at(-1)).toMatch(/^- Signature: /)
  })

  it('show every extension that has no name with its identifier and length', () => {
    const lines = linesFor({ name: 'ca', ca: true, extensions: [extension('1.2.3.4', new Uint8Array(7), true)] })
    expect(lines).toContain('  - OID: 2.5.29.19: (Critical: true) [5 bytes]')
    expect(lines).toContain('  - OID: 1.2.3.4: (Critical: true) [7 bytes]')
  })

  it('show the extension whose identifier is meant for an otherName', () => {
    const value = (bytes: Uint8Array): string[] => linesFor({ extensions: [extension('1.3.6.1.4.1.57264.1.7', bytes)] })
    expect(value(derUtf8String('a!b'))).toContain('  - OtherName SAN: a!b')
    expect(value(encodeUtf8('bare'))).toContain('  - OtherName SAN: bare')
  })

  it('show all names, the kinds that cosign leaves out after the others', () => {
    const lines = linesFor({
      subjects: [
        { username: 'user!example.com' },
        { dns: 'host.example.com' },
        { uri: 'https://b' },
        { email: 'c@example.com' },
        { uri: 'https://a' },
      ],
    })
    expect(section(lines, 'Identity (Subject Alternative Name)')).toEqual([
      '- Identity (Subject Alternative Name):',
      '  - Email: c@example.com',
      '  - URI: https://b',
      '  - URI: https://a',
      '  - DNS Name: host.example.com',
      '  - User Name: user!example.com',
    ])
  })

  it('have no line for names when there are none', () => {
    expect(section(linesFor({}), 'Identity (Subject Alternative Name)')).toEqual([])
  })

  it('name every key usage', () => {
    expect(linesFor({ keyUsage: [0, 1, 2, 3, 4, 5, 6, 7, 8] })).toContain(
      '  - Key Usage: Digital Signature, Content Commitment, Key Encipherment, Data Encipherment, Key Agreement, Cert Sign, CRL Sign, Encipher Only, Decipher Only',
    )
    expect(linesFor({ keyUsage: 'none' }).some((line) => line.includes('- Key Usage'))).toBe(false)
  })

  it('name the purposes that are known, and list the others', () => {
    const lines = linesFor({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.2.3', '2.5.29.37.0', '1.2.4'] })
    expect(lines).toContain('  - Extended Key Usage: Server Auth, Any')
    expect(lines).toContain('  - Unknown Extended Key Usage: 1.2.3, 1.2.4')
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['bytes that are no DER', encodeUtf8('certificate')],
    ['another structure', derSequence(derInteger(1))],
    ['a certificate that is cut off', issueLeaf().der.slice(0, 300)],
  ])('are one, saying why, for %s', (_, der) => {
    expect(linesOf(der)).toEqual([expect.stringMatching(/^- Error: \(cannot be parsed: .+\)$/)])
  })
})

describe('the lines about a subject', () => {
  it('have its name and, with its common name, an identity', () => {
    const lines = linesFor({ name: 'someone' })
    expect(lines).toContain('- Subject: CN=someone,O=universe.test')
    expect(section(lines, 'Identity (Subject Alternative Name)')).toEqual([
      '- Identity (Subject Alternative Name):',
      '  - Common Name: someone',
    ])
  })

  it('are left out when it is empty, as are those about the issuer', () => {
    const lines = linesFor({ name: '' })
    expect([...section(lines, 'Subject'), ...section(lines, 'Issuer')]).toEqual([])
  })
})

describe('the lines about a public key', () => {
  const algorithm = (oid: string, ...parameters: readonly Uint8Array[]): Uint8Array => derSequence(derOid(oid), ...parameters)
  const rsa = (modulus: bigint): Uint8Array =>
    derSequence(algorithm('1.2.840.113549.1.1.1', derNull()), derBitString(derSequence(derInteger(modulus), derInteger(3))))

  it.each<[KeyKind, string[]]>([
    ['p384', ['- Algorithm: ECDSA', '- Curve: P-384', 'Public Key: 04 (97 bytes)']],
    ['p521', ['- Algorithm: ECDSA', '- Curve: P-521', 'Public Key: 04 (133 bytes)']],
    ['ed25519', ['- Algorithm: Ed25519', 'Public Key: (32 bytes)']],
    ['rsa', ['- Algorithm: RSA', '- Key Size: 2048 bits']],
  ])('are those that cosign has for a key of the kind %s', (kind, lines) => {
    const found = keyLines(namedKey('inspected', kind).spki)
    expect(found.map((line) => line.replace(/- Public Key: (04)?\w+\.\.\.\w{8}/, 'Public Key: $1').replace('  ', ' '))).toEqual(lines)
  })

  it.each([
    [1n << 1023n, 1024],
    [(1n << 1023n) - 1n, 1023],
    [1n, 1],
    [0n, 0],
  ])('give the size of an RSA key that nobody accepts', (modulus, bits) => {
    expect(keyLines(rsa(modulus))).toEqual(['- Algorithm: RSA', `- Key Size: ${bits} bits`])
  })

  it('give the identifier of a curve without a name', () => {
    const key = derSequence(algorithm('1.2.840.10045.2.1', derOid('1.3.132.0.10')), derBitString(Uint8Array.of(4, 1)))
    expect(keyLines(key)).toEqual(['- Algorithm: ECDSA', '- Curve: 1.3.132.0.10', '- Public Key: 0401'])
  })

  it('say that a key of another kind is unknown', () => {
    expect(keyLines(derSequence(algorithm('1.3.101.110'), derBitString(new Uint8Array(32))))).toEqual(['- Algorithm: Unknown'])
  })

  it.each([
    ['no DER', encodeUtf8('key'), /^- Algorithm: \(cannot be parsed: the public key is not valid DER: /],
    [
      'an RSA key without modulus',
      derSequence(algorithm('1.2.840.113549.1.1.1'), derBitString(derSequence())),
      /cannot be parsed: the RSA key is not valid DER: the modulus is missing/,
    ],
    [
      'an ECDSA key without curve',
      derSequence(algorithm('1.2.840.10045.2.1'), derBitString(Uint8Array.of(4))),
      /cannot be parsed: .*the curve is missing/,
    ],
    [
      'key bits that are no whole bytes',
      derSequence(algorithm('1.3.101.112'), derNamedBits(0)),
      /cannot be parsed: .*not a BIT STRING of whole bytes/,
    ],
  ])('say why %s cannot be parsed', (_, spki, message) => {
    expect(keyLines(spki)).toEqual([expect.stringMatching(message)])
  })
})
