import { constants } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { JsonLimits, JsonValue } from '../../../src/encoding/json.ts'
import { defaultMaxJsonBytes, isJsonObject, parseJson } from '../../../src/encoding/json.ts'
import { failureOf } from './failure.ts'

const parse = (text: string, limits?: JsonLimits): JsonValue => parseJson(encodeUtf8(text), 'the bundle', limits)
const refusal = (text: string, limits?: JsonLimits): string => failureOf(() => parse(text, limits))
const invalid = (reason: string): string => `DecodingError JSON_INVALID: the bundle is not valid JSON: ${reason}`

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
    ['a no-break space', '\u00a01', String.raw`expected a value, found "\u00a01" (at character 0)`],
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
      invalid(`the key "${'k'.repeat(60)}…" stands twice in one object (at character 10005)`),
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

  it('has the keys that it says, however one of the same letters was written before', () => {
    for (let time = 0; time < 2; time++) {
      expect(parse('{"sig":1}')).toEqual({ sig: 1 })
      expect(parse(String.raw`{"si\u0067":1}`)).toEqual({ sig: 1 })
      expect(parse(String.raw`{"si\"":1,"si\\":2}`)).toEqual({ 'si"': 1, 'si\\': 2 })
      expect(refusal(String.raw`{"sig":1,"s\u0069g":2}`)).toContain('the key "sig" stands twice')
      expect(refusal('{"sig:1}')).toContain('a string without its closing quote (at character 1)')
      expect(refusal('{"si\ng":1}')).toContain('a control character in a string (at character 4)')
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
    expect(refusal(text)).toBe(invalid(reason))
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
