/** Checking a signature, which costs more than everything else that adding an entry takes. */
import type { PublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { loadEd25519ph, verifyDigest, verifySignature } from '../../crypto/signature.ts'

/** A signature and what it should be of. Plain data: another thread may be asked. */
export interface SignatureCheck {
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  /** The signed bytes, or their digest of the algorithm's own digest algorithm. */
  readonly over: { readonly kind: 'data' | 'digest'; readonly bytes: Uint8Array }
}

/**
 * Says whether it is the key's signature.
 * @throws CountersignError LOG_OVERLOADED when too many wait for an answer
 */
export type SignatureChecker = (check: SignatureCheck) => boolean | Promise<boolean>

/** Checks in this thread. */
export const checkSignature: SignatureChecker = (check) => {
  if (check.algorithm === 'ed25519ph') return loadEd25519ph().then(() => verify(check))
  return verify(check)
}

function verify({ key, algorithm, signature, over }: SignatureCheck): boolean {
  const verifyOver = over.kind === 'digest' ? verifyDigest : verifySignature
  return verifyOver(key, algorithm, over.bytes, signature)
}

/** What a worker is asked: a batch, since a message costs more than what is in it. */
export interface SignatureRequest {
  readonly id: number
  readonly checks: readonly SignatureCheck[]
}

/** What a worker answers to each check of a batch; undefined where it failed. */
export interface SignatureAnswer {
  readonly id: number
  readonly isValid: readonly (boolean | undefined)[]
}
