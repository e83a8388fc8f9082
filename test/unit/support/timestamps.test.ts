import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { derNull } from '../../../src/encoding/der-writer.ts'
import { distinguishedName, extension, pemOf } from '../../support/universe/certificates.ts'
import type { KeyKind } from '../../support/universe/keys.ts'
import type { TimestampOptions } from '../../support/universe/timestamps.ts'
import { attribute, timestamp } from '../../support/universe/timestamps.ts'
import type { Universe } from '../../support/universe/universe.ts'
import { epoch, namedKey, universeOf } from '../../support/universe/universe.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('skipped: openssl is not installed')

const folder = mkdtempSync(path.join(tmpdir(), 'countersign-timestamps-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const stamped = Buffer.from('a signature')

function file(name: string, contents: Uint8Array | string): string {
  const place = path.join(folder, name)
  writeFileSync(place, contents)
  return place
}

interface Circumstances extends Partial<TimestampOptions> {
  readonly universe?: Universe
  readonly over?: Uint8Array
}

function stamp({ universe = universeOf(), over = stamped, ...options }: Circumstances): Uint8Array {
  return timestamp(over, universe.timestampLeaf, { genTime: epoch, ...options })
}

/** What `openssl ts -verify` says of a token over `stamped`, by the time of the token. */
function opensslVerify(circumstances: Circumstances): string {
  const { timestampRoot, timestampLeaf } = circumstances.universe ?? universeOf()
  const words = ['ts', '-verify', '-data', file('data', stamped), '-in', file('token.tsr', stamp(circumstances))]
  const trust = ['-CAfile', file('root.pem', pemOf(timestampRoot.der)), '-untrusted', file('leaf.pem', pemOf(timestampLeaf.der))]
  const { stdout, stderr } = spawnSync('openssl', [...words, ...trust, '-attime', String(epoch / 1000)], { encoding: 'utf8' })
  return stdout + stderr
}

function opensslText(circumstances: Circumstances): string {
  const { stdout, stderr } = spawnSync('openssl', ['ts', '-reply', '-text', '-in', file('token.tsr', stamp(circumstances))], {
    encoding: 'utf8',
  })
  return stdout + stderr
}

describe('openssl accepts a timestamp', () => {
  const good: readonly (readonly [string, Circumstances])[] = [
    ['by default', {}],
    ['of SHA-384', { imprint: 'sha384' }],
    ['of SHA-512', { imprint: 'sha512' }],
    ['with its certificates', { certificates: [universeOf().timestampLeaf.der, universeOf().timestampRoot.der] }],
    ['with a nonce and an order', { nonce: 0xffn, ordering: true, accuracy: 'none' }],
    ['with fractions of a second', { genTimeText: '20260115120000.25Z' }],
    ['with another attribute', { attributes: [attribute('1.2.3.4', derNull())] }],
    ...(['p256', 'p384', 'p521', 'rsa'] satisfies KeyKind[]).map(
      (timestampKey) => [`of a ${timestampKey} authority`, { universe: universeOf({ timestampKey }) }] as const,
    ),
  ]
  for (const [what, circumstances] of good) {
    it.skipIf(!hasOpenssl)(what, () => {
      expect(opensslVerify(circumstances)).toContain('Verification: OK')
    })
  }
})

describe('openssl refuses a timestamp', () => {
  const elsewhere = universeOf({ name: 'elsewhere' })
  const bad: readonly (readonly [string, Circumstances, RegExp])[] = [
    ['of other bytes', { over: Buffer.from('another signature') }, /message imprint mismatch/],
    ['by another key', { key: namedKey('stranger') }, /signature failure/],
    [
      'of an authority it does not trust',
      { names: elsewhere.timestampLeaf, certificates: [elsewhere.timestampLeaf.der] },
      /certificate verify error/,
    ],
    ['naming a certificate that is not there', { issuerName: distinguishedName('nobody') }, /signer certificate not found/],
    ['with another message digest', { wrongMessageDigest: true }, /digest failure|signature failure/],
    ['with another certificate hash', { wrongCertificateHash: true }, /ess signing cert|cert ?id|not found/i],
    ['without a certificate hash', { withoutCertificateHash: true }, /missing signing certificate attribute|invalid signer/],
    ['that was refused', { status: 2, withoutToken: true }, /Status: Rejected|response rejected|status/i],
    ['that was refused and is there', { status: 2 }, /token present/],
    ['that is missing', { withoutToken: true }, /no content|token|unspecified/i],
    [
      'before its authority began',
      { universe: universeOf({ certificates: { timestampLeaf: { notBefore: epoch + 1000 } } }) },
      /not yet valid/,
    ],
  ]
  for (const [what, circumstances, message] of bad) {
    it.skipIf(!hasOpenssl)(what, () => {
      const output = opensslVerify(circumstances)
      expect(output).not.toContain('Verification: OK')
      expect(output).toMatch(message)
    })
  }
})

describe('openssl reads', () => {
  const fields: readonly (readonly [string, Circumstances, RegExp])[] = [
    ['the status', { status: 1 }, /Status: Granted with modifications|Status: .*modif/i],
    ['the policy', { policy: '1.2.3.4' }, /Policy OID: 1\.2\.3\.4\n/],
    ['the usual policy', {}, /Policy OID: 1\.3\.6\.1\.4\.1\.57264\.2\n/],
    ['the serial number', { serialNumber: 0x1234n }, /Serial number: 0x1234\n/],
    ['the time', { genTime: Date.UTC(2020, 1, 29, 1, 2, 3) }, /Time stamp: Feb 29 01:02:03 2020 GMT/],
    ['the accuracy', { accuracy: 7 }, /Accuracy: 0x07 seconds/],
    ['that there is no accuracy', { accuracy: 'none' }, /Accuracy: unspecified/],
    ['the order', { ordering: true }, /Ordering: yes/],
    ['that there is no order', {}, /Ordering: no/],
    ['the nonce', { nonce: 0xabcdn }, /Nonce: 0xABCD/],
    ['the name of the authority', {}, /TSA: DirName:\/?O ?= ?universe\.test[,/] ?CN ?= ?tsa/],
    ['the extensions', { extensions: [extension('1.2.3.4', derNull(), true)] }, /1\.2\.3\.4: critical/],
  ]
  for (const [what, circumstances, expected] of fields) {
    it.skipIf(!hasOpenssl)(what, () => {
      expect(opensslText(circumstances)).toMatch(expected)
    })
  }
})

it('a timestamp differs from every other one by its serial number', () => {
  expect(stamp({})).not.toEqual(stamp({}))
})
