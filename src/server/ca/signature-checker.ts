/** Checking signatures, which another thread may do. */
import type { PublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { verifySignature } from '../../crypto/signature.ts'

/** A signature and the bytes that it should be over. */
export interface CheckedSignature {
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  readonly over: { readonly kind: 'data'; readonly bytes: Uint8Array }
}

/** Says whether it is the key's signature. @throws CountersignError LOG_OVERLOADED when too many wait for an answer */
export type SignatureChecker = (check: CheckedSignature) => boolean | Promise<boolean>

/** Checks in this thread. */
export const checkHere: SignatureChecker = ({ key, algorithm, signature, over }) => verifySignature(key, algorithm, over.bytes, signature)
