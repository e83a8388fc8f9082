/** Verifies that a log's newest head carries the signature of the configured key. */
import { digest } from '../crypto/digest.ts'
import { CountersignError } from '../error.ts'
import { keyIdSize } from '../merkle/signature-line.ts'
import { noteKeyId, parseSignedNote, verifyNote } from '../merkle/signed-note.ts'
import { verifyTreeHead } from '../merkle/tree-head.ts'
import type { LogMaterial } from './material.ts'
import type { LogHead } from './tile-log/log.ts'

/**
 * Verifies a head.
 * @param origin the first line of the log's checkpoints
 * @throws CountersignError SIGNATURE_INVALID, VerificationError SIGNATURE_INVALID, DecodingError NOTE_INVALID, CHECKPOINT_INVALID
 */
export function verifyOwnCheckpoint({ kind, key }: LogMaterial, origin: string, head: LogHead): void {
  const { publicKey, algorithm } = key.createSigner()
  const note = parseSignedNote(head.checkpoint)
  if (kind === 'ctlog') {
    const signed = verifyTreeHead(note, publicKey)
    if (signed === undefined) throw unsigned()
    if (signed.timestamp !== head.timestampMs)
      throw new CountersignError(
        'SIGNATURE_INVALID',
        `the checkpoint was signed for the time ${signed.timestamp}, the head has ${head.timestampMs}`,
      )
    return
  }
  const keyId = kind === 'rekor-v1' ? digest('sha256', publicKey.spki).subarray(0, keyIdSize) : noteKeyId(origin, publicKey)
  if (verifyNote(note, [{ keyId, key: publicKey, algorithm }]).length === 0) throw unsigned()
}

function unsigned(): CountersignError {
  return new CountersignError('SIGNATURE_INVALID', 'the checkpoint has no signature of the key that server.yaml names')
}
