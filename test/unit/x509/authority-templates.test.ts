import { webcrypto } from 'node:crypto'
import * as pkijs from 'pkijs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { generatePrivateKey } from '../../../src/crypto/private-key.ts'
import { encodePem } from '../../../src/encoding/pem.ts'
import { createAuthority } from '../../../src/server/material.ts'
import type { AuthorityOptions } from '../../../src/x509/authority-templates.ts'
import { createIssuingCertificate, createRootCertificate, createTimestampingCertificate } from '../../../src/x509/authority-templates.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import { describeName } from '../../../src/x509/name.ts'
import * as oid from '../../../src/x509/object-identifiers.ts'
import { createCertificateAuthority } from '../../../src/x509/authority.ts'
import { verifyPath } from '../../../src/x509/path.ts'
import { createOpenssl, hasOpenssl } from '../../support/openssl.ts'
import { failureOf } from '../encoding/failure.ts'

const openssl = createOpenssl()
afterAll(() => openssl.remove())
beforeAll(() => pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto })))

const since = Date.UTC(2026, 0, 1)
const until = Date.UTC(2036, 0, 1)
const options = (commonName: string): AuthorityOptions => ({
  organization: 'sigstore.example.com',
  commonName,
  serialNumber: Uint8Array.of(0x40, 1, 2),
  notBeforeMs: since,
  notAfterMs: until,
})

interface Chain {
  readonly root: Uint8Array
  readonly intermediate: Uint8Array
  readonly timestamping: Uint8Array
}

function chainOf(rootKind: KeyKind, kind: KeyKind): Chain {
  const rootKey = generatePrivateKey(rootKind)
  const root = createRootCertificate(options('root'), rootKey.createSigner())
  const issuer = { signer: rootKey.createSigner(), name: parseCertificate(root).subject }
  return {
    root,
    intermediate: createIssuingCertificate(options('intermediate'), generatePrivateKey(kind).publicKey, issuer),
    timestamping: createTimestampingCertificate(options('tsa'), generatePrivateKey(kind).publicKey, issuer),
  }
}

const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der)
const pkijsOf = (der: Uint8Array): pkijs.Certificate => pkijs.Certificate.fromBER(Uint8Array.from(der))
const extensionsOf = (der: Uint8Array): (readonly [string, boolean])[] =>
  (pkijsOf(der).extensions ?? []).map(({ extnID, critical }) => [extnID, critical] as const)

