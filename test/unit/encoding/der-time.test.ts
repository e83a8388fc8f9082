import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { formatGeneralizedTime, formatUtcTime, parseGeneralizedTime, parseUtcTime } from '../../../src/encoding/der-time.ts'
import { failureOf } from './failure.ts'

const utc = (text: string): number => parseUtcTime(encodeUtf8(text), 'notBefore')
const generalized = (text: string): number => parseGeneralizedTime(encodeUtf8(text), 'genTime')
const refusal = (what: string, expected: string): string =>
  `DecodingError DER_INVALID: ${what} is not a canonical time: expected ${expected}`

const form = 'YYMMDDHHMMSSZ'
const digits = 'decimal digits'
const existing = 'a date and time that exist'

describe('UTCTime', () => {
  it.each([
    ['500101000000Z', '1950-01-01T00:00:00Z'],
    ['700101000000Z', '1970-01-01T00:00:00Z'],
    ['991231235959Z', '1999-12-31T23:59:59Z'],
    ['000229120000Z', '2000-02-29T12:00:00Z'],
    ['240229000000Z', '2024-02-29T00:00:00Z'],
    ['491231235959Z', '2049-12-31T23:59:59Z'],
  ])('%s is %s', (text, iso) => {
    expect(utc(text)).toBe(Date.parse(iso))
    expect(formatUtcTime(Date.parse(iso))).toBe(text)
  })

  it.each([
    ['without seconds', '2401010000Z', form],
    ['without Z', '240101000000', form],
    ['with an offset', '240101000000+0000', form],
    ['with an offset instead of seconds', '2401010000+00', form],
    ['with a lower-case z', '240101000000z', form],
    ['with a fraction', '240101000000.5Z', form],
    ['with a year of four digits', '20240101000000Z', form],
    ['that is empty', '', form],
    ['with a blank', ' 40101000000Z', digits],
    ['with a sign', '24+101000000Z', digits],
    ['with a letter', '24010100000OZ', digits],
    ['with a byte over 127', '2401010000\u00b2Z', digits],
    ['in month 0', '240001000000Z', existing],
    ['in month 13', '241301000000Z', existing],
    ['on day 0', '240100000000Z', existing],
    ['on 32 January', '240132000000Z', existing],
    ['on 31 April', '240431000000Z', existing],
    ['on 30 February', '240230000000Z', existing],
    ['on 29 February of a common year', '230229000000Z', existing],
    ['at 24 hours', '240101240000Z', existing],
    ['at 60 minutes', '240101006000Z', existing],
    ['at a leap second', '161231235960Z', existing],
  ])('%s is refused', (_, text, expected) => {
    expect(failureOf(() => utc(text))).toBe(refusal('notBefore', expected))
  })

  it.each([['1949-12-31T23:59:59.999Z'], ['2050-01-01T00:00:00.000Z'], ['-000001-01-01T00:00:00.000Z']])(
    'cannot be written for %s',
    (iso) => {
      expect(failureOf(() => formatUtcTime(Date.parse(iso)))).toBe(
        `DecodingError DER_INVALID: the instant ${Date.parse(iso)} is not in the years 1950 to 2049, which this type of time can hold`,
      )
    },
  )

  it('is cut to the second when written', () => {
    expect(formatUtcTime(Date.parse('2024-02-29T12:34:56.789Z'))).toBe('240229123456Z')
  })
})

