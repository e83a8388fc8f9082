import { constants } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { JsonLimits, JsonValue } from '../../../src/encoding/json.ts'
import { defaultMaxJsonBytes, isJsonObject, parseJson } from '../../../src/encoding/json.ts'
import { character } from './character.ts'
import { failureOf } from './failure.ts'

const parse = (text: string, limits?: JsonLimits): JsonValue => parseJson(encodeUtf8(text), 'the bundle', limits)
const refusal = (text: string, limits?: JsonLimits): string => failureOf(() => parse(text, limits))
const invalid = (reason: string): string => `DecodingError JSON_INVALID: the bundle is not valid JSON: ${reason}`

/** The text's characters as `\u` escapes. */
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

describe('JSON', () => {
  it.each([
    ['null', null],
    ['true', true],
    ['false', false],
    ['0', 0],
    ['""', ''],
    ['[]', []],
    ['[[],[[]]]', [[], [[]]]],
    ['[1,"a",null,true]', [1, 'a', null, true]],
    [' \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n', [1, 2]],
  ])('%j is read', (text, value) => {
    expect(parse(text)).toEqual(value)
    expect(parseJson(text, 'x')).toEqual(value)
  })

  it('has the members of objects, at every depth', () => {
    const value = parse(' { "a" : { "b" : [ { "c" : 1 } ] } , "d" : { } } ')
    expect(JSON.stringify(value)).toBe('{"a":{"b":[{"c":1}]},"d":{}}')
  })

  it.each([
    ['nothing', '', 'expected a value, found the end of the text (at character 0)'],
    ['nothing but blanks', ' \n', 'expected a value, found the end of the text (at character 2)'],
    ['two values', '1 2', 'expected the end, found "2" (at character 2)'],
    ['two objects', '{}{}', 'expected the end, found "{}" (at character 2)'],
    ['a bracket too many', '[]]', 'expected the end, found "]" (at character 2)'],
    ['a NUL after the value', '{}\0', String.raw`expected the end, found "\u0000" (at character 2)`],
    ['an open array', '[', 'expected a value, found the end of the text (at character 1)'],
    ['an open array with an element', '[1', 'expected "," or "]", found the end of the text (at character 2)'],
    ['an open object', '{', 'expected a key in double quotes, found the end of the text (at character 1)'],
    ['an open object with a member', '{"a":1', 'expected "," or "}", found the end of the text (at character 6)'],
    ['an array closed as an object', '[1}', 'expected "," or "]", found "}" (at character 2)'],
    ['an object closed as an array', '{"a":1]', 'expected "," or "}", found "]" (at character 6)'],
    ['a comma at the end of an array', '[1,]', 'expected a value, found "]" (at character 3)'],
    ['a comma at the end of an object', '{"a":1,}', 'expected a key in double quotes, found "}" (at character 7)'],
    ['a comma at the end of the text', '1,', 'expected the end, found "," (at character 1)'],
    ['nothing but a comma', '[,]', 'expected a value, found ",]" (at character 1)'],
    ['two commas', '[1,,2]', 'expected a value, found ",2]" (at character 3)'],
    ['elements without a comma', '[1 2]', 'expected "," or "]", found "2]" (at character 3)'],
    ['members without a comma', '{"a":1 "b":2}', String.raw`expected "," or "}", found "\"b\":2}" (at character 7)`],
    ['a key without a value', '{"a"}', 'expected ":", found "}" (at character 4)'],
    ['a key with a colon and no value', '{"a":}', 'expected a value, found "}" (at character 5)'],
    ['two colons', '{"a"::1}', 'expected a value, found ":1}" (at character 5)'],
    ['an equals sign', '{"a"=1}', 'expected ":", found "=1}" (at character 4)'],
    ['a key without quotes', '{a:1}', 'expected a key in double quotes, found "a:1}" (at character 1)'],
    ['a key in single quotes', "{'a':1}", `expected a key in double quotes, found "'a':1}" (at character 1)`],
    ['a key that is a number', '{1:1}', 'expected a key in double quotes, found "1:1}" (at character 1)'],
    ['a string in single quotes', "'a'", `expected a value, found "'a'" (at character 0)`],
    ['a line comment', '1 // one', 'expected the end, found "// one" (at character 2)'],
    ['a block comment', '/* one */ 1', 'expected a value, found "/* one */ 1" (at character 0)'],
    ['a hash comment', '# one\n1', String.raw`expected a value, found "# one\n1" (at character 0)`],
    ['a literal in capitals', 'True', 'expected a value, found "True" (at character 0)'],
    ['half a literal', '[tru]', 'expected a value, found "tru]" (at character 1)'],
    ['a literal with a tail', 'nulls', 'expected the end, found "s" (at character 4)'],
    ['undefined', 'undefined', 'expected a value, found "undefined" (at character 0)'],
    ['a no-break space', '\u00a01', String.raw`expected a value, found " 1" (at character 0)`],
    ['a vertical tab', '[\v1]', String.raw`expected a value, found "\u000b1]" (at character 1)`],
    ['a form feed', '1\f', String.raw`expected the end, found "\f" (at character 1)`],
    ['a line separator', '[1,\u20282]', String.raw`expected a value, found "\u20282]" (at character 3)`],
    ['a byte order mark', '\ufeff{}', String.raw`expected a value, found "\ufeff{}" (at character 0)`],
  ])('with %s is refused', (_, text, reason) => {
    expect(refusal(text)).toBe(invalid(reason))
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
  })

  it('is quoted in part only', () => {
    expect(refusal(`[${'x'.repeat(100_000)}`)).toBe(invalid('expected a value, found "xxxxxxxxxxxx" (at character 1)'))
    expect(refusal(`{"${'k'.repeat(9999)}":0,"${'k'.repeat(9999)}":0}`)).toBe(
      invalid(`the key "${'k'.repeat(60)}…" stands twice in one object (at character 10004)`),
    )
  })

  it.each([
    ['Latin-1', '22e922'],
    ['an overlong quote', 'c0a2c0a2'],
    ['a surrogate in three bytes', '22eda08022'],
    ['a character that is cut off', '22e28222'],
    ['UTF-16', 'fffe7b007d00'],
    ['UTF-16 without a mark', '7b007d00', 'expected a key in double quotes, found "\\u0000}\\u0000" (at character 1)'],
  ])('in %s is refused', (_, hex, reason = 'it is not UTF-8 text') => {
    expect(failureOf(() => parseJson(Buffer.from(hex, 'hex'), 'the bundle'))).toBe(invalid(reason))
  })
})

