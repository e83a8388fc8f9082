/** The proof of a log entry, fetched from the log: put into a bundle only where it is a proof of the entry that the bundle has. */
import { encodeDsseV001, encodeHashedRekordV001, encodeIntotoV002 } from '../../bundle/encode-log-entry-body.ts'
import { encodeEnvelope } from '../../bundle/dsse.ts'
import type { DsseEnvelope, LogEntry, SignedEntity } from '../../bundle/signed-entity.ts'
import { readRekorV1EntryAt, readRekorV1EntryOf } from '../../clients/rekor-v1-read.ts'
import type { ServiceOptions } from '../../clients/service.ts'
import { digest } from '../../crypto/digest.ts'
import { encodePublicKeyPem } from '../../crypto/public-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { asBuffer, encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { encodePem } from '../../encoding/pem.ts'
import { CountersignError, VerificationError } from '../../error.ts'
import { parseCheckpoint } from '../../merkle/checkpoint.ts'
import { leafHash } from '../../merkle/hash.ts'
import { verifyInclusion } from '../../merkle/inclusion-proof.ts'
import { parseSignedNote } from '../../merkle/signed-note.ts'
import type { Artifact } from '../../verify/artifact.ts'
import type { Signer } from '../../verify/signer.ts'

/** A log, and how it is reached. */
export interface Log {
  readonly url: string
  readonly options: ServiceOptions
}

/** A signature whose entry is looked for, and what the entry must say. */
export interface LoggedSignature {
  readonly entity: SignedEntity
  readonly signer: Signer
  readonly artifact: Artifact
  /** The text of an attestation's envelope, where there is one. */
  readonly envelope: Uint8Array | undefined
}

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
 * The entry of a signature, of which nothing but the signature is known. A Rekor v1 entry is named by the hash of its contents, so
 * what it must be is computed and asked for.
 * @throws CountersignError NOT_FOUND; otherwise as `completeEntry`
 */
export async function findEntry(signature: LoggedSignature, log: Log): Promise<LogEntry> {
  for (const hash of possibleLeaves(signature)) {
    const found = await readRekorV1EntryOf(log.url, hash, log.options)
    if (found === undefined) continue
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

/** The leaf hashes of the entries that cosign, sigstore-js and we have made of such a signature, the likeliest first. */
function possibleLeaves({ entity, signer, artifact, envelope }: LoggedSignature): Uint8Array[] {
  const { content } = entity
  const verifierPem = signer.certificate === undefined ? encodePublicKeyPem(signer.key) : encodePem('CERTIFICATE', signer.certificate.bytes)
  if (content.kind === 'dsse-envelope') return possibleEnvelopeBodies(content, envelope, verifierPem).map(leafHash)
  const algorithms = new Set(['sha256' as const, ...signer.algorithms.flatMap((algorithm) => digestOf(algorithm) ?? [])])
  return [...algorithms].flatMap((algorithm) => {
    const value = artifact.digest(algorithm)
    if (value === undefined) return []
    return [leafHash(encodeHashedRekordV001({ algorithm, value }, { signature: content.signature, verifierPem }))]
  })
}

/**
 * An entry holds the digest of the envelope's text as it was submitted. That need not be the text which the signer kept: Go programs
 * write envelopes in several ways.
 */
function possibleEnvelopeBodies(envelope: DsseEnvelope, text: Uint8Array | undefined, verifierPem: string): Uint8Array[] {
  const { payload, payloadType, signature, keyId } = envelope
  const withKeyId = JSON.stringify({
    payloadType,
    payload: encodeBase64(payload),
    signatures: [{ keyid: keyId, sig: encodeBase64(signature) }],
  })
  const kept = text === undefined ? [] : [asBuffer(text).toString('utf8'), asBuffer(text).toString('utf8').trimEnd()]
  const hashes = [...new Set([...kept, encodeEnvelope(envelope), withKeyId])].map((one) => digest('sha256', encodeUtf8(one)))
  const payloadSha256 = digest('sha256', payload)
  return [
    ...hashes.map((hash) => encodeDsseV001(hash, payloadSha256, [{ signature, verifierPem }])),
    ...hashes.map((hash) =>
      encodeIntotoV002({ payloadType, signatures: [{ signature, verifierPem, keyId }], envelopeSha256: hash, payloadSha256 }),
    ),
  ]
}
