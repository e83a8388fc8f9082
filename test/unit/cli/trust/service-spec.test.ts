/** Descriptions of services: what comes out is what was put in, and nothing else gets through. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantOf, parseServiceSpec, urlOf, windowOf } from '../../../../src/cli/trust/service-spec.ts'
import { UsageError } from '../../../../src/error.ts'

const keys = { required: ['url', 'start-time'], optional: ['end-time', 'origin'] }
const value = fc.stringMatching(/^[^,\s](?:[^,]*[^,\s])?$/)

describe('a description', () => {
  it('has the values that were put into it, in any order and with blanks around them', () => {
    const spec = fc.record({ url: value, 'start-time': value, 'end-time': value, origin: value }, { requiredKeys: ['url', 'start-time'] })
    fc.assert(
      fc.property(spec, fc.nat(), fc.stringMatching(/^[ \t]{0,3}$/), (values, turn, blanks) => {
        const pairs = Object.entries(values).map(([key, text]) => `${blanks}${key}${blanks}=${blanks}${text}${blanks}`)
        const turned = [...pairs.slice(turn % pairs.length), ...pairs.slice(0, turn % pairs.length)]
        const parsed = parseServiceSpec(turned.join(','), keys)
        expect(Object.fromEntries(parsed)).toEqual(Object.fromEntries(Object.entries(values).map(([key, text]) => [key, text.trim()])))
      }),
    )
  })

  it('of any other text is refused in one sentence', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => urlOf(parseServiceSpec(text, keys))).toThrow(UsageError)
      }),
    )
  })
})

describe('a window', () => {
  it('holds exactly the instants that were given', () => {
    const instant = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const [start, end] = a <= b ? [a, b] : [b, a]
        const text = `url=https://a.example,start-time=${start.toISOString()},end-time=${end.toISOString()}`
        expect(windowOf(parseServiceSpec(text, keys))).toEqual({ start: start.getTime(), end: end.getTime() })
      }),
    )
  })

  it.each([
    '',
    '2025',
    '2025-01-01',
    '2025-01-01T00:00:00',
    '2025-01-01 00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2025-00-01T00:00:00Z',
    '2025-01-00T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2024-02-30T00:00:00Z',
    '2025-04-31T00:00:00Z',
    '2025-01-01T24:00:00Z',
    '2025-01-01T00:60:00Z',
    '2025-01-01T00:00:60Z',
    '2025-01-01T00:00:00+25:00',
    '+002025-01-01T00:00:00Z',
    'Jan 1 2025',
    '2025-01-01T00:00:00z ',
  ])('has no instant %o', (text) => {
    expect(() => instantOf(text, 'start-time')).toThrow(UsageError)
  })

  it('has a leap day in a leap year', () => {
    expect(instantOf('2024-02-29T23:59:59.123456789+01:00', 'start-time')).toBe(Date.UTC(2024, 1, 29, 22, 59, 59, 123))
  })
})
