/** Base64 and base64url of RFC 4648, strict: one text per byte string and nothing else. */
import { Buffer } from 'node:buffer'
import { DecodingError } from '../error.ts'
import { asBuffer, excerpt, textOf } from './bytes.ts'
import type { Name } from './bytes.ts'

/**
 * Decodes standard base64 with its padding (RFC 4648 section 4).
 * @param what names the text in the error message
 * @throws DecodingError ENCODING_INVALID for any other alphabet, white space, missing padding or stray bits
 */
export function decodeBase64(text: string, what: Name): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  // Node's decoder skips what it does not know. Encoding is injective, so only the canonical text comes back the same.
  if (bytes.toString('base64') !== text) throw notCanonical(text, what, 'standard base64 with padding')
  return bytes
}

/** Encodes standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64')
}

/**
 * Decodes base64url without padding (RFC 4648 section 5), the form JOSE uses.
 * @throws DecodingError ENCODING_INVALID for anything else
 */
export function decodeBase64Url(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw notCanonical(text, what, 'base64url without padding')
  return bytes
}

/** Encodes base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64url')
}

function notCanonical(text: string, what: Name, expected: string): DecodingError {
  return new DecodingError('ENCODING_INVALID', `${textOf(what)} is not ${expected}, found ${excerpt(text)}`)
}