describe('an object', () => {
  it.each([
    ['twice', '{"a":1,"a":2}', '"a"', 7],
    ['twice with the same value', '{"a":1,"a":1}', '"a"', 7],
    ['twice, far apart', '{"a":1,"b":{"a":2},"c":[{"a":3}],"a":4}', '"a"', 33],
    ['twice, once as an escape', '{"a":1,"\\u0061":2}', '"a"', 7],
    ['twice, first as an escape', '{"\\u0061":1,"a":2}', '"a"', 12],
    ['twice, as different escapes', '{"\\/":1,"\\u002F":2}', '"/"', 8],
    ['twice, astral and as a pair of escapes', '{"😀":1,"\\ud83D\\uDE00":2}', '"😀"', 8],
    ['twice, empty', '{"":1,"":2}', '""', 6],
    ['twice, an array index', '{"7":1,"7":2}', '"7"', 7],
    ['twice, __proto__', '{"__proto__":1,"__proto__":2}', '"__proto__"', 15],
    ['twice, __proto__ with null first', '{"__proto__":null,"__proto__":{}}', '"__proto__"', 18],
    ['twice, constructor', '{"constructor":1,"constructor":2}', '"constructor"', 17],
    ['twice in an inner object', '[{"a":{"b":1,"b":2}}]', '"b"', 13],
  ])('with a key %s is refused', (_, text, key, at) => {
    expect(refusal(text)).toBe(invalid(`the key ${key} stands twice in one object (at character ${at})`))
    expect(() => JSON.parse(text) as unknown).not.toThrow()
  })

  it.each([
    ['in objects beside each other', '[{"a":1},{"a":2}]'],
    ['in objects inside each other', '{"a":{"a":{"a":1}}}'],
    ['in other case', '{"a":1,"A":2}'],
    ['with a blank', '{"a":1,"a ":2,"":3}'],
    ['with a NUL', '{"a":1,"a\\u0000":2}'],
    ['in another normal form', '{"\u00e9":1,"e\u0301":2}'],
    ['with a leading zero', '{"1":1,"01":2,"1.0":3,"-0":4,"0":5}'],
  ])('may have keys that are the same only %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it('has no members but those of the text', () => {
    const value = parse('{"a":1}')
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
      expect(isJsonObject(value) && value[name]).toBeUndefined()
      expect(isJsonObject(value) && name in value).toBe(false)
    }
  })

  it('takes the names of Object.prototype as ordinary keys', () => {
    const value = parse('{"__proto__":{"admin":true},"constructor":{"prototype":1},"toString":2,"hasOwnProperty":3}')
    expect(isJsonObject(value) && Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    expect(isJsonObject(value) && value['admin']).toBeUndefined()
    expect(isJsonObject(value) && value['toString']).toBe(2)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
    expect(parse('{}')).not.toHaveProperty('admin')
  })

  it('keeps the members of every object to itself', () => {
    const [first, second] = parse('[{"a":1},{"b":2}]') as readonly JsonValue[]
    expect(Object.keys(first ?? {})).toEqual(['a'])
    expect(Object.keys(second ?? {})).toEqual(['b'])
  })

  it('is told apart from an array and from null', () => {
    expect(['{}', '[]', 'null', '"a"', '1', 'true'].map((text) => isJsonObject(parse(text)))).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ])
    expect(isJsonObject(undefined)).toBe(false)
  })
})

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

