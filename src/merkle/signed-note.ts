/** Signed notes: a text with signature lines below it (C2SP signed-note). */
import { Buffer } from 'node:buffer'
import { digest } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import { verifySignature } from '../crypto/signature.ts'
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes, excerpt } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { DecodingError, VerificationError } from '../error.ts'
import { hasControlCharacter } from './note-text.ts'
import type { NoteSignature } from './signature-line.ts'
import { encodeSignatureLine, keyIdSize, parseSignatureLine } from './signature-line.ts'

/** A note as it was received. Its text may not be believed before a signature was verified. */
export interface SignedNote {
  /** What is signed, final newline included. */
  readonly text: string
  /** The text as UTF-8: the bytes that signatures are over. */
  readonly signedBytes: Uint8Array
  /** At least one, in the order of the lines. */
  readonly signatures: readonly NoteSignature[]
}

/** What a signature line must have to count as one of a certain key. */
export interface NoteKey {
  /** Without a name, every line with the key identifier counts, as checkpoints of Rekor v1 need. */
  readonly name?: string
  /** 4 bytes. */
  readonly keyId: Uint8Array
}

/** A key whose signatures over the text of a note are trusted. */
export interface NoteVerifier extends NoteKey {
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
}

/** A key that signs notes. */
export interface NoteSigner {
  readonly name: string
  /** 4 bytes. */
  readonly keyId: Uint8Array
  /** Signs a message: for a plain note, its text. */
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>
}

/** A signature line, and what was found when it was verified. */
export interface VerifiedNoteSignature<Verifier extends NoteKey = NoteVerifier, Evidence = true> {
  readonly verifier: Verifier
  readonly signature: NoteSignature
  readonly evidence: Evidence
}

// A hundred signatures of the largest kind in use, of post-quantum cosigners, still fit.
const maxNoteSize = 1_000_000
const maxSignatures = 100

/**
 * Parses a signed note of up to 1,000,000 bytes and 100 signatures.
 * @throws DecodingError NOTE_INVALID, TOO_LARGE
 */
export function parseSignedNote(input: string | Uint8Array): SignedNote {
  // No character is longer than three bytes.
  const isShort = input.length <= maxNoteSize / 3
  if (!isShort) checkSize(typeof input === 'string' ? Buffer.byteLength(input) : input.length)
  const note = typeof input === 'string' ? input : decodeNote(input)
  checkCharacters(note)
  // The text may hold empty lines itself: it ends at the last one.
  const separator = note.lastIndexOf('\n\n')
  if (separator === -1) throw invalid('a signed note has an empty line between text and signatures')
  const lines = note.slice(separator + 2)
  if (lines === '') throw invalid('the note has no signature')
  if (!lines.endsWith('\n')) throw invalid('a signed note ends in a newline')
  const text = note.slice(0, separator + 1)
  const signatures = lines
    .slice(0, -1)
    .split('\n', maxSignatures + 1)
    .map(parseSignatureLine)
  if (signatures.length > maxSignatures) throw invalid(`the note has more than ${maxSignatures} signatures`)
  return { text, signedBytes: encodeUtf8(text), signatures }
}

/**
 * Writes a note with 1 to 100 signatures, which are not checked.
 * @param text ends in a newline
 * @throws DecodingError NOTE_INVALID, TOO_LARGE when it could not be read back
 */
export function encodeSignedNote(text: string, signatures: readonly NoteSignature[]): string {
  checkText(text)
  if (signatures.length === 0) throw invalid('the note has no signature')
  if (signatures.length > maxSignatures) throw invalid(`the note has more than ${maxSignatures} signatures`)
  const note = `${text}\n${signatures.map(encodeSignatureLine).join('')}`
  checkSize(Buffer.byteLength(note))
  return note
}

/**
 * Signs a text with each of the keys and writes the note.
 * @param text ends in a newline
 * @throws DecodingError NOTE_INVALID, TOO_LARGE when it could not be read back; whatever a signer throws
 */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  checkText(text)
  const message = encodeUtf8(text)
  const signatures = await Promise.all(
    signers.map(async (signer) => ({ name: signer.name, keyId: signer.keyId, signature: await signer.sign(message) })),
  )
  return encodeSignedNote(text, signatures)
}

/**
 * Verifies the signatures of known keys over the text. Signatures of other keys are ignored.
 * @returns the verified signatures, at most one of each verifier and none when no line is of a known key: the caller
 *   decides whose are needed
 * @throws VerificationError SIGNATURE_INVALID when a line is of a known key and no line of that key verifies
 */
