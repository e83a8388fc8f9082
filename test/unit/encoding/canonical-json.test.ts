import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalizeJson } from '../../../src/encoding/canonical-json.ts'
import type { JsonValue } from '../../../src/encoding/json.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { character } from './character.ts'
import { failureOf } from './failure.ts'

const canonical = (text: string): string => canonicalizeJson(parseJson(text, 'x', { integers: 'exact' }))

/** The double with these bits. */
function double(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE()
}

describe('canonical JSON', () => {
  it('is as RFC 8785 section 3.2.2 shows it', () => {
    const text = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonical(text)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('has its keys in the order of UTF-16 code units, as RFC 8785 section 3.2.3 shows it', () => {
    const text = String.raw`{
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }`
    expect(canonical(text)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",' +
        '"😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    )
  })

  it.each([
    ['numbers by their digits, not by their value', '{"10":0,"9":0,"1":0,"02":0}', '{"02":0,"1":0,"10":0,"9":0}'],
    ['a key before those that it begins', '{"aa":0,"a":0,"":0}', '{"":0,"a":0,"aa":0}'],
    ['upper case before lower case', '{"a":0,"B":0}', '{"B":0,"a":0}'],
    ['in objects at every depth', '{"b":[{"d":0,"c":0}],"a":{"f":0,"e":0}}', '{"a":{"e":0,"f":0},"b":[{"c":0,"d":0}]}'],
    ['with the names of Object.prototype', '{"constructor":1,"__proto__":2,"toString":3}', '{"__proto__":2,"constructor":1,"toString":3}'],
  ])('sorts %s', (_, text, expected) => {
    expect(canonical(text)).toBe(expected)
  })

  // RFC 8785 appendix B.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('of the double %s is %s', (bits, expected) => {
    expect(canonicalizeJson(double(bits))).toBe(expected)
  })

  it.each([
    ['7fffffffffffffff', 'NaN'],
    ['7ff0000000000000', 'Infinity'],
    ['fff0000000000000', '-Infinity'],
  ])('of the double %s does not exist', (bits, name) => {
    expect(failureOf(() => canonicalizeJson([double(bits)]))).toBe(`DecodingError JSON_INVALID: ${name} has no canonical JSON form`)
  })

  it.each([
    ['the short escapes', '\b\t\n\f\r"\\', String.raw`"\b\t\n\f\r\"\\"`],
    ['other controls in lower-case hexadecimal', '\0\u001f', String.raw`"\u0000\u001f"`],
    ['a slash and a delete as they are', '/\u007f', '"/\u007f"'],
    ['separators and astral characters as they are', '\u2028\u{1f600}', '"\u2028\u{1f600}"'],
    ['characters that look the same as they came', 'A\u030a\u00c5', '"A\u030a\u00c5"'],
  ])('writes %s', (_, text, expected) => {
    expect(canonicalizeJson(text)).toBe(expected)
  })

  it.each([
    ['a value', { a: '\ud800' }],
    ['a key', { '\udc00': 0 }],
    ['an element', ['a\ud83d']],
    ['a pair the wrong way round', '\ude00\ud83d'],
  ] satisfies readonly (readonly [string, JsonValue])[])('does not exist for a lone surrogate in %s', (_, value) => {
    expect(failureOf(() => canonicalizeJson(value))).toBe(
      'DecodingError JSON_INVALID: a string with a lone surrogate has no canonical JSON form',
    )
  })

  it('does not exist for an integer that a double cannot hold', () => {
    expect(failureOf(() => canonicalizeJson({ a: 10n ** 900n }))).toBe(
      'DecodingError JSON_INVALID: an integer beyond ±(2^53 - 1) has no canonical JSON form: RFC 8785 numbers are doubles',
    )
  })

  it('leaves absent members out', () => {
    expect(canonicalizeJson({ b: undefined, a: null, c: [] })).toBe('{"a":null,"c":[]}')
  })

  it('of canonical JSON is the same text, and the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: character }), (value) => {
        const text = canonicalizeJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalizeJson(JSON.parse(text) as JsonValue)).toBe(text)
      }),
    )
  })

  it('does not depend on the order of members', () => {
    const member = fc.tuple(fc.string({ unit: character, maxLength: 3 }), fc.integer())
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ([key]) => key, maxLength: 10 }), fc.func(fc.nat()), (members, place) => {
        const moved = members.toSorted((a, b) => place(a) - place(b))
        expect(canonicalizeJson(Object.fromEntries(moved))).toBe(canonicalizeJson(Object.fromEntries(members)))
      }),
    )
  })
})
