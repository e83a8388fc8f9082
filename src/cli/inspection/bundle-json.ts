/** A bundle as JSON, for `--output json`: everything it holds, under our own names. */
import { inTotoPayloadType } from '../../bundle/dsse.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { parseTimestampResponse } from '../../x509/timestamp-token.ts'
import { attempt } from './attempt.ts'
import { certificateJson, publicKeyJson } from './certificate-json.ts'
import { formatInstant } from './instant.ts'
import { logEntryJson } from './log-entry-json.ts'
import type { BundleOutline, ContentOutline, EnvelopeOutline, KeyOutline, MaterialOutline } from './outline.ts'
import { outlineStatement } from './statement-outline.ts'
import { imprintAlgorithmOf, serialNumberOf } from './timestamp-tree.ts'

/**
 * The bundle as JSON. Digests, identifiers and hashes are hexadecimal, other bytes base64. A part that is malformed has
 * a member `problem`; `refusal` says why verification would not even start.
 */
export function bundleJson({ format, mediaType, version, material, content, refusal }: BundleOutline): JsonObject {
  return {
    format,
    mediaType: mediaType === '' ? undefined : mediaType,
    version,
    refusal,
    verificationMaterial: material === undefined ? undefined : materialJson(material),
    content: content === undefined ? undefined : contentJson(content),
  }
}

function materialJson({ key, logEntries, timestamps }: MaterialOutline): JsonObject {
  return { ...keyMembers(key), logEntries: logEntries.map(logEntryJson), timestamps: (timestamps ?? []).map(timestampJson) }
}

function keyMembers(key: KeyOutline | undefined): JsonObject {
  switch (key?.kind) {
    case undefined:
      return {}
    case 'certificate':
      return { certificates: [certificateJson(key.certificate)] }
    case 'certificate-chain':
      return { certificates: key.certificates.map(certificateJson) }
    case 'hint':
      return { publicKey: { hint: key.hint } }
    case 'public-key':
      return { publicKey: publicKeyJson(key.spki) }
    case 'malformed':
      return { problem: key.problem }
  }
}

function timestampJson(response: Uint8Array): JsonObject {
  const { value: token, problem } = attempt(() => parseTimestampResponse(response))
  if (token === undefined) return { problem }
  return {
    time: formatInstant(token.genTime),
    hashAlgorithm: imprintAlgorithmOf(token),
    messageImprint: encodeHex(token.imprint.digest),
    serialNumber: serialNumberOf(token),
    policy: token.policy,
    nonce: token.nonce === undefined ? undefined : encodeHex(token.nonce),
    certificates: token.certificates.map(certificateJson),
  }
}

function contentJson(content: ContentOutline): JsonObject {
  if (content.kind === 'dsse-envelope') return envelopeJson(content)
  const { kind, digest, signature } = content
  return {
    kind,
    digest: digest === undefined ? undefined : { algorithm: digest.algorithm, value: encodeHex(digest.value) },
    signature: encodeBase64(signature),
  }
}

function envelopeJson({ kind, payloadType, payload, signatures }: EnvelopeOutline): JsonObject {
  const isStatement = payloadType === inTotoPayloadType
  return {
    kind,
    payloadType,
    payloadBytes: payload.length,
    ...(isStatement ? { statement: statementJson(payload) } : { payload: encodeBase64(payload) }),
    signatures: signatures.map(({ signature, keyId }) => ({ keyId: keyId === '' ? undefined : keyId, signature: encodeBase64(signature) })),
  }
}

function statementJson(payload: Uint8Array): JsonObject {
  const { value: statement, problem } = attempt(() => outlineStatement(payload))
  if (statement === undefined) return { problem, payload: encodeBase64(payload) }
  return {
    problem: statement.refusal,
    type: statement.type,
    predicateType: statement.predicateType,
    subjects: statement.subjects,
    predicate: statement.predicate,
  }
}
