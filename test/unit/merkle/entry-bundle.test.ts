import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { decodeEntryBundle, encodeEntryBundle } from '../../../src/merkle/entry-bundle.ts'
import { failureOf } from './failure.ts'
import { flipBit } from './reference-tree.ts'

const refusal = (message: string) => ({ type: 'DecodingError', code: 'TILE_INVALID', message })
const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 })

describe('an entry bundle', () => {
  it('puts two bytes of length before each entry', () => {
    expect(encodeHex(encodeEntryBundle([Uint8Array.of(0xaa), new Uint8Array(0), Uint8Array.of(0xbb, 0xcc)]))).toBe('0001aa00000002bbcc')
  })

  it('is decoded into the entries that it was made from', () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(decodeEntryBundle(encodeEntryBundle(list), list.length).map(encodeHex)).toEqual(list.map(encodeHex))
      }),
    )
  })

  it('is refused or holds other entries when any bit is flipped', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (list, bit) => {
        const bytes = flipBit(encodeEntryBundle(list), bit)
        try {
          const decoded = decodeEntryBundle(bytes, list.length)
          expect(decoded.map(encodeHex)).not.toEqual(list.map(encodeHex))
          expect(encodeHex(encodeEntryBundle(decoded))).toBe(encodeHex(bytes))
        } catch (error) {
          expect(error).toMatchObject({ code: 'TILE_INVALID' })
        }
      }),
    )
  })

  it('holds 256 entries of 65,535 bytes', () => {
    const entry = new Uint8Array(65_535).fill(7)
    const bytes = encodeEntryBundle(Array.from({ length: 256 }, () => entry))
    expect(bytes.length).toBe(256 * 65_537)
    expect(decodeEntryBundle(bytes, 256)[255]).toHaveLength(65_535)
  })

  it('is refused when it holds fewer entries than it should', () => {
    const bytes = encodeEntryBundle([Uint8Array.of(1, 2, 3)])
    expect(failureOf(() => decodeEntryBundle(bytes, 2))).toEqual(
      refusal('the entry bundle ends early: 2 more bytes were expected, 0 are left'),
    )
  })

  it('is refused when it holds more than it should', () => {
    const bytes = encodeEntryBundle([Uint8Array.of(1), Uint8Array.of(2)])
    expect(failureOf(() => decodeEntryBundle(bytes, 1))).toEqual(refusal('the entry bundle has 3 bytes after its end'))
  })

  it('is refused when it ends within an entry or a length', () => {
    const bytes = encodeEntryBundle([Uint8Array.of(1, 2, 3)])
    expect(failureOf(() => decodeEntryBundle(bytes.subarray(0, 4), 1))).toEqual(
      refusal('the entry bundle ends early: 3 more bytes were expected, 2 are left'),
    )
    expect(failureOf(() => decodeEntryBundle(bytes.subarray(0, 1), 1))).toEqual(
      refusal('the entry bundle ends early: 2 more bytes were expected, 1 are left'),
    )
  })

  it.each([0, 257, -1, 1.5])('is not read for %f entries', (width) => {
    expect(failureOf(() => decodeEntryBundle(new Uint8Array(2), width))).toEqual(
      refusal(`an entry bundle holds 1 to 256 entries, found ${width}`),
    )
  })

  it.each([0, 257])('is not made of %i entries', (count) => {
    const list = Array.from({ length: count }, () => new Uint8Array(1))
    expect(failureOf(() => encodeEntryBundle(list))).toEqual(refusal(`an entry bundle holds 1 to 256 entries, found ${count}`))
  })

  it('is not made of an entry whose length does not fit', () => {
    expect(failureOf(() => encodeEntryBundle([new Uint8Array(65_536)]))).toEqual(
      refusal('a log entry has at most 65535 bytes, found 65536'),
    )
  })
})
