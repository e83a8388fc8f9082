/** Witness cosignatures of checkpoints, `cosignature/v1` with Ed25519 (C2SP tlog-cosignature). */
import type { PublicKey } from '../crypto/public-key.ts'
import { verifySignature } from '../crypto/signature.ts'
import { concatBytes, encodeUtf8 } from '../encoding/bytes.ts'
import { TlsReader, tlsUint } from '../encoding/tls.ts'
import { UsageError } from '../error.ts'
import { parseCheckpoint } from './checkpoint.ts'
import type { NoteSignature } from './signature-line.ts'
import { keyIdSize } from './signature-line.ts'
import type { NoteSigner, SignedNote } from './signed-note.ts'
import { matchSignatures, rawEd25519Key, typedKeyHash } from './signed-note.ts'

/** A witness whose cosignatures are trusted. */
export interface Witness {
  readonly name: string
  /** An Ed25519 key, used for nothing but cosignatures under this name. */
  readonly key: PublicKey
}

/** What a witness stated: at this time, the checkpoint was the largest head it had seen of the log. */
export interface Cosignature {
  readonly witness: Witness
  /** Epoch milliseconds, whole seconds. Whether it lies in the future is for the caller to judge. */
  readonly time: number
}

/** Seconds that a Date can hold. */
const maxSeconds = 8_640_000_000_000n
const timestampSize = 8
const signatureSize = 64

/**
 * Verifies the cosignatures of known witnesses on a checkpoint. Lines of other keys are ignored.
 * @returns at most one cosignature of each witness, and none when no line is of a known one: the caller holds the policy
 *   that says how many are needed
 * @throws VerificationError SIGNATURE_INVALID when a line is of a known witness and no line of that witness verifies;
 *   DecodingError CHECKPOINT_INVALID when the note is not a checkpoint, KEY_INVALID for a key that is not Ed25519
 */
export function verifyCosignatures(note: SignedNote, witnesses: readonly Witness[]): Cosignature[] {
  parseCheckpoint(note.text)
  const verifiers = witnesses.map((witness) => ({ name: witness.name, keyId: cosignatureKeyId(witness.name, witness.key), witness }))
  const verified = matchSignatures(note, verifiers, ({ witness }, signature) => timeOf(note, witness.key, signature))
  return verified.map(({ verifier, evidence }) => ({ witness: verifier.witness, time: evidence }))
}

/**
 * Cosigns the text of a checkpoint. Whether it is consistent with what the witness signed before must be known already.
 * @param text the note's text, final newline included
 * @param signer its `keyId` is that of `cosignatureKeyId`
 * @param time epoch milliseconds; the cosignature holds whole seconds
 * @throws DecodingError CHECKPOINT_INVALID when the text is not a checkpoint; UsageError USAGE for a time before 1970;
 *   whatever the signer throws
 */
export async function signCosignature(text: string, signer: NoteSigner, time: number): Promise<NoteSignature> {
  parseCheckpoint(text)
  const seconds = Math.floor(time / 1000)
  if (!(seconds >= 0 && seconds <= Number(maxSeconds))) throw new UsageError('USAGE', `a cosignature cannot hold the time ${time}`)
  const signature = await signer.sign(cosignedBytes(BigInt(seconds), encodeUtf8(text)))
  return { name: signer.name, keyId: signer.keyId, signature: concatBytes(tlsUint(seconds, timestampSize), signature) }
}

/**
 * The identifier, 4 bytes, of a witness's key in cosignature lines.
 * @throws DecodingError KEY_INVALID for a key that is not Ed25519
 */
export function cosignatureKeyId(name: string, key: PublicKey): Uint8Array {
  return typedKeyHash(name, Uint8Array.of(0x04), rawEd25519Key(key)).subarray(0, keyIdSize)
}

/** The time of a `timestamped_signature` that verifies, in epoch milliseconds; undefined for any other. */
function timeOf(note: SignedNote, key: PublicKey, timestamped: Uint8Array): number | undefined {
  if (timestamped.length !== timestampSize + signatureSize) return undefined
  const reader = new TlsReader(timestamped, 'the cosignature', 'NOTE_INVALID')
  const seconds = reader.uint64()
  if (seconds > maxSeconds) return undefined
  const isGood = verifySignature(key, 'ed25519', cosignedBytes(seconds, note.signedBytes), reader.take(signatureSize))
  return isGood ? Number(seconds) * 1000 : undefined
}

function cosignedBytes(seconds: bigint, text: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`cosignature/v1\ntime ${seconds}\n`), text)
}
