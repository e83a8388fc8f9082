/** The contract of certificate transparency logs: requests and answers of RFC 6962 section 4, in JSON. */
import { encodeBase64 } from '../encoding/base64.ts'
import { concatBytes } from '../encoding/bytes.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parseJson } from '../encoding/json.ts'
import { tlsOpaque } from '../encoding/tls.ts'
import { DecodingError } from '../error.ts'
import type { SignedTreeHead } from '../merkle/tree-head.ts'
import type { SignedCertificateTimestamp } from '../x509/sct.ts'
import { readSctAnswer } from '../x509/sct.ts'

/** Where the API stands below the log's submission prefix. */
export const ctPath = '/ct/v1'

/** Largest body of a submission. */
export const maxSubmissionBytes = 128 * 1024

const maxChainLength = 10
const maxAnswerBytes = 64 * 1024

/** An entry as `get-entries` gives it. */
export interface CtEntry {
  /** MerkleTreeLeaf. */
  readonly leafInput: Uint8Array
  /** X509ChainEntry without its leaf certificate, or PrecertChainEntry. */
  readonly extraData: Uint8Array
}

/** Writes the body of `add-chain` and `add-pre-chain`. @param chain the submitted certificate first, its issuers after it, DER */
export function encodeSubmission(chain: readonly Uint8Array[]): string {
  return JSON.stringify({ chain: chain.map(encodeBase64) })
}

/**
 * Parses the body of `add-chain` and `add-pre-chain`, of up to 128 KiB and ten certificates, which are not looked into.
 * @throws DecodingError TOO_LARGE, JSON_INVALID, REQUEST_INVALID
 */
export function parseSubmission(body: Uint8Array): Uint8Array[] {
  const json = parseJson(body, 'the submission', { maxBytes: maxSubmissionBytes, maxDepth: 4, maxValues: 64 })
  const fields = new JsonFields(json, 'submission', 'REQUEST_INVALID')
  const chain = fields.array('chain', maxChainLength)
  if (chain.length === 0) throw fields.invalid('submission.chain is empty')
  return chain.map((certificate, index) => {
    if (typeof certificate !== 'string') throw fields.invalid(`submission.chain[${index}] should be a string`)
    return fields.decodeBase64(certificate, `chain[${index}]`)
  })
}

/** Writes the answer to a submission. */
export function encodeSctAnswer(sct: SignedCertificateTimestamp): string {
  return JSON.stringify({
    sct_version: 0,
    id: encodeBase64(sct.logId),
    timestamp: sct.timestamp,
    extensions: encodeBase64(sct.extensions),
    signature: encodeBase64(concatBytes(signatureAlgorithm(sct), tlsOpaque(sct.signature, 2))),
  })
}

/**
 * Parses the answer to a submission. The SCT is not verified.
 * @throws DecodingError TOO_LARGE, JSON_INVALID, SCT_INVALID
 */
export function parseSctAnswer(body: Uint8Array): SignedCertificateTimestamp {
  return readSctAnswer(parseJson(body, 'the answer of the CT log', { maxBytes: maxAnswerBytes, maxDepth: 4, maxValues: 64 }))
}

/** Writes the answer of `get-sth`. */
export function encodeTreeHeadAnswer(head: SignedTreeHead): string {
  return JSON.stringify({
    tree_size: sizeNumber(head.size),
    timestamp: head.timestamp,
    sha256_root_hash: encodeBase64(head.rootHash),
    tree_head_signature: encodeBase64(head.signature),
  })
}

/** Writes the answer of `get-sth-consistency`. */
export function encodeConsistencyAnswer(proof: readonly Uint8Array[]): string {
  return JSON.stringify({ consistency: proof.map(encodeBase64) })
}

/** Writes the answer of `get-proof-by-hash`. */
export function encodeProofAnswer(leafIndex: bigint, auditPath: readonly Uint8Array[]): string {
  return JSON.stringify({ leaf_index: sizeNumber(leafIndex), audit_path: auditPath.map(encodeBase64) })
}

/** Writes the answer of `get-entries`. */
export function encodeEntriesAnswer(entries: readonly CtEntry[]): string {
  return JSON.stringify({ entries: entries.map(entryMembers) })
}

/** Writes the answer of `get-entry-and-proof`. */
export function encodeEntryAndProofAnswer(entry: CtEntry, auditPath: readonly Uint8Array[]): string {
  return JSON.stringify({ ...entryMembers(entry), audit_path: auditPath.map(encodeBase64) })
}

/** Writes the answer of `get-roots`. @param roots DER */
export function encodeRootsAnswer(roots: readonly Uint8Array[]): string {
  return JSON.stringify({ certificates: roots.map(encodeBase64) })
}

function entryMembers({ leafInput, extraData }: CtEntry): { leaf_input: string; extra_data: string } {
  return { leaf_input: encodeBase64(leafInput), extra_data: encodeBase64(extraData) }
}

/** SignatureAndHashAlgorithm (RFC 5246 section 7.4.1.4.1). */
function signatureAlgorithm({ hashAlgorithm, signatureKind }: SignedCertificateTimestamp): Uint8Array {
  return Uint8Array.of({ sha256: 4, sha384: 5, sha512: 6 }[hashAlgorithm], signatureKind === 'rsa' ? 1 : 3)
}

/** JSON numbers are exact up to 2^53, which no log reaches. */
function sizeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodingError('ENCODING_INVALID', `${value} is too large for a JSON number`)
  return Number(value)
}
