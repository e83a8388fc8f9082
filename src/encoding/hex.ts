/** Hexadecimal, two digits a byte. */
import { Buffer } from 'node:buffer'
import { DecodingError } from '../error.ts'
import { asBuffer, excerpt } from './bytes.ts'

/**
 * Decodes hexadecimal digits of either case.
 * @param what names the text in the error message
 * @throws DecodingError ENCODING_INVALID for an odd number of digits or anything that is not a digit
 */
export function decodeHex(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'hex')
  // Node's decoder stops at the first character that is not a digit, and takes some letters beyond Latin-1 for digits.
  const digits = bytes.toString('hex')
  if (digits !== text && digits !== text.toLowerCase()) {
    throw new DecodingError('ENCODING_INVALID', `${what} is not hexadecimal, found ${excerpt(text)}`)
  }
  return bytes
}

/** Encodes lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex')
}
