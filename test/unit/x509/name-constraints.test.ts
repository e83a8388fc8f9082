/** RFC 5280 section 4.2.1.10, form by form. */
import { describe, expect, it } from 'vitest'
import { contextTag } from '../../../src/encoding/der-tag.ts'
import { derElement, derExplicit, derImplicit, derInteger, derSequence } from '../../../src/encoding/der-writer.ts'
import { forbiddenName, parseNameConstraints } from '../../../src/x509/name-constraints.ts'
import { distinguishedName } from '../../support/universe/certificates.ts'

const text = (tag: number, name: string): Uint8Array => derImplicit(tag, Buffer.from(name))
const email = (name: string): Uint8Array => text(1, name)
const dns = (name: string): Uint8Array => text(2, name)
const uri = (name: string): Uint8Array => text(6, name)
const ip = (...octets: readonly number[]): Uint8Array => derImplicit(7, Uint8Array.from(octets))
const other = derElement(0x88, Uint8Array.of(0x2a, 3))
const none = derSequence()
const mapped = [...Array<number>(10).fill(0), 255, 255]

const list = (number: number, bases: readonly Uint8Array[]): Uint8Array[] =>
  bases.length === 0 ? [] : [derElement(contextTag(number, true), ...bases.map((base) => derSequence(base)))]
const constraints = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []) =>
  parseNameConstraints(derSequence(...list(0, permitted), ...list(1, excluded)))
const allows = (rules: ReturnType<typeof constraints>, names: readonly Uint8Array[], subject = none): boolean =>
  forbiddenName({ subject, alternativeNames: names.length === 0 ? undefined : derSequence(...names) }, rules) === undefined

describe('what may be issued where this is permitted', () => {
  it.each<[string, Uint8Array, readonly Uint8Array[], readonly Uint8Array[]]>([
    ['a mailbox', email('me@a.test'), [email('me@a.test'), email('me@A.TEST')], [email('you@a.test'), email('Me@a.test'), email('me')]],
    [
      'the mailboxes of a host',
      email('a.test'),
      [email('x@a.test')],
      [email('x@b.a.test'), email('x@xa.test'), email('"x@a.test"@b.test')],
    ],
    ['the mailboxes below a domain', email('.a.test'), [email('x@b.a.test')], [email('x@a.test'), email('x@ba.test')]],
    ['a host and all below', dns('a.test'), [dns('a.test'), dns('c.b.A.test')], [dns('ba.test'), dns('a.test.evil'), dns('test')]],
    ['any host', dns(''), [dns('a.test')], []],
    [
      'URIs of a host',
      uri('a.test'),
      [uri('https://a.test/x'), uri('spiffe://u@a.test:1/x')],
      [
        uri('https://b.a.test/'),
        uri('urn:a.test'),
        uri('https://a.test@b.test/'),
        uri('https://a.test:443@b.test/'),
        uri('https://u@a.test@b.test/'),
        uri('https://b.test\\@a.test/'),
        uri('https://a%2etest/'),
        uri('https://[::1]/'),
      ],
    ],
    [
      'URIs below a domain',
      uri('.a.test'),
      [uri('https://b.a.test')],
      [uri('https://a.test'), uri('https://10.0.0.1/'), uri('x:/.a.test')],
    ],
    ['a network', ip(10, 1, 0, 0, 255, 255, 0, 0), [ip(10, 1, 9, 9)], [ip(10, 2, 0, 0), ip(...Array<number>(16).fill(10))]],
  ])('%s', (_, base, within, outside) => {
    for (const name of within) expect(allows(constraints([base]), [name]), Buffer.from(name).toString()).toBe(true)
    for (const name of outside) expect(allows(constraints([base]), [name]), Buffer.from(name).toString()).toBe(false)
    // Names of another form are not spoken of.
    expect(allows(constraints([base]), [other])).toBe(true)
    // One that lies within does not cover for one that does not.
    for (const name of outside) expect(allows(constraints([base]), [...within, name])).toBe(false)
  })

  it('a part of the directory', () => {
    const base = derImplicit(4, distinguishedName('me'), true)
    expect(allows(constraints([base]), [], distinguishedName('me'))).toBe(true)
    expect(allows(constraints([base]), [], distinguishedName('you'))).toBe(false)
    expect(allows(constraints([base]), [], none)).toBe(true)
    expect(allows(constraints([derImplicit(4, none, true)]), [], distinguishedName('you'))).toBe(true)
  })

  it('nothing of a form that is not understood', () => {
    expect(allows(constraints([other]), [other])).toBe(false)
    expect(allows(constraints([other]), [email('me@a.test')])).toBe(true)
  })
})

