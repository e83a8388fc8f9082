import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from '../../../src/encoding/base64.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { character } from './character.ts'
import { failureOf } from './failure.ts'

/** RFC 4648 section 10. */
const vectors: readonly (readonly [string, string])[] = [
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
]

describe('base64', () => {
  it.each(vectors)('of "%s" is "%s"', (text, encoded) => {
    expect(encodeBase64(encodeUtf8(text))).toBe(encoded)
    expect(decodeBase64(encoded, 'x')).toEqual(encodeUtf8(text))
  })

  it.each([
    ['no padding', 'Zg'],
    ['half of the padding', 'Zg='],
    ['too much padding', 'Zg==='],
    ['padding where none is due', 'Zm9v='],
    ['padding after whole groups', 'Zm9v===='],
    ['nothing but padding', '===='],
    ['padding in the middle', 'Zg==Zg=='],
    ['stray bits before two padding characters', 'Zh=='],
    ['stray bits before one padding character', 'Zm9='],
    ['a single character', 'Z'],
    ['the other alphabet', '-_8='],
    ['both alphabets', '+_8='],
    ['a newline at the end', 'Zm9v\n'],
    ['a line break inside', 'Zm9v\r\nYmFy'],
    ['a blank before', ' Zm9v'],
    ['a blank inside', 'Zm 9v'],
    ['a NUL', 'Zm9v\0'],
    ['a letter whose low byte is in the alphabet', '\u0161m9v'],
    ['a full-width letter', 'Zm9\uff56'],
    ['a lone surrogate', 'Zm9\ud876'],
    ['a byte order mark', '\ufeffZm9v'],
    ['a data URL', 'data:text/plain;base64,Zm9v'],
  ])('with %s is refused', (_, text) => {
    expect(failureOf(() => decodeBase64(text, 'the digest'))).toBe(
      `DecodingError ENCODING_INVALID: the digest is not standard base64 with padding, found ${JSON.stringify(text).replace('\ufeff', String.raw`\ufeff`)}`,
    )
  })

  it('is quoted in part only when it is long', () => {
    const message = failureOf(() => decodeBase64(`${'A'.repeat(100_000)}!`, 'the digest'))
    expect(message).toBe(`DecodingError ENCODING_INVALID: the digest is not standard base64 with padding, found "${'A'.repeat(60)}…"`)
  })

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(Uint8Array.from(decodeBase64(encodeBase64(bytes), 'x'))).toEqual(bytes)
      }),
    )
  })

  it('is taken if and only if it is canonical', () => {
    const canonical = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/
    const letters = fc.constantFrom('A', 'Q', 'g', 'w', 'E', 'B', 'z', '9', '+', '/', '=', '=', '-', '_', ' ', '\n', '\u0141')
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), (list) => {
        const text = list.join('')
        if (canonical.test(text)) expect(encodeBase64(decodeBase64(text, 'x'))).toBe(text)
        else expect(failureOf(() => decodeBase64(text, 'x'))).toMatch(/^DecodingError ENCODING_INVALID: x is not standard base64/)
      }),
      { numRuns: 2000 },
    )
  })

  it('with one character changed is refused or means other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), character, (bytes, place, letter) => {
        const encoded = encodeBase64(bytes)
        const at = place % encoded.length
        const changed = encoded.slice(0, at) + letter + encoded.slice(at + 1)
        fc.pre(changed !== encoded)
        let decoded: Uint8Array
        try {
          decoded = decodeBase64(changed, 'x')
        } catch {
          return
        }
        expect(Uint8Array.from(decoded)).not.toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })
})

describe('base64url', () => {
  it.each(vectors)('of "%s" is "%s" without its padding', (text, encoded) => {
    const unpadded = encoded.replaceAll('=', '')
    expect(encodeBase64Url(encodeUtf8(text))).toBe(unpadded)
    expect(decodeBase64Url(unpadded, 'x')).toEqual(encodeUtf8(text))
  })

  it('has "-" and "_" where base64 has "+" and "/"', () => {
    expect(encodeBase64Url(Uint8Array.of(0xfb, 0xff))).toBe('-_8')
    expect(encodeBase64(Uint8Array.of(0xfb, 0xff))).toBe('+/8=')
  })

  it.each([
    ['padding', 'Zg=='],
    ['the other alphabet', '+/8'],
    ['stray bits', 'Zh'],
    ['stray bits in three characters', 'Zm9'],
    ['a single character', 'Z'],
    ['a newline', 'Zm9v\n'],
    ['a dot', 'Zm9v.Zm9v'],
    ['a letter whose low byte is in the alphabet', '\u0161m9v'],
  ])('with %s is refused', (_, text) => {
    expect(failureOf(() => decodeBase64Url(text, 'the token'))).toBe(
      `DecodingError ENCODING_INVALID: the token is not base64url without padding, found ${JSON.stringify(text)}`,
    )
  })

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(Uint8Array.from(decodeBase64Url(encodeBase64Url(bytes), 'x'))).toEqual(bytes)
      }),
    )
  })
})
