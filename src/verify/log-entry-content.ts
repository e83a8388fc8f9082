/**
 * What a log entry says against what the bundle holds (client specification 4.4): the same signature, the same key or
 * certificate, the same artifact. A proof of inclusion is worth nothing for an entry about something else.
 */
import { digest } from '../crypto/digest.ts'
import { parsePkcs1PublicKey } from '../crypto/public-key.ts'
import { digestOf, signatureAlgorithmFromKeyDetails } from '../crypto/signature.ts'
import { preAuthenticationEncoding } from '../bundle/dsse.ts'
import type { LogEntryBody, LogEntrySignature, LogEntryVerifier } from '../bundle/log-entry-body.ts'
import { isRekorV2, parseLogEntryBody } from '../bundle/log-entry-body.ts'
import type { DsseEnvelope, LogEntry, SignedEntity } from '../bundle/signed-entity.ts'
import { equalBytes, excerpt } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { VerificationError } from '../error.ts'
import type { Artifact } from './artifact.ts'
import { isExpectedBody } from './expected-entry.ts'
import type { Signer } from './signer.ts'

/**
 * Verifies that the entry is about this signature by this signer over this artifact.
 * @throws VerificationError LOG_ENTRY_MISMATCH, ARTIFACT_REQUIRED; DecodingError for a malformed or unsupported body
 */
export function verifyEntryContent(entry: LogEntry, entity: SignedEntity, signer: Signer, artifact: Artifact | 'any-subject'): void {
  if (isExpectedBody(entry, entity, signer, artifact)) return
  const body = parseLogEntryBody(entry.body)
  if (body.kind !== entry.kind || body.version !== entry.version) {
    throw mismatch(
      `the bundle says the log entry is ${excerpt(entry.kind, 30)} ${excerpt(entry.version, 30)}, it is ${body.kind} ${body.version}`,
    )
  }
  const signature = loggedSignature(body, entity)
  if (signature.signature !== undefined && !equalBytes(signature.signature, entity.content.signature))
    throw mismatch('the signature in the log entry is not the signature of the bundle')
  checkVerifier(signature.verifier, signer)
  if (isRekorV2(body.kind, body.version)) checkKeyDetails(signature, body, signer)
  checkDigest(body, entity, artifact)
}

/** The one signature of the entry; of an envelope that has several, the one that is looked at. */
function loggedSignature({ signatures }: LogEntryBody, { content }: SignedEntity): LogEntrySignature {
  const hasSeveral = content.kind === 'dsse-envelope' && content.otherSignatures !== undefined
  const [first] = signatures
  if (first === undefined || (signatures.length > 1 && !hasSeveral))
    throw mismatch(`the log entry has ${signatures.length} signatures, exactly one was expected`)
  return signatures.find(({ signature }) => signature !== undefined && equalBytes(signature, content.signature)) ?? first
}

function checkVerifier(verifier: LogEntryVerifier, signer: Signer): void {
  if (signer.certificate !== undefined) {
    if (verifier.kind === 'certificate' && equalBytes(verifier.der, signer.certificate.bytes)) return
    throw mismatch('the certificate in the log entry is not the certificate of the bundle')
  }
  if (verifier.kind === 'public-key') {
    const spki = verifier.isPkcs1 === true ? parsePkcs1PublicKey(verifier.der).spki : verifier.der
    if (equalBytes(spki, signer.key.spki)) return
  }
  throw mismatch('the public key in the log entry is not the given key')
}

/** Rekor v2 entries state the algorithm; it must be one that the key can have made the signature with. */
function checkKeyDetails({ verifier }: LogEntrySignature, body: LogEntryBody, signer: Signer): void {
  const algorithm = signatureAlgorithmFromKeyDetails(verifier.keyDetails ?? '', signer.key)
  const hashes = digestOf(algorithm)
  if (!signer.algorithms.includes(algorithm) || (body.kind === 'hashedrekord' && hashes !== body.digest.algorithm)) {
    throw mismatch(`the log entry states the algorithm ${excerpt(verifier.keyDetails ?? '')}, which is not that of the signature`)
  }
}

function checkDigest(body: LogEntryBody, entity: SignedEntity, artifact: Artifact | 'any-subject'): void {
  const { algorithm, value } = body.digest
  const { content } = entity
  if (content.kind === 'dsse-envelope') {
    if (body.kind === 'rekord' || (body.kind === 'hashedrekord' && body.version !== '0.0.2')) {
      throw mismatch(`the log entry of kind ${body.kind} ${body.version} is not about an attestation`)
    }
    if (!equalBytes(digest(algorithm, loggedBytes(body, content)), value))
      throw mismatch('the log entry is about another attestation than that of the bundle')
    return
  }
  if (body.kind !== 'hashedrekord' && body.kind !== 'rekord')
    throw mismatch(`the log entry of kind ${body.kind} is not about a plain signature`)
  const actual = artifact === 'any-subject' ? undefined : artifact.digest(algorithm)
  if (actual === undefined) {
    throw new VerificationError(
      'ARTIFACT_REQUIRED',
      `the log entry holds the ${algorithm} digest of the artifact, which was not given (give the file, or that digest)`,
    )
  }
  if (!equalBytes(actual, value)) {
    throw mismatch(`the log entry is about an artifact with ${algorithm} ${encodeHex(value)}, the given one has ${encodeHex(actual)}`)
  }
}

/**
 * What an entry of an attestation has the digest of: in Rekor v2 what was signed, in Rekor v1 the payload (client specification 4.4). The
 * first version of intoto has that of the envelope's text alone, which holds payload and signature.
 */
function loggedBytes({ kind, version }: LogEntryBody, { payloadType, payload, encoded }: DsseEnvelope): Uint8Array {
  if (kind === 'hashedrekord') return preAuthenticationEncoding(payloadType, payload)
  if (kind !== 'intoto' || version !== '0.0.1') return payload
  if (encoded !== undefined) return encoded
  throw mismatch('the log entry of kind intoto 0.0.1 is about the text of an envelope, which a Sigstore bundle does not keep')
}

function mismatch(message: string): VerificationError {
  return new VerificationError('LOG_ENTRY_MISMATCH', message)
}
