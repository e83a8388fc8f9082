import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { JsonLimits, JsonValue } from '../../../src/encoding/json.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { character } from './character.ts'
import { failureOf } from './failure.ts'

const parse = (text: string, limits?: JsonLimits): JsonValue => parseJson(encodeUtf8(text), 'the bundle', limits)
const refusal = (text: string, limits?: JsonLimits): string => failureOf(() => parse(text, limits))
const invalid = (reason: string): string => `DecodingError JSON_INVALID: the bundle is not valid JSON: ${reason}`

/** The text's characters as `\u` escapes. */
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

describe('a number', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['-0.0', -0],
    ['-1', -1],
    ['1E2', 100],
    ['1e+2', 100],
    ['100e-2', 1],
    ['0e9', 0],
    ['0.1', 0.1],
    ['1.0', 1],
    ['-1.5e-7', -1.5e-7],
    ['5e-324', 5e-324],
    ['1e-400', 0],
    ['9007199254740991', 2 ** 53 - 1],
    ['-9007199254740991', 1 - 2 ** 53],
    ['9007199254740990.5', 9007199254740990],
    ['4503599627370495.5', 4503599627370495.5],
    [`0.${'1'.repeat(998)}`, 0.1111111111111111],
  ])('%s is read', (text, value) => {
    expect(parse(text)).toBe(value)
    expect(parse(`[${text}]`)).toEqual([value])
  })

  const tooLarge = 'a number that a double cannot hold exactly (over 2^53) (at character 1)'
  it.each([
    ['2^53', '9007199254740992', tooLarge],
    ['-2^53', '-9007199254740992', tooLarge],
    ['2^53 + 1', '9007199254740993', tooLarge],
    ['2^53 with a fraction of zero', '9007199254740992.0', tooLarge],
    ['2^64', '18446744073709551616', tooLarge],
    ['an integer in exponents', '1e16', tooLarge],
    ['the largest double', '1.7976931348623157e308', tooLarge],
    ['more than the largest double', '1e400', tooLarge],
    ['less than the smallest double', '-1e400', tooLarge],
    ['a huge exponent', '1e999999999999999999', tooLarge],
    ['a leading zero', '01', 'a number with a leading zero (at character 1)'],
    ['two zeros', '00', 'a number with a leading zero (at character 1)'],
    ['a leading zero and a sign', '-01', 'a number with a leading zero (at character 1)'],
    ['a leading zero and a fraction', '01.5', 'a number with a leading zero (at character 1)'],
    ['a plus sign', '+1', 'expected a value, found "+1]" (at character 1)'],
    ['two minus signs', '--1', 'expected a value, found "--1]" (at character 1)'],
    ['nothing but a minus sign', '-', 'expected a value, found "-]" (at character 1)'],
    ['a blank after the minus sign', '- 1', 'expected a value, found "- 1]" (at character 1)'],
    ['no digit before the point', '.5', 'expected a value, found ".5]" (at character 1)'],
    ['no digit between sign and point', '-.5', 'expected a value, found "-.5]" (at character 1)'],
    ['no digit after the point', '1.', 'a number without digits after its point or exponent (at character 1)'],
    ['an exponent after the point', '1.e2', 'a number without digits after its point or exponent (at character 1)'],
    ['no digit in the exponent', '1e', 'a number without digits after its point or exponent (at character 1)'],
    ['only a sign in the exponent', '1e+', 'a number without digits after its point or exponent (at character 1)'],
    ['two signs in the exponent', '1e+-2', 'a number without digits after its point or exponent (at character 1)'],
    ['a fraction in the exponent', '1e2.5', 'expected "," or "]", found ".5]" (at character 4)'],
    ['two points', '1.2.3', 'expected "," or "]", found ".3]" (at character 4)'],
    ['hexadecimal', '0x10', 'expected "," or "]", found "x10]" (at character 2)'],
    ['octal', '0o7', 'expected "," or "]", found "o7]" (at character 2)'],
    ['separators', '1_000', 'expected "," or "]", found "_000]" (at character 2)'],
    ['a thousands separator that is a blank', '1 000', 'expected "," or "]", found "000]" (at character 3)'],
    ['the suffix of a bigint', '1n', 'expected "," or "]", found "n]" (at character 2)'],
    ['NaN', 'NaN', 'expected a value, found "NaN]" (at character 1)'],
    ['Infinity', 'Infinity', 'expected a value, found "Infinity]" (at character 1)'],
    ['minus infinity', '-Infinity', 'expected a value, found "-Infinity]" (at character 1)'],
    ['full-width digits', '\uff11', 'expected a value, found "\uff11]" (at character 1)'],
    ['1,001 digits', '1'.repeat(1001), 'a number longer than 1000 characters (at character 1)'],
    ['1,001 characters of a fraction', `0.${'1'.repeat(999)}`, 'a number longer than 1000 characters (at character 1)'],
    ['1,001 characters of an exponent', `1e${'0'.repeat(999)}`, 'a number longer than 1000 characters (at character 1)'],
    ['a hundred thousand digits', '9'.repeat(100_000), 'a number longer than 1000 characters (at character 1)'],
    ['a hundred thousand zeros', '0'.repeat(100_000), 'a number with a leading zero (at character 1)'],
  ])('with %s is refused', (_, text, reason) => {
    expect(refusal(`[${text}]`)).toBe(invalid(reason))
  })

  it.each([
    ['9007199254740991', 2 ** 53 - 1],
    ['9007199254740992', 2n ** 53n],
    ['-9007199254740993', -(2n ** 53n) - 1n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['9'.repeat(1000), 10n ** 1000n - 1n],
    ['1e16', 1e16],
    ['9007199254740993.0', 2 ** 53],
    ['1e308', 1e308],
    ['-0', -0],
    ['0.5', 0.5],
  ])('%s is exact where that is asked for', (text, value) => {
    expect(parse(text, { integers: 'exact' })).toBe(value)
  })

  it.each([
    ['over the largest double', '1e400', 'a number that a double cannot hold exactly (over 2^53) (at character 0)'],
    ['of 1,001 digits', '9'.repeat(1001), 'a number longer than 1000 characters (at character 0)'],
    ['of a million digits', '9'.repeat(1_000_000), 'a number longer than 1000 characters (at character 0)'],
    ['of 1,000 digits with a sign', `-${'9'.repeat(1000)}`, 'a number longer than 1000 characters (at character 0)'],
    ['with a leading zero', '-012', 'a number with a leading zero (at character 0)'],
  ])('%s is refused even where exact ones are asked for', (_, text, reason) => {
    expect(refusal(text, { integers: 'exact' })).toBe(invalid(reason))
  })

  it('is what JSON.parse reads, or is refused', () => {
    const part = fc.constantFrom('0', '1', '9', '00', '12', '9007199254740991', '.', 'e', 'E', '+', '-', '5', '308')
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.join('')
        let theirs: unknown
        try {
          theirs = JSON.parse(text)
        } catch {
          expect(refusal(text)).toMatch(/^DecodingError JSON_INVALID: /)
          return
        }
        if (Number.isSafeInteger(theirs) || (Number.isFinite(theirs) && !Number.isInteger(theirs))) expect(parse(text)).toBe(theirs)
        else expect(refusal(text)).toBe(invalid('a number that a double cannot hold exactly (over 2^53) (at character 0)'))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a string', () => {
  it.each([
    ['"a"', 'a'],
    [String.raw`"\"\\\/\b\f\n\r\t"`, '"\\/\b\f\n\r\t'],
    [String.raw`"\u0041\u00e9\u20AC\uFffF"`, 'A\u00e9\u20ac\uffff'],
    [String.raw`"\u0000"`, '\0'],
    [String.raw`"\ud83d\ude00"`, '😀'],
    [String.raw`"\uDBFF\uDFFF"`, '\u{10ffff}'],
    [String.raw`"a\\"`, 'a\\'],
    [String.raw`"\\\\"`, '\\\\'],
    [String.raw`"\\\""`, '\\"'],
    [String.raw`"\"\"\""`, '"""'],
    ['"\u007f\u0080\u2028\u2029\ufeff"', '\u007f\u0080\u2028\u2029\ufeff'],
    ['"😀 é"', '😀 é'],
    ['"//"', '//'],
  ])('%s is read', (text, value) => {
    expect(parse(text)).toBe(value)
    expect(parse(`{${text}:[${text},${text}]}`)).toEqual({ [value]: [value, value] })
  })

  const open = 'a string without its closing quote (at character 1)'
  const control = (at: number): string => `a control character in a string (at character ${at})`
  const unknown = 'an unknown escape in a string (at character 1)'
  const lone = 'a lone surrogate in a string (at character 1)'
  it.each([
    ['no end', '"abc', open],
    ['no end but a quote', '"', open],
    ['no end after an escaped quote', String.raw`"abc\"`, open],
    ['no end after escaped backslashes and a quote', String.raw`"\\\"`, open],
    ['nothing but a backslash', '"\\', open],
    ['a newline', '"a\nb"', control(3)],
    ['a tab', '"\t"', control(2)],
    ['a NUL', '"\0"', control(2)],
    ['the last control character', '"a\u001f"', control(3)],
    ['a newline after an escape', '"\\n\n"', control(4)],
    ['a newline between escapes', '"\\n\n\\n"', control(4)],
    ['an escaped newline', '"\\\n"', control(3)],
    ['a newline after a letter beyond ASCII', '"é\n"', control(3)],
    ['a newline before a letter beyond ASCII', '"\né"', control(2)],
    ['a newline behind a character of two code units', '"😀\n"', control(4)],
    ['a newline behind an escape and a letter beyond ASCII', '"\\té\n"', control(5)],
    ['an unknown escape', String.raw`"\a"`, unknown],
    ['an escape in octal', String.raw`"\012"`, unknown],
    ['an escape in hexadecimal', String.raw`"\x41"`, unknown],
    ['an escaped single quote', String.raw`"\'"`, unknown],
    ['an escape in capitals', String.raw`"\N"`, unknown],
    ['a code unit in capitals', String.raw`"\U0041"`, unknown],
    ['a code unit of three digits', String.raw`"\u004"`, unknown],
    ['a code unit without digits', String.raw`"\u"`, unknown],
    ['a code unit with another letter', String.raw`"\u00g0"`, unknown],
    ['a code unit with a sign', String.raw`"\u+041"`, unknown],
    ['a code unit with a blank', String.raw`"\u 041"`, unknown],
    ['a code point in braces', String.raw`"\u{41}"`, unknown],
    ['a code unit in full-width digits', '"\\u\uff10041"', unknown],
    ['a high surrogate alone', String.raw`"\ud83d"`, lone],
    ['a low surrogate alone', String.raw`"\ude00"`, lone],
    ['surrogates the wrong way round', String.raw`"\ude00\ud83d"`, lone],
    ['two high surrogates', String.raw`"\ud83d\ud83d\ude00"`, lone],
    ['a high surrogate and a letter', String.raw`"\ud83d\u0041"`, lone],
    ['a high surrogate before an astral character', String.raw`"\ud83d` + '😀"', lone],
  ])('with %s is refused', (_, text, reason) => {
    expect(refusal(`[${text}`)).toBe(invalid(reason))
    expect(refusal(`[${text}]`)).toMatch(/^DecodingError JSON_INVALID: the bundle is not valid JSON: /)
  })

  it('with a lone surrogate is refused in text that was already decoded', () => {
    for (const [text, at] of [
      ['["a\ud83d"]', 3],
      ['{"\ude00":1}', 2],
      ['[1]\ud83d', 3],
    ] as const) {
      expect(failureOf(() => parseJson(text, 'the bundle'))).toBe(invalid(`a lone surrogate (at character ${at})`))
    }
    // Half as an escape, half as it is, is no pair either.
    expect(failureOf(() => parseJson('"\\ud83d\ude00"', 'the bundle'))).toBe(invalid('a lone surrogate (at character 7)'))
  })

  it('beyond ASCII does not change which character an error is about, nor how what was found is shown', () => {
    expect(refusal('["ü", "€", é]')).toBe(invalid('expected a value, found "é]" (at character 11)'))
    expect(refusal('{"😀":1,"😀":2}')).toBe(invalid('the key "😀" stands twice in one object (at character 8)'))
    expect(refusal('["ü"] 😀😀😀😀😀😀😀')).toBe(invalid('expected the end, found "😀😀😀😀😀😀" (at character 6)'))
  })

  it('passes on what is wrong with an escape', () => {
    try {
      parse(String.raw`"\x"`)
    } catch (error) {
      expect(error).toMatchObject({ code: 'JSON_INVALID', cause: expect.any(SyntaxError) as unknown })
    }
  })

  it('is the same with every character escaped, or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        expect(parse(JSON.stringify(text))).toBe(text)
        expect(parse(`"${escaped(text)}"`)).toBe(text)
      }),
    )
  })

  it('among others with escapes, quotes and line breaks between them is read where it stands', () => {
    const one = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'é', '😀', '\u0001'), maxLength: 5 })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), fc.constantFrom(undefined, 1, '\t', '\n\r'), (list, indent) => {
        expect(parse(JSON.stringify(list, undefined, indent))).toEqual(list)
        expect(
          parse(
            JSON.stringify(
              list.map((text) => ({ [text]: text })),
              undefined,
              indent,
            ),
          ),
        ).toEqual(list.map((text) => ({ [text]: text })))
      }),
      { numRuns: 500 },
    )
  })
})
