/** How the log's checkpoints are signed, for `openLog`. */
import type { LocalSigner } from '../../crypto/signer.ts'
import { CountersignError } from '../../error.ts'
import type { Checkpoint } from '../../merkle/checkpoint.ts'
import { signTreeHead } from '../../merkle/tree-head.ts'

/**
 * Makes the signer of checkpoints for `openLog`: each is signed as a tree head of RFC 6962, whose signature `get-sth` gives too.
 * @param signer that of the log: ECDSA on P-256
 * @throws CountersignError CONFIGURATION_INVALID for another key
 */
export function ctCheckpointSigner(signer: LocalSigner): (checkpoint: Checkpoint, timestampMs: number) => Promise<string> {
  checkLogKey(signer)
  return async (checkpoint, timestampMs) => signTreeHead(checkpoint, timestampMs, signer)
}

/** RFC 6962 section 2.1.4. @throws CountersignError CONFIGURATION_INVALID */
export function checkLogKey({ publicKey, algorithm }: Pick<LocalSigner, 'publicKey' | 'algorithm'>): void {
  if (publicKey.kind === 'ecdsa' && publicKey.curve === 'P-256' && algorithm === 'ecdsa-sha256') return
  throw new CountersignError('CONFIGURATION_INVALID', `the key of a CT log is ECDSA on P-256, found a key that signs with ${algorithm}`)
}
