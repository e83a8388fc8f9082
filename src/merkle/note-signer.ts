/** Keys that sign a log's checkpoints, in the dialects of Rekor v1 and v2. */
import { digest } from '../crypto/digest.ts'
import type { Signer } from '../crypto/signer.ts'
import type { Checkpoint } from './checkpoint.ts'
import { encodeCheckpoint } from './checkpoint.ts'
import { keyIdSize } from './signature-line.ts'
import type { NoteSigner } from './signed-note.ts'
import { noteKeyId, signNote } from './signed-note.ts'

/**
 * A signer of plain notes (C2SP signed-note), as Rekor v2 has it: the key identifier depends on the name, but for ECDSA.
 * @param name the origin of the log
 * @throws DecodingError KEY_INVALID
 */
export function createNoteSigner(name: string, signer: Signer): NoteSigner {
  return { name, keyId: noteKeyId(name, signer.publicKey), sign: (message) => signer.sign(message) }
}

/**
 * A signer in Rekor v1's dialect: the key identifier is the start of SHA-256(SPKI) for every kind of key, and the name is
 * the host name alone, while the origin is `<host name> - <tree ID>`.
 */
export function createRekorV1NoteSigner(hostname: string, signer: Signer): NoteSigner {
  const keyId = digest('sha256', signer.publicKey.spki).subarray(0, keyIdSize)
  return { name: hostname, keyId, sign: (message) => signer.sign(message) }
}

/**
 * Signs a checkpoint with each of the keys.
 * @returns the signed note
 * @throws DecodingError CHECKPOINT_INVALID; whatever a signer throws
 */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): Promise<string> {
  return signNote(encodeCheckpoint(checkpoint), signers)
}
