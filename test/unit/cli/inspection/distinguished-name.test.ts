import { describe, expect, it } from 'vitest'
import { describeName } from '../../../../src/cli/inspection/distinguished-name.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { derElement, derInteger, derOid, derSequence, derSet, derUtf8String } from '../../../../src/encoding/der-writer.ts'
import { DecodingError } from '../../../../src/error.ts'

const commonName = '2.5.4.3'
const organization = '2.5.4.10'

function attribute(type: string, value: Uint8Array | string): Uint8Array {
  return derSequence(derOid(type), typeof value === 'string' ? derUtf8String(value) : value)
}

type Attribute = readonly [type: string, value: Uint8Array | string]

/** A Name with each attribute in a set of its own. */
function nameOf(...attributes: readonly Attribute[]): Uint8Array {
  return derSequence(...attributes.map(([type, value]) => derSet(attribute(type, value))))
}

function textOf(...attributes: readonly Attribute[]): string {
  return describeName(nameOf(...attributes)).text
}

// The expected texts are those that Go's pkix.Name.String gives.
describe('a distinguished name', () => {
  it('is empty when it has no attribute', () => {
    expect(describeName(derSequence())).toEqual({ text: '', commonName: '', organizations: [], countries: [] })
  })

  it('has its attributes in a fixed order, whatever theirs is', () => {
    const types = ['2.5.4.6', '2.5.4.8', '2.5.4.7', '2.5.4.9', '2.5.4.17', organization, '2.5.4.11', commonName, '2.5.4.5']
    const attributes = types.map((type, index) => [type, `${index}`] as const)
    const text = 'SERIALNUMBER=8,CN=7,OU=6,O=5,POSTALCODE=4,STREET=3,L=2,ST=1,C=0'
    expect(textOf(...attributes)).toBe(text)
    expect(textOf(...attributes.toReversed())).toBe(text)
  })

  it('joins attributes of one kind with a plus, but has one common name, the last', () => {
    const name = describeName(nameOf([organization, 'a'], [commonName, 'first'], [organization, 'b'], [commonName, 'last']))
    expect(name).toEqual({ text: 'CN=last,O=a+O=b', commonName: 'last', organizations: ['a', 'b'], countries: [] })
  })

  it('takes a set with several attributes apart', () => {
    expect(describeName(derSequence(derSet(attribute('2.5.4.6', 'XX'), attribute(organization, 'a')))).text).toBe('O=a,C=XX')
  })

  it.each([
    ['a,b+c"d\\e<f>g;h', 'a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h'],
    [' a b ', '\\ a b\\ '],
    ['#a#', '\\#a#'],
    [' ', '\\ '],
    ['=', '='],
  ])('escapes what has a meaning of its own: %j', (value, escaped) => {
    expect(textOf([commonName, value])).toBe(`CN=${escaped}`)
  })

  it('has attributes without a name at its end, encoded, the last first', () => {
    expect(textOf(['1.2.3', 'plain text'], [commonName, 'a'], ['1.2.4', 'a@b'])).toBe(
      'CN=a,1.2.4=#0c03614062,1.2.3=#130a706c61696e2074657874',
    )
  })

  it.each([
    ['PrintableString', 0x13, encodeUtf8('abc'), 'abc'],
    ['IA5String', 0x16, encodeUtf8('a@b'), 'a@b'],
    ['NumericString', 0x12, encodeUtf8('12 3'), '12 3'],
    ['TeletexString', 0x14, Uint8Array.of(0x61, 0xe9), 'aé'],
    ['BMPString', 0x1e, Uint8Array.of(0x00, 0x61, 0x20, 0xac), 'a€'],
    ['UTF8String that is not UTF-8', 0x0c, Uint8Array.of(0x61, 0xff), 'a\ufffd'],
  ])('may have a value that is a %s', (_, identifier, content, value) => {
    expect(describeName(nameOf([commonName, derElement(identifier, content)])).commonName).toBe(value)
  })

  it.each([
    ['no text', derInteger(5), '#020105'],
    ['half a BMPString', derElement(0x1e, Uint8Array.of(0x00, 0x61, 0x20)), '#1e03006120'],
  ])('shows a value that is %s in hexadecimal', (_, value, shown) => {
    expect(describeName(nameOf([commonName, value])).commonName).toBe(shown)
    expect(textOf(['1.2.3', value])).toBe(`1.2.3=${shown}`)
  })

  it.each([
    ['nothing', new Uint8Array(0), 'the name is missing'],
    ['something behind it', new Uint8Array([...derSequence(), 0x05, 0x00]), '2 bytes stand after the last element'],
    ['an attribute without value', derSequence(derSet(derSequence(derOid('1.2.3')))), 'the value is missing'],
    [
      'an attribute with two values',
      derSequence(derSet(derSequence(derOid('1.2.3'), derInteger(1), derInteger(2)))),
      '3 bytes stand after',
    ],
    ['a set that is a sequence', derSequence(derSequence()), 'a relative name has tag 0x30 where 0x31 was expected'],
  ])('is refused with %s', (_, name, message) => {
    expect(() => describeName(name)).toThrow(DecodingError)
    expect(() => describeName(name)).toThrow(
      expect.objectContaining({ code: 'DER_INVALID', message: expect.stringContaining(message) as string }),
    )
  })
})
