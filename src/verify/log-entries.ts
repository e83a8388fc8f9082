/** Transparency log entries: their content, the promise of the log, and inclusion under a checkpoint it signed. */
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8, equalBytes, excerpt } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { VerificationError } from '../error.ts'
import { verifySignature } from '../crypto/signature.ts'
import { isRekorV2 } from '../bundle/log-entry-body.ts'
import type { InclusionProof, LogEntry, SignedEntity } from '../bundle/signed-entity.ts'
import { leafHash } from '../merkle/hash.ts'
import { verifyInclusion } from '../merkle/inclusion-proof.ts'
import { formatWindow, isWithin } from '../trust/time-window.ts'
import type { TrustedLog, TrustMaterial } from '../trust/trust-material.ts'
import { findLogs } from '../trust/trust-material.ts'
import type { Artifact } from './artifact.ts'
import { verifyLogCheckpoint } from './log-checkpoint.ts'
import type { VerifiedLogEntry, VerifiedTime } from './evidence.ts'
import { verifyEntryContent } from './log-entry-content.ts'
import type { Signer } from './signer.ts'

export interface VerifiedLogEntries {
  readonly entries: readonly VerifiedLogEntry[]
  /** Times that logs promised in a signed entry timestamp. */
  readonly times: readonly VerifiedTime[]
  /** The operators of the entries, and those of the times. */
  readonly operators: ReadonlySet<string>
  readonly timeOperators: ReadonlySet<string>
}

/**
 * Verifies every entry of a log that the trusted root has; entries of unknown logs do not count, but must be about the
 * same signature too.
 * @param signedInstants those of timestamp authorities, which stand in for the time that an entry of Rekor v2, or without a promise, lacks
 * @throws VerificationError LOG_ENTRY_MISMATCH, LOG_ENTRY_UNVERIFIED, INCLUSION_PROOF_INVALID
 */
export function verifyLogEntries(
  entity: SignedEntity,
  signer: Signer,
  artifact: Artifact | 'any-subject',
  trust: TrustMaterial,
  signedInstants: readonly number[],
  notes: string[],
): VerifiedLogEntries {
  const listed: ListedEntry[] = []
  const times: VerifiedTime[] = []
  const operators = new Set<string>()
  const timeOperators = new Set<string>()
  for (const [position, entry] of entity.logEntries.entries()) {
    checkNotRepeated(entity.logEntries, position)
    verifyEntryContent(entry, entity, signer, artifact)
    const logs = findLogs(trust.logs, entry.logId)
    if (logs.length === 0) {
      notes.push(`a log entry of the unknown log ${encodeHex(entry.logId).slice(0, 64)} was not counted`)
      continue
    }
    const { log, integratedTime } = verifyEntry(entry, logs, signedInstants)
    operators.add(log.operator)
    const proof = entry.inclusionProof?.checkpoint === undefined ? undefined : entry.inclusionProof
    const evidence: VerifiedLogEntry = {
      logUrl: log.baseUrl,
      logId: encodeHex(entry.logId),
      logIndex: isIndexProven(entry) ? entry.logIndex : undefined,
      treeIndex: proof?.logIndex,
      kind: entry.kind,
      version: entry.version,
      integratedTime,
      treeSize: proof?.treeSize,
    }
    if (!list(listed, { evidence, log, body: entry.body })) notes.push(`an entry of the log ${excerpt(log.baseUrl)} is there a second time`)
    if (integratedTime === undefined) continue
    timeOperators.add(log.operator)
    times.push({ time: integratedTime, source: 'transparency-log', authority: log.baseUrl })
  }
  return { entries: listed.map(({ evidence }) => evidence), times, operators, timeOperators }
}

/** A promise has the index; in Rekor v2, which has no shards, it is that of the proof. A proof of Rekor v1 has the one in its shard only. */
function isIndexProven(entry: LogEntry): boolean {
  return entry.signedEntryTimestamp !== undefined || isRekorV2(entry.kind, entry.version)
}

interface ListedEntry {
  readonly evidence: VerifiedLogEntry
  readonly log: TrustedLog
  readonly body: Uint8Array
}

/**
 * Adds an entry, or puts it in the place of the same one whose index nobody has signed: such a one can be repeated under any index.
 * @returns whether it was not there yet
 */
function list(listed: ListedEntry[], entry: ListedEntry): boolean {
  const position = listed.findIndex((other) => isSameEntry(other, entry))
  if (position === -1) listed.push(entry)
  else if (listed[position]?.evidence.logIndex === undefined) listed[position] = entry
  return position === -1
}

/** A log has a body once, but for one that was put into several shards: those have signed indexes that differ. */
function isSameEntry(a: ListedEntry, b: ListedEntry): boolean {
  const [index, other] = [a.evidence.logIndex, b.evidence.logIndex]
  const mayBeSame = index === undefined || other === undefined || index === other
  return mayBeSame && equalBytes(a.log.logId, b.log.logId) && equalBytes(a.body, b.body)
}

function checkNotRepeated(entries: readonly LogEntry[], position: number): void {
  const entry = entries[position]
  if (entry === undefined) return
  if (entries.slice(0, position).some((earlier) => earlier.logIndex === entry.logIndex && equalBytes(earlier.logId, entry.logId))) {
    throw unverified(`the bundle has the entry ${entry.logIndex} of one log twice`)
  }
}