describe.each<[KeyKind, KeyKind]>([
  ['ecdsa-p384', 'ecdsa-p256'],
  ['ecdsa-p256', 'ecdsa-p384'],
])('under a root of the key %s, with a key %s', (rootKind, kind) => {
  const chain = chainOf(rootKind, kind)
  const root = parseCertificate(chain.root)

  it('an intermediate issues code signing leaves alone, and no further authority', () => {
    const certificate = parseCertificate(chain.intermediate)
    expect(certificate).toMatchObject({
      basicConstraints: { ca: true, pathLength: 0 },
      extendedKeyUsage: [oid.codeSigning],
      keyUsage: { keyCertSign: true, digitalSignature: false },
      authorityKeyIdentifier: root.subjectKeyIdentifier,
    })
    expect(certificate.subjectKeyIdentifier).not.toEqual(root.subjectKeyIdentifier)
    expect(extensionsOf(chain.intermediate)).toEqual([
      ['2.5.29.15', true],
      ['2.5.29.37', false],
      ['2.5.29.19', true],
      ['2.5.29.14', false],
      ['2.5.29.35', false],
    ])
  })

  it('a root has no purpose and no bound, and names itself', () => {
    expect(root).toMatchObject({ basicConstraints: { ca: true, pathLength: undefined }, extendedKeyUsage: undefined })
    expect(root.issuer).toEqual(root.subject)
    expect(describeName(root.subject)).toEqual({ organization: 'sigstore.example.com', commonName: 'root' })
    expect(extensionsOf(chain.root)).toEqual([
      ['2.5.29.15', true],
      ['2.5.29.19', true],
      ['2.5.29.14', false],
    ])
  })

  it('a timestamp leaf is no authority, and its purpose is critical and alone', () => {
    expect(parseCertificate(chain.timestamping)).toMatchObject({
      basicConstraints: undefined,
      extendedKeyUsage: [oid.timeStamping],
      keyUsage: { digitalSignature: true, keyCertSign: false },
    })
    expect(extensionsOf(chain.timestamping)).toEqual([
      ['2.5.29.15', true],
      ['2.5.29.37', true],
      ['2.5.29.14', false],
      ['2.5.29.35', false],
    ])
  })

  it('pkijs verifies each up to the root, and none by a stranger', async () => {
    const stranger = pkijsOf(chainOf(rootKind, kind).root)
    for (const der of [chain.intermediate, chain.timestamping, chain.root]) {
      expect(await pkijsOf(der).verify(pkijsOf(chain.root))).toBe(true)
      expect(await pkijsOf(der).verify(stranger)).toBe(false)
    }
  })

  it.skipIf(!hasOpenssl)('openssl verifies each for its purpose, and for no other', () => {
    const file = openssl.file('root.pem', pem(chain.root))
    const verify = (der: Uint8Array, ...flags: readonly string[]) =>
      openssl.run(
        'verify',
        '-x509_strict',
        '-attime',
        String(since / 1000 + 60),
        ...flags,
        '-CAfile',
        file,
        openssl.file('one.pem', pem(der)),
      )
    expect(verify(chain.intermediate).output).toContain('OK')
    expect(verify(chain.timestamping, '-purpose', 'timestampsign').output).toContain('OK')
    expect(verify(chain.timestamping, '-purpose', 'sslserver').status).not.toBe(0)
    expect(verify(chain.intermediate, '-purpose', 'timestampsign').status).not.toBe(0)
  })

  it('our path validation takes the timestamp leaf while it is valid, and not before and after', () => {
    const leaf = parseCertificate(chain.timestamping)
    verifyPath(leaf, createCertificateAuthority([root], oid.timeStamping), [since])
    expect(() => verifyPath(leaf, createCertificateAuthority([root], oid.timeStamping), [until + 1000])).toThrow()
    expect(() => verifyPath(leaf, createCertificateAuthority([root], oid.timeStamping), [since - 1000])).toThrow()
  })
})

describe('a certificate of an authority is not made', () => {
  const signer = generatePrivateKey('ecdsa-p256').createSigner()
  const issuer = { signer, name: parseCertificate(createRootCertificate(options('root'), signer)).subject }

  it.each<[string, Partial<AuthorityOptions>, string]>([
    ['with a validity that is reversed', { notBeforeMs: until, notAfterMs: since }, "a certificate's validity ends after it begins"],
    ['with an organization that is too long', { organization: 'x'.repeat(65) }, 'has 1 to 64 characters, found 65'],
    ['with a common name that is too long', { commonName: 'x'.repeat(65) }, 'has 1 to 64 characters, found 65'],
    ['without a common name', { commonName: '' }, 'has 1 to 64 characters, found 0'],
    ['with a serial number of zero', { serialNumber: new Uint8Array(20) }, 'is positive and has at most 20 bytes'],
    ['with a serial number that is too long', { serialNumber: new Uint8Array(21).fill(1) }, 'is positive and has at most 20 bytes'],
  ])('%s', (_, changes, message) => {
    const changed = { ...options('authority'), ...changes }
    for (const make of [
      () => createRootCertificate(changed, signer),
      () => createIssuingCertificate(changed, signer.publicKey, issuer),
      () => createTimestampingCertificate(changed, signer.publicKey, issuer),
    ])
      expect(failureOf(make)).toContain(message)
  })
})

describe('the organization of a server whose host name is long', () => {
  const organizationOf = (hostname: string): string | undefined => {
    const { chain } = createAuthority('ca', { hostname, since, rootKey: 'ecdsa-p256', key: 'ecdsa-p256' })
    const [leaf, root] = chain.map((der) => describeName(parseCertificate(der).subject).organization)
    expect(leaf).toBe(root)
    return leaf
  }

  it('is the labels at its end that fit', () => {
    const tail = `${'b'.repeat(40)}.example.com`
    expect(organizationOf(`${'a'.repeat(60)}.${tail}`)).toBe(tail)
    expect(organizationOf(`${'a'.repeat(52)}.example.com`)).toBe(`${'a'.repeat(52)}.example.com`)
    expect(organizationOf(`x.${'a'.repeat(52)}.example.com`)).toBe(`${'a'.repeat(52)}.example.com`)
  })
})