describe('the limit', () => {
  const nested = 'nested more than 100 levels deep'
  it('of depth is 100 levels of arrays and objects', () => {
    expect(() => parse('['.repeat(100) + ']'.repeat(100))).not.toThrow()
    expect(() => parse('{"a":'.repeat(100) + '0' + '}'.repeat(100))).not.toThrow()
    expect(() => parse(`[${`${'['.repeat(99)}${']'.repeat(99)},`.repeat(50)}0]`)).not.toThrow()
  })

  it.each([
    ['101 arrays', '['.repeat(101) + ']'.repeat(101), `${nested} (at character 100)`],
    ['101 objects', '{"a":'.repeat(101) + '0' + '}'.repeat(101), `${nested} (at character 500)`],
    ['50 objects and 51 arrays', '{"a":['.repeat(50) + '[]' + ']}'.repeat(50), `${nested} (at character 300)`],
    // What comes after the limit is not even looked at: no recursion, no search for the other end.
    ['100,000 arrays', '['.repeat(100_000), `${nested} (at character 100)`],
    ['100,000 objects', '{"a":'.repeat(100_000), `${nested} (at character 500)`],
  ])('of depth is kept with %s', (_, text, reason) => {
    expect(refusal(text.replace('[]', '[]'))).toBe(invalid(reason))
  })

  it('of depth can be set', () => {
    expect(parse('[[1]]', { maxDepth: 2 })).toEqual([[1]])
    expect(refusal('[[1]]', { maxDepth: 1 })).toBe(invalid('nested more than 1 levels deep (at character 1)'))
    expect(refusal('{}', { maxDepth: 0 })).toBe(invalid('nested more than 0 levels deep (at character 0)'))
    expect(parse('1', { maxDepth: 0 })).toBe(1)
  })

  it('of size counts bytes, before anything is decoded', () => {
    expect(parse('"é"', { maxBytes: 4 })).toBe('é')
    expect(refusal('"é"', { maxBytes: 3 })).toBe('DecodingError TOO_LARGE: the bundle is 4 bytes long, more than the limit of 3')
    expect(failureOf(() => parseJson(Uint8Array.of(0xff, 0xff), 'the bundle', { maxBytes: 1 }))).toMatch(/^DecodingError TOO_LARGE: /)
    expect(failureOf(() => parseJson('[]', 'the bundle', { maxBytes: 1 }))).toMatch(/^DecodingError TOO_LARGE: /)
  })

  it('of size is 128 MiB, and never more than a string can hold', () => {
    expect(failureOf(() => parseJson(Buffer.allocUnsafeSlow(defaultMaxJsonBytes + 1), 'x'))).toBe(
      `DecodingError TOO_LARGE: x is ${defaultMaxJsonBytes + 1} bytes long, more than the limit of ${128 * 1024 * 1024}`,
    )
    const bytes = Buffer.allocUnsafeSlow(constants.MAX_STRING_LENGTH + 1)
    expect(failureOf(() => parseJson(bytes, 'x', { maxBytes: Number.MAX_SAFE_INTEGER }))).toBe(
      `DecodingError TOO_LARGE: x is ${bytes.length} bytes long, more than the limit of ${constants.MAX_STRING_LENGTH}`,
    )
  })

  it('of values counts all of them, at every depth', () => {
    expect(parse('[1,[],{"a":"b"}]', { maxValues: 5 })).toEqual([1, [], { a: 'b' }])
    const message = 'DecodingError TOO_LARGE: the bundle has more than 4 values, which is the limit'
    expect(refusal('[1,[],{"a":"b"}]', { maxValues: 4 })).toBe(message)
    expect(refusal('[1,2,3,4]', { maxValues: 4 })).toBe(message)
    // Of the rest nothing is read, not even whether it is JSON.
    expect(refusal('[[[[[ hello', { maxValues: 4 })).toBe(message)
  })
})

