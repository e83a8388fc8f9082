/** Inclusion proofs: RFC 9162 section 2.1.3.2 (RFC 6962 section 2.1.1 calls them audit paths). */
import { equalBytes } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { VerificationError } from '../error.ts'
import { climb, hashSize } from './hash.ts'
import { maxTreeSize, pathShape } from './path-shape.ts'

/** A leaf's place in a tree and the hashes on its way to the root. */
export interface InclusionProof {
  readonly leafIndex: bigint
  readonly treeSize: bigint
  /** 32 bytes, of `leafHash`. */
  readonly leafHash: Uint8Array
  /** 32 bytes each, the leaf's own sibling first. */
  readonly proof: readonly Uint8Array[]
}

/** An inclusion proof and the root, 32 bytes, that a checkpoint states for the tree. */
export interface InclusionClaim extends InclusionProof {
  readonly root: Uint8Array
}

/**
 * Verifies that the leaf is in the tree with this root.
 * @throws VerificationError INCLUSION_PROOF_INVALID when an index, size or number of hashes is impossible, or the root differs
 */
export function verifyInclusion(claim: InclusionClaim): void {
  if (claim.root.length !== hashSize) throw invalid(`the root hash should have ${hashSize} bytes, found ${claim.root.length}`)
  const root = rootFromInclusionProof(claim)
  if (!equalBytes(root, claim.root)) {
    throw invalid(`the inclusion proof leads to the root ${encodeHex(root)}, expected ${encodeHex(claim.root)}`)
  }
}

/**
 * The root, 32 bytes, of the only tree of this size that the proof can be about.
 * @throws VerificationError INCLUSION_PROOF_INVALID when an index, size or number of hashes is impossible
 */
export function rootFromInclusionProof(inclusion: InclusionProof): Uint8Array {
  const { leafIndex, treeSize, leafHash, proof } = inclusion
  if (treeSize > maxTreeSize) throw invalid('the tree size is above the largest possible, 2^63-1')
  if (leafIndex < 0n) throw invalid('the leaf index is negative')
  // RFC 9162 section 2.1.3.2 step 1.
  if (leafIndex >= treeSize) throw invalid(`the leaf index ${leafIndex} is not below the tree size ${treeSize}`)
  const shape = pathShape(leafIndex, treeSize)
  // Steps 4 and 5 fail when hashes are left or missing: how many there must be is known before any is hashed.
  const expected = shape.inner + shape.border
  if (proof.length !== expected) {
    throw invalid(`leaf ${leafIndex} of a tree of ${treeSize} has ${expected} hashes in its inclusion proof, found ${proof.length}`)
  }
  if (leafHash.length !== hashSize) throw invalid(`the leaf hash should have ${hashSize} bytes, found ${leafHash.length}`)
  for (const hash of proof) {
    if (hash.length !== hashSize) throw invalid(`a hash of the inclusion proof should have ${hashSize} bytes, found ${hash.length}`)
  }
  return climb(leafHash, 0, proof, 0, shape)
}

function invalid(message: string): VerificationError {
  return new VerificationError('INCLUSION_PROOF_INVALID', message)
}
