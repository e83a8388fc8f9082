import { describe, expect, it } from 'vitest'
import { formatInstant, formatSeconds } from '../../../../src/cli/inspection/instant.ts'

describe('an instant', () => {
  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_768_478_400_999, '2026-01-15T12:00:00Z'],
    [-62_167_219_200_000, '0000-01-01T00:00:00Z'],
    [253_402_300_799_999, '9999-12-31T23:59:59Z'],
  ])('of %d ms is %s', (instant, text) => {
    expect(formatInstant(instant)).toBe(text)
  })

  it.each([-62_167_219_200_001, 253_402_300_800_000, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Number.NaN])(
    'of %d ms is no date',
    (instant) => {
      expect(formatInstant(instant)).toBe(`${instant} ms since 1970 (not a date)`)
    },
  )

  it.each([
    [1_768_478_400n, '2026-01-15T12:00:00Z'],
    [-1n, '1969-12-31T23:59:59Z'],
    [253_402_300_799n, '9999-12-31T23:59:59Z'],
    [253_402_300_800n, '253402300800 s since 1970 (not a date)'],
    [-(2n ** 63n), '-9223372036854775808 s since 1970 (not a date)'],
    [2n ** 63n - 1n, '9223372036854775807 s since 1970 (not a date)'],
  ])('of %d s is %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text)
  })
})