describe('beside JSON.parse', () => {
  /** What JSON.parse gives, with every integer that a double cannot hold left as it was rounded. */
  const rounded = (value: JsonValue): unknown =>
    JSON.parse(JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? Number(member) : member)))

  it('any value that is written is read the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: character, maxDepth: 5 }), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        expect(rounded(parse(text, { integers: 'exact' }))).toEqual(JSON.parse(text))
      }),
      { numRuns: 300 },
    )
  })

  /** Why this parser may refuse what JSON.parse takes. */
  const stricter =
    /stands twice in one object|a number that a double cannot hold|a lone surrogate|a number longer than 1000|nested more than 100/

  it('any text is read the same, or refused by both, or refused here for a reason', () => {
    const piece = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '"a"',
        '"a":',
        '"b":1',
        '\\',
        '\\u0061',
        '\\ud83d',
        '1',
        '-',
        '0',
        '.5',
        'e9',
        '9007199254740993',
      ],
      ...['true', 'null', ' ', '\n', '\t', '\u00a0', 'é', '{}', '[]', '"__proto__":', '//', "'"],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        agree(pieces.join(''))
      }),
      { numRuns: 4000 },
    )
  })

  it('a good text with characters changed, cut out or put in is read the same, or refused by both, or refused here for a reason', () => {
    const letter = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '0', '1', 'e', '.', '-', 'a', ' ', '\n', '\0', 'é')
    const change = fc.record({ place: fc.nat(), cut: fc.nat(3), letter })
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.array(change, { minLength: 1, maxLength: 3 }), (good, changes) => {
        let text = good
        for (const { place, cut, letter } of changes) {
          const at = place % (text.length + 1)
          text = text.slice(0, at) + letter + text.slice(at + cut)
        }
        agree(text)
      }),
      { numRuns: 2000 },
    )
  })

  function agree(text: string): void {
    let theirs: { readonly value: unknown } | undefined
    try {
      theirs = { value: JSON.parse(text) }
    } catch {
      theirs = undefined
    }
    let ours: JsonValue
    try {
      ours = parse(text)
    } catch (error) {
      expect(error).toMatchObject({ name: 'DecodingError', code: 'JSON_INVALID' })
      if (theirs !== undefined) expect(error).toMatchObject({ message: expect.stringMatching(stricter) as unknown })
      return
    }
    expect(theirs, `${text} is taken here only`).toBeDefined()
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs?.value))
  }
})
