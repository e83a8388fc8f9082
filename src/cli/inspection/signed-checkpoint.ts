/** A checkpoint with its signatures, none of which is verified. */
import type { Checkpoint } from '../../merkle/checkpoint.ts'
import { parseCheckpoint } from '../../merkle/checkpoint.ts'
import type { NoteSignature } from '../../merkle/signature-line.ts'
import { parseSignedNote } from '../../merkle/signed-note.ts'

/** What a checkpoint says, and who is said to have signed it. */
export interface SignedCheckpoint extends Checkpoint {
  readonly signatures: readonly NoteSignature[]
}

/**
 * Parses the signed note of a checkpoint.
 * @throws DecodingError NOTE_INVALID, CHECKPOINT_INVALID, TOO_LARGE
 */
export function parseSignedCheckpoint(envelope: string): SignedCheckpoint {
  const { text, signatures } = parseSignedNote(envelope)
  return { ...parseCheckpoint(text), signatures }
}