export function verifyNote(note: SignedNote, verifiers: readonly NoteVerifier[]): VerifiedNoteSignature[] {
  return matchSignatures(note, verifiers, (verifier, signature) =>
    verifySignature(verifier.key, verifier.algorithm, note.signedBytes, signature) ? true : undefined,
  )
}

/**
 * Finds the signature lines of known keys and checks them, for signatures that are not over the bare text too.
 * @param check gives its evidence for a signature that verifies, or undefined
 * @throws VerificationError SIGNATURE_INVALID when a line is of a known key and no line of that key verifies
 */
export function matchSignatures<Verifier extends NoteKey, Evidence extends {}>(
  note: SignedNote,
  verifiers: readonly Verifier[],
  check: (verifier: Verifier, signature: Uint8Array) => Evidence | undefined,
): VerifiedNoteSignature<Verifier, Evidence>[] {
  const verified: VerifiedNoteSignature<Verifier, Evidence>[] = []
  for (const verifier of verifiers) {
    let failed: NoteSignature | undefined
    let found: VerifiedNoteSignature<Verifier, Evidence> | undefined
    for (const signature of note.signatures) {
      if (!isOf(signature, verifier)) continue
      const evidence = check(verifier, signature.signature)
      if (evidence !== undefined) {
        found = { verifier, signature, evidence }
        break
      }
      failed = signature
    }
    if (found !== undefined) {
      verified.push(found)
    } else if (failed !== undefined) {
      throw new VerificationError(
        'SIGNATURE_INVALID',
        `the note's signature by ${excerpt(failed.name)} with the key ${encodeHex(failed.keyId)} does not verify`,
      )
    }
  }
  return verified
}

/**
 * The identifier, 4 bytes, that signature lines of the key have under this name: `noteKeyHash`, truncated.
 * @throws DecodingError KEY_INVALID
 */
export function noteKeyId(name: string, key: PublicKey): Uint8Array {
  return noteKeyHash(name, key).subarray(0, keyIdSize)
}

/**
 * The 32-byte hash that a note's key identifier is cut from, and that identifies a Rekor v2 log. That of an ECDSA key
 * does not depend on the name.
 * @throws DecodingError KEY_INVALID
 */
export function noteKeyHash(name: string, key: PublicKey): Uint8Array {
  if (key.kind === 'ecdsa') return digest('sha256', key.spki)
  if (key.kind === 'ed25519') return typedKeyHash(name, Uint8Array.of(0x01), rawEd25519Key(key))
  // RSA has no signature type of its own: 0xff, and a name behind it, as Rekor v2 does it.
  return typedKeyHash(name, concatBytes(Uint8Array.of(0xff), encodeUtf8('PKIX-RSA-PKCS#1v1.5')), key.spki)
}

/** SHA-256(name ‖ newline ‖ signature type ‖ public key), whole. */
export function typedKeyHash(name: string, signatureType: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return digest('sha256', encodeUtf8(`${name}\n`), signatureType, publicKey)
}

/** The 32 bytes of RFC 8032 that an Ed25519 key's SPKI ends in. @throws DecodingError KEY_INVALID for another key */
export function rawEd25519Key(key: PublicKey): Uint8Array {
  if (key.kind !== 'ed25519' || key.spki.length !== 44)
    throw new DecodingError('KEY_INVALID', `an Ed25519 key was expected, found ${key.kind}`)
  return key.spki.subarray(12)
}

function isOf(signature: NoteSignature, key: NoteKey): boolean {
  return equalBytes(signature.keyId, key.keyId) && (key.name === undefined || key.name === signature.name)
}

function decodeNote(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes, 'the note')
  } catch (cause) {
    throw new DecodingError('NOTE_INVALID', 'a signed note is UTF-8 text', { cause })
  }
}

function checkSize(size: number): void {
  if (size > maxNoteSize) throw new DecodingError('TOO_LARGE', `a signed note has at most ${maxNoteSize} bytes, found ${size}`)
}

function checkText(text: string): void {
  if (!text.endsWith('\n')) throw invalid('the text of a note ends in a newline')
  checkCharacters(text)
}

function checkCharacters(text: string): void {
  if (hasControlCharacter(text)) throw invalid('a signed note has no control character but newline')
  if (!text.isWellFormed()) throw invalid('a signed note is well-formed Unicode text')
}

function invalid(message: string): DecodingError {
  return new DecodingError('NOTE_INVALID', message)
}