describe('GeneralizedTime', () => {
  it.each([
    ['01000101000000Z', '0100-01-01T00:00:00.000Z'],
    ['19491231235959Z', '1949-12-31T23:59:59.000Z'],
    ['20000229000000Z', '2000-02-29T00:00:00.000Z'],
    ['20500101000000Z', '2050-01-01T00:00:00.000Z'],
    ['99991231235959Z', '9999-12-31T23:59:59.000Z'],
    ['20240101000000.1Z', '2024-01-01T00:00:00.100Z'],
    ['20240101000000.01Z', '2024-01-01T00:00:00.010Z'],
    ['20240101000000.123Z', '2024-01-01T00:00:00.123Z'],
    ['20240101000000.999Z', '2024-01-01T00:00:00.999Z'],
  ])('%s is %s', (text, iso) => {
    expect(generalized(text)).toBe(Date.parse(iso))
    expect(formatGeneralizedTime(Date.parse(iso))).toBe(text)
  })

  it('with a finer fraction is cut to the millisecond', () => {
    expect(generalized('20240101000000.123999999Z')).toBe(Date.parse('2024-01-01T00:00:00.123Z'))
    expect(generalized('20240101000000.00000000000001Z')).toBe(Date.parse('2024-01-01T00:00:00Z'))
  })

  const plain = 'YYYYMMDDHHMMSSZ'
  const fraction = 'YYYYMMDDHHMMSS.fZ without trailing zeros'
  it.each([
    ['that is empty', '', plain],
    ['without seconds', '202401010000Z', plain],
    ['without minutes and seconds', '2024010100Z', plain],
    ['without Z', '20240101000000', plain],
    ['in local time with a fraction', '20240101000000.5', plain],
    ['with an offset', '20240101000000+0100', plain],
    ['with an offset of nothing', '20240101000000-0000', plain],
    ['with a lower-case z', '20240101000000z', plain],
    ['with a fraction of 15 digits', `20240101000000.${'1'.repeat(15)}Z`, plain],
    ['with a fraction of nothing', '20240101000000.Z', fraction],
    ['with a fraction of zero', '20240101000000.0Z', fraction],
    ['with a fraction that ends in zero', '20240101000000.120Z', fraction],
    ['with a comma before the fraction', '20240101000000,5Z', fraction],
    ['with a fraction of a minute', '202401010000.5Z', digits],
    ['with a letter in the fraction', '20240101000000.1x3Z', digits],
    ['with two points', '20240101000000.1.3Z', digits],
    ['with a sign before the year', '-0240101000000Z', digits],
    ['on 30 February', '20240230000000Z', existing],
    ['on 29 February 1900', '19000229000000Z', existing],
    ['on 29 February 2100', '21000229000000Z', existing],
    ['at a leap second', '20161231235960Z', existing],
    ['in the year 99', '00990101000000Z', 'a year after 99'],
    ['in the year 0', '00000101000000Z', 'a year after 99'],
  ])('%s is refused', (_, text, expected) => {
    expect(failureOf(() => generalized(text))).toBe(refusal('genTime', expected))
  })

  it.each([
    ['the year 99', Date.parse('0099-12-31T23:59:59Z')],
    ['the year 10000', Date.parse('+010000-01-01T00:00:00Z')],
    ['no instant', Number.NaN],
    ['eternity', Number.POSITIVE_INFINITY],
  ])('cannot be written for %s', (_, instant) => {
    expect(failureOf(() => formatGeneralizedTime(instant))).toBe(
      `DecodingError DER_INVALID: the instant ${instant} is not in the years 100 to 9999, which this type of time can hold`,
    )
  })
})

describe('a time', () => {
  const between = (from: string, to: string) => fc.integer({ min: Date.parse(from), max: Date.parse(to) })

  it('gives back the instant that was written', () => {
    fc.assert(
      fc.property(between('0100-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'), (instant) => {
        expect(generalized(formatGeneralizedTime(instant))).toBe(instant)
      }),
    )
    fc.assert(
      fc.property(between('1950-01-01T00:00:00Z', '2049-12-31T23:59:59.999Z'), (instant) => {
        expect(utc(formatUtcTime(instant))).toBe(Math.floor(instant / 1000) * 1000)
      }),
    )
  })

  it('with one bit flipped is refused or is another instant', () => {
    const changed = (text: string, bit: number): Uint8Array => {
      const bytes = Uint8Array.from(encodeUtf8(text))
      const at = (bit >> 3) % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
      return bytes
    }
    fc.assert(
      fc.property(between('1950-01-01T00:00:00Z', '2049-12-31T23:59:59.999Z'), fc.nat(1000), (instant, bit) => {
        for (const [write, read] of [[formatUtcTime, parseUtcTime] as const, [formatGeneralizedTime, parseGeneralizedTime] as const]) {
          const bytes = changed(write(instant), bit)
          let other: number
          try {
            other = read(bytes, 'x')
          } catch (error) {
            expect(error).toMatchObject({ name: 'DecodingError', code: 'DER_INVALID' })
            continue
          }
          expect(encodeUtf8(write(other))).toEqual(Buffer.from(bytes))
        }
      }),
      { numRuns: 1000 },
    )
  })
})
