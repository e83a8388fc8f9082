import { describe, expect, it } from 'vitest'
import { parseChallenges } from '../../../src/oci/auth-challenge.ts'

describe('what a registry demands', () => {
  it.each([
    ['Basic realm="a registry"', [{ scheme: 'basic', parameters: { realm: 'a registry' } }]],
    [
      'bearer Realm="https://auth.example/token",SERVICE=x',
      [{ scheme: 'bearer', parameters: { realm: 'https://auth.example/token', service: 'x' } }],
    ],
    [
      'Bearer realm="a\\"b",scope="repository:a/b:pull,push"',
      [{ scheme: 'bearer', parameters: { realm: 'a"b', scope: 'repository:a/b:pull,push' } }],
    ],
    [
      'Basic realm="one", Bearer realm="two", service="three"',
      [
        { scheme: 'basic', parameters: { realm: 'one' } },
        { scheme: 'bearer', parameters: { realm: 'two', service: 'three' } },
      ],
    ],
    [
      'Negotiate, Basic realm="one"',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'one' } },
      ],
    ],
    ['', []],
    ['"', []],
  ])('is read from %j', (header, expected) => {
    expect(parseChallenges(header)).toEqual(expected)
  })

  it('is nothing in a header without end', () => {
    expect(parseChallenges(`Bearer realm="${'a'.repeat(9000)}"`)).toEqual([])
  })

  it('is read in a time that does not grow faster than the header', () => {
    for (const header of [
      'a '.repeat(4000),
      'Basic '.repeat(1300),
      `Bearer a="${'\\'.repeat(8000)}`,
      `Bearer ${'a=b,'.repeat(2000)}`,
      ' '.repeat(8000),
    ]) {
      expect(Array.isArray(parseChallenges(header))).toBe(true)
    }
  })
})