/** Verifies an entry of a log, which the trusted root may have several times: with one key in several windows. */
function verifyEntry(
  entry: LogEntry,
  logs: readonly TrustedLog[],
  signedInstants: readonly number[],
): { readonly log: TrustedLog; readonly integratedTime: Date | undefined } {
  const verifyOne = isRekorV2(entry.kind, entry.version) ? verifyEntryV2 : verifyEntryV1
  let failure: VerificationError | undefined
  for (const log of logs) {
    try {
      return { log, integratedTime: verifyOne(entry, log, signedInstants) }
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      failure = error
    }
  }
  throw failure ?? unverified('the log entry is of an unknown log')
}

/** Rekor v1: a promise with the time, a proof, or both. What is there must verify. Gives the promised time. */
function verifyEntryV1(entry: LogEntry, log: TrustedLog, signedInstants: readonly number[]): Date | undefined {
  const { signedEntryTimestamp, inclusionProof } = entry
  let integratedTime: Date | undefined
  if (signedEntryTimestamp !== undefined) integratedTime = verifyPromise(entry, signedEntryTimestamp, log)
  if (inclusionProof !== undefined) {
    if (inclusionProof.checkpoint !== undefined) checkAgainstCheckpoint(inclusionProof, inclusionProof.checkpoint, log, 'v1')
    // A proof without a checkpoint proves nothing, but one that is wrong in itself is a broken bundle.
    verifyProof(entry, inclusionProof, inclusionProof.logIndex)
  }
  if (signedEntryTimestamp === undefined && inclusionProof?.checkpoint === undefined) {
    throw unverified('the log entry has neither a signed entry timestamp nor an inclusion proof with a checkpoint')
  }
  // Without a promise the log says no time, as one of Rekor v2: a key that is not trusted any more could leave it out.
  if (signedEntryTimestamp === undefined) for (const instant of signedInstants) checkLogWindow(log, instant)
  return integratedTime
}

/** Rekor v2: a proof under a checkpoint; no time of its own, so any time it claims is ignored. */
function verifyEntryV2(entry: LogEntry, log: TrustedLog, signedInstants: readonly number[]): undefined {
  if (entry.signedEntryTimestamp !== undefined)
    throw unverified('the log entry is of Rekor v2, which has no signed entry timestamps, and yet has one')
  const { inclusionProof } = entry
  if (inclusionProof?.checkpoint === undefined) throw unverified('the log entry has no inclusion proof with a checkpoint')
  if (inclusionProof.logIndex !== entry.logIndex) {
    throw unverified(`the log entry has the index ${entry.logIndex}, its inclusion proof ${inclusionProof.logIndex}`)
  }
  checkAgainstCheckpoint(inclusionProof, inclusionProof.checkpoint, log, 'v2')
  verifyProof(entry, inclusionProof, entry.logIndex)
  for (const instant of signedInstants) checkLogWindow(log, instant)
}

/** The signed entry timestamp (Rekor specification 9.5): over canonical JSON of body, time, log and index. */
function verifyPromise(entry: LogEntry, signature: Uint8Array, log: TrustedLog): Date {
  if (entry.integratedTime <= 0n || entry.integratedTime > maxSeconds)
    throw unverified(`the time of the log entry, ${entry.integratedTime}, is not a time`)
  // RFC 8785 of a flat object whose keys are in order: the only strings are base64 and hexadecimal, so nothing needs escaping.
  const signed = `{"body":"${encodeBase64(entry.body)}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${entry.logIndex}}`
  if (!verifySignature(log.key, log.algorithm, encodeUtf8(signed), signature)) {
    throw unverified('the signed entry timestamp does not verify with the key of the log')
  }
  const time = new Date(Number(entry.integratedTime) * 1000)
  checkLogWindow(log, time.getTime())
  return time
}

function checkLogWindow(log: TrustedLog, instant: number): void {
  if (isWithin(log.window, instant)) return
  throw unverified(
    `the log ${excerpt(log.baseUrl)} is trusted from ${formatWindow(log.window)}, not at the time of the entry, ${new Date(instant).toISOString()}`,
  )
}

function checkAgainstCheckpoint(proof: InclusionProof, text: string, log: TrustedLog, version: 'v1' | 'v2'): void {
  const checkpoint = verifyLogCheckpoint(text, log, version)
  if (checkpoint.size !== proof.treeSize || !equalBytes(checkpoint.rootHash, proof.rootHash)) {
    throw unverified(
      `the inclusion proof is for a tree of ${proof.treeSize} entries with another root than the checkpoint, which has ${checkpoint.size}`,
    )
  }
}

function verifyProof(entry: LogEntry, proof: InclusionProof, leafIndex: bigint): void {
  verifyInclusion({ leafIndex, treeSize: proof.treeSize, leafHash: leafHash(entry.body), proof: proof.hashes, root: proof.rootHash })
}

/** The last second that a Date can hold. */
const maxSeconds = 8_640_000_000_000n

function unverified(message: string): VerificationError {
  return new VerificationError('LOG_ENTRY_UNVERIFIED', message)
}
