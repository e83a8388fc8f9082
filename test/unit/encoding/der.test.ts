import { describe, expect, it } from 'vitest'
import { DerReader, parseDer, parseDerSequence } from '../../../src/encoding/der.ts'
import { contextTag } from '../../../src/encoding/der-tag.ts'
import * as tag from '../../../src/encoding/universal-tag.ts'
import { derElement, derNamedBits } from '../../../src/encoding/der-writer.ts'
import { failureOf } from './failure.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const reader = (text: string): DerReader => new DerReader(hex(text), 'the key')
const refusal = (text: string, read: (from: DerReader) => unknown): string => failureOf(() => read(reader(text)))
const invalid = (reason: string): string => `DecodingError DER_INVALID: the key is not valid DER: ${reason}`

describe('an element', () => {
  it.each([
    ['of no content', '0500', 0x05, ''],
    ['of 127 bytes', `047f${'aa'.repeat(127)}`, 0x04, 'aa'.repeat(127)],
    ['of 128 bytes', `048180${'aa'.repeat(128)}`, 0x04, 'aa'.repeat(128)],
    ['of 256 bytes', `04820100${'aa'.repeat(256)}`, 0x04, 'aa'.repeat(256)],
    ['of 65,536 bytes', `0483010000${'aa'.repeat(65536)}`, 0x04, 'aa'.repeat(65536)],
    ['of a context-specific tag', 'a303020101', 0xa3, '020101'],
    ['of a primitive context-specific tag', '8301ff', 0x83, 'ff'],
    ['of the tag number 30', '9e00', 0x9e, ''],
    ['of an application tag', '6000', 0x60, ''],
    ['of a private tag', 'c000', 0xc0, ''],
    ['of the context-specific tag 0', '8000', 0x80, ''],
  ])('%s is read', (_, text, identifier, content) => {
    const element = parseDer(hex(text), 'x')
    expect(element.tag).toBe(identifier)
    expect([element.bytes, element.content].map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual([text, content])
  })

  it.each([
    ['is not there', '', 'it is missing'],
    ['has a tag number of 31 or more', '1f2100', 'it has a tag number over 30, which is not supported'],
    ['has a tag number of 31 or more in a context', 'bf2100', 'it has a tag number over 30, which is not supported'],
    ['is end-of-contents', '0000', 'it has the reserved tag 0'],
    ['is a constructed end-of-contents', '2000', 'it has the reserved tag 0'],
    ['is a primitive SEQUENCE', '1000', 'it has tag 0x10, which is primitive and must not be'],
    ['is a primitive SET', '1100', 'it has tag 0x11, which is primitive and must not be'],
    ['is an OCTET STRING in parts', '2403040161', 'it has tag 0x24, which is constructed and must not be'],
    ['is a BIT STRING in parts', '230403020061', 'it has tag 0x23, which is constructed and must not be'],
    ['is a UTF8String in parts', '2c030c0161', 'it has tag 0x2c, which is constructed and must not be'],
    ['is a constructed INTEGER', '2203020101', 'it has tag 0x22, which is constructed and must not be'],
    ['is a constructed NULL', '2500', 'it has tag 0x25, which is constructed and must not be'],
    ['is a time in parts', '3700', 'it has tag 0x37, which is constructed and must not be'],
    ['has no length', '30', 'it ends before its length'],
    ['has an indefinite length', '30800000', 'it has an indefinite length, which DER does not allow'],
    ['has a primitive indefinite length', '0480610000', 'it has an indefinite length, which DER does not allow'],
    ['has the reserved length FF', `30ff${'00'.repeat(127)}`, 'it has a length of 127 octets'],
    ['has a length of five octets', '30850000000000', 'it has a length of 5 octets'],
    ['has a length cut off', '3082', 'it ends inside its length'],
    ['has a length cut off after an octet', '308201', 'it ends inside its length'],
    ['has a long length below 128', '30810500000000ff', 'it has a length that is not minimal'],
    ['has a long length of 0', '308100', 'it has a length that is not minimal'],
    ['has a long length of 127', `04817f${'00'.repeat(127)}`, 'it has a length that is not minimal'],
    ['has a length with a leading zero', `04820080${'00'.repeat(128)}`, 'it has a length that is not minimal'],
    ['has a length of four octets with a leading zero', `0484000100${'00'.repeat(257)}`, 'it has a length that is not minimal'],
    ['is over 16 MiB', '048401000001', 'it is 16777217 bytes long, more than the limit of 16777216'],
    ['is of 4 GiB', '0484ffffffff00', 'it is 4294967295 bytes long, more than the limit of 16777216'],
    ['is cut off', '0405616263', 'it should have 5 bytes of content, only 3 are there'],
    ['is cut off before its content', '0401', 'it should have 1 bytes of content, only 0 are there'],
    ['is followed by another', '05000500', '2 bytes stand after the last element'],
    ['is followed by a zero byte', '050000', '1 bytes stand after the last element'],
    ['is followed by a newline', '05000a', '1 bytes stand after the last element'],
  ])('that %s is refused', (_, text, reason) => {
    expect(failureOf(() => parseDer(hex(text), 'it'))).toBe(`DecodingError DER_INVALID: it is not valid DER: ${reason}`)
  })

  it('is a view of the bytes received', () => {
    const bytes = hex('30030201ff')
    const { content, bytes: whole } = parseDer(bytes, 'x')
    expect(whole.buffer).toBe(bytes.buffer)
    expect([content.buffer, content.byteOffset]).toEqual([bytes.buffer, 2])
    expect(parseDer(Buffer.from(bytes).subarray(0), 'x').content).toEqual(Buffer.from('0201ff', 'hex'))
  })

  it('of exactly 16 MiB may still be cut off', () => {
    expect(failureOf(() => parseDer(hex('048401000000'), 'it'))).toMatch(/should have 16777216 bytes of content, only 0 are there$/)
  })
})

describe('DerReader', () => {
  it('reads elements one after another, and knows when there are none left', () => {
    const from = reader('0201050101ff0500')
    expect([from.peekTag(), from.done]).toEqual([tag.integer, false])
    expect(from.integer('x')).toBe(5n)
    expect(from.boolean('x')).toBe(true)
    expect(from.optional(tag.integer, 'x')).toBeUndefined()
    expect(from.optional(tag.null, 'x')?.bytes).toEqual(hex('0500'))
    expect(from.optional(tag.null, 'x')).toBeUndefined()
    expect([from.peekTag(), from.done]).toEqual([-1, true])
    from.end()
  })

  it('says what is missing, and where', () => {
    expect(refusal('', (from) => from.integer('the modulus'))).toBe(invalid('the modulus is missing'))
    expect(refusal('', (from) => from.any('the modulus'))).toBe(invalid('the modulus is missing'))
    expect(refusal('3000', (from) => from.sequence('the numbers').oid('the curve'))).toBe(
      'DecodingError DER_INVALID: the numbers is not valid DER: the curve is missing',
    )
  })

  it('says which tag was expected', () => {
    expect(refusal('020101', (from) => from.sequence('the key'))).toBe(invalid('the key has tag 0x02 where 0x30 was expected'))
    expect(refusal('3000', (from) => from.octetString('the key'))).toBe(invalid('the key has tag 0x30 where 0x04 was expected'))
    expect(refusal('2400', (from) => from.octetString('the key'))).toBe(invalid('the key has tag 0x24 where 0x04 was expected'))
    expect(refusal('1000', (from) => from.sequence('the key'))).toBe(invalid('the key has tag 0x10 where 0x30 was expected'))
    expect(refusal('8000', (from) => from.next(0x81, 'the key'))).toBe(invalid('the key has tag 0x80 where 0x81 was expected'))
  })

  it('stays where it was when something is refused', () => {
    const from = reader('020101')
    expect(() => from.boolean('x')).toThrow()
    expect(from.integer('x')).toBe(1n)
  })

  it('looks inside explicit tags, if they are there', () => {
    const from = reader('a0030201070500')
    const inside = from.context(0, 'x')
    expect(inside?.integer('x')).toBe(7n)
    inside?.end()
    expect(from.context(0, 'x')).toBeUndefined()
    expect(from.context(5, 'x')).toBeUndefined()
    expect(reader('8001ff').context(0, 'x')).toBeUndefined()
    from.null('x')
  })

  it('refuses what is left over, inside and after', () => {
    expect(refusal('3003020101', (from) => from.sequence('x').end())).toMatch(/3 bytes stand after the last element$/)
    expect(failureOf(() => parseDerSequence(hex('30000500'), 'the key'))).toBe(invalid('2 bytes stand after the last element'))
    expect(failureOf(() => parseDerSequence(hex('3100'), 'the key'))).toBe(invalid('the key has tag 0x31 where 0x30 was expected'))
    expect(parseDerSequence(hex('3003020101'), 'x').integer('x')).toBe(1n)
  })

  it('knows context-specific tags of 0 to 30', () => {
    expect([contextTag(0, false), contextTag(0, true), contextTag(30, true)]).toEqual([0x80, 0xa0, 0xbe])
  })

  it('goes 24 levels deep and no deeper, whatever the kind of nesting', () => {
    const kinds: readonly (readonly [string, (from: DerReader) => DerReader | undefined])[] = [
      ['30', (from) => from.sequence('it')],
      ['31', (from) => from.set('it')],
      ['a0', (from) => from.context(0, 'it')],
    ]
    for (const [identifier, enter] of kinds) {
      let nested = ''
      for (let depth = 0; depth < 60; depth++) nested = identifier + (nested.length / 2).toString(16).padStart(2, '0') + nested
      let from: DerReader | undefined = reader(nested)
      for (let depth = 0; depth < 24; depth++) from = from === undefined ? undefined : enter(from)
      const last = from
      expect(last?.done).toBe(false)
      expect(failureOf(() => last && enter(last))).toBe('DecodingError DER_INVALID: it is nested more than 24 levels deep')
    }
    expect(failureOf(() => new DerReader(hex(''), 'the name', 25))).toBe(
      'DecodingError DER_INVALID: the name is nested more than 24 levels deep',
    )
  })
})

describe('INTEGER', () => {
  it.each([
    ['00', 0n],
    ['01', 1n],
    ['7f', 127n],
    ['0080', 128n],
    ['00ff', 255n],
    ['0100', 256n],
    ['ff', -1n],
    ['80', -128n],
    ['ff7f', -129n],
    ['8000', -32768n],
    ['00ffffffffffffffff', 2n ** 64n - 1n],
    ['8000000000000000', -(2n ** 63n)],
  ])('of %s is %s', (content, value) => {
    const text = Buffer.from(derElement(tag.integer, hex(content))).toString('hex')
    expect(reader(text).integer('x')).toBe(value)
    expect(reader(text).integerBytes('x')).toEqual(hex(content))
  })

  it.each([
    ['without content', '0200', 'n is an INTEGER without content'],
    ['with a needless zero', '02020001', 'n is an INTEGER with an unnecessary leading byte'],
    ['of zero in two bytes', '02020000', 'n is an INTEGER with an unnecessary leading byte'],
    ['with a needless FF', '0202ff80', 'n is an INTEGER with an unnecessary leading byte'],
    ['of -1 in two bytes', '0202ffff', 'n is an INTEGER with an unnecessary leading byte'],
    ['of another type', '0a0101', 'n has tag 0x0a where 0x02 was expected'],
  ])('%s is refused', (_, text, reason) => {
    for (const read of [
      (from: DerReader) => from.integer('n'),
      (from: DerReader) => from.integerBytes('n'),
      (from: DerReader) => from.smallInteger('n'),
    ]) {
      expect(refusal(text, read)).toBe(invalid(reason))
    }
  })

  it('of more than 1,024 bytes is read as bytes only', () => {
    const text = `02820401${'11'.repeat(1025)}`
    expect(reader(text).integerBytes('n')).toHaveLength(1025)
    expect(refusal(text, (from) => from.integer('n'))).toBe(invalid('n is an INTEGER of 1025 bytes'))
    expect(reader(`02820400${'11'.repeat(1024)}`).integer('n')).toBe(BigInt(`0x${'11'.repeat(1024)}`))
  })

  it.each([
    ['020100', 0],
    ['02017f', 127],
    ['02020080', 128],
    ['02047fffffff', 2 ** 31 - 1],
  ])('of %s is small', (text, value) => {
    expect(reader(text).smallInteger('n')).toBe(value)
  })

  it.each([
    ['-1', '0201ff'],
    ['-128', '020180'],
    ['2^31', '02050080000000'],
    ['-2^31', '020480000000'],
    ['2^40', '0206010000000000'],
  ])('of %s is not small', (_, text) => {
    expect(refusal(text, (from) => from.smallInteger('n'))).toBe(invalid('n is not a number from 0 to 2^31 - 1'))
  })
})

describe('BOOLEAN and NULL', () => {
  it('are read', () => {
    expect(reader('0101ff').boolean('x')).toBe(true)
    expect(reader('010100').boolean('x')).toBe(false)
    reader('0500').null('x')
  })

  it.each([
    ['01', '010101'],
    ['FE', '0101fe'],
    ['80', '010180'],
    ['no content', '0100'],
    ['two bytes', '0102ffff'],
  ])('BOOLEAN of %s is refused', (_, text) => {
    expect(refusal(text, (from) => from.boolean('critical'))).toBe(invalid('critical is not a canonical BOOLEAN (00 or FF)'))
  })

  it('NULL with content is refused', () => {
    expect(refusal('050100', (from) => from.null('parameters'))).toBe(invalid('parameters is a NULL with content'))
    expect(refusal('0400', (from) => from.null('parameters'))).toBe(invalid('parameters has tag 0x04 where 0x05 was expected'))
  })
})

describe('OBJECT IDENTIFIER', () => {
  it('is read as dotted text', () => {
    expect(reader('06032a0304').oid('x')).toBe('1.2.3.4')
  })

  it.each([
    ['without content', '0600', 'of 0 bytes (1 to 128 are allowed)'],
    ['with an arc that begins with 80', '06042a800304', 'with an arc that is not minimal'],
    ['cut off', '06022a83', 'that is cut off'],
  ])('%s is refused', (_, text, reason) => {
    expect(refusal(text, (from) => from.oid('the curve'))).toBe(`DecodingError DER_INVALID: the curve is an object identifier ${reason}`)
  })
})

describe('strings', () => {
  it('are read', () => {
    expect(reader('0403616263').octetString('x')).toEqual(hex('616263'))
    expect(reader('0400').octetString('x')).toEqual(hex(''))
    expect(reader('030400616263').bitString('x')).toEqual(hex('616263'))
    expect(reader('030100').bitString('x')).toEqual(hex(''))
    expect(reader('0c03e282ac').utf8String('x')).toBe('€')
  })

  it.each([
    ['no content', '0300'],
    ['unused bits', '03020780'],
    ['unused bits and no bytes', '030101'],
    ['a count that is none', '0302ff00'],
  ])('BIT STRING with %s is not one of whole bytes', (_, text) => {
    expect(refusal(text, (from) => from.bitString('the point'))).toBe(invalid('the point is not a BIT STRING of whole bytes'))
  })

  it.each([
    ['Latin-1', '0c01e9'],
    ['an overlong slash', '0c02c0af'],
    ['a surrogate', '0c03eda080'],
  ])('UTF8String with %s is refused', (_, text) => {
    expect(refusal(text, (from) => from.utf8String('the name'))).toBe(invalid('the name is a UTF8String that is not UTF-8'))
  })
})

describe('named bits', () => {
  it.each([
    ['030100', []],
    ['03020780', [0]],
    ['03020106', [5, 6]],
    ['03020186', [0, 5, 6]],
    ['0303070080', [8]],
    ['03050000000001', [31]],
    ['030200ff', [0, 1, 2, 3, 4, 5, 6, 7]],
  ])('%s are those', (text, set) => {
    const bits = reader(text).namedBits('x')
    expect(bits.flatMap((bit, index) => (bit ? [index] : []))).toEqual(set)
    expect(derNamedBits(...set)).toEqual(hex(text))
  })

  const bad = 'the usage is not a BIT STRING of named bits'
  it.each([
    ['without content', '0300', bad],
    ['with 8 unused bits', '03020800', bad],
    ['with unused bits of nothing', '030107', bad],
    ['of more than 32 bits', '0306000000000001', bad],
    ['of nothing but zeros', '03020000', 'the usage has trailing zero bits'],
    ['with a zero at their end', '03020080', 'the usage has trailing zero bits'],
    ['with a zero byte at their end', '0303078000', 'the usage has trailing zero bits'],
    ['with too few unused bits', '03020580', 'the usage has trailing zero bits'],
    ['with an unused bit that is set', '030207c0', 'the usage has unused bits that are set'],
    ['with the last unused bit set', '03020781', 'the usage has unused bits that are set'],
  ])('%s are refused', (_, text, reason) => {
    expect(refusal(text, (from) => from.namedBits('the usage'))).toBe(invalid(reason))
  })
})

describe('the time of a certificate', () => {
  const time = (identifier: number, text: string): string => Buffer.from(derElement(identifier, Buffer.from(text))).toString('hex')

  it.each([
    [tag.utcTime, '491231235959Z', '2049-12-31T23:59:59Z'],
    [tag.utcTime, '500101000000Z', '1950-01-01T00:00:00Z'],
    [tag.generalizedTime, '20500101000000Z', '2050-01-01T00:00:00Z'],
    [tag.generalizedTime, '99991231235959Z', '9999-12-31T23:59:59Z'],
  ])('of tag %i and text %s is read', (identifier, text, iso) => {
    expect(reader(time(identifier, text)).certificateTime('x')).toBe(Date.parse(iso))
  })

  const unreal = 'DecodingError DER_INVALID: notAfter is not a canonical time: expected '
  it.each([
    [
      'before 2050 in the form for later ones',
      tag.generalizedTime,
      '20491231235959Z',
      invalid('notAfter is a GeneralizedTime before 2050'),
    ],
    ['with half a second', tag.generalizedTime, '20500101000000.5Z', invalid('notAfter has a fraction of a second')],
    // Below a millisecond, so that it cannot be seen in the instant.
    ['with a fraction that is lost', tag.generalizedTime, '20500101000000.0001Z', invalid('notAfter has a fraction of a second')],
    ['on 30 February', tag.utcTime, '240230000000Z', `${unreal}a date and time that exist`],
    ['without seconds', tag.utcTime, '2401010000Z', `${unreal}YYMMDDHHMMSSZ`],
    ['with an offset', tag.utcTime, '240101000000+0000', `${unreal}YYMMDDHHMMSSZ`],
    ['of four digits in the form for two', tag.utcTime, '20240101000000Z', `${unreal}YYMMDDHHMMSSZ`],
    ['of two digits in the form for four', tag.generalizedTime, '500101000000Z', `${unreal}YYYYMMDDHHMMSSZ`],
    ['as text', tag.utf8String, '240101000000Z', invalid('notAfter has tag 0x0c where 0x18 was expected')],
  ])('%s is refused', (_, identifier, text, message) => {
    expect(refusal(time(identifier, text), (from) => from.certificateTime('notAfter'))).toBe(message)
  })

  it('may have a fraction elsewhere', () => {
    expect(reader(time(tag.generalizedTime, '20240101000000.125Z')).generalizedTime('x')).toBe(Date.parse('2024-01-01T00:00:00.125Z'))
    expect(refusal(time(tag.utcTime, '240101000000Z'), (from) => from.generalizedTime('genTime'))).toBe(
      invalid('genTime has tag 0x17 where 0x18 was expected'),
    )
  })
})
