import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/encoding/bytes.ts'
import { TlsReader, tlsOpaque, tlsUint } from '../../../src/encoding/tls.ts'
import { failureOf } from './failure.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const reader = (text: string): TlsReader => new TlsReader(hex(text), 'the SCT', 'SCT_INVALID')

describe('TlsReader', () => {
  it('reads numbers and vectors one after another', () => {
    const fields = reader(['00', '0104', '0000018f00000000', '00', '03616263', '0002ffee', '000001aa', 'ffffffffffff'].join(''))
    expect(fields.uint(1)).toBe(0)
    expect(fields.uint(2)).toBe(0x0104)
    expect(fields.uint64()).toBe(0x18f00000000n)
    expect(fields.opaque(1)).toEqual(new Uint8Array(0))
    expect(fields.opaque(1)).toEqual(hex('616263'))
    expect(fields.opaque(2)).toEqual(hex('ffee'))
    expect(fields.opaque(3)).toEqual(hex('aa'))
    expect(fields.done).toBe(false)
    expect(fields.uint(6)).toBe(2 ** 48 - 1)
    expect(fields.done).toBe(true)
    fields.end()
  })

  it('reads the greatest numbers exactly', () => {
    expect(reader('ffffffffffffffff').uint64()).toBe(2n ** 64n - 1n)
    expect(reader('8000000000000001').uint64()).toBe(2n ** 63n + 1n)
    expect(reader('ffffffff').uint(4)).toBe(2 ** 32 - 1)
  })

  it('gives views of what it reads, not copies', () => {
    const bytes = hex('0161')
    expect(new TlsReader(bytes, 'x').opaque(1).buffer).toBe(bytes.buffer)
  })

  const early = (expected: number, left: number): string =>
    `DecodingError SCT_INVALID: the SCT ends early: ${expected} more bytes were expected, ${left} are left`
  it.each([
    ['a number', '', (fields: TlsReader) => fields.uint(1), early(1, 0)],
    ['the second byte of a number', 'ff', (fields: TlsReader) => fields.uint(2), early(2, 1)],
    ['the second half of a number', 'ffffffff', (fields: TlsReader) => fields.uint64(), early(4, 0)],
    ['the length of a vector', '00', (fields: TlsReader) => fields.opaque(2), early(2, 1)],
    ['a byte of a vector', '000361', (fields: TlsReader) => fields.opaque(2), early(3, 1)],
    ['most of a vector', 'ffffff61', (fields: TlsReader) => fields.opaque(3), early(2 ** 24 - 1, 1)],
    ['bytes', '6162', (fields: TlsReader) => fields.take(3), early(3, 2)],
  ])('refuses input that ends before %s', (_, text, read, message) => {
    expect(failureOf(() => read(reader(text)))).toBe(message)
  })

  it('refuses what is left over', () => {
    const fields = reader('0161ffff')
    fields.opaque(1)
    expect(failureOf(() => fields.end())).toBe('DecodingError SCT_INVALID: the SCT has 2 bytes after its end')
  })

  it('has the code of malformed encodings unless told otherwise', () => {
    expect(failureOf(() => new TlsReader(new Uint8Array(0), 'the entry').uint(1))).toMatch(
      /^DecodingError ENCODING_INVALID: the entry ends early/,
    )
  })
})

describe('tlsUint', () => {
  it.each([
    [0, 1, '00'],
    [255, 1, 'ff'],
    [256, 2, '0100'],
    [1, 3, '000001'],
    [2 ** 48 - 1, 6, 'ffffffffffff'],
    [2n ** 64n - 1n, 8, 'ffffffffffffffff'],
    [0n, 0, ''],
  ])('writes %s in %i bytes', (value, size, text) => {
    expect(tlsUint(value, size)).toEqual(hex(text))
  })

  it.each([
    [256, 1],
    [65536, 2],
    [2 ** 24, 3],
    [2n ** 64n, 8],
    [-1, 4],
    [-(2n ** 64n), 8],
    [1, 0],
  ])('does not write %s in %i bytes', (value, size) => {
    expect(failureOf(() => tlsUint(value, size))).toBe(`DecodingError ENCODING_INVALID: ${value} does not fit in ${size} bytes`)
  })
})

describe('a vector', () => {
  it('is refused when its length does not fit', () => {
    expect(failureOf(() => tlsOpaque(new Uint8Array(256), 1))).toBe('DecodingError ENCODING_INVALID: 256 does not fit in 1 bytes')
    expect(tlsOpaque(new Uint8Array(255), 1)).toHaveLength(256)
  })

  const field = fc.oneof(
    fc.record({ kind: fc.constant('uint' as const), size: fc.integer({ min: 1, max: 6 }), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('opaque' as const), size: fc.integer({ min: 1, max: 3 }), bytes: fc.uint8Array({ maxLength: 20 }) }),
    fc.record({ kind: fc.constant('uint64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  )

  it('and its neighbours are read as they were written, and one byte less is refused', () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), (fields) => {
        const bytes = concatBytes(
          ...fields.map((one) =>
            one.kind === 'opaque' ? tlsOpaque(one.bytes, one.size) : tlsUint(one.value, one.kind === 'uint' ? one.size : 8),
          ),
        )
        const readAll = (from: TlsReader): void => {
          for (const one of fields) {
            if (one.kind === 'opaque') expect(from.opaque(one.size)).toEqual(one.bytes)
            else expect(one.kind === 'uint' ? from.uint(one.size) : from.uint64()).toBe(one.value)
          }
          from.end()
        }
        readAll(new TlsReader(bytes, 'x'))
        expect(failureOf(() => readAll(new TlsReader(bytes.subarray(0, -1), 'x')))).toMatch(/ends early/)
        expect(failureOf(() => readAll(new TlsReader(concatBytes(bytes, new Uint8Array(1)), 'x')))).toMatch(/1 bytes after its end/)
      }),
    )
  })

  it('with one bit flipped is refused or is other content', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(), (content, bit) => {
        const bytes = tlsOpaque(content, 2)
        const at = (bit >> 3) % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
        let read: Uint8Array
        try {
          const fields = new TlsReader(bytes, 'x')
          read = fields.opaque(2)
          fields.end()
        } catch (error) {
          expect(error).toMatchObject({ name: 'DecodingError', code: 'ENCODING_INVALID' })
          return
        }
        expect(tlsOpaque(read, 2)).toEqual(bytes)
        expect(read).not.toEqual(content)
      }),
      { numRuns: 500 },
    )
  })
})
