import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DerReader } from '../../../src/encoding/der.ts'
import {
  derBitString,
  derBoolean,
  derElement,
  derExplicit,
  derGeneralizedTime,
  derImplicit,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derUtcTime,
  derUtf8String,
} from '../../../src/encoding/der-writer.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('DER, which has one encoding of every value', () => {
  /** Reads everything, and writes it again. */
  const rewrite = (from: DerReader): Uint8Array[] => {
    const elements: Uint8Array[] = []
    while (!from.done) {
      const element = from.any('x')
      const isConstructed = (element.tag & 0x20) !== 0
      elements.push(derElement(element.tag, isConstructed ? Buffer.concat(rewrite(new DerReader(element.content, 'x'))) : element.content))
    }
    return elements
  }

  const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((value) => derInteger(value)),
      fc.boolean().map(derBoolean),
      fc.constant(derNull()),
      fc.uint8Array({ maxLength: 140 }).map(derOctetString),
      fc.uint8Array({ maxLength: 10 }).map(derBitString),
      fc.string().map(derUtf8String),
      fc.constantFrom('1.2.840.10045.4.3.2', '2.5.4.3', '1.3.6.1.4.1.57264.1.1').map(derOid),
      fc.array(tie('tree'), { maxLength: 4 }).map((parts) => derSequence(...parts)),
      fc.array(tie('tree'), { maxLength: 4 }).map((parts) => derSet(...parts)),
      fc.tuple(fc.nat(30), tie('tree')).map(([number, part]) => derExplicit(number, part)),
      fc.tuple(fc.nat(30), fc.uint8Array({ maxLength: 10 })).map(([number, content]) => derImplicit(number, content)),
    ),
  }))

  it('that is read is written back the same, at every depth', () => {
    fc.assert(
      fc.property(tree, (bytes) => {
        expect(Buffer.concat(rewrite(new DerReader(bytes, 'x'))).equals(bytes)).toBe(true)
      }),
    )
  })

  it('with any bit flipped is refused, or is written back as it now is', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (bytes, bit) => {
        const changed = Uint8Array.from(bytes)
        const at = (bit >> 3) % changed.length
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
        let written: Uint8Array
        try {
          written = Buffer.concat(rewrite(new DerReader(changed, 'x')))
        } catch (error) {
          expect(error).toMatchObject({ name: 'DecodingError', code: 'DER_INVALID' })
          return
        }
        expect(Buffer.from(changed).equals(written)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  // One value has one encoding: whatever a reader takes, its writer gives back, byte for byte.
  const values: readonly (readonly [string, fc.Arbitrary<Uint8Array>, (from: DerReader) => Uint8Array])[] = [
    [
      'INTEGER',
      fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }).map((value) => derInteger(value)),
      (from) => derInteger(from.integer('x')),
    ],
    ['a small INTEGER', fc.nat(2 ** 31 - 1).map((value) => derInteger(value)), (from) => derInteger(from.smallInteger('x'))],
    ['BOOLEAN', fc.boolean().map(derBoolean), (from) => derBoolean(from.boolean('x'))],
    ['OBJECT IDENTIFIER', fc.constantFrom('1.2.840.10045.4.3.2', '2.999.3', '0.0').map(derOid), (from) => derOid(from.oid('x'))],
    ['BIT STRING', fc.uint8Array({ maxLength: 5 }).map(derBitString), (from) => derBitString(from.bitString('x'))],
    [
      'named bits',
      fc.uniqueArray(fc.nat(31), { maxLength: 5 }).map((bits) => derNamedBits(...bits)),
      (from) => derNamedBits(...from.namedBits('x').flatMap((bit, index) => (bit ? [index] : []))),
    ],
    ['UTF8String', fc.string({ unit: 'grapheme', maxLength: 5 }).map(derUtf8String), (from) => derUtf8String(from.utf8String('x'))],
    [
      'UTCTime',
      fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((seconds) => derUtcTime(seconds * 1000)),
      (from) => derUtcTime(from.certificateTime('x')),
    ],
    [
      'GeneralizedTime',
      fc.integer({ min: 0, max: 2 ** 43 }).map((instant) => derGeneralizedTime(instant)),
      (from) => derGeneralizedTime(from.generalizedTime('x')),
    ],
    [
      'an implicit tag',
      fc.nat(30).map((number) => derImplicit(number, hex('aa'))),
      (from) => derElement(from.peekTag(), from.any('x').content),
    ],
    ['an explicit tag', fc.constant(derExplicit(3, derNull())), (from) => derExplicit(3, from.context(3, 'x')?.any('x').bytes ?? hex(''))],
  ]
  it.each(values)('%s with any bit flipped is refused, or is the encoding of what is read', (_, encoded, rewriteOne) => {
    fc.assert(
      fc.property(encoded, fc.option(fc.nat()), (bytes, bit) => {
        const changed = Uint8Array.from(bytes)
        const at = ((bit ?? 0) >> 3) % changed.length
        if (bit !== null) changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
        let written: Uint8Array
        try {
          const from = new DerReader(changed, 'x')
          written = rewriteOne(from)
          from.end()
        } catch (error) {
          if (bit === null) throw error
          expect(error).toMatchObject({ name: 'DecodingError', code: 'DER_INVALID' })
          return
        }
        expect(Buffer.from(changed).equals(written)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
