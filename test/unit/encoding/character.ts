/** Characters for generated texts: every length in UTF-8 and in UTF-16 is about as frequent. */
import fc from 'fast-check'

/** One code point that is no surrogate. As a `unit` of `fc.string`, it makes well-formed texts. */
export const character: fc.Arbitrary<string> = fc
  .oneof(
    fc.nat(0x7f),
    fc.integer({ min: 0x80, max: 0x7ff }),
    fc.integer({ min: 0x800, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x1_0000, max: 0x10_ffff }),
  )
  .map((code) => String.fromCodePoint(code))
