import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import type { JsonLimits, JsonValue } from '../../../src/encoding/json.ts'
import { parseJson } from '../../../src/encoding/json.ts'
import { character } from '../../unit/encoding/character.ts'

const parse = (text: string, limits?: JsonLimits): JsonValue => parseJson(encodeUtf8(text), 'x', limits)

describe('JSON beside JSON.parse', () => {
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
      'true',
      'null',
      ' ',
      '\n',
      '\t',
      '\u00a0',
      'é',
      '{}',
      '[]',
      '"__proto__":',
      '//',
      "'",
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
