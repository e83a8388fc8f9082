/** What is signed, and the signature on it: a message of any length, or an in-toto statement in its envelope. */
import { preAuthenticationEncoding } from '../bundle/dsse.ts'
import type { DsseEnvelope, MessageSignature } from '../bundle/signed-entity.ts'
import { createDigest, digest } from '../crypto/digest.ts'
import type { DigestAlgorithm, DigestState } from '../crypto/digest.ts'
import { digestOf } from '../crypto/signature.ts'
import type { SignatureState, Signer } from '../crypto/signer.ts'
import { concatBytes } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'
import { artifactFromBytes, artifactFromDigests } from '../verify/artifact.ts'
import type { Artifact } from '../verify/artifact.ts'

/** A digest that logs have a name for. */
export interface LoggedDigest {
  readonly algorithm: Exclude<DigestAlgorithm, 'sha224'>
  readonly value: Uint8Array
}

export interface SignedContent {
  readonly content: MessageSignature | DsseEnvelope
  /** What the verifier is to find the signature on. */
  readonly artifact: Artifact | 'any-subject'
  /** Of what was signed: the message, or the pre-authentication encoding of the envelope. */
  readonly digest: LoggedDigest
}

/** Bytes at hand, or bytes that come piece by piece. A piece may be overwritten when the next one is asked for. */
export type Payload = Uint8Array | AsyncIterable<Uint8Array>

/** Pure Ed25519 signs the message whole. */
const maxWholeBytes = 512 * 1024 * 1024

/**
 * Signs a message, in constant memory where it comes piece by piece and the algorithm can.
 * @throws UsageError USAGE for a message that is too long for pure Ed25519; whatever the payload throws
 */
export async function signMessage(payload: Payload, signer: Signer): Promise<SignedContent> {
  if (payload instanceof Uint8Array) return signWhole(payload, signer)
  const algorithm = messageDigestOf(signer)
  const state = digestOf(signer.algorithm) === undefined ? undefined : signer.start?.()
  if (state === undefined) return signWhole(await collect(payload), signer)
  const own = createDigest(algorithm)
  // The client that verifies with SHA-256 alone, and the evidence that is printed, want that one too.
  const sha256 = algorithm === 'sha256' ? undefined : createDigest('sha256')
  for await (const chunk of payload) updateAll(chunk, state, own, sha256)
  const value = own.finish()
  const artifact = artifactFromDigests({ [algorithm]: value, ...(sha256 === undefined ? {} : { sha256: sha256.finish() }) })
  return message(await state.finish(), { algorithm, value }, artifact)
}

/** Signs the payload of an envelope. */
export async function signEnvelope(payload: Uint8Array, payloadType: string, signer: Signer, keyId = ''): Promise<SignedContent> {
  const encoding = preAuthenticationEncoding(payloadType, payload)
  const algorithm = messageDigestOf(signer)
  return {
    content: { kind: 'dsse-envelope', payloadType, payload, signature: await signer.sign(encoding), keyId },
    artifact: 'any-subject',
    digest: { algorithm, value: digest(algorithm, encoding) },
  }
}

async function signWhole(bytes: Uint8Array, signer: Signer): Promise<SignedContent> {
  const artifact = artifactFromBytes(bytes)
  const algorithm = messageDigestOf(signer)
  return message(await signer.sign(bytes), { algorithm, value: artifact.digest(algorithm) ?? digest(algorithm, bytes) }, artifact)
}

function message(signature: Uint8Array, digest: LoggedDigest, artifact: Artifact): SignedContent {
  return { content: { kind: 'message-signature', signature, digest }, artifact, digest }
}

/** Pure Ed25519 has none of its own; bundles then state SHA-256 as a hint. */
function messageDigestOf({ algorithm }: Signer): LoggedDigest['algorithm'] {
  const own = digestOf(algorithm) ?? 'sha256'
  if (own === 'sha224') throw new UsageError('USAGE', 'signatures over SHA-224 cannot be put into a bundle')
  return own
}

function updateAll(chunk: Uint8Array, ...states: readonly (SignatureState | DigestState | undefined)[]): void {
  for (const state of states) state?.update(chunk)
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const held: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > maxWholeBytes) {
      throw new UsageError(
        'USAGE',
        `an Ed25519 key signs a message as a whole, and this one is longer than the limit of ${maxWholeBytes} bytes`,
      )
    }
    held.push(Uint8Array.from(chunk))
  }
  return concatBytes(...held)
}
