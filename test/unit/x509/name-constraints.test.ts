/** RFC 5280 section 4.2.1.10, form by form. */
import { afterAll, describe, expect, it } from 'vitest'
import { contextTag } from '../../../src/encoding/der-tag.ts'
import { derElement, derExplicit, derImplicit, derInteger, derOid, derSequence, derSet } from '../../../src/encoding/der-writer.ts'
import { forbiddenName, parseNameConstraints } from '../../../src/x509/name-constraints.ts'
import { createOpenssl, hasOpenssl } from '../../support/openssl.ts'
import { distinguishedName, extension, issue, pemOf } from '../../support/universe/certificates.ts'
import { epoch, namedKey } from '../../support/universe/universe.ts'

const openssl = createOpenssl()
afterAll(() => openssl.remove())

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
})

describe('a part of the directory', () => {
  const [commonName, country, organization, unit] = ['2.5.4.3', '2.5.4.6', '2.5.4.10', '2.5.4.11']
  const encoded = (type: string, tag: number, content: string | Uint8Array): Uint8Array =>
    derSequence(derOid(type), derElement(tag, typeof content === 'string' ? Buffer.from(content) : content))
  const utf8 = (type: string, value: string): Uint8Array => encoded(type, 0x0c, value)
  const printable = (type: string, value: string): Uint8Array => encoded(type, 0x13, value)
  const nameOf = (...relative: readonly (Uint8Array | readonly Uint8Array[])[]): Uint8Array =>
    derSequence(...relative.map((attributes) => derSet(...(attributes instanceof Uint8Array ? [attributes] : attributes))))
  const acme = utf8(organization, 'Acme Mining')
  const base = derImplicit(4, nameOf(acme), true)
  const isPermitted = (subject: Uint8Array, of = base): boolean => allows(constraints([of]), [], subject)
  const isExcluded = (subject: Uint8Array, of = base): boolean => !allows(constraints([], [of]), [], subject)

  // What is the same whoever compares, by the rules of RFC 5280 section 7.1 and RFC 4518.
  it.each<[string, Uint8Array]>([
    ['the same', nameOf(acme)],
    ['everything below it', nameOf(acme, utf8(commonName, 'me'))],
    ['in another case', nameOf(utf8(organization, 'ACME mINING'))],
    ['as a PrintableString', nameOf(printable(organization, 'acme mining'))],
    ['with further spaces', nameOf(utf8(organization, '  Acme   Mining '))],
    ['with a tab and a non-breaking space', nameOf(utf8(organization, 'Acme\t\u00A0Mining'))],
    ['with what nobody sees', nameOf(utf8(organization, '\u200BAc\u00ADme\u0000 Mi\uFE0Fning\u200E'))],
    ['in letters of full width', nameOf(utf8(organization, '\uFF21\uFF43\uFF4D\uFF45\u3000\uFF2Dining'))],
  ])('holds a subject that is %s', (_, subject) => {
    expect([isPermitted(subject), isExcluded(subject)]).toEqual([true, true])
  })

  it.each<[string, Uint8Array]>([
    ['of another organization', nameOf(utf8(organization, 'Acme Minin'))],
    ['of another organization, by less than a word', nameOf(utf8(organization, 'AcmeMining'))],
    ['of another organization, in another alphabet', nameOf(utf8(organization, '\u0410\u0441me Mining'))],
    ['of another organization, with a letter that has an accent', nameOf(utf8(organization, 'Acm\u00E9 Mining'))],
    ['of the same name as a unit', nameOf(utf8(unit, 'Acme Mining'))],
    ['of the same organization, elsewhere in the name', nameOf(printable(country, 'XX'), acme)],
    ['whose relative name is empty', nameOf([])],
  ])('does not hold a subject %s', (_, subject) => {
    expect([isPermitted(subject), isExcluded(subject)]).toEqual([false, false])
  })

  // Nobody can tell whether these are the same, or programs do not agree.
  it.each<[string, Uint8Array]>([
    ['in TeletexString', nameOf(encoded(organization, 0x14, 'Acme Mining'))],
    ['in BMPString', nameOf(encoded(organization, 0x1e, Buffer.from('Acme Mining', 'utf16le').swap16()))],
    ['in UniversalString', nameOf(encoded(organization, 0x1c, Uint8Array.of(0, 0, 0, 0x41)))],
    ['in a string that is none', nameOf(encoded(organization, 0x04, 'Other'))],
    ['in bytes that are not UTF-8', nameOf(encoded(organization, 0x0c, Uint8Array.of(0xff)))],
    ['in a PrintableString that is not ASCII', nameOf(encoded(organization, 0x13, Uint8Array.of(0xe9)))],
    ['in characters of private use', nameOf(utf8(organization, 'Acme Mining\uE000'))],
    ['in characters that nobody has assigned', nameOf(utf8(organization, 'Acme Mining\u0378'))],
    ['with what stands for a character that could not be read', nameOf(utf8(organization, 'Acme\uFFFDMining'))],
    ['with blank letters', nameOf(utf8(organization, 'Acme Mining\u3164'))],
    ['with a letter that is another in capitals', nameOf(utf8(organization, 'Acme M\u0131ning'))],
    ['with further attributes beside it', nameOf([acme, utf8(unit, 'x')])],
    ['with the attribute twice', nameOf([acme, acme])],
  ])('is neither permitted to a subject %s, nor does that evade it where it is excluded', (_, subject) => {
    expect([isPermitted(subject), isExcluded(subject)]).toEqual([false, true])
  })

  it.skipIf(!hasOpenssl)('is what openssl takes it for', () => {
    const [key, issuing] = [namedKey('anchor'), namedKey('issuing')]
    const window = { notBefore: epoch, notAfter: epoch + 86_400_000 }
    const anchor = issue({ key, name: 'anchor', ca: true, ...window })
    const anchorFile = openssl.file('anchor.pem', pemOf(anchor.der))
    const isTaken = (number: 0 | 1, subject: Uint8Array): boolean => {
      const limit = extension('2.5.29.30', derSequence(...list(number, [base])), true)
      const issuer = issue({ key: issuing, name: 'issuing', ca: true, extensions: [limit], ...window }, anchor)
      const names = { subjects: [{ der: derImplicit(4, subject, true) }], subjectsCritical: true }
      const leaf = issue({ key: namedKey('leaf'), ...names, ...window }, issuer)
      const files = ['-untrusted', openssl.file('issuer.pem', pemOf(issuer.der)), openssl.file('leaf.pem', pemOf(leaf.der))]
      return openssl.run('verify', '-attime', String(epoch / 1000 + 60), '-CAfile', anchorFile, ...files).status === 0
    }
    for (const subject of [
      nameOf(acme),
      nameOf(acme, utf8(commonName, 'me')),
      nameOf(utf8(organization, ' aCME   mining ')),
      nameOf(printable(organization, 'Acme Mining')),
      nameOf(printable(organization, 'Acme Minin')),
      nameOf(utf8(organization, 'AcmeMining')),
      nameOf(utf8(unit, 'Acme Mining')),
      nameOf(printable(country, 'XX'), acme),
    ]) {
      expect(isTaken(0, subject), Buffer.from(subject).toString()).toBe(isPermitted(subject))
      expect(isTaken(1, subject), Buffer.from(subject).toString()).toBe(!isExcluded(subject))
    }
  })

  it('has its relative names compared as sets', () => {
    const pair = derImplicit(4, nameOf([acme, utf8(unit, 'Tools')]), true)
    const turned = nameOf([printable(unit, 'TOOLS'), utf8(organization, 'ACME MINING')], utf8(commonName, 'me'))
    expect([isPermitted(turned, pair), isExcluded(turned, pair)]).toEqual([true, true])
    for (const other of [nameOf(acme), nameOf(acme, utf8(unit, 'Tools')), nameOf([acme, utf8(unit, 'Toys')]), nameOf([acme, acme])]) {
      expect([isPermitted(other, pair), isExcluded(other, pair)]).toEqual([false, false])
    }
  })

  it('of the same bytes is permitted, however they are encoded', () => {
    for (const tag of [0x14, 0x1e, 0x04, 0x0c]) {
      const odd = nameOf(encoded(organization, tag, Uint8Array.of(0xff, 0xfe)))
      expect(isPermitted(odd, derImplicit(4, odd, true))).toBe(true)
    }
  })

  it('too long to be compared is in doubt, and takes no longer for it', () => {
    const marks = `a${'\u0301\u0323'.repeat(8000)}`
    const bases = Array.from({ length: 200 }, (_, number) => derImplicit(4, nameOf(utf8(organization, `other ${number}`)), true))
    const long = nameOf(utf8(organization, marks))
    expect(allows(constraints(bases), [], long)).toBe(false)
    expect(allows(constraints([], bases), [], long)).toBe(false)
    expect(
      isPermitted(nameOf(utf8(organization, 'b'.repeat(1024))), derImplicit(4, nameOf(utf8(organization, 'B'.repeat(1024))), true)),
    ).toBe(true)
    expect(
      isPermitted(nameOf(utf8(organization, 'b'.repeat(1025))), derImplicit(4, nameOf(utf8(organization, 'B'.repeat(1025))), true)),
    ).toBe(false)
  })

  it('is as deep as it is: a subject above it is neither permitted nor excluded', () => {
    const deep = derImplicit(4, nameOf(acme, utf8(unit, 'Tools')), true)
    expect([isPermitted(nameOf(acme), deep), isExcluded(nameOf(acme), deep)]).toEqual([false, false])
  })

  it('that is the whole of it holds every subject', () => {
    const whole = derImplicit(4, none, true)
    expect([isPermitted(nameOf(acme), whole), isExcluded(nameOf(acme), whole), isExcluded(none, whole)]).toEqual([true, true, false])
  })

  it('is compared with the names in the alternatives of the subject, too', () => {
    const within = derImplicit(4, nameOf(printable(organization, 'ACME MINING')), true)
    const outside = derImplicit(4, nameOf(utf8(organization, 'Others')), true)
    expect(allows(constraints([base]), [within], nameOf(acme))).toBe(true)
    expect(allows(constraints([base]), [within, outside], nameOf(acme))).toBe(false)
    expect(allows(constraints([], [base]), [outside])).toBe(true)
    expect(allows(constraints([], [base]), [outside, within])).toBe(false)
  })

  it.each<[string, Uint8Array]>([
    ['that is no name', derImplicit(4, derInteger(1), true)],
    ['with something behind it', derImplicit(4, Buffer.concat([nameOf(acme), derInteger(1)]), true)],
    ['whose relative name is none', derImplicit(4, derSequence(derSequence()), true)],
    ['whose attribute has no value', derImplicit(4, nameOf(derSequence(derOid(organization))), true)],
    ['whose attribute has two values', derImplicit(4, nameOf(derSequence(derOid(organization), derInteger(1), derInteger(2))), true)],
  ])('%s is refused', (_, odd) => {
    for (const rules of [constraints([odd]), constraints([], [odd])])
      expect(() => allows(rules, [], nameOf(acme))).toThrow(expect.objectContaining({ code: 'DER_INVALID' }))
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
