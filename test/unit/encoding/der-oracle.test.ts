/** DER that others wrote, read as others read it: keys of node:crypto, certificates of openssl, openssl and pkijs as judges. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import * as pkijs from 'pkijs'
import { describe, expect, it } from 'vitest'
import { DerReader, parseDerSequence } from '../../../src/encoding/der.ts'
import * as tag from '../../../src/encoding/universal-tag.ts'
import { derElement, derInteger, derTime } from '../../../src/encoding/der-writer.ts'
import { parsePem } from '../../../src/encoding/pem.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('skipped: there is no openssl program to compare with')

const keys: readonly (readonly [string, Uint8Array])[] = [
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })] as const,
  ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' })] as const,
  ['Ed25519', generateKeyPairSync('ed25519')] as const,
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })] as const,
].flatMap(([name, { publicKey, privateKey }]) => [
  [`a public key (${name})`, publicKey.export({ type: 'spki', format: 'der' })],
  [`a private key (${name})`, privateKey.export({ type: 'pkcs8', format: 'der' })],
])

function openssl(words: readonly string[], input: Uint8Array | string = ''): Buffer {
  const { status, stdout, stderr } = spawnSync('openssl', words, { input })
  if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stderr.toString()}`)
  return stdout
}

/** A certificate that openssl made, with an extension of each kind that is nested, and dates of both forms. */
function certificate(): Uint8Array {
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-', '-days', '40000']
  const subject = '/C=XX/O=Example ö/CN=countersign+serialNumber=1'
  const extensions = [
    'subjectAltName=critical,email:a@example.com,URI:https://example.com,DNS:example.com',
    'keyUsage=digitalSignature,keyCertSign',
  ]
  const pem = openssl([...words, '-utf8', '-multivalue-rdn', '-subj', subject, ...extensions.flatMap((one) => ['-addext', one])]).toString()
  const block = parsePem(pem, 'what openssl printed').find(({ label }) => label === 'CERTIFICATE')
  if (block === undefined) throw new Error('openssl printed no certificate')
  return block.der
}

interface Line {
  readonly at: number
  readonly depth: number
  readonly headLength: number
  readonly length: number
  readonly isConstructed: boolean
}

/** One line for each element, as `openssl asn1parse` prints them. */
function outline(bytes: Uint8Array, base: number, depth: number): Line[] {
  const lines: Line[] = []
  const reader = new DerReader(bytes, 'x')
  while (!reader.done) {
    const { tag: identifier, bytes: whole, content } = reader.any('x')
    const at = whole.byteOffset - base
    const isConstructed = (identifier & 0x20) !== 0
    lines.push({ at, depth, headLength: whole.length - content.length, length: content.length, isConstructed })
    if (isConstructed) lines.push(...outline(content, base, depth + 1))
  }
  return lines
}

const linePattern = /^ *(\d+):d=(\d+) +hl=(\d+) l= *(\d+) (cons|prim):/

function outlineOfOpenssl(bytes: Uint8Array): Line[] {
  const lines = openssl(['asn1parse', '-inform', 'DER'], bytes).toString().trimEnd().split('\n')
  return lines.map((line) => {
    const [, at, depth, headLength, length, form] = linePattern.exec(line) ?? []
    if (form === undefined) throw new Error(`openssl printed ${line}`)
    return { at: Number(at), depth: Number(depth), headLength: Number(headLength), length: Number(length), isConstructed: form === 'cons' }
  })
}

describe.skipIf(!hasOpenssl)('beside openssl, DER', () => {
  it.each([...keys, ['a certificate', hasOpenssl ? certificate() : new Uint8Array(0)] as const])(
    'of %s has the same elements',
    (_, bytes) => {
      expect(outline(bytes, bytes.byteOffset, 0)).toEqual(outlineOfOpenssl(bytes))
    },
  )

  it('of integers is read as they were written', () => {
    for (const value of [0n, 127n, 128n, -1n, -128n, -129n, 2n ** 64n, -(2n ** 64n)]) {
      const sign = value < 0n ? '-' : ''
      const digits = (value < 0n ? -value : value).toString(16).toUpperCase()
      const printed = openssl(['asn1parse', '-inform', 'DER'], derInteger(value)).toString()
      expect(printed.trim().split(':').at(-1)).toBe(`${sign}${digits.padStart(digits.length + (digits.length % 2), '0')}`)
    }
  })
})

describe.skipIf(!hasOpenssl)('beside pkijs, a certificate', () => {
  it('has the same fields', () => {
    const der = hasOpenssl ? certificate() : new Uint8Array(0)
    const theirs = pkijs.Certificate.fromBER(Uint8Array.from(der))
    const outer = parseDerSequence(der, 'the certificate')
    const tbs = outer.sequence('tbs')
    const version = tbs.context(0, 'version')?.smallInteger('version')
    expect(version).toBe(theirs.version)
    expect(Buffer.from(tbs.integerBytes('serial'))).toEqual(Buffer.from(theirs.serialNumber.valueBlock.valueHexView))
    expect(tbs.sequence('algorithm').oid('algorithm')).toBe(theirs.signature.algorithmId)

    const names: string[][] = []
    const issuer = tbs.sequence('issuer')
    while (!issuer.done) {
      const relative = issuer.set('relative name')
      while (!relative.done) {
        const attribute = relative.sequence('attribute')
        const type = attribute.oid('type')
        names.push([type, Buffer.from(attribute.any('value').content).toString('utf8')])
        attribute.end()
      }
    }
    expect(names).toEqual(theirs.issuer.typesAndValues.map(({ type, value }) => [type, value.valueBlock.value]))

    const validity = tbs.sequence('validity')
    const times = [validity.certificateTime('notBefore'), validity.certificateTime('notAfter')]
    expect(times).toEqual([theirs.notBefore.value.getTime(), theirs.notAfter.value.getTime()])
    expect(times.map((time) => derTime(time)[0])).toEqual([tag.utcTime, tag.generalizedTime])
    tbs.any('subject')
    tbs.any('key')

    const extensions: unknown[] = []
    const list = tbs.context(3, 'extensions')?.sequence('extensions') ?? new DerReader(new Uint8Array(0), 'x')
    while (!list.done) {
      const extension = list.sequence('extension')
      const id = extension.oid('id')
      const isCritical = extension.peekTag() === tag.boolean && extension.boolean('critical')
      extensions.push([id, isCritical, Buffer.from(extension.octetString('value')).toString('hex')])
      extension.end()
    }
    expect(extensions.length).toBeGreaterThan(3)
    expect(extensions).toEqual(
      theirs.extensions?.map(({ extnID, critical, extnValue }) => [
        extnID,
        critical,
        Buffer.from(extnValue.valueBlock.valueHexView).toString('hex'),
      ]),
    )
    tbs.end()

    outer.sequence('algorithm')
    expect(Buffer.from(outer.bitString('signature'))).toEqual(Buffer.from(theirs.signatureValue.valueBlock.valueHexView))
    outer.end()
    expect(derElement(tag.sequence, der.subarray(4))).toEqual(Uint8Array.from(der))
  })
})
