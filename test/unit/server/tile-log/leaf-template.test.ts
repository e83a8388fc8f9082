import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeHex } from '../../../../src/encoding/hex.ts'
import { fillTemplate, leafTemplateOf } from '../../../../src/server/tile-log/leaf-template.ts'
import type { Place } from '../../../../src/server/tile-log/log.ts'

/** A leaf with its time in 8 bytes, big-endian. */
function timedLeaf(front: Uint8Array, back: Uint8Array) {
  return ({ timestampMs }: Place): Uint8Array => {
    const leaf = new Uint8Array([...front, ...new Uint8Array(8), ...back])
    new DataView(leaf.buffer).setBigUint64(front.length, BigInt(timestampMs))
    return leaf
  }
}

test('bytes are their own template', () => {
  const template = leafTemplateOf(Uint8Array.of(1, 2, 3))
  expect(template.timestampAt).toBeUndefined()
  expect(encodeHex(fillTemplate(template, 5))).toBe('010203')
})

test('a leaf that does not name its place is its own template', () => {
  expect(
    encodeHex(
      fillTemplate(
        leafTemplateOf(() => Uint8Array.of(7)),
        5,
      ),
    ),
  ).toBe('07')
})

test('a filled template is what the function gives, wherever the time stands', () => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  const time = fc.nat({ max: 8_640_000_000_000_000 })
  fc.assert(
    fc.property(bytes, bytes, time, fc.bigInt({ min: 0n, max: 2n ** 40n }), (front, back, timestampMs, index) => {
      const leaf = timedLeaf(front, back)
      expect(encodeHex(fillTemplate(leafTemplateOf(leaf), timestampMs))).toBe(encodeHex(leaf({ index, timestampMs })))
    }),
  )
})

test.each<[string, (place: Place) => Uint8Array]>([
  ['its index', ({ index }) => Uint8Array.of(Number(index & 0xffn))],
  [
    'its time twice',
    (place) =>
      new Uint8Array([...timedLeaf(new Uint8Array(), new Uint8Array())(place), ...timedLeaf(new Uint8Array(), new Uint8Array())(place)]),
  ],
  ['its time in little-endian', (place) => timedLeaf(new Uint8Array(), new Uint8Array())(place).toReversed()],
  ['its time as text', ({ timestampMs }) => new TextEncoder().encode(String(timestampMs))],
  [
    'seconds',
    ({ timestampMs }) => timedLeaf(new Uint8Array(), new Uint8Array())({ index: 0n, timestampMs: Math.floor(timestampMs / 1000) }),
  ],
])('a leaf that names %s cannot be handed over, and is refused', (_, leaf) => {
  expect(() => leafTemplateOf(leaf)).toThrow('a leaf may name its time as 8 big-endian bytes, and nothing else of its place')
})
