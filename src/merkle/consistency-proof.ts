/** Consistency proofs: RFC 9162 section 2.1.4.2 (RFC 6962 section 2.1.2). */
import { equalBytes } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { VerificationError } from '../error.ts'
import { climb, emptyRoot, hashSize, nodeHash } from './hash.ts'
import type { PathShape } from './path-shape.ts'
import { isLeftSibling, maxTreeSize, pathShape, trailingZeros } from './path-shape.ts'

/** Two tree heads of one log and the proof that the newer tree begins with the older one. Hashes are 32 bytes. */
export interface ConsistencyClaim {
  readonly oldSize: bigint
  readonly oldRoot: Uint8Array
  readonly newSize: bigint
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * Verifies that the leaves of the old tree are the first leaves of the new one. Any tree continues the empty one, by an
 * empty proof.
 * @throws VerificationError CONSISTENCY_PROOF_INVALID when a size or number of hashes is impossible, or a root differs
 */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { oldSize, oldRoot, newSize, newRoot, proof } = claim
  if (newSize > maxTreeSize) throw invalid('the new tree size is above the largest possible, 2^63-1')
  if (oldSize < 0n) throw invalid('the old tree size is negative')
  if (oldSize > newSize) throw invalid(`the old tree size ${oldSize} is above the new one, ${newSize}`)
  if (oldRoot.length !== hashSize) throw invalid(`the old root hash should have ${hashSize} bytes, found ${oldRoot.length}`)
  if (newRoot.length !== hashSize) throw invalid(`the new root hash should have ${hashSize} bytes, found ${newRoot.length}`)
  if (oldSize === 0n || oldSize === newSize) return verifyWithoutProof(claim)
  // The last complete subtree of the old tree lies whole in both trees: both roots are climbed to from it.
  const level = trailingZeros(oldSize)
  const shape = pathShape(oldSize - 1n, newSize)
  // RFC 9162 section 2.1.4.2 step 2: when the old tree is that subtree, its root is known and not in the proof.
  const first = oldSize === 1n << BigInt(level) ? 0 : 1
  const expected = first + shape.inner - level + shape.border
  if (proof.length !== expected) {
    throw invalid(`the consistency proof from size ${oldSize} to ${newSize} has ${expected} hashes, found ${proof.length}`)
  }
  for (const hash of proof) {
    if (hash.length !== hashSize) throw invalid(`a hash of the consistency proof should have ${hashSize} bytes, found ${hash.length}`)
  }
  const start = first === 0 ? oldRoot : (proof[0] ?? oldRoot)
  checkRoot('old', oldRootFrom(start, level, proof, first, shape), oldRoot)
  checkRoot('new', climb(start, level, proof, first, shape), newRoot)
}

function verifyWithoutProof({ oldSize, oldRoot, newSize, newRoot, proof }: ConsistencyClaim): void {
  if (proof.length > 0) throw invalid(`the consistency proof from size ${oldSize} to ${newSize} has 0 hashes, found ${proof.length}`)
  if (oldSize === 0n && !equalBytes(oldRoot, emptyRoot))
    throw invalid(`the tree of size 0 has the root ${encodeHex(oldRoot)}, expected ${encodeHex(emptyRoot)}`)
  if (newSize === oldSize && !equalBytes(oldRoot, newRoot)) {
    throw invalid(`two trees of size ${newSize} have the roots ${encodeHex(oldRoot)} and ${encodeHex(newRoot)}`)
  }
}

/** In the old tree there is nothing right of the starting node, so only its left siblings count. */
function oldRootFrom(start: Uint8Array, level: number, proof: readonly Uint8Array[], first: number, shape: PathShape): Uint8Array {
  let root = start
  for (const [step, sibling] of proof.slice(first).entries()) {
    if (isLeftSibling(shape, level + step)) root = nodeHash(sibling, root)
  }
  return root
}

function checkRoot(which: 'old' | 'new', found: Uint8Array, expected: Uint8Array): void {
  if (equalBytes(found, expected)) return
  throw invalid(`the consistency proof leads to the ${which} root ${encodeHex(found)}, expected ${encodeHex(expected)}`)
}

function invalid(message: string): VerificationError {
  return new VerificationError('CONSISTENCY_PROOF_INVALID', message)
}
