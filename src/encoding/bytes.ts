/** Byte strings: comparison, concatenation and strict UTF-8. */
import { Buffer, constants, isUtf8 } from 'node:buffer'
import { DecodingError } from '../error.ts'

/** Whether two byte strings are equal. Not constant time: for public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}

/** The parts, one after another, in a new byte string. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joined(new Uint8Array(totalLength(parts)), parts)
}

/**
 * As `concatBytes`, where the result does not leave this thread: in memory that Node's short byte strings share, which takes a fifth of the time. Not
 * `Buffer.concat`, whose first use takes longer than all of them in a process that verifies one file.
 */
export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joined(Buffer.allocUnsafe(totalLength(parts)), parts)
}

/** How many bytes there are in all. */
export function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

function joined(memory: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  let offset = 0
  for (const part of parts) {
    memory.set(part, offset)
    offset += part.length
  }
  return memory
}

/** The text as UTF-8. A lone surrogate becomes U+FFFD, as in every WHATWG encoder. */
export function encodeUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/**
 * The text that UTF-8 bytes hold.
 * @param what names the bytes in the error message
 * @throws DecodingError ENCODING_INVALID when the bytes are not well-formed UTF-8, TOO_LARGE when they are more than the
 *   engine's strings can hold (512 MiB)
 */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    throw new DecodingError(
      'TOO_LARGE',
      `${what} is ${bytes.length} bytes long, more than the limit of ${constants.MAX_STRING_LENGTH} for text`,
    )
  }
  if (!isUtf8(bytes)) throw new DecodingError('ENCODING_INVALID', `${what} is not valid UTF-8 text`)
  return asBuffer(bytes).toString('utf8')
}

/** The same memory as a Buffer: no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What something is called in messages, or what makes its name: few are ever read, and making them all takes longer than decoding. */
export type Name = string | (() => string)

export function textOf(name: Name): string {
  return typeof name === 'string' ? name : name()
}

/** At most `limit` characters of untrusted text, printable and quoted, for an error message. */
export function excerpt(text: string, limit = 60): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  // What JSON.stringify leaves alone, but a terminal acts on or a reader does not see: C1 controls, directions, other blanks.
  // Not a constant of the module: Unicode properties are looked up when the expression is made.
  return JSON.stringify(cut).replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, escapeCharacter)
}

function escapeCharacter(character: string): string {
  let escaped = ''
  for (let at = 0; at < character.length; at++) escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  return escaped
}

/** Bytes of a text without the byte order mark that some editors put in front of UTF-8. */
export function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
