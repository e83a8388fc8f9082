import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addPoints,
  curves,
  decodePoint,
  encodePoint,
  integerOfBytes,
  isOnCurve,
  modulo,
  multiplyGenerator,
} from '../../../src/crypto/curve.ts'
import { invert } from '../../../src/crypto/modular-inverse.ts'
import { curveNames, noble } from './nist-curves.ts'

describe.each(curveNames)('%s', (name) => {
  const curve = curves[name]
  const { Point } = noble[name]
  const generator = Point.BASE.toAffine()
  const scalars = fc.bigInt({ min: 1n, max: curve.n - 1n })

  it('has the parameters that noble has', () => {
    const expected = Point.CURVE()
    expect([curve.p, curve.b, curve.n]).toEqual([expected.p, expected.b, expected.n])
    expect(expected.a).toBe(curve.p - 3n)
    expect(curve.n.toString(2).length).toBe(curve.orderBits)
    expect(Math.ceil(curve.p.toString(2).length / 8)).toBe(curve.size)
  })

  it('holds its generator and the negative of it, and no neighbour', () => {
    const { x, y } = generator
    expect(isOnCurve(curve, { x, y })).toBe(true)
    expect(isOnCurve(curve, { x, y: curve.p - y })).toBe(true)
    expect(isOnCurve(curve, { x, y: y + 1n })).toBe(false)
    expect(isOnCurve(curve, { x: x + 1n, y })).toBe(false)
    expect(isOnCurve(curve, { x: 0n, y: 0n })).toBe(false)
  })

  it('does not hold coordinates that are not reduced', () => {
    const { x, y } = generator
    expect(isOnCurve(curve, { x: x + curve.p, y })).toBe(false)
    expect(isOnCurve(curve, { x, y: y + curve.p })).toBe(false)
    expect(isOnCurve(curve, { x: curve.p, y: 0n })).toBe(false)
  })

  it('multiplies its generator as noble does, at both ends of the range too', () => {
    const check = (scalar: bigint): void => {
      expect(multiplyGenerator(curve, scalar)).toEqual(Point.BASE.multiply(scalar).toAffine())
    }
    for (const scalar of [1n, 2n, 3n, curve.n - 1n, curve.n - 2n]) check(scalar)
    fc.assert(fc.property(scalars, check), { numRuns: 5 })
  })

  it('adds points as noble does', () => {
    fc.assert(
      fc.property(scalars, scalars, (first, second) => {
        const [a, b] = [Point.BASE.multiply(first), Point.BASE.multiply(second)]
        const sum = a.add(b)
        expect(addPoints(curve, a.toAffine(), b.toAffine())).toEqual(sum.is0() ? undefined : sum.toAffine())
      }),
      { numRuns: 10 },
    )
  })

  it('doubles a point, and finds the point at infinity between opposites', () => {
    expect(addPoints(curve, generator, generator)).toEqual(Point.BASE.double().toAffine())
    expect(addPoints(curve, generator, { x: generator.x, y: curve.p - generator.y })).toBeUndefined()
  })

  it('reads and writes uncompressed points', () => {
    const bytes = Point.BASE.toBytes(false)
    expect(decodePoint(curve, bytes)).toEqual(generator)
    expect(Uint8Array.from(encodePoint(curve, generator))).toEqual(Uint8Array.from(bytes))
    expect(encodePoint(curve, { x: 1n, y: 2n }).length).toBe(1 + 2 * curve.size)
  })

  it('inverts modulo its prime and its order', () => {
    fc.assert(
      fc.property(scalars, (value) => {
        expect(modulo(invert(value, curve.n) * value, curve.n)).toBe(1n)
        expect(modulo(invert(value, curve.p) * value, curve.p)).toBe(1n)
      }),
    )
    expect(invert(1n, curve.n)).toBe(1n)
    expect(invert(curve.n - 1n, curve.n)).toBe(curve.n - 1n)
    expect(invert(curve.n + 1n, curve.n)).toBe(1n)
  })

  it('inverts what makes quotients small, large, and of the size of a word', () => {
    for (const prime of [curve.p, curve.n]) {
      const special: bigint[] = []
      for (let power = 0n; power < BigInt(curve.orderBits - 1); power++) {
        const two = 2n ** power
        special.push(two, two + 1n, two - 1n, prime - two, prime / (two + 1n), prime / (two + 1n) + 1n)
      }
      // Neighbours of Fibonacci's numbers, and what the golden ratio divides the prime in: every quotient is 1.
      for (let [a, b] = [1n, 2n]; b < prime; [a, b] = [b, a + b]) special.push(a, (prime * a) / b)
      for (const value of special) if (value > 0n) expect(modulo(invert(value, prime) * value, prime), String(value)).toBe(1n)
    }
  })
})

describe('integers', () => {
  it('are read big-endian', () => {
    expect(integerOfBytes(Uint8Array.of(0, 1, 0))).toBe(256n)
    expect(integerOfBytes(createHash('sha256').digest())).toBe(0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855n)
  })

  it('are reduced to the least non-negative residue', () => {
    expect([modulo(-1n, 7n), modulo(-7n, 7n), modulo(0n, 7n), modulo(8n, 7n)]).toEqual([6n, 0n, 0n, 1n])
  })
})
