/**
 * The definitions of RFC 6962 section 2.1 and the steps of RFC 9162 section 2.1, word for word and with bigint
 * arithmetic: slow, and unlike the code under test in every respect.
 */
import { createHash } from 'node:crypto'

export type Hash = Uint8Array

export function sha256(...parts: readonly Uint8Array[]): Hash {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export const leafOf = (entry: Uint8Array): Hash => sha256(Uint8Array.of(0), entry)
export const nodeOf = (left: Hash, right: Hash): Hash => sha256(Uint8Array.of(1), left, right)

/** MTH(D[n]), over leaf hashes. */
export function mth(leaves: readonly Hash[]): Hash {
  const [first] = leaves
  if (first === undefined) return sha256()
  if (leaves.length === 1) return first
  const k = splitPoint(leaves.length)
  return nodeOf(mth(leaves.slice(0, k)), mth(leaves.slice(k)))
}

/** PATH(m, D[n]). */
export function path(m: number, leaves: readonly Hash[]): Hash[] {
  if (leaves.length === 1) return []
  const k = splitPoint(leaves.length)
  const left = leaves.slice(0, k)
  const right = leaves.slice(k)
  return m < k ? [...path(m, left), mth(right)] : [...path(m - k, right), mth(left)]
}

/** PROOF(m, D[n]). */
export function proof(m: number, leaves: readonly Hash[]): Hash[] {
  return subproof(m, leaves, true)
}

function subproof(m: number, leaves: readonly Hash[], isComplete: boolean): Hash[] {
  if (m === leaves.length) return isComplete ? [] : [mth(leaves)]
  const k = splitPoint(leaves.length)
  const left = leaves.slice(0, k)
  const right = leaves.slice(k)
  return m <= k ? [...subproof(m, left, isComplete), mth(right)] : [...subproof(m - k, right, false), mth(left)]
}

/** The largest power of two below n. */
function splitPoint(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** RFC 9162 section 2.1.3.2: the root that the steps compute, or undefined where they say to stop and fail. */
export function rootByRfc9162(leafIndex: bigint, treeSize: bigint, leafHash: Hash, hashes: readonly Hash[]): Hash | undefined {
  if (leafIndex >= treeSize) return undefined
  let fn = leafIndex
  let sn = treeSize - 1n
  let r = leafHash
  for (const p of hashes) {
    if (sn === 0n) return undefined
    if ((fn & 1n) === 1n || fn === sn) {
      r = nodeOf(p, r)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      r = nodeOf(r, p)
    }
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n ? r : undefined
}

/** RFC 9162 section 2.1.4.2, for 0 < first < second: the two roots that the steps compute, or undefined where they fail. */
export function rootsByRfc9162(first: bigint, second: bigint, firstHash: Hash, hashes: readonly Hash[]): readonly [Hash, Hash] | undefined {
  if (hashes.length === 0) return undefined
  const path = (first & (first - 1n)) === 0n ? [firstHash, ...hashes] : hashes
  let fn = first - 1n
  let sn = second - 1n
  while ((fn & 1n) === 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let [fr = firstHash] = path
  let sr = fr
  for (const c of path.slice(1)) {
    if (sn === 0n) return undefined
    if ((fn & 1n) === 1n || fn === sn) {
      fr = nodeOf(c, fr)
      sr = nodeOf(c, sr)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      sr = nodeOf(sr, c)
    }
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n ? [fr, sr] : undefined
}

/** Leaf hashes of a tree whose leaves all differ. */
export function leaves(count: number): Hash[] {
  return Array.from({ length: count }, (_, index) => leafOf(Uint8Array.of(index >> 8, index & 0xff)))
}

/** A copy with one bit turned over. `bit` is taken modulo the length. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = new Uint8Array(bytes)
  const at = (bit >> 3) % flipped.length
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7))
  return flipped
}
