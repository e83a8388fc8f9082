/** Checkpoints of trusted logs: signed notes, checked once per text and log. */
import { digest } from '../crypto/digest.ts'
import { equalBytes, excerpt } from '../encoding/bytes.ts'
import { VerificationError } from '../error.ts'
import type { Checkpoint } from '../merkle/checkpoint.ts'
import { parseCheckpoint } from '../merkle/checkpoint.ts'
import type { NoteVerifier, SignedNote } from '../merkle/signed-note.ts'
import { noteKeyId, parseSignedNote, verifyNote } from '../merkle/signed-note.ts'
import type { TrustedLog } from '../trust/trust-material.ts'

const maxChecked = 1024

/**
 * Verifies that the log signed the checkpoint, and gives what it says.
 *
 * A Rekor v2 log signs under the host name of its base URL, which is also the origin (Rekor v2 specification 7.2), in whichever case
 * each is spelled: it is a name of DNS. A Rekor v1 log may sign under any name, so there only the key identifier is matched.
 * @throws VerificationError LOG_ENTRY_UNVERIFIED; DecodingError NOTE_INVALID, CHECKPOINT_INVALID, TOO_LARGE
 */
export function verifyLogCheckpoint(text: string, log: TrustedLog, version: 'v1' | 'v2'): Checkpoint {
  const key = `${version}\n${text}`
  const known = log.checkedCheckpoints.get(key)
  if (known !== undefined) return known
  const note = parseSignedNote(text)
  const checkpoint = parseCheckpoint(note.text)
  const isNamed = version === 'v2' && isHost(checkpoint.origin, log.host)
  if (signaturesOf(note, version === 'v1' ? verifiersV1(log) : verifiersV2(log, isNamed ? checkpoint.origin : log.host)) === 0)
    throw new VerificationError('LOG_ENTRY_UNVERIFIED', 'the checkpoint has no signature of the log')
  if (version === 'v2' && !isNamed) {
    throw new VerificationError(
      'LOG_ENTRY_UNVERIFIED',
      `the checkpoint is of the log ${excerpt(checkpoint.origin)}, expected ${excerpt(log.host)}`,
    )
  }
  if (log.checkedCheckpoints.size >= maxChecked) {
    const [oldest] = log.checkedCheckpoints.keys()
    if (oldest !== undefined) log.checkedCheckpoints.delete(oldest)
  }
  log.checkedCheckpoints.set(key, checkpoint)
  return checkpoint
}

/** How many signatures of the log the note has; one that does not verify is a refusal of its own. */
function signaturesOf(note: SignedNote, verifiers: readonly NoteVerifier[]): number {
  try {
    return verifyNote(note, verifiers).length
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new VerificationError('LOG_ENTRY_UNVERIFIED', `the checkpoint is not signed by the log: ${cause.message}`, { cause })
  }
}

function verifiersV1(log: TrustedLog): readonly NoteVerifier[] {
  return [{ keyId: digest('sha256', log.key.spki).subarray(0, 4), key: log.key, algorithm: log.algorithm }]
}

/**
 * By the key ID that the note format gives the key, or the one that the trusted root states (its first four bytes).
 * @param name of the log, as it spells it itself: the key ID depends on that
 */
function verifiersV2(log: TrustedLog, name: string): readonly NoteVerifier[] {
  const derived = noteKeyId(name, log.key)
  const stated = (log.checkpointKeyId ?? log.logId).subarray(0, 4)
  const keyIds = equalBytes(derived, stated) ? [derived] : [derived, stated]
  return keyIds.map((keyId) => ({ name, keyId, key: log.key, algorithm: log.algorithm }))
}

/** @param host in lower case */
function isHost(name: string, host: string): boolean {
  // Beyond ASCII there are letters that are others in lower case.
  return name === host || (/^[!-~]+$/.test(name) && name.toLowerCase() === host)
}
