/** The signature lines of a signed note: `— <name> <base64(4-byte key ID ‖ signature)>` (C2SP signed-note, "Format"). */
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts'
import { concatBytes, excerpt } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import { isKeyName } from './note-text.ts'

/** One signature line. Only name and key identifier together say which key made it, and how. */
export interface NoteSignature {
  readonly name: string
  /** 4 bytes. */
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** Bytes in a key identifier. */
export const keyIdSize = 4

const prefix = '— '

/**
 * Parses one line, without its newline.
 * @throws DecodingError NOTE_INVALID
 */
export function parseSignatureLine(line: string): NoteSignature {
  const space = line.lastIndexOf(' ')
  if (!line.startsWith(prefix) || space < prefix.length) {
    throw invalid(`a signature line has the form "— <name> <base64>", found ${excerpt(line)}`)
  }
  const name = line.slice(prefix.length, space)
  checkName(name)
  const bytes = decodeSignature(line.slice(space + 1))
  if (bytes.length <= keyIdSize)
    throw invalid(`the signature by ${excerpt(name)} should have more than ${keyIdSize} bytes, found ${bytes.length}`)
  return { name, keyId: bytes.subarray(0, keyIdSize), signature: bytes.subarray(keyIdSize) }
}

/**
 * Writes one line, with its newline.
 * @throws DecodingError NOTE_INVALID when it could not be read back
 */
export function encodeSignatureLine({ name, keyId, signature }: NoteSignature): string {
  checkName(name)
  if (keyId.length !== keyIdSize) throw invalid(`the key ID of ${excerpt(name)} should have ${keyIdSize} bytes, found ${keyId.length}`)
  if (signature.length === 0) throw invalid(`the signature by ${excerpt(name)} is empty`)
  return `${prefix}${name} ${encodeBase64(concatBytes(keyId, signature))}\n`
}

function decodeSignature(base64: string): Uint8Array {
  try {
    return decodeBase64(base64, 'the signature')
  } catch (cause) {
    throw new DecodingError('NOTE_INVALID', `the signature of a note should be base64, found ${excerpt(base64)}`, { cause })
  }
}

function checkName(name: string): void {
  if (!isKeyName(name))
    throw invalid(`the name of a note's key should be characters other than white space, controls and plus, found ${excerpt(name)}`)
}

function invalid(message: string): DecodingError {
  return new DecodingError('NOTE_INVALID', message)
}
