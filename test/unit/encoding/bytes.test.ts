import { constants } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asBuffer, concatBytes, decodeUtf8, encodeUtf8, equalBytes, excerpt } from '../../../src/encoding/bytes.ts'
import { character } from './character.ts'
import { failureOf } from './failure.ts'

describe('equalBytes', () => {
  it('compares contents, whatever holds them', () => {
    const memory = Uint8Array.of(9, 1, 2, 3, 9)
    expect(equalBytes(memory.subarray(1, 4), Buffer.from([1, 2, 3]))).toBe(true)
    expect(equalBytes(new Uint8Array(0), memory.subarray(2, 2))).toBe(true)
  })

  it.each([
    ['another byte', [1, 2, 4]],
    ['a byte less', [1, 2]],
    ['a byte more', [1, 2, 3, 0]],
    ['nothing', []],
  ])('sees %s', (_, other) => {
    expect(equalBytes(Uint8Array.of(1, 2, 3), Uint8Array.from(other))).toBe(false)
    expect(equalBytes(Uint8Array.from(other), Uint8Array.of(1, 2, 3))).toBe(false)
  })
})

describe('concatBytes', () => {
  it('joins the parts in new memory', () => {
    const part = Uint8Array.of(1, 2)
    const joined = concatBytes(part, new Uint8Array(0), Buffer.from([3]), part)
    expect(joined).toEqual(Uint8Array.of(1, 2, 3, 1, 2))
    part[0] = 9
    expect(joined[0]).toBe(1)
    expect(concatBytes()).toEqual(new Uint8Array(0))
    expect(concatBytes(part).buffer).not.toBe(part.buffer)
  })
})

describe('asBuffer', () => {
  it('is the same memory, and only the part that the view shows', () => {
    const memory = Uint8Array.of(9, 1, 2, 9)
    const buffer = asBuffer(memory.subarray(1, 3))
    expect([...buffer]).toEqual([1, 2])
    buffer[0] = 7
    expect(memory[1]).toBe(7)
  })
})

describe('UTF-8', () => {
  it.each([
    ['plain text', 'countersign', '636f756e7465727369676e'],
    ['every length of a character', '$£€\u{10348}', '24c2a3e282acf0908d88'],
    ['a NUL', '\0', '00'],
    ['the last code point', '\u{10ffff}', 'f48fbfbf'],
    ['a noncharacter', '\uffff', 'efbfbf'],
    ['a byte order mark, which is kept', '\ufeffa', 'efbbbf61'],
    ['nothing', '', ''],
  ])('holds %s', (_, text, hex) => {
    expect(Buffer.from(encodeUtf8(text)).toString('hex')).toBe(hex)
    expect(decodeUtf8(Uint8Array.from(Buffer.from(hex, 'hex')), 'x')).toBe(text)
  })

  it('has U+FFFD for a lone surrogate', () => {
    expect(Buffer.from(encodeUtf8('a\ud800b')).toString('hex')).toBe('61efbfbd62')
  })

  it.each([
    ['a continuation byte alone', '80'],
    ['NUL in two bytes', 'c080'],
    ['"/" in two bytes', 'c0af'],
    ['a character in three bytes that has two', 'e08080'],
    ['a character in four bytes that has three', 'f0808080'],
    ['a surrogate', 'eda080'],
    ['a pair of surrogates (CESU-8)', 'eda0bdedb880'],
    ['a code point beyond the last', 'f4908080'],
    ['a first byte that does not exist', 'f8888080'],
    ['FE and FF', 'feff'],
    ['a character cut off', '61e282'],
    ['a character cut off by another', 'e28261'],
    ['Latin-1', '636166e9'],
    ['UTF-16', 'fffe6100'],
  ])('with %s is refused', (_, hex) => {
    expect(failureOf(() => decodeUtf8(Buffer.from(hex, 'hex'), 'the key id'))).toBe(
      'DecodingError ENCODING_INVALID: the key id is not valid UTF-8 text',
    )
  })

  it('is refused when no string could hold it', () => {
    const bytes = Buffer.allocUnsafeSlow(constants.MAX_STRING_LENGTH + 1)
    expect(failureOf(() => decodeUtf8(bytes, 'the payload'))).toBe(
      `DecodingError TOO_LARGE: the payload is ${bytes.length} bytes long, more than the limit of ${constants.MAX_STRING_LENGTH} for text`,
    )
  })

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        expect(decodeUtf8(encodeUtf8(text), 'x')).toBe(text)
      }),
    )
  })

  it('is what a fatal TextDecoder takes, and the same text', () => {
    const judge = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4))
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 8 }), (list) => {
        const bytes = Uint8Array.from(list)
        let theirs: string | undefined
        try {
          theirs = judge.decode(bytes)
        } catch {
          theirs = undefined
        }
        if (theirs === undefined) expect(failureOf(() => decodeUtf8(bytes, 'x'))).toMatch(/ENCODING_INVALID/)
        else expect(decodeUtf8(bytes, 'x')).toBe(theirs)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('excerpt', () => {
  it('quotes', () => {
    expect(excerpt('a "b" \\')).toBe(String.raw`"a \"b\" \\"`)
  })

  it('cuts what is long and says so', () => {
    expect(excerpt('a'.repeat(60))).toBe(`"${'a'.repeat(60)}"`)
    expect(excerpt('a'.repeat(61))).toBe(`"${'a'.repeat(60)}…"`)
    expect(excerpt('abcdef', 3)).toBe('"abc…"')
  })

  it.each([
    ['a newline', '\n', String.raw`\n`],
    ['an escape, which a terminal would obey', '\u001b[2J', String.raw`\u001b[2J`],
    ['a control sequence introducer of one character', '\u009b2J', String.raw`\u009b2J`],
    ['a delete', '\u007f', String.raw`\u007f`],
    ['a change of direction', '\u202egnp.exe', String.raw`\u202egnp.exe`],
    ['an isolate', '\u2066', String.raw`\u2066`],
    ['a blank without width', '\u200b', String.raw`\u200b`],
    ['a byte order mark', '\ufeff', String.raw`\ufeff`],
    ['a no-break space', 'a\u00a0b', String.raw`a\u00a0b`],
    ['an ideographic space', '\u3000', String.raw`\u3000`],
    ['a soft hyphen', '\u00ad', String.raw`\u00ad`],
    ['a line separator', '\u2028', String.raw`\u2028`],
    ['a character of private use', '\ue000', String.raw`\ue000`],
    ['a tag beyond the first plane', '\u{e0041}', String.raw`\udb40\udc41`],
    ['a lone surrogate', '\ud800', String.raw`\ud800`],
  ])('shows %s as an escape', (_, text, shown) => {
    expect(excerpt(text)).toBe(`"${shown}"`)
  })

  it('leaves letters of any script as they are', () => {
    expect(excerpt('Übergröße 签名 подпись 😀')).toBe('"Übergröße 签名 подпись 😀"')
  })

  it('is JSON of the text, without anything that does not print', () => {
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 50 }), (text) => {
        const shown = excerpt(text, 200)
        expect(JSON.parse(shown)).toBe(text)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u)
        expect(shown.replaceAll(' ', '')).not.toMatch(/\p{Zs}/u)
      }),
      { numRuns: 1000 },
    )
  })
})
