/** The proof of a log entry, fetched from the log: put into a bundle only where it is a proof of the entry that the bundle has. */
import type { LogEntry } from '../../bundle/signed-entity.ts'
import { readRekorV1EntryAt } from '../../clients/rekor-v1-read.ts'
import { equalBytes } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError, VerificationError } from '../../error.ts'
import { parseCheckpoint } from '../../merkle/checkpoint.ts'
import { leafHash } from '../../merkle/hash.ts'
import { verifyInclusion } from '../../merkle/inclusion-proof.ts'
import { parseSignedNote } from '../../merkle/signed-note.ts'
import type { Log } from '../verification/log-search.ts'
import { earliestEntryOf } from '../verification/log-search.ts'
import type { LoggedSignature } from '../verification/possible-entries.ts'

/**
 * The entry with an inclusion proof and a checkpoint from the log. What the entry says stays as it is.
 * @throws VerificationError LOG_ENTRY_MISMATCH where the log has another entry at its place, LOG_ENTRY_UNVERIFIED or
 * INCLUSION_PROOF_INVALID for a proof that is none; CountersignError NOT_FOUND; what `readRekorV1EntryAt` throws
 */
export async function completeEntry(entry: LogEntry, log: Log): Promise<LogEntry> {
  const found = await readRekorV1EntryAt(log.url, entry.logIndex, log.options)
  if (found === undefined) throw new CountersignError('NOT_FOUND', `the transparency log ${log.url} has no entry ${entry.logIndex}`)
  const difference = differenceOf(entry, found)
  if (difference !== undefined) {
    throw new VerificationError(
      'LOG_ENTRY_MISMATCH',
      `the transparency log ${log.url} has another entry ${entry.logIndex} than the bundle: ${difference} (is it the log that the signature was recorded in? --rekor-url names another)`,
    )
  }
  checkProof(found, log)
  return { ...entry, inclusionProof: found.inclusionProof }
}

/**
 * The entry of a signature, of which nothing but the signature is known, with an inclusion proof.
 * @throws CountersignError NOT_FOUND; otherwise as `completeEntry` and `earliestEntryOf`
 */
export async function findEntry(signature: LoggedSignature, log: Log): Promise<LogEntry> {
  const found = await earliestEntryOf(signature, log)
  if (found !== undefined) {
    checkProof(found, log)
    return found
  }
  throw new CountersignError(
    'NOT_FOUND',
    `unable to find tlog entry: the signature is not in the transparency log ${log.url} (--rekor-url names another log, and --ignore-tlog does without)`,
  )
}

/** What of two statements about one entry is not the same. */
function differenceOf(own: LogEntry, found: LogEntry): string | undefined {
  if (!equalBytes(own.logId, found.logId)) return `it is of the log ${encodeHex(found.logId)}, expected ${encodeHex(own.logId)}`
  if (!equalBytes(own.body, found.body)) return 'its body is another one'
  if (own.integratedTime !== found.integratedTime) return `it was made at ${found.integratedTime}, expected ${own.integratedTime}`
  return undefined
}

/** The log's signature is not looked at, which takes a trusted root; a proof that does not even fit is a fault that is found now. */
function checkProof({ body, inclusionProof }: LogEntry, log: Log): void {
  const checkpoint = inclusionProof?.checkpoint
  if (inclusionProof === undefined || checkpoint === undefined) {
    throw new VerificationError(
      'LOG_ENTRY_UNVERIFIED',
      `the transparency log ${log.url} answered no inclusion proof with a checkpoint, which a bundle of version 0.3 must have`,
    )
  }
  const { logIndex, treeSize, hashes, rootHash } = inclusionProof
  verifyInclusion({ leafIndex: logIndex, treeSize, leafHash: leafHash(body), proof: hashes, root: rootHash })
  const signed = parseCheckpoint(parseSignedNote(checkpoint).text)
  if (signed.size !== treeSize || !equalBytes(signed.rootHash, rootHash)) {
    throw new VerificationError(
      'LOG_ENTRY_UNVERIFIED',
      `the transparency log ${log.url} answered an inclusion proof for ${treeSize} entries with another root than its checkpoint, which has ${signed.size}`,
    )
  }
}
