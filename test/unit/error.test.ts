/** Errors where the class is there twice, as in the built program, whose server is a bundle of its own. */
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type * as errors from '../../src/error.ts'
import { CountersignError, DecodingError, UsageError } from '../../src/error.ts'

let copy: typeof errors

beforeAll(async () => {
  vi.resetModules()
  copy = await import('../../src/error.ts')
})

describe('an error of another copy of the class', () => {
  it('is one of ours', () => {
    expect(copy.CountersignError).not.toBe(CountersignError)
    expect(new copy.CountersignError('USAGE', 'x')).toBeInstanceOf(CountersignError)
    expect(new copy.UsageError('USAGE', 'x')).toBeInstanceOf(CountersignError)
    expect(new UsageError('USAGE', 'x')).toBeInstanceOf(copy.CountersignError)
  })

  it('is not of a subclass that it is not of', () => {
    expect(new UsageError('USAGE', 'x')).toBeInstanceOf(UsageError)
    expect(new UsageError('USAGE', 'x')).not.toBeInstanceOf(DecodingError)
    expect(new CountersignError('USAGE', 'x')).not.toBeInstanceOf(UsageError)
  })

  it.each([[undefined], [null], ['text'], [{}], [{ code: 'USAGE', name: 'CountersignError', message: 'x' }], [new Error('x')]])(
    'is not just anything: %j',
    (value: unknown) => {
      expect(value instanceof CountersignError).toBe(false)
    },
  )
})
