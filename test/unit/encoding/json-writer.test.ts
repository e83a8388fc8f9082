import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeJson, sortJson } from '../../../src/encoding/json-writer.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { failureOf } from './failure.ts'

const sorted = (text: string): string => sortJson(text, 'the document').text

describe('a rewritten JSON text', () => {
  it('has sorted keys and no white space, and its strings and numbers as they were written', () => {
    expect(
      sorted(' { "b" : [ 1.50 , 1e2, -0.0, true ] ,\n "a\\u0041" : "\\u00e9\\/x" , "\\u0061" : null, "c": { } , "d":[ ], "e": false } '),
    ).toBe('{"\\u0061":null,"a\\u0041":"\\u00e9\\/x","b":[1.50,1e2,-0.0,true],"c":{},"d":[],"e":false}')
  })

  it.each(['92233720368547758079', '-170141183460469231731687303715884105728', '0.1000000000000000055511151231257827', '1E-400'])(
    'keeps %s to the last digit',
    (number) => {
      expect(sorted(`[${number}]`)).toBe(`[${number}]`)
    },
  )

  it.each(['"text"', '12', 'null', 'true', '[]', '{}', '[[],[[]]]', '[{"a":[{}]}]'])('may be %s alone', (text) => {
    expect(sorted(`\n${text} `)).toBe(text)
  })

  it('means what it meant, whatever it is, and is not changed again', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent)
        const rewritten = sorted(text)
        expect(parseJson(rewritten, 'x', { integers: 'exact' })).toEqual(parseJson(text, 'x', { integers: 'exact' }))
        expect(sorted(rewritten)).toBe(rewritten)
      }),
    )
  })

  it.each([
    ['{"a":1,"a":2}', /the key "a" stands twice/],
    ['{"a":1,}', /expected a key in double quotes/],
    ['[1 2]', /expected "," or "\]"/],
    ['[1] x', /expected the end/],
    ['', /expected a value/],
    [`${'['.repeat(101)}${']'.repeat(101)}`, /nested more than 100 levels/],
  ])('is refused where it is not strict JSON: %s', (text, message) => {
    expect(failureOf(() => sorted(text))).toMatch(message)
  })
})

describe('the JSON of a value', () => {
  it('has sorted keys, and integers of any length', () => {
    expect(encodeJson({ b: [1, 2n ** 70n, 'ü"\n'], a: { d: undefined, c: null }, e: -0 })).toBe(
      '{"a":{"c":null},"b":[1,1180591620717411303424,"ü\\"\\n"],"e":0}',
    )
  })

  it('is that of parsed JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value = parseJson(json, 'x', { integers: 'exact' })
        expect(parseJson(encodeJson(value), 'x', { integers: 'exact' })).toEqual(value)
      }),
    )
  })

  it.each([
    [{ a: Number.NaN }, 'value.a is NaN'],
    [{ a: [() => 1] }, 'value.a[0] is of the type function'],
    [{ a: new Date(0) }, 'value.a is neither a plain object nor an array'],
    [new Map(), 'value is neither a plain object nor an array'],
    [['\ud800'], 'value[0] is a string with a lone surrogate'],
    [[undefined], 'value[0] is of the type undefined'],
  ])('is not made of what JSON has no form for (%#)', (value, message) => {
    expect(failureOf(() => encodeJson(value))).toContain(` JSON_INVALID: ${message}`)
  })

  it('is not made of what goes round in circles', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(failureOf(() => encodeJson(circle))).toContain(' JSON_INVALID: ')
  })
})
