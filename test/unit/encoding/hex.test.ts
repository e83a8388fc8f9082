import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.ts'
import { failureOf } from './failure.ts'

describe('hexadecimal', () => {
  it('is written in lower case and read in either', () => {
    const bytes = Uint8Array.of(0x00, 0x0f, 0xa5, 0xff)
    expect(encodeHex(bytes)).toBe('000fa5ff')
    for (const text of ['000fa5ff', '000FA5FF', '000fA5Ff']) expect(Uint8Array.from(decodeHex(text, 'x'))).toEqual(bytes)
  })

  it('of nothing is nothing', () => {
    expect(encodeHex(new Uint8Array(0))).toBe('')
    expect(decodeHex('', 'x')).toHaveLength(0)
  })

  it.each([
    ['an odd number of digits', 'abc'],
    ['one digit', 'a'],
    ['a letter that is no digit', 'ag'],
    ['a prefix', '0x00'],
    ['an algorithm before it', 'sha256:00'],
    ['a newline at the end', '00\n'],
    ['a blank at the end', '00 '],
    ['colons', '00:11'],
    ['a NUL', '00\0\0'],
    ['two characters of UTF-8 for one byte', 'é'],
    // Node's decoder looks at the low byte of these: "İı" would be 01.
    ['letters whose low bytes are digits', '\u0130\u0131'],
    ['one letter whose low byte is a digit', '0\u0130'],
    ['full-width digits', '\uff10\uff11'],
    ['Arabic digits', '\u0660\u0661'],
    ['lone surrogates', '\ud830\ud831'],
  ])('with %s is refused', (_, text) => {
    expect(failureOf(() => decodeHex(text, 'the log id'))).toBe(
      `DecodingError ENCODING_INVALID: the log id is not hexadecimal, found ${JSON.stringify(text)}`,
    )
  })

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(Uint8Array.from(decodeHex(encodeHex(bytes), 'x'))).toEqual(bytes)
      }),
    )
  })

  it('is taken if and only if it is pairs of digits', () => {
    const letters = fc.constantFrom('0', '9', 'a', 'f', 'A', 'F', 'g', ' ', 'x', '\u0130', '\u0166', '\u4e30')
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), (list) => {
        const text = list.join('')
        if (/^(?:[0-9a-fA-F]{2})*$/.test(text)) expect(encodeHex(decodeHex(text, 'x'))).toBe(text.toLowerCase())
        else expect(failureOf(() => decodeHex(text, 'x'))).toMatch(/^DecodingError ENCODING_INVALID: x is not hexadecimal/)
      }),
      { numRuns: 2000 },
    )
  })

  it('takes no character for a digit that is none, whatever its code', () => {
    const taken: string[] = []
    for (let code = 0; code < 0x10000; code++) {
      try {
        decodeHex(`0${String.fromCharCode(code)}`, 'x')
        taken.push(String.fromCharCode(code))
      } catch {
        // Refused: expected for all but 22 of them.
      }
    }
    expect(taken.join('')).toBe('0123456789ABCDEFabcdef')
  })
})
