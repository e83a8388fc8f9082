/** An entry of a transparency log as JSON. */
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { parseJson } from '../../encoding/json.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import { formatSeconds } from './instant.ts'
import type { InclusionProofOutline, LogEntryOutline } from './outline.ts'
import { parseSignedCheckpoint } from './signed-checkpoint.ts'

/** An entry as JSON, with its body taken apart. 64-bit integers are decimal texts, as in the bundle. */
export function logEntryJson({ value: entry, problem }: Attempt<LogEntryOutline>): JsonObject {
  if (entry === undefined) return { problem }
  const { kindVersion, integratedTime, signedEntryTimestamp, inclusionProof } = entry
  return {
    logIndex: `${entry.logIndex}`,
    logId: entry.logId === undefined ? undefined : encodeHex(entry.logId),
    kind: kindVersion?.kind,
    version: kindVersion?.version,
    integratedTime: integratedTime === 0n ? undefined : formatSeconds(integratedTime),
    signedEntryTimestamp: signedEntryTimestamp === undefined ? undefined : encodeBase64(signedEntryTimestamp),
    inclusionProof: inclusionProof === undefined ? undefined : proofJson(inclusionProof),
    body: entry.body.length === 0 ? undefined : bodyJson(entry.body),
  }
}

function bodyJson(body: Uint8Array): JsonObject {
  const { value, problem } = attempt(() => parseJson(body, 'the log entry', { integers: 'exact' }))
  return problem === undefined ? { bytes: body.length, content: value } : { bytes: body.length, problem }
}

function proofJson({ logIndex, treeSize, rootHash, hashes, checkpoint }: InclusionProofOutline): JsonObject {
  return {
    logIndex: `${logIndex}`,
    treeSize: `${treeSize}`,
    rootHash: encodeHex(rootHash),
    hashes: hashes.map(encodeHex),
    checkpoint: checkpoint === undefined ? undefined : checkpointJson(checkpoint),
  }
}

function checkpointJson(envelope: string): JsonObject {
  const { value: checkpoint, problem } = attempt(() => parseSignedCheckpoint(envelope))
  if (checkpoint === undefined) return { envelope, problem }
  return {
    origin: checkpoint.origin,
    treeSize: `${checkpoint.size}`,
    rootHash: encodeHex(checkpoint.rootHash),
    otherContent: checkpoint.extensions,
    signatures: checkpoint.signatures.map(({ name, keyId, signature }) => ({
      name,
      keyId: encodeHex(keyId),
      signature: encodeBase64(signature),
    })),
  }
}
