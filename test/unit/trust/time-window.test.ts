import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTimestamp } from '../../../src/trust/time-window.ts'

/** RFC 3339 as far as trust files use it: upper case, fractions to the nanosecond, no leap second's hour. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

describe('a timestamp of a trust file', () => {
  it.each([
    ['2022-04-13T20:06:15Z', Date.UTC(2022, 3, 13, 20, 6, 15)],
    ['2022-04-13T20:06:15.5Z', Date.UTC(2022, 3, 13, 20, 6, 15, 500)],
    ['2022-04-13T20:06:15.123456789Z', Date.UTC(2022, 3, 13, 20, 6, 15, 123)],
    ['2022-04-13T22:06:15+02:00', Date.UTC(2022, 3, 13, 20, 6, 15)],
    ['2022-04-13T15:06:15.000-05:00', Date.UTC(2022, 3, 13, 20, 6, 15)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ])('%s is an instant', (text, instant) => {
    expect(parseTimestamp(text)).toBe(instant)
  })

  it.each([
    '',
    'Z',
    '2022-04-13',
    '2022-04-13T20:06:15',
    '2022-04-13 20:06:15Z',
    '2022-04-13t20:06:15z',
    '2022-04-13T20:06:15.Z',
    '2022-04-13T20:06:15.1234567890Z',
    '2022-04-13T20:06:15,5Z',
    '2022-04-13T20:06:15+0200',
    '2022-04-13T20:06:15+02:00Z',
    '2022-04-13T24:00:00Z',
    '2022-04-13T20:60:15Z',
    '2022-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2022-13-01T00:00:00Z',
    '+2022-04-13T20:06:15Z',
    ' 2022-04-13T20:06:15Z',
    '2022-04-13T20:06:15Z ',
    '２022-04-13T20:06:15Z',
    '2022-04-+3T20:06:15Z',
  ])('%j is none', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  it('is none of any form but that of RFC 3339', () => {
    const part = fc.constantFrom('0', '1', '2', '9', '-', '+', ':', 'T', 'Z', '.', ' ', 'x')
    const start = fc.constantFrom('2022-04-13T20:06:15Z', '2022-04-13T20:06:15.123Z', '2022-04-13T20:06:15.1234+02:00')
    const changed = fc
      .tuple(start, fc.nat({ max: 30 }), fc.nat({ max: 3 }), fc.array(part, { maxLength: 3 }))
      .map(([text, at, cut, put]) => {
        return text.slice(0, at) + put.join('') + text.slice(at + cut)
      })
    fc.assert(
      fc.property(changed, (text) => {
        if (!rfc3339.test(text)) expect(parseTimestamp(text)).toBeUndefined()
        else if (!Number.isNaN(Date.parse(text.slice(0, 19) + 'Z')) && Number(text.slice(8, 10)) <= 28 && !/[+-]/.test(text.slice(19)))
          expect(parseTimestamp(text)).toBe(Date.parse(text.replace(/(\.\d{3})\d+/, '$1')))
      }),
      { numRuns: 5_000 },
    )
  })
})
