/**
 * Signed tree heads of certificate transparency logs (RFC 6962 section 3.5), and checkpoints that carry the same signature
 * (C2SP static-ct-api, "Checkpoints"). Either can be made of the other without the key.
 */
import { digest } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import type { LocalSigner } from '../crypto/signer.ts'
import { verifySignature } from '../crypto/signature.ts'
import { concatBytes, equalBytes } from '../encoding/bytes.ts'
import { TlsReader, tlsOpaque, tlsUint } from '../encoding/tls.ts'
import { UsageError } from '../error.ts'
import type { Checkpoint } from './checkpoint.ts'
import { encodeCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { keyIdSize } from './signature-line.ts'
import type { SignedNote } from './signed-note.ts'
import { encodeSignedNote, matchSignatures, typedKeyHash } from './signed-note.ts'

/** A tree head with the log's signature. */
export interface SignedTreeHead {
  readonly size: bigint
  /** 32 bytes. */
  readonly rootHash: Uint8Array
  /** Epoch milliseconds. */
  readonly timestamp: number
  /** The digitally-signed struct (RFC 5246 section 4.7): hash, algorithm, length, signature. */
  readonly signature: Uint8Array
}

/** SHA-256 with ECDSA (RFC 5246 section 7.4.1.4.1). */
const ecdsaSha256 = Uint8Array.of(4, 3)

/**
 * Signs a checkpoint as a tree head.
 * @param checkpoint without extension lines, which this kind of signature does not cover
 * @param timestampMs epoch milliseconds
 * @param signer ECDSA with SHA-256
 * @returns the signed note
 * @throws DecodingError CHECKPOINT_INVALID, NOTE_INVALID; UsageError USAGE for extension lines or another algorithm
 */
export function signTreeHead(checkpoint: Checkpoint, timestampMs: number, signer: LocalSigner): string {
  if (checkpoint.extensions.length > 0) throw new UsageError('USAGE', 'a checkpoint that is signed as a tree head has no extension lines')
  if (signer.algorithm !== 'ecdsa-sha256')
    throw new UsageError('USAGE', `tree heads are signed with ecdsa-sha256, found ${signer.algorithm}`)
  const text = encodeCheckpoint(checkpoint)
  const signature = signer.sign(treeHeadSignedBytes(checkpoint, timestampMs))
  const { origin } = checkpoint
  const body = concatBytes(tlsUint(timestampMs, 8), digitallySigned(signature))
  return encodeSignedNote(text, [{ name: origin, keyId: treeHeadKeyId(origin, signer.publicKey), signature: body }])
}

/**
 * Finds the log's signature in a checkpoint and verifies it.
 * @returns undefined when there is no line of this key
 * @throws VerificationError SIGNATURE_INVALID when there is, and it does not verify; DecodingError CHECKPOINT_INVALID
 */
export function verifyTreeHead(note: SignedNote, key: PublicKey): SignedTreeHead | undefined {
  const checkpoint = parseCheckpoint(note.text)
  const { origin } = checkpoint
  const verifier = { name: origin, keyId: treeHeadKeyId(origin, key) }
  const [verified] = matchSignatures(note, [verifier], (_, body) => verifyBody(checkpoint, key, body))
  return verified?.evidence
}

/** The identifier, 4 bytes, of a log's key in the signature lines of its checkpoints. */
export function treeHeadKeyId(origin: string, key: PublicKey): Uint8Array {
  return typedKeyHash(origin, Uint8Array.of(0x05), digest('sha256', key.spki)).subarray(0, keyIdSize)
}

/** The digitally-signed struct of an ECDSA signature with SHA-256. */
function digitallySigned(signature: Uint8Array): Uint8Array {
  return concatBytes(ecdsaSha256, tlsOpaque(signature, 2))
}

function verifyBody(checkpoint: Checkpoint, key: PublicKey, body: Uint8Array): SignedTreeHead | undefined {
  const reader = new TlsReader(body, 'the signature of the tree head', 'NOTE_INVALID')
  const timestamp = Number(reader.uint64())
  const algorithm = reader.take(2)
  const signature = reader.opaque(2)
  reader.end()
  if (!equalBytes(algorithm, ecdsaSha256) || checkpoint.extensions.length > 0 || !Number.isSafeInteger(timestamp)) return undefined
  if (!verifySignature(key, 'ecdsa-sha256', treeHeadSignedBytes(checkpoint, timestamp), signature)) return undefined
  return { size: checkpoint.size, rootHash: checkpoint.rootHash, timestamp, signature: digitallySigned(signature) }
}

/** Version 1, tree_hash, and the TreeHead (RFC 6962 section 3.5). */
function treeHeadSignedBytes({ size, rootHash }: Checkpoint, timestampMs: number): Uint8Array {
  return concatBytes(Uint8Array.of(0, 1), tlsUint(timestampMs, 8), tlsUint(size, 8), rootHash)
}
