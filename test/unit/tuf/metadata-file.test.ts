import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VerificationError } from '../../../src/error.ts'
import { summarizeMetadata, versionOf } from '../../../src/tuf/metadata-file.ts'

const encode = (signed: object) => Buffer.from(JSON.stringify({ signed, signatures: [] }))
const summarize = (signed: object) => summarizeMetadata(encode(signed), 'root', 'it')

describe('summarizeMetadata', () => {
  it('reads version and expiry of every role, in every form that repositories use', () => {
    for (const expires of ['2026-08-22T00:00:00Z', '2026-08-22T02:00:00+02:00', '2026-08-22T00:00:00.000000Z']) {
      expect(summarize({ _type: 'root', version: 7, expires })).toEqual({ version: 7, expires: Date.UTC(2026, 7, 22) })
    }
  })

  it('reads back what any repository may write', () => {
    const instant = fc.date({ min: new Date('1990-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(fc.integer({ min: 1 }), instant, (version, date) => {
        expect(summarize({ _type: 'root', version, expires: date.toISOString() })).toEqual({ version, expires: date.getTime() })
      }),
    )
  })

  it.each([
    [{ _type: 'targets', version: 1, expires: '2026-08-22T00:00:00Z' }, 'it is not TUF metadata: its type should be root, found "targets"'],
    [
      { _type: 'root', version: 0, expires: '2026-08-22T00:00:00Z' },
      'it is not TUF metadata: its version should be a positive integer, found 0',
    ],
    [
      { _type: 'root', version: -1, expires: '2026-08-22T00:00:00Z' },
      'it is not TUF metadata: its version should be a positive integer, found -1',
    ],
    [
      { _type: 'root', version: '1', expires: '2026-08-22T00:00:00Z' },
      'it is not TUF metadata: its version should be a positive integer, found "1"',
    ],
    [
      { _type: 'root', version: {}, expires: '2026-08-22T00:00:00Z' },
      'it is not TUF metadata: its version should be a positive integer, found object',
    ],
    [{ _type: 'root', version: 1, expires: '2026-08-22' }, 'it is not TUF metadata: its expiry should be a time, found "2026-08-22"'],
    [
      { _type: 'root', version: 1, expires: '2026-13-45T00:00:00Z' },
      'it is not TUF metadata: its expiry should be a time, found "2026-13-45T00:00:00Z"',
    ],
    [{ _type: 'root', version: 1, expires: 1e12 }, 'it is not TUF metadata: its expiry should be a time, found 1000000000000'],
    [{ _type: 'root', version: 1 }, 'it is not TUF metadata: its expiry should be a time, found undefined'],
  ])('refuses %j', (signed, message) => {
    expect(() => summarize(signed)).toThrow(expect.objectContaining({ name: 'VerificationError', code: 'TUF_UNVERIFIED', message }))
  })

  it('refuses what is larger than the role may be', () => {
    expect(() => summarizeMetadata(Buffer.alloc(16_385, ' '), 'timestamp', 'it')).toThrow(
      'it is 16385 bytes long, more than the limit of 16384',
    )
  })

  it('reads any bytes or refuses them, and nothing else happens', () => {
    const valid = encode({ _type: 'root', version: 12, expires: '2026-08-22T00:00:00Z' })
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(7), (at, bit) => {
        const bytes = Buffer.from(valid)
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at)
        try {
          expect(summarizeMetadata(bytes, 'root', 'it').version).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(VerificationError)
        }
      }),
    )
  })
})

describe('versionOf', () => {
  it('is undefined for what has none', () => {
    expect(versionOf(undefined, 'root')).toBeUndefined()
    expect(versionOf(Buffer.from('x'), 'root')).toBeUndefined()
    expect(versionOf(encode({ _type: 'root', version: 3, expires: '2026-08-22T00:00:00Z' }), 'root')).toBe(3)
  })
})
