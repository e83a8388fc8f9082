import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDer } from '../../../src/encoding/der.ts'
import * as tag from '../../../src/encoding/universal-tag.ts'
import {
  derBitString,
  derBoolean,
  derElement,
  derExplicit,
  derGeneralizedTime,
  derImplicit,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtcTime,
  derUtf8String,
} from '../../../src/encoding/der-writer.ts'
import { failureOf } from './failure.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('a written element', () => {
  it.each([
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65535, '0482ffff'],
    [65536, '0483010000'],
  ])('of %i bytes begins with %s', (length, head) => {
    const written = derElement(tag.octetString, new Uint8Array(length))
    expect(text(written.subarray(0, head.length / 2))).toBe(head)
    expect(written).toHaveLength(length + head.length / 2)
    expect(parseDer(written, 'x').content).toHaveLength(length)
  })

  it.each([
    ['BOOLEAN true', derBoolean(true), '0101ff'],
    ['BOOLEAN false', derBoolean(false), '010100'],
    ['NULL', derNull(), '0500'],
    ['OCTET STRING', derOctetString(hex('abcd')), '0402abcd'],
    ['BIT STRING', derBitString(hex('abcd')), '030300abcd'],
    ['BIT STRING of nothing', derBitString(hex('')), '030100'],
    ['OBJECT IDENTIFIER', derOid('1.2.840.113549'), '06062a864886f70d'],
    ['UTF8String', derUtf8String('é'), '0c02c3a9'],
    ['SEQUENCE', derSequence(derNull(), derBoolean(true)), '300505000101ff'],
    ['SEQUENCE of nothing', derSequence(), '3000'],
    ['SET of nothing', derSet(), '3100'],
    ['an explicit tag', derExplicit(3, derNull(), derNull()), 'a30405000500'],
    ['an implicit tag', derImplicit(2, hex('61')), '820161'],
    ['a constructed implicit tag', derImplicit(2, derNull(), true), 'a2020500'],
    ['UTCTime', derUtcTime(Date.parse('2024-02-29T12:34:56Z')), `170d${Buffer.from('240229123456Z').toString('hex')}`],
    [
      'GeneralizedTime',
      derGeneralizedTime(Date.parse('2050-01-01T00:00:00.5Z')),
      `1811${Buffer.from('20500101000000.5Z').toString('hex')}`,
    ],
  ])('%s is %s', (_, written, expected) => {
    expect(text(written)).toBe(expected)
  })

  it('SET OF has its elements in the order of their encodings (X.690 section 11.6)', () => {
    const elements = ['0500', '020102', '020101', '0101ff', '04020000', '040100', '020101'].map(hex)
    expect(text(derSet(...elements))).toBe('31150101ff020101020101020102040100040200000500')
    expect(derSet(...elements.toReversed())).toEqual(derSet(...elements))
  })

  it.each([
    [[], '030100'],
    [[0], '03020780'],
    [[7], '03020001'],
    [[8], '0303070080'],
    [[0, 5, 6], '03020186'],
    [[6, 5, 0, 0], '03020186'],
  ])('named bits %j are %s', (bits, expected) => {
    expect(text(derNamedBits(...bits))).toBe(expected)
  })
})

describe('INTEGER', () => {
  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [255, '020200ff'],
    [256, '02020100'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [-32768, '02028000'],
    [-32769, '0203ff7fff'],
    [2n ** 63n, '0209008000000000000000'],
    [-(2n ** 63n), '02088000000000000000'],
  ])('%s is %s', (value, expected) => {
    expect(text(derInteger(value))).toBe(expected)
  })

  it.each([
    ['', '020100'],
    ['00', '020100'],
    ['0000', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['0080', '02020080'],
    ['000001', '020101'],
    ['ffff', '020300ffff'],
  ])('of the magnitude %s is %s', (magnitude, expected) => {
    expect(text(derInteger(hex(magnitude)))).toBe(expected)
  })

  it('is as BigInt has it in two’s complement, and minimal', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
        const { content } = parseDer(derInteger(value), 'x')
        const bits = 8 * content.length
        expect(BigInt.asIntN(bits, BigInt(`0x${text(content)}`))).toBe(value)
        expect(bits === 8 || BigInt.asIntN(bits - 8, value) !== value).toBe(true)
        if (value >= 0n) expect(derInteger(Buffer.from(value.toString(16).padStart(60, '0'), 'hex'))).toEqual(derInteger(value))
      }),
    )
  })
})

describe('the time of a certificate', () => {
  it.each([
    ['1950-01-01T00:00:00Z', '500101000000Z'],
    ['2049-12-31T23:59:59.999Z', '491231235959Z'],
    ['2050-01-01T00:00:00Z', '20500101000000Z'],
    ['2050-01-01T00:00:00.999Z', '20500101000000Z'],
    ['9999-12-31T23:59:59Z', '99991231235959Z'],
  ])('%s is %s', (iso, expected) => {
    const { tag: identifier, content } = parseDer(derTime(Date.parse(iso)), 'x')
    expect(Buffer.from(content).toString()).toBe(expected)
    expect(identifier).toBe(expected.length === 13 ? tag.utcTime : tag.generalizedTime)
  })

  it.each([
    ['1949-12-31T23:59:59Z', '1950 to 2049'],
    ['+010000-01-01T00:00:00Z', '100 to 9999'],
  ])('cannot be %s', (iso, years) => {
    expect(failureOf(() => derTime(Date.parse(iso)))).toBe(
      `DecodingError DER_INVALID: the instant ${Date.parse(iso)} is not in the years ${years}, which this type of time can hold`,
    )
  })

  it('cannot be no instant at all', () => {
    expect(failureOf(() => derTime(Number.NaN))).toMatch(/^DecodingError DER_INVALID: the instant NaN is not in the years 100 to 9999/)
  })
})
