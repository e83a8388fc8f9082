/** Entries that stand in a Rekor log, checked again: a body has to come out of the checks that let it in. */
import { parseProposedEntry, readProposedEntry } from '../../api/rekor-v1-proposal.ts'
import type { ProposedEntry } from '../../api/rekor-v1-proposal.ts'
import type { LogEntryBody, LogEntryVerifier } from '../../bundle/log-entry-body.ts'
import { parseLogEntryBody, parseLogEntryKind } from '../../bundle/log-entry-body.ts'
import { parseSupplement } from '../../bundle/log-entry-supplement.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePkcs1PublicKey, parsePublicKey } from '../../crypto/public-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { canonicalizeJson } from '../../encoding/canonical-json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { CountersignError } from '../../error.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import type { LoggedEntry } from '../tile-log/log.ts'
import { defaultKeyDetails, defaultKeyDetailsV1 } from './algorithm-policy.ts'
import { checkSignature } from '../threads/signature-check.ts'
import { checkEntryV1 } from './v1-entry.ts'
import { messageAlgorithms } from './v1-envelope.ts'
import { checkEntryV2 } from './v2-entry.ts'

/** `form` is what can be told without a signature being verified. */
export type EntryCheckDepth = 'form' | 'signatures'

/** A leaf has at most 65,535 bytes, and an attestation 100 KiB, which base64 makes larger twice. */
const maxBytes = 1024 * 1024
const maxAttestationBytes = 100 * 1024

/**
 * Checks an entry of a Rekor v1 log: its body is canonical, and the signatures in it verify. Of dsse, of intoto 0.0.1 or whose attestation was
 * not kept and of rekord over other digests than SHA-256, the log does not have what was signed: their form is all that can be checked.
 * @throws DecodingError, VerificationError; CountersignError SIGNATURE_INVALID, LOG_CORRUPT
 */
export async function checkLoggedEntryV1({ leaf, extra }: Pick<LoggedEntry, 'leaf' | 'extra'>, depth: EntryCheckDepth): Promise<void> {
  checkCanonical(leaf)
  const { kind, version } = parseLogEntryKind(leaf)
  const { attestation } = parseSupplement(extra)
  const proposed = proposalOf(leaf, `${kind} ${version}`, attestation)
  if (proposed === undefined) {
    const body = parseLogEntryBody(leaf)
    if (kind === 'rekord' && depth === 'signatures') checkDigestSignature(body)
    return
  }
  if (depth === 'form') return
  const rules = { keyDetails: defaultKeyDetailsV1, maxAttestationBytes, maxRequestBytes: maxBytes, checkSignature }
  checkSame(leaf, (await checkEntryV1(proposed, rules)).body)
}

/**
 * Checks an entry of a Rekor v2 log, by the rules of `checkLoggedEntryV1`.
 * @throws DecodingError; CountersignError SIGNATURE_INVALID, LOG_CORRUPT
 */
export async function checkLoggedEntryV2({ leaf, extra }: Pick<LoggedEntry, 'leaf' | 'extra'>, depth: EntryCheckDepth): Promise<void> {
  checkCanonical(leaf)
  parseSupplement(extra)
  const { kind, digest: signed, signatures } = parseLogEntryBody(leaf)
  const [signature] = signatures
  if (depth === 'form' || kind !== 'hashedrekord' || signature?.signature === undefined) return
  const { kind: verifierKind, der, keyDetails = '' } = signature.verifier
  const checked = await checkEntryV2(
    {
      kind,
      digest: signed.value,
      signature: signature.signature,
      verifier: { kind: verifierKind, der, keyDetails },
    },
    { keyDetails: defaultKeyDetails, envelopesAs: 'hashedrekord', checkSignature },
  )
  checkSame(leaf, checked.body)
}

/** The entry as it can have been proposed; undefined where the log does not have what was signed. */
function proposalOf(leaf: Uint8Array, kindVersion: string, attestation: Uint8Array | undefined): ProposedEntry | undefined {
  if (kindVersion === 'hashedrekord 0.0.1' || kindVersion === 'rfc3161 0.0.1') return parseProposedEntry(leaf, maxBytes)
  if (kindVersion !== 'intoto 0.0.2' || attestation === undefined) return undefined
  const payload = encodeBase64(encodeUtf8(encodeBase64(attestation)))
  return readProposedEntry(
    withMember(parseJson(leaf, 'the entry', { maxBytes }), ['spec', 'content', 'envelope', 'payload'], payload),
    'entry',
  )
}

/** The JSON with one member more. */
function withMember(json: JsonValue | undefined, [name = '', ...rest]: readonly string[], value: JsonValue): JsonValue {
  const object = isJsonObject(json) ? json : {}
  return { ...object, [name]: rest.length === 0 ? value : withMember(object[name], rest, value) }
}

function checkCanonical(leaf: Uint8Array): void {
  checkSame(leaf, encodeUtf8(canonicalizeJson(parseJson(leaf, 'the entry', { maxBytes }))))
}

function checkSame(leaf: Uint8Array, expected: Uint8Array): void {
  if (!equalBytes(leaf, expected))
    throw new CountersignError('LOG_CORRUPT', 'the body is not the one that this log writes for such an entry')
}

/** A rekord keeps the SHA-256 of what was signed, which is enough for keys that sign over SHA-256 and nothing else. */
function checkDigestSignature({ digest: content, signatures }: LogEntryBody): void {
  for (const { signature, verifier } of signatures) {
    if (signature === undefined) continue
    const key = keyOf(verifier)
    const algorithms = messageAlgorithms(key)
    if (!algorithms.every((algorithm) => digestOf(algorithm) === 'sha256')) continue
    const over = { kind: 'digest', bytes: content.value } as const
    if (!algorithms.some((algorithm) => checkSignature({ key, algorithm, signature, over }) === true))
      throw new CountersignError('SIGNATURE_INVALID', 'the signature is not over the content with the given key')
  }
}

function keyOf({ kind, der, isPkcs1 = false }: LogEntryVerifier): PublicKey {
  if (kind === 'certificate') return certificateKey(parseCertificate(der))
  return isPkcs1 ? parsePkcs1PublicKey(der) : parsePublicKey(der)
}
