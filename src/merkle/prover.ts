/**
 * Makes inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2) for trees whose nodes are read from
 * somewhere else. A plan says which nodes a proof needs, so that they can be fetched before it is made.
 */
import { UsageError } from '../error.ts'
import { emptyRoot, hashSize, nodeHash, parentsOf } from './hash.ts'
import { maxTreeSize, pathShape, trailingZeros } from './path-shape.ts'

/** The root of a complete subtree: node `index` from the left, among those `level` levels above the leaves. */
export interface TreeNode {
  readonly level: number
  readonly index: bigint
}

/** Gives the hash, 32 bytes, of a node whose subtree is complete. */
export type NodeReader = (level: number, index: bigint) => Uint8Array

/** One element for each hash of the proof: the complete subtrees, left to right, that the hash is over. */
export type ProofPlan = readonly (readonly TreeNode[])[]

/**
 * The inclusion proof of a leaf in the tree of the first `treeSize` leaves, in the order of `verifyInclusion`.
 * @throws UsageError USAGE when the leaf is not in the tree; whatever the reader throws
 */
export function proveInclusion(leafIndex: bigint, treeSize: bigint, read: NodeReader): Uint8Array[] {
  return carryOut(planInclusion(leafIndex, treeSize), read)
}

/**
 * The consistency proof between the trees of the first `oldSize` and `newSize` leaves, in the order of `verifyConsistency`.
 * @throws UsageError USAGE unless 0 <= oldSize <= newSize; whatever the reader throws
 */
export function proveConsistency(oldSize: bigint, newSize: bigint, read: NodeReader): Uint8Array[] {
  return carryOut(planConsistency(oldSize, newSize), read)
}

/**
 * The root of the tree of the first `treeSize` leaves.
 * @throws UsageError USAGE when the size is impossible; whatever the reader throws
 */
export function readRoot(treeSize: bigint, read: NodeReader): Uint8Array {
  const nodes = planRoot(treeSize)
  return nodes.length === 0 ? emptyRoot : fold(nodes, read)
}

/** The nodes that `proveInclusion` reads. @throws UsageError USAGE when the leaf is not in the tree */
export function planInclusion(leafIndex: bigint, treeSize: bigint): ProofPlan {
  checkTreeSize(treeSize)
  if (leafIndex < 0n || leafIndex >= treeSize) throw new UsageError('USAGE', `a tree of ${treeSize} leaves has no leaf ${leafIndex}`)
  return siblingsAbove(0, leafIndex, treeSize)
}

/** The nodes that `proveConsistency` reads. @throws UsageError USAGE unless 0 <= oldSize <= newSize */
export function planConsistency(oldSize: bigint, newSize: bigint): ProofPlan {
  checkTreeSize(newSize)
  if (oldSize < 0n || oldSize > newSize) throw new UsageError('USAGE', `a tree of ${newSize} leaves cannot continue one of ${oldSize}`)
  if (oldSize === 0n || oldSize === newSize) return []
  const level = trailingZeros(oldSize)
  const shift = BigInt(level)
  const siblings = siblingsAbove(level, oldSize - 1n, newSize)
  return oldSize === 1n << shift ? siblings : [[{ level, index: (oldSize - 1n) >> shift }], ...siblings]
}

/** The nodes that `readRoot` reads, left to right. @throws UsageError USAGE when the size is impossible */
export function planRoot(treeSize: bigint): readonly TreeNode[] {
  checkTreeSize(treeSize)
  return completeSubtrees(0n, treeSize)
}

/** Makes the proof that was planned. @throws whatever the reader throws */
export function carryOut(plan: ProofPlan, read: NodeReader): Uint8Array[] {
  return plan.map((nodes) => fold(nodes, read))
}

/**
 * Reads nodes of the tree with these leaf hashes. A level is hashed once, when a node of it is first read.
 * @returns a reader that throws UsageError USAGE for a node whose subtree is not complete in this tree
 */
export function nodeReaderOf(leafHashes: readonly Uint8Array[]): NodeReader {
  const levels: (readonly Uint8Array[])[] = [leafHashes]
  return (level, index) => {
    let top = levels.at(-1) ?? leafHashes
    while (levels.length <= level && top.length > 0) {
      top = parentsOf(top, 'complete')
      levels.push(top)
    }
    const node = levels[level]?.[Number(index)]
    if (node === undefined)
      throw new UsageError('USAGE', `a tree of ${leafHashes.length} leaves has no complete subtree ${index} at level ${level}`)
    return node
  }
}

/** The siblings on the way to the root from the node at `level` whose subtree holds the leaf, lowest first. */
function siblingsAbove(level: number, leafIndex: bigint, treeSize: bigint): (readonly TreeNode[])[] {
  const { inner, border } = pathShape(leafIndex, treeSize)
  const siblings: (readonly TreeNode[])[] = []
  let at = level
  let index = leafIndex >> BigInt(level)
  for (; at < inner - 1; at++, index >>= 1n) siblings.push([{ level: at, index: index ^ 1n }])
  if (at < inner) {
    // Here the paths of this leaf and of the last one part: the sibling holds the last leaf and may be incomplete.
    siblings.push(completeSubtrees((index ^ 1n) << BigInt(at), treeSize))
    at++
    index >>= 1n
  }
  for (const length = siblings.length + border; siblings.length < length; at++, index >>= 1n) {
    if ((index & 1n) === 1n) siblings.push([{ level: at, index: index ^ 1n }])
  }
  return siblings
}

/** The complete subtrees that the leaves from `start`, aligned to a subtree, to before `end` fall into, left to right. */
function completeSubtrees(start: bigint, end: bigint): TreeNode[] {
  const nodes: TreeNode[] = []
  let at = start
  while (at < end) {
    const level = (end - at).toString(2).length - 1
    nodes.push({ level, index: at >> BigInt(level) })
    at += 1n << BigInt(level)
  }
  return nodes
}

function fold(nodes: readonly TreeNode[], read: NodeReader): Uint8Array {
  let folded: Uint8Array | undefined
  for (let position = nodes.length - 1; position >= 0; position--) {
    const node = nodes[position]
    if (node === undefined) break
    const hash = read(node.level, node.index)
    folded = folded === undefined ? hash : nodeHash(hash, folded)
  }
  if (folded?.length !== hashSize)
    throw new UsageError('USAGE', `the reader gave a hash of ${folded?.length ?? 0} bytes, expected ${hashSize}`)
  return folded
}

function checkTreeSize(treeSize: bigint): void {
  if (treeSize < 0n || treeSize > maxTreeSize) throw new UsageError('USAGE', 'a tree size lies between 0 and 2^63-1')
}
