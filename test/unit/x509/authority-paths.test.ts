import { describe, expect, it } from 'vitest'
import { derExplicit, derImplicit, derSequence } from '../../../src/encoding/der-writer.ts'
import type { Certificate } from '../../../src/x509/certificate.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import * as oid from '../../../src/x509/object-identifiers.ts'
import { createCertificateAuthority } from '../../../src/x509/authority.ts'
import { verifyPath } from '../../../src/x509/path.ts'
import type { CertificateOptions, TestCertificate } from '../../support/universe/certificates.ts'
import { extension, issue } from '../../support/universe/certificates.ts'
import { epoch, identity, issueLeaf, namedKey } from '../../support/universe/universe.ts'
import { refusalOf } from '../../support/universe/verification.ts'

const year = 365 * 86_400_000
const then = epoch + 60_000
const now = { notBefore: epoch - year, notAfter: epoch + year }
const past = { notBefore: epoch - 3 * year, notAfter: epoch - year }

/** A certificate authority of this name, with the key of that name: the same one every time. */
const authority = (name: string, by?: TestCertificate, options: Partial<CertificateOptions> = {}): TestCertificate =>
  issue({ key: namedKey(`authority ${name}`), name, ca: true, ...now, ...options }, by)

const uriConstraint = (form: 0 | 1, host: string): Uint8Array =>
  extension('2.5.29.30', derSequence(derExplicit(form, derSequence(derImplicit(6, Buffer.from(host))))), true)

/** The path of a leaf at `then`, as the names of its authorities; what is wrong with it where there is none. */
function pathOf(issuer: TestCertificate, chain: readonly TestCertificate[]): string {
  const leaf = parseCertificate(issueLeaf({ issuedBy: issuer, subjects: [{ uri: identity }] }).der)
  let path: readonly Certificate[] = []
  const refusal = refusalOf(() => {
    path = verifyPath(
      leaf,
      createCertificateAuthority(
        chain.map(({ der }) => parseCertificate(der)),
        oid.codeSigning,
      ),
      [then],
    )
  })
  if (refusal !== undefined) return refusal.message
  return path
    .slice(1)
    .map(({ bytes }) => chain.find(({ der }) => Buffer.compare(der, bytes) === 0)?.name ?? '?')
    .join(' < ')
}

describe('an authority with several ways to its anchor', () => {
  const root = authority('root')

  it('verifies with an intermediate that was renewed, beside the one that has expired', () => {
    const [old, current] = [authority('inner', root, past), authority('inner', root)]
    for (const chain of [
      [old, current, root],
      [current, old, root],
    ])
      expect(pathOf(current, chain)).toBe('inner < root')
    expect(pathOf(current, [old, root])).toMatch(/^the certificate of O=universe.test, CN=inner was valid from /)
  })
  it('verifies where one further up was renewed', () => {
    const [old, current] = [authority('outer', root, past), authority('outer', root)]
    const inner = authority('inner', current)
    for (const chain of [
      [inner, old, current, root],
      [inner, current, old, root],
    ])
      expect(pathOf(inner, chain)).toBe('inner < outer < root')
  })
  it('verifies by the way whose name constraints allow the leaf', () => {
    const narrow = authority('outer', root, { extensions: [uriConstraint(0, 'elsewhere.test')] })
    const wide = authority('outer', root)
    const inner = authority('inner', wide)
    for (const chain of [
      [inner, narrow, wide, root],
      [inner, wide, narrow, root],
    ])
      expect(pathOf(inner, chain)).toBe('inner < outer < root')
    expect(pathOf(inner, [inner, narrow, root])).toMatch(/\(name constraints\)/)
  })
  it('verifies by the way that its path lengths allow', () => {
    const short = authority('outer', root, { pathLength: 0 })
    const long = authority('outer', root, { pathLength: 1 })
    const inner = authority('inner', long)
    for (const chain of [
      [inner, short, long, root],
      [inner, long, short, root],
    ])
      expect(pathOf(inner, chain)).toBe('inner < outer < root')
    expect(pathOf(inner, [inner, short, root])).toMatch(/allows 0 certificate authorities below it, 1 follow/)
  })
  it('is not led in circles by authorities that signed each other', () => {
    const strict = authority('strict root', undefined, { pathLength: 1 })
    const [a, b] = [authority('a', strict), authority('b', strict)]
    const [aByB, bByA] = [authority('a', b), authority('b', a)]
    for (const chain of [
      [aByB, bByA, a, strict],
      [bByA, aByB, a, strict],
      [a, bByA, aByB, strict],
    ])
      expect(pathOf(a, chain)).toBe('a < strict root')
    expect(pathOf(a, [aByB, bByA, strict])).toMatch(/has no path to the trusted anchor/)
  })
  it('is not led in circles by one that signed itself anew', () => {
    const inner = authority('inner', root)
    const again = Array.from({ length: 14 }, () => authority('inner', inner))
    expect(pathOf(inner, [...again, inner, root])).toContain('< root')
    expect(pathOf(inner, [...again, root])).toMatch(/no path to the trusted anchor/)
  })
})
