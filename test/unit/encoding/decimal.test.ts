import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDecimal } from '../../../src/encoding/decimal.ts'

describe('a decimal integer', () => {
  it('is read from its one spelling', () => {
    const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
    fc.assert(
      fc.property(any, (value) => {
        expect(parseDecimal(String(value))).toBe(value)
      }),
    )
  })

  it.each([
    '',
    ' ',
    '-',
    '+1',
    '-0',
    '00',
    '01',
    '-01',
    '1.0',
    '1e3',
    '0x10',
    '0b1',
    '0o7',
    '1n',
    ' 1',
    '1 ',
    '1\n',
    '１',
    '1_000',
    'NaN',
    '9'.repeat(21),
  ])('is not read from %j', (text) => {
    expect(parseDecimal(text)).toBeUndefined()
  })

  it('is read from nothing but digits and a sign', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 21 }), (text) => {
        if (!/^(?:0|-?[1-9][0-9]{0,18}|[1-9][0-9]{19})$/.test(text)) expect(parseDecimal(text)).toBeUndefined()
      }),
    )
  })
})
