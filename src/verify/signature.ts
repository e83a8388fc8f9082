/** The signature itself (client specification 4.5), over the artifact or over the envelope that names it. */
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { digestOf, verifyDigest, verifySignature } from '../crypto/signature.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import type { DsseEnvelope, MessageSignature, SignedEntity } from '../bundle/signed-entity.ts'
import { inTotoPayloadType, preAuthenticationEncoding } from '../bundle/dsse.ts'
import type { Statement } from '../bundle/statement.ts'
import { parseStatement } from '../bundle/statement.ts'
import { equalBytes, excerpt } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { VerificationError } from '../error.ts'
import type { Artifact } from './artifact.ts'
import type { Policy } from './policy.ts'
import { isPredicateType } from './policy.ts'
import type { Signer } from './signer.ts'

/**
 * Verifies the content's signature with the signer's key, and that it is about the artifact.
 * @returns the statement of an attestation
 * @throws VerificationError SIGNATURE_INVALID, ARTIFACT_MISMATCH, ARTIFACT_REQUIRED, PREDICATE_TYPE_MISMATCH
 */
export function verifyContent(entity: SignedEntity, signer: Signer, policy: Policy): Statement | undefined {
  if (entity.content.kind === 'dsse-envelope') return verifyEnvelope(entity.content, signer, policy)
  if (policy.artifact === 'any-subject') {
    throw new VerificationError('ARTIFACT_REQUIRED', 'the bundle holds a plain signature, which can only be verified with its artifact')
  }
  if (policy.predicateType !== undefined) {
    throw new VerificationError('PREDICATE_TYPE_MISMATCH', `expected an attestation of type ${typesOf(policy)}, found a plain signature`)
  }
  verifyMessage(entity.content, signer, policy.artifact)
  return undefined
}

/**
 * Verifies a signature over the artifact.
 * @returns which of the signer's algorithms it was made with
 * @throws VerificationError SIGNATURE_INVALID, ARTIFACT_MISMATCH, ARTIFACT_REQUIRED
 */
function verifyMessage(content: MessageSignature, signer: Signer, artifact: Artifact): SignatureAlgorithm {
  checkMessageDigest(content, artifact)
  const message = artifact.bytes
  if (message !== undefined) {
    const found = signer.algorithms.find((algorithm) => verifySignature(signer.key, algorithm, message, content.signature))
    if (found === undefined) throw invalidSignature()
    return found
  }
  const missing: DigestAlgorithm[] = []
  for (const algorithm of signer.algorithms) {
    const needed = digestOf(algorithm)
    if (needed === undefined) continue
    const value = artifact.digest(needed)
    if (value === undefined) missing.push(needed)
    else if (verifyDigest(signer.key, algorithm, value, content.signature)) return algorithm
  }
  if (signer.key.kind === 'ed25519' && missing.length > 0) {
    throw new VerificationError(
      'ARTIFACT_REQUIRED',
      'an Ed25519 signature can only be verified with the artifact itself, not with its digest (give the file instead)',
    )
  }
  if (missing.length === signer.algorithms.length) {
    throw new VerificationError(
      'ARTIFACT_REQUIRED',
      `the signature is over the ${missing[0]} digest of the artifact, which was not given (give the file, or that digest)`,
    )
  }
  throw invalidSignature()
}

/** The digest in the bundle is only a hint, but one that contradicts the artifact is a sign of a mistake or worse. */
function checkMessageDigest(content: MessageSignature, artifact: Artifact): void {
  if (content.digest === undefined) return
  const actual = artifact.digest(content.digest.algorithm)
  if (actual !== undefined && !equalBytes(actual, content.digest.value)) {
    throw new VerificationError(
      'ARTIFACT_MISMATCH',
      `the bundle is for an artifact with ${content.digest.algorithm} ${encodeHex(content.digest.value)}, the given one has ${encodeHex(actual)}`,
    )
  }
}

/** Whether the envelope's signature, the first where it has several, was made with the signer's key. */
export function isEnvelopeSignedBy({ payloadType, payload, signature }: DsseEnvelope, { key, algorithms }: Signer): boolean {
  const encoded = preAuthenticationEncoding(payloadType, payload)
  return algorithms.some((algorithm) => verifySignature(key, algorithm, encoded, signature))
}

function verifyEnvelope(envelope: DsseEnvelope, signer: Signer, policy: Policy): Statement {
  if (!isEnvelopeSignedBy(envelope, signer)) throw invalidSignature()
  if (envelope.payloadType !== inTotoPayloadType) {
    throw new VerificationError(
      'ARTIFACT_MISMATCH',
      `expected an in-toto statement (${inTotoPayloadType}), found a payload of type ${excerpt(envelope.payloadType)}`,
    )
  }
  const statement = parseStatement(envelope.payload)
  if (policy.artifact !== 'any-subject') checkSubjects(statement, policy.artifact)
  if (policy.predicateType !== undefined && !isPredicateType(policy.predicateType, statement.predicateType)) {
    throw new VerificationError(
      'PREDICATE_TYPE_MISMATCH',
      `invalid predicate type, expected ${typesOf(policy)} got ${statement.predicateType}`,
    )
  }
  return statement
}

const subjectAlgorithms = ['sha256', 'sha384', 'sha512'] as const

/** Whether a subject of the statement has a digest of the artifact, and no digest of that subject contradicts it. */
export function isAboutArtifact(statement: Pick<Statement, 'subjects'>, artifact: Artifact): boolean {
  for (const subject of statement.subjects) {
    let matches = 0
    let contradicts = 0
    for (const algorithm of subjectAlgorithms) {
      const stated = subject.digests.get(algorithm)
      const actual = stated === undefined ? undefined : artifact.digest(algorithm)
      if (stated === undefined || actual === undefined) continue
      if (stated.toLowerCase() === encodeHex(actual)) matches++
      else contradicts++
    }
    if (matches > 0 && contradicts === 0) return true
  }
  return false
}

function checkSubjects(statement: Statement, artifact: Artifact): void {
  if (isAboutArtifact(statement, artifact)) return
  const actual = artifact.digest('sha256') ?? artifact.digest('sha512') ?? artifact.digest('sha384')
  throw new VerificationError(
    'ARTIFACT_MISMATCH',
    `provided artifact digest does not match any digest in statement: none of its ${statement.subjects.length} subjects is the artifact with digest ${actual === undefined ? 'unknown' : encodeHex(actual)}`,
  )
}

function typesOf({ predicateType = [] }: Policy): string {
  return [predicateType].flat().join(' or ')
}

function invalidSignature(): VerificationError {
  return new VerificationError('SIGNATURE_INVALID', 'invalid signature: it was not made over this artifact with the key of the signer')
}
