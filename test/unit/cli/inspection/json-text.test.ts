import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatJson } from '../../../../src/cli/inspection/json-text.ts'
import type { JsonValue } from '../../../../src/encoding/json.ts'
import { parseJson } from '../../../../src/encoding/json.ts'

describe('JSON for the terminal', () => {
  it('is indented as JSON.stringify does it', () => {
    const value = { a: [1, [], {}, { b: null }], c: 'text', d: true, e: -0.5 }
    expect(formatJson(value)).toBe(JSON.stringify(value, undefined, 2))
  })

  it('leaves out members that are undefined', () => {
    expect(formatJson({ a: undefined, b: 1 })).toBe('{\n  "b": 1\n}')
    expect(formatJson({ a: undefined })).toBe('{}')
  })

  it('keeps integers of any length exact', () => {
    expect(formatJson({ n: 12345678901234567890123n })).toBe('{\n  "n": 12345678901234567890123\n}')
  })

  it.each([
    ['a bell', '\u0007', '\\u0007'],
    ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
    ['delete', '\u007f', '\\u007f'],
    ['a C1 control', '\u009b31m', '\\u009b31m'],
    ['a right-to-left override', '\u202e', '\\u202e'],
    ['a zero-width space', '\u200b', '\\u200b'],
    ['a line separator', '\u2028', '\\u2028'],
    ['a tag beyond the basic plane', '\u{e0041}', '\\udb40\\udc41'],
    ['half a surrogate pair', '\ud800', '\\ud800'],
    ['a line end', '\n', '\\n'],
  ])('escapes %s, in keys too', (_, text, escaped) => {
    expect(formatJson(text)).toBe(`"${escaped}"`)
    expect(formatJson({ [text]: 1 })).toBe(`{\n  "${escaped}": 1\n}`)
  })

  it('leaves letters of every script as they are', () => {
    expect(formatJson('naïve – 日本語 – 😀')).toBe('"naïve – 日本語 – 😀"')
  })

  it('reads back as the value, and prints nothing but line ends that a terminal would act on', () => {
    const values = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>
    fc.assert(
      fc.property(values, (value) => {
        const text = formatJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(text).not.toMatch(/[^\P{C}\n]/u)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps a key that objects have a meaning for', () => {
    expect(formatJson(parseJson('{"__proto__":{"a":1}}', 'the test'))).toBe('{\n  "__proto__": {\n    "a": 1\n  }\n}')
  })
})
