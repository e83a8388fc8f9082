/** The way from a leaf to the root: how many siblings it has, and on which side each stands. */

/** The largest tree: indices and sizes are non-negative signed 64-bit numbers on the wire. */
export const maxTreeSize = 2n ** 63n - 1n

/**
 * The path of one leaf. Below level `inner` a level's sibling stands on the side that the leaf's bit says; from there on
 * the path runs along the tree's right border, where only left siblings exist, `border` of them.
 */
export interface PathShape {
  readonly inner: number
  readonly border: number
  /** Bits 0 to 31 and 32 to 62 of the leaf's index: loops over them need no bigint arithmetic. */
  readonly low: number
  readonly high: number
}

/** The path of leaf `index` in a tree of `size` leaves, 0 <= index < size <= 2^63-1; the caller checks that. */
export function pathShape(index: bigint, size: bigint): PathShape {
  const last = size - 1n
  const low = lowBits(index)
  const high = highBits(index)
  const inner = bitLength(low ^ lowBits(last), high ^ highBits(last))
  const border = inner < 32 ? bitCount(low >>> inner) + bitCount(high) : bitCount(high >>> (inner - 32))
  return { inner, border, low, high }
}

/** Whether the sibling that the path takes at this level, counted from the leaf's, stands to the left. */
export function isLeftSibling(shape: PathShape, level: number): boolean {
  if (level >= shape.inner) return true
  return ((level < 32 ? shape.low >>> level : shape.high >>> (level - 32)) & 1) === 1
}

/** How many zero bits a positive number ends in: the height of the last complete subtree of a tree with so many leaves. */
export function trailingZeros(size: bigint): number {
  const low = lowBits(size)
  return low === 0 ? 32 + zerosBelow(highBits(size)) : zerosBelow(low)
}

function lowBits(value: bigint): number {
  return Number(value & 0xffff_ffffn)
}

function highBits(value: bigint): number {
  return Number(value >> 32n)
}

function bitLength(low: number, high: number): number {
  return high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)
}

function zerosBelow(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

function bitCount(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
