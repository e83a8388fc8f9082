import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeOid, parseOid } from '../../../src/encoding/oid.ts'
import { failureOf } from './failure.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('an object identifier', () => {
  it.each([
    ['0.0', '00'],
    ['0.39', '27'],
    ['1.0', '28'],
    ['1.39', '4f'],
    ['2.0', '50'],
    ['2.47', '7f'],
    ['2.48', '8100'],
    ['2.999.3', '883703'],
    ['1.2.840.113549', '2a864886f70d'],
    ['1.2.840.10045.3.1.7', '2a8648ce3d030107'],
    ['2.5.29.17', '551d11'],
    ['1.3.6.1.4.1.57264.1.8', '2b0601040183bf300108'],
    ['1.0.127.128.16383.16384', '287f8100ff7f818000'],
    ['1.0.562949953421311', '28ffffffffffff7f'],
    ['1.0.562949953421312', '288180808080808000'],
    ['2.9007199254740991', '908080808080804f'],
    ['2.25.340282366920938463463374607431768211455', '6983ffffffffffffffffffffffffffffffffff7f'],
    ['2.340282366920938463463374607431768211455', '8480808080808080808080808080808080804f'],
  ])('%s is %s', (dotted, octets) => {
    expect(parseOid(hex(octets), 'x')).toBe(dotted)
    expect(encodeOid(dotted)).toEqual(hex(octets))
  })

  it.each([
    ['without octets', '', 'of 0 bytes (1 to 128 are allowed)'],
    ['with an arc that begins with 80', '2a8001', 'with an arc that is not minimal'],
    ['with a first arc that begins with 80', '8001', 'with an arc that is not minimal'],
    ['with a last arc that begins with 80', '2a864886f70d8001', 'with an arc that is not minimal'],
    ['of nothing but 80', '80', 'with an arc that is not minimal'],
    ['cut inside an arc', '2a86', 'that is cut off'],
    ['cut inside a later arc', '2a864886', 'that is cut off'],
    ['cut inside its first arc', '88', 'that is cut off'],
    ['cut inside a long arc', '2affffffffffffffffffff', 'that is cut off'],
    ['of 129 octets', '2a'.repeat(129), 'of 129 bytes (1 to 128 are allowed)'],
  ])('%s is refused', (_, octets, reason) => {
    expect(failureOf(() => parseOid(hex(octets), 'the algorithm'))).toBe(
      `DecodingError DER_INVALID: the algorithm is an object identifier ${reason}`,
    )
  })

  it.each([
    ['nothing', ''],
    ['one arc', '1'],
    ['a first arc over 2', '3.1'],
    ['a second arc over 39 under 0', '0.40'],
    ['a second arc over 39 under 1', '1.40'],
    ['a second arc of three digits under 1', '1.100'],
    ['an empty arc', '1.2..3'],
    ['a dot at the end', '1.2.'],
    ['a dot at the beginning', '.1.2'],
    ['a leading zero', '1.2.03'],
    ['a leading zero in the second arc', '1.02'],
    ['a negative arc', '1.2.-3'],
    ['hexadecimal', '1.2.0x10'],
    ['a blank', '1.2. 3'],
    ['a newline at the end', '1.2.3\n'],
    ['an exponent', '1.2.1e3'],
    ['a name', 'id-ecPublicKey'],
    ['digits of another script', '1.2.\u0663'],
  ])('cannot be written from %s', (_, dotted) => {
    expect(failureOf(() => encodeOid(dotted))).toBe(`DecodingError DER_INVALID: ${JSON.stringify(dotted)} is not an object identifier`)
  })

  it('is not written longer than it may be read', () => {
    expect(encodeOid(`1.2${'.1'.repeat(127)}`)).toHaveLength(128)
    expect(failureOf(() => encodeOid(`1.2${'.1'.repeat(128)}`))).toBe(
      `DecodingError DER_INVALID: "1.2${'.1'.repeat(28)}.…" is an object identifier of 129 bytes, the limit is 128`,
    )
    expect(failureOf(() => encodeOid(`1.2.${'9'.repeat(100_000)}`))).toMatch(/is not an object identifier$/)
  })

  it('of 128 octets in one arc has its exact digits', () => {
    const octets = new Uint8Array(128).fill(0xff)
    octets[127] = 0x7f
    expect(parseOid(octets, 'x')).toBe(`2.${2n ** 896n - 1n - 80n}`)
    expect(encodeOid(parseOid(octets, 'x'))).toEqual(octets)
  })

  it('gives back the arcs that were written', () => {
    const arc = fc.oneof(fc.nat(200), fc.bigInt({ min: 0n, max: 2n ** 130n }))
    const start = fc.oneof(fc.tuple(fc.constantFrom(0, 1), fc.nat(39)), fc.tuple(fc.constant(2), arc))
    fc.assert(
      fc.property(start, fc.array(arc, { maxLength: 5 }), (first, rest) => {
        const dotted = [...first, ...rest].join('.')
        expect(parseOid(encodeOid(dotted), 'x')).toBe(dotted)
      }),
    )
  })

  it('is the same when it is read again, whatever was read before', () => {
    // All of six to eight octets that differ in one or two: more than are kept, and many that would be kept in one place.
    const octet = fc.nat(0x7f)
    const octets = fc.tuple(fc.constantFrom('2b0601040183', '2b060104', '2a8648ce3d04', '2b06010401d679020402'), octet, octet)
    fc.assert(
      fc.property(fc.array(octets, { minLength: 2, maxLength: 40 }), (list) => {
        for (const [start, one, other] of [...list, ...list]) {
          const bytes = Uint8Array.of(...hex(start), one, other)
          expect(encodeOid(parseOid(bytes, 'x'))).toEqual(bytes)
        }
      }),
    )
  })

  it('that is refused is refused again', () => {
    for (let time = 0; time < 3; time++) expect(failureOf(() => parseOid(hex('2b8001'), 'x'))).toContain('not minimal')
  })

  it('has one encoding: octets that are taken are written back the same', () => {
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x7f, 0x80, 0x81, 0xff))
    fc.assert(
      fc.property(fc.array(octet, { minLength: 1, maxLength: 12 }), (list) => {
        const octets = Uint8Array.from(list)
        let dotted: string
        try {
          dotted = parseOid(octets, 'x')
        } catch (error) {
          expect(error).toMatchObject({ code: 'DER_INVALID' })
          return
        }
        expect(encodeOid(dotted)).toEqual(octets)
      }),
      { numRuns: 1000 },
    )
  })
})
