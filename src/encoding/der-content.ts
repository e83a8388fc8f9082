/**
 * What primitive DER elements hold (ITU-T X.690 sections 8 and 11), each in the one form that DER allows. `what` names the element in messages,
 * `within` the one that it is in. All throw DecodingError DER_INVALID.
 */
import { DecodingError } from '../error.ts'
import { asBuffer, decodeUtf8 } from './bytes.ts'

/** The error for what is not DER. */
export function invalidDer(within: string, reason: string, cause?: unknown): DecodingError {
  return new DecodingError('DER_INVALID', `${within} is not valid DER: ${reason}`, cause === undefined ? {} : { cause })
}

/** INTEGER as received: two's complement, minimal. */
export function checkInteger(content: Uint8Array, what: string, within: string): Uint8Array {
  const first = content[0]
  if (first === undefined) throw invalidDer(within, `${what} is an INTEGER without content`)
  const second = content[1]
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw invalidDer(within, `${what} is an INTEGER with an unnecessary leading byte`)
  }
  return content
}

/** INTEGER of any sign, up to 1,024 bytes. */
export function parseInteger(content: Uint8Array, what: string, within: string): bigint {
  checkInteger(content, what, within)
  if (content.length > 1024) throw invalidDer(within, `${what} is an INTEGER of ${content.length} bytes`)
  const magnitude = BigInt(`0x${asBuffer(content).toString('hex')}`)
  return (content[0] ?? 0) >= 0x80 ? magnitude - (1n << BigInt(8 * content.length)) : magnitude
}

/** INTEGER from 0 to 2^31 - 1. */
export function parseSmallInteger(content: Uint8Array, what: string, within: string): number {
  checkInteger(content, what, within)
  if (content.length > 4 || (content[0] ?? 0) >= 0x80) throw invalidDer(within, `${what} is not a number from 0 to 2^31 - 1`)
  let value = 0
  for (const byte of content) value = value * 256 + byte
  return value
}

/** BOOLEAN: 00 or FF. */
export function parseBoolean(content: Uint8Array, what: string, within: string): boolean {
  if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) {
    throw invalidDer(within, `${what} is not a canonical BOOLEAN (00 or FF)`)
  }
  return content[0] === 0xff
}

/** BIT STRING of whole bytes, as keys and signatures are. */
export function parseBitString(content: Uint8Array, what: string, within: string): Uint8Array {
  if (content[0] !== 0) throw invalidDer(within, `${what} is not a BIT STRING of whole bytes`)
  return content.subarray(1)
}

/** A BIT STRING of named bits (X.690 11.2.2: no trailing zero bits), bit 0 first. At most 32 bits. */
export function parseNamedBits(content: Uint8Array, what: string, within: string): readonly boolean[] {
  const unused = content[0]
  const last = content[content.length - 1] ?? 0
  if (unused === undefined || unused > 7 || content.length > 5 || (content.length === 1 && unused !== 0)) {
    throw invalidDer(within, `${what} is not a BIT STRING of named bits`)
  }
  if (content.length > 1 && ((last >> unused) & 1) === 0) throw invalidDer(within, `${what} has trailing zero bits`)
  if (content.length > 1 && (last & ((1 << unused) - 1)) !== 0) throw invalidDer(within, `${what} has unused bits that are set`)
  const bits: boolean[] = []
  for (let i = 0; i < (content.length - 1) * 8 - unused; i++) bits.push((((content[1 + (i >> 3)] ?? 0) >> (7 - (i & 7))) & 1) === 1)
  return bits
}

/** UTF8String. */
export function parseUtf8String(content: Uint8Array, what: string, within: string): string {
  try {
    return decodeUtf8(content, what)
  } catch (cause) {
    throw invalidDer(within, `${what} is a UTF8String that is not UTF-8`, cause)
  }
}
