import { describe, expect, it } from 'vitest'
import { backoff, isBusy, isIdempotent, retryAfter } from '../../../src/http/retry.ts'

const now = Date.UTC(2026, 0, 1)

describe('retryAfter', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [new Date(now + 5_000).toUTCString(), 5_000],
    [new Date(now - 5_000).toUTCString(), 0],
  ])('reads %s', (header, milliseconds) => expect(retryAfter(header, now)).toBe(milliseconds))

  it.each([undefined, '', 'soon', '99999999999', '0x10'])('takes %s for nothing', (header) => {
    expect(retryAfter(header, now)).toBeUndefined()
  })
})

describe('backoff', () => {
  it('doubles, stays between half and all of the step, and ends at five seconds', () => {
    for (const [attempt, step] of [
      [0, 250],
      [1, 500],
      [2, 1_000],
      [30, 5_000],
    ] as const) {
      for (let sample = 0; sample < 20; sample++) {
        const delay = backoff(attempt)
        expect(delay).toBeGreaterThanOrEqual(step / 2)
        expect(delay).toBeLessThanOrEqual(step)
      }
    }
  })
})

describe('what is repeated', () => {
  it('are idempotent methods and passing states', () => {
    expect(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH'].filter(isIdempotent)).toEqual([
      'GET',
      'HEAD',
      'OPTIONS',
      'PUT',
      'DELETE',
    ])
    expect([200, 400, 404, 408, 409, 429, 500, 501, 502, 503, 504, 505].filter(isBusy)).toEqual([408, 429, 500, 502, 503, 504])
  })
})
