import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommaValues } from '../../../src/cli/comma-values.ts'
import { formatDuration, parseDuration } from '../../../src/cli/duration.ts'
import { defaultText, parseFlagValue } from '../../../src/cli/flag-values.ts'
import { boolFlag, choiceFlag, durationFlag, intFlag, stringFlag, stringSliceFlag, stringToStringFlag } from '../../../src/cli/flags.ts'
import { UsageError } from '../../../src/error.ts'

function failure(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    expect(error).toHaveProperty('code', 'USAGE')
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('no error')
}

describe('truth values', () => {
  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('reads %s as true', (text) => {
    expect(parseFlagValue(boolFlag(''), text, undefined)).toBe(true)
  })
  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('reads %s as false', (text) => {
    expect(parseFlagValue(boolFlag(''), text, undefined)).toBe(false)
  })
  it.each(['', 'yes', 'no', 'on', 'tRUE', ' true', '2', 'constructor'])('refuses %j', (text) => {
    expect(failure(() => parseFlagValue(boolFlag(''), text, undefined))).toBe(
      `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  })
})

describe('whole numbers', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['10', 10],
    ['+10', 10],
    ['-10', -10],
    ['1_000', 1000],
    ['0x1F', 31],
    ['0x_1f', 31],
    ['0b101', 5],
    ['0o17', 15],
    ['017', 15],
    ['0_7', 7],
    ['-0x10', -16],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('reads %s', (text, value) => {
    expect(parseFlagValue(intFlag(''), text, undefined)).toBe(value)
  })
  it.each(['', 'x', '1.5', '1e3', ' 1', '1 ', '_1', '1_', '1__0', '08', '0x', '0b2', '--1', '٣'])('refuses %j', (text) => {
    expect(failure(() => parseFlagValue(intFlag(''), text, undefined))).toBe(
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  })
  it.each(['9007199254740992', '99999999999999999999', '-0x20000000000000'])('refuses %s, which is too large', (text) => {
    expect(failure(() => parseFlagValue(intFlag(''), text, undefined))).toBe(`strconv.ParseInt: parsing "${text}": value out of range`)
  })
})

describe('durations', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['3m0s', 180_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['5.s', 5000],
    ['1h15m30.918s', 4_530_918],
    ['-1m', -60_000],
    ['+2s', 2000],
    ['10us', 0.01],
    ['10µs', 0.01],
    ['10μs', 0.01],
    ['7ns', 0.000_007],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBeCloseTo(milliseconds, 9)
  })
  it.each([
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['.s', 'time: invalid duration ".s"'],
    ['s', 'time: invalid duration "s"'],
    ['1s ', 'time: unknown unit "s " in duration "1s "'],
    ['5', 'time: missing unit in duration "5"'],
    ['1h5', 'time: missing unit in duration "1h5"'],
    ['1x', 'time: unknown unit "x" in duration "1x"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1s-1s', 'time: unknown unit "s-" in duration "1s-1s"'],
    ['99999999h', 'time: invalid duration "99999999h"'],
  ])("refuses %j in Go's words", (text, message) => {
    expect(failure(() => parseDuration(text))).toBe(message)
  })
  it.each([
    [0, '0s'],
    [180_000, '3m0s'],
    [3_600_000, '1h0m0s'],
    [1500, '1.5s'],
    [250, '250ms'],
    [1.5, '1.5ms'],
    [0.01, '10µs'],
    [0.000_007, '7ns'],
    [-61_000, '-1m1s'],
    [5_400_000, '1h30m0s'],
  ])('writes %d ms', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBeCloseTo(milliseconds, 3)
      }),
    )
  })
  it('reads or refuses any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+.0-9hmsuµn ]{0,12}$/), (text) => {
        try {
          expect(Number.isFinite(parseDuration(text))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError)
        }
      }),
    )
  })
})

describe('comma separated values', () => {
  it.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['a,', ['a', '']],
    [',', ['', '']],
    [' a , b ', [' a ', ' b ']],
    ['"a,b",c', ['a,b', 'c']],
    ['"say ""hi"""', ['say "hi"']],
    ['""', ['']],
    ['"a\nb"', ['a\nb']],
    ['a\n', ['a']],
    ['a\r\n', ['a']],
  ])('reads %j', (line, fields) => {
    expect(parseCommaValues(line)).toEqual(fields)
  })
  it.each([
    ['', 'EOF'],
    ['\n', 'EOF'],
    ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
    ['x,a"b', 'parse error on line 1, column 4: bare " in non-quoted-field'],
    ['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['"a"b', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['a\nb', 'parse error on line 2, column 1: only one line is allowed'],
  ])('refuses %j', (line, message) => {
    expect(failure(() => parseCommaValues(line))).toBe(message)
  })
  it('reads what it is given in quotes', () => {
    const field = fc.string().map((text) => text.replaceAll('\r', ''))
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        const line = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')
        expect(parseCommaValues(line)).toEqual(fields)
      }),
    )
  })
})

describe('pairs', () => {
  const read = (text: string): unknown => parseFlagValue(stringToStringFlag(''), text, undefined)
  it.each([
    ['a=1', { a: '1' }],
    ['a=', { a: '' }],
    ['=1', { '': '1' }],
    ['a=1,b=2', { a: '1', b: '2' }],
    ['a=b,c', { a: 'b,c' }],
    ['"a=1,2",b=3', { a: '1,2', b: '3' }],
    ['"a=1"', { a: '1' }],
    ['__proto__=x', { ['__proto__']: 'x' }],
  ])('reads %j', (text, pairs) => {
    expect(read(text)).toEqual(new Map(Object.entries(pairs)))
  })
  it.each([
    ['', ' must be formatted as key=value'],
    ['a', 'a must be formatted as key=value'],
    ['a=1,b=2,c', 'c must be formatted as key=value'],
  ])('refuses %j', (text, message) => {
    expect(failure(() => read(text))).toBe(message)
  })
})

describe('defaults', () => {
  it('are written as pflag writes them', () => {
    expect(defaultText(boolFlag(''))).toBe('false')
    expect(defaultText(boolFlag('', { default: true }))).toBe('true')
    expect(defaultText(intFlag('', { default: 10 }))).toBe('10')
    expect(defaultText(durationFlag('', { default: 180_000 }))).toBe('3m0s')
    expect(defaultText(stringFlag(''))).toBe('')
    expect(defaultText(choiceFlag(['a', 'b'], '', { default: 'b' }))).toBe('b')
    expect(defaultText(choiceFlag(['a', 'b'], '', { default: '' }))).toBe('')
    expect(defaultText(stringSliceFlag(''))).toBe('[]')
    expect(defaultText(stringToStringFlag(''))).toBe('[]')
  })
  it('of a choice may be empty without making the empty text a choice', () => {
    const flag = choiceFlag(['legacy', 'oci-1-1'], '', { default: '' })
    expect(failure(() => parseFlagValue(flag, '', undefined))).toBe('must be one of "legacy", "oci-1-1"')
  })
})