describe('what may not be issued where this is excluded', () => {
  it.each<[string, Uint8Array, readonly Uint8Array[], readonly Uint8Array[]]>([
    ['a mailbox', email('me@a.test'), [email('ME@a.test')], [email('you@a.test')]],
    ['a host, with all below', email('a.test'), [email('x@a.test'), email('x@b.a.test'), email('x')], [email('x@ba.test')]],
    ['a host by its full name', dns('a.test'), [dns('a.test.'), dns('a.test..'), dns('b.a.test')], [dns('b.test')]],
    ['a host whose full name is given', dns('a.test.'), [dns('a.test'), dns('b.a.test.')], [dns('b.test')]],
    ['one of many hosts', dns('b.a.test'), [dns('*.a.test'), dns('*.b.a.test')], [dns('*.c.a.test')]],
    ['a mailbox, however it is written', email('me@a.test'), [email('"me"@a.test'), email('"m\\e"@A.test.')], [email('"you"@a.test')]],
    ['whatever a base means that is no host', uri('https://a.test/'), [uri('https://a.test/'), uri('https://b.test/')], [dns('a.test')]],
    ['a host that is written as others are not', uri('a.test'), [uri('https://a%2etest/'), uri('https://b.test\\@c.test/')], []],
    [
      'an address that version 6 has, too',
      ip(10, 0, 0, 0, 255, 0, 0, 0),
      [ip(...mapped, 10, 1, 2, 3)],
      [ip(...Array<number>(16).fill(10))],
    ],
    ['whatever a base means that is no network', ip(10, 0, 0), [ip(10, 1, 2, 3)], []],
    ['URIs of a host', uri('a.test'), [uri('https://a.test/x'), uri('https://b.a.test'), uri('urn:x')], [uri('https://b.test')]],
    ['a network', ip(10, 0, 0, 0, 255, 0, 0, 0), [ip(10, 1, 2, 3)], [ip(11, 1, 2, 3)]],
    ['a form that is not understood', other, [other], [email('x@a.test')]],
  ])('%s', (_, base, within, outside) => {
    for (const name of within) expect(allows(constraints([], [base]), [name]), Buffer.from(name).toString()).toBe(false)
    for (const name of outside) expect(allows(constraints([], [base]), [name]), Buffer.from(name).toString()).toBe(true)
  })

  it('whatever is permitted beside', () => {
    expect(allows(constraints([email('a.test')], [email('me@a.test')]), [email('me@a.test')])).toBe(false)
  })

  it('a part of the directory: no subject is known to lie outside', () => {
    expect(allows(constraints([], [derImplicit(4, distinguishedName('me'), true)]), [], distinguishedName('you'))).toBe(false)
  })
})

describe('name constraints', () => {
  it.each([
    ['that are empty', derSequence()],
    ['with a minimum', derSequence(derExplicit(0, derSequence(dns('a'), derImplicit(0, derInteger(1).subarray(2)))))],
    ['with something behind them', derSequence(derExplicit(0, derSequence(dns('a'))), derInteger(1))],
  ])('%s are refused', (_, value) => expect(() => parseNameConstraints(value)).toThrow(/name constraints|bytes stand after/))

  it('name what is refused, without what a terminal would act on', () => {
    const rules = constraints([email('a.test')])
    const name = forbiddenName({ subject: none, alternativeNames: derSequence(email('x\u001B@b.test')) }, rules)
    expect(name).toBe('"x?@b.test"')
  })
})
