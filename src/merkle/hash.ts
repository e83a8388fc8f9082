/** Merkle tree hashing with SHA-256: RFC 6962 section 2.1, RFC 9162 section 2.1.1. */
import { Buffer } from 'node:buffer'
import { createHash, hash } from 'node:crypto'
import { decodeHex } from '../encoding/hex.ts'
import { DecodingError } from '../error.ts'
import type { PathShape } from './path-shape.ts'
import { isLeftSibling } from './path-shape.ts'

/** Bytes in a hash of the tree. */
export const hashSize = 32

/** The root of the tree without leaves: SHA-256 of nothing. Not to be written to. */
export const emptyRoot: Uint8Array = /* @__PURE__ */ decodeHex(
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'the hash',
)

/**
 * Above this, copying an entry behind its prefix costs a microsecond more than a streaming hash object, which in turn costs a
 * process that verifies one file a quarter of a millisecond.
 */
const maxCopiedEntry = 8192

const leafPrefix = Uint8Array.of(0x00)

// 01 ‖ left ‖ right, reused: hashing is synchronous, and nothing outside this file sees it.
const nodeInput = new Uint8Array(1 + 2 * hashSize).fill(0x01)
const leftAt = 1
const rightAt = 1 + hashSize

/** The hash of a leaf, SHA-256(00 ‖ entry): 32 bytes. */
export function leafHash(entry: Uint8Array): Uint8Array {
  if (entry.length > maxCopiedEntry) return createHash('sha256').update(leafPrefix).update(entry).digest()
  const input = Buffer.allocUnsafe(1 + entry.length)
  input[0] = 0x00
  input.set(entry, 1)
  return hash('sha256', input, 'buffer')
}

/**
 * The hash of an inner node, SHA-256(01 ‖ left ‖ right): 32 bytes.
 * @throws DecodingError ENCODING_INVALID when a child is not 32 bytes long
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  placeChild(left, leftAt)
  placeChild(right, rightAt)
  return Buffer.from(sha256Text(nodeInput), 'latin1')
}

/**
 * The root of the tree with these leaf hashes, the first leaf first; of no leaves, the empty root.
 * @throws DecodingError ENCODING_INVALID when a hash is not 32 bytes long
 */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  let nodes = leafHashes
  while (nodes.length > 1) nodes = parentsOf(nodes, 'with-incomplete')
  const [root] = nodes
  if (root === undefined) return emptyRoot
  checkSize(root)
  return root
}

/**
 * One level up. A last node without a sibling has no parent of its own: `with-incomplete` moves it up, which is what the
 * root of an unbalanced tree is made of, and `complete` leaves it out.
 * @throws DecodingError ENCODING_INVALID when a hash is not 32 bytes long
 */
export function parentsOf(nodes: readonly Uint8Array[], which: 'complete' | 'with-incomplete'): Uint8Array[] {
  const parents: Uint8Array[] = []
  let left: Uint8Array | undefined
  for (const node of nodes) {
    if (left === undefined) {
      left = node
      continue
    }
    parents.push(nodeHash(left, node))
    left = undefined
  }
  if (left !== undefined && which === 'with-incomplete') parents.push(left)
  return parents
}

/**
 * The root that a node has under its siblings, `siblings[first]` being the one at `level`.
 * @throws DecodingError ENCODING_INVALID when a hash is not 32 bytes long
 */
export function climb(node: Uint8Array, level: number, siblings: readonly Uint8Array[], first: number, shape: PathShape): Uint8Array {
  checkSize(node)
  let digest = node
  let at = level
  for (let position = first; position < siblings.length; position++) {
    const sibling = siblings[position]
    if (sibling === undefined) break
    const isLeft = isLeftSibling(shape, at++)
    placeChild(sibling, isLeft ? leftAt : rightAt)
    placeChild(digest, isLeft ? rightAt : leftAt)
    // Not in the form of the others, whose first use takes longer than a proof: most processes verify one.
    digest = Buffer.from(hash('sha256', nodeInput, 'hex'), 'hex')
  }
  return digest
}

/** A digest as a text of 32 characters, one for each byte: the fastest form that node:crypto gives on Node 20, 22 and 24. */
function sha256Text(input: Uint8Array): string {
  return hash('sha256', input, 'binary')
}

function placeChild(child: Uint8Array, offset: number): void {
  // A short child would leave bytes of the last call in the input.
  checkSize(child)
  nodeInput.set(child, offset)
}

function checkSize(treeHash: Uint8Array): void {
  if (treeHash.length !== hashSize)
    throw new DecodingError('ENCODING_INVALID', `a tree hash has ${hashSize} bytes, found ${treeHash.length}`)
}
