/** Writes DER elements. Every function gives one whole element: identifier, length, content. */
import { concatBytes, encodeUtf8 } from './bytes.ts'
import { contextTag } from './der-tag.ts'
import * as tag from './universal-tag.ts'
import { formatGeneralizedTime, formatUtcTime } from './der-time.ts'
import { decodeHex } from './hex.ts'
import { encodeOid } from './oid.ts'

/** An element with this identifier octet and content, whose parts are put one after another. */
export function derElement(identifier: number, ...content: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of content) length += part.length
  const octets = lengthOctets(length)
  const element = new Uint8Array(1 + octets + length)
  element[0] = identifier
  writeLength(element, length, octets)
  let at = 1 + octets
  for (const part of content) {
    element.set(part, at)
    at += part.length
  }
  return element
}

/** Identifier and length of an element whose content, of so many bytes, is put behind them: for elements inside each other, without a copy for each. */
export function derHeader(identifier: number, length: number): Uint8Array {
  const octets = lengthOctets(length)
  const header = new Uint8Array(1 + octets)
  header[0] = identifier
  writeLength(header, length, octets)
  return header
}

/** SEQUENCE and SEQUENCE OF. */
export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(tag.sequence, ...elements)
}

/** SET OF: the elements are put in DER's order (X.690 section 11.6). */
export function derSet(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(tag.set, ...elements.toSorted(compareBytes))
}

/** INTEGER from a number, or from the big-endian bytes of a magnitude. */
export function derInteger(value: bigint | number | Uint8Array): Uint8Array {
  return derElement(tag.integer, value instanceof Uint8Array ? positive(value) : twosComplement(BigInt(value)))
}

/**
 * OBJECT IDENTIFIER from its dotted form.
 * @throws DecodingError DER_INVALID when it is not one
 */
export function derOid(dotted: string): Uint8Array {
  return derElement(tag.oid, encodeOid(dotted))
}

/** OCTET STRING. */
export function derOctetString(content: Uint8Array): Uint8Array {
  return derElement(tag.octetString, content)
}

/** BIT STRING of whole bytes. */
export function derBitString(content: Uint8Array): Uint8Array {
  return derElement(tag.bitString, Uint8Array.of(0), content)
}

/** BIT STRING of named bits: the numbers of those that are set. */
export function derNamedBits(...bits: readonly number[]): Uint8Array {
  const last = Math.max(-1, ...bits)
  const content = new Uint8Array(1 + Math.ceil((last + 1) / 8))
  content[0] = (8 - ((last + 1) % 8)) % 8
  for (const bit of bits) content[1 + (bit >> 3)] = (content[1 + (bit >> 3)] ?? 0) | (0x80 >> (bit & 7))
  return derElement(tag.bitString, content)
}

/** BOOLEAN: FF for true (X.690 section 11.1). */
export function derBoolean(value: boolean): Uint8Array {
  return derElement(tag.boolean, Uint8Array.of(value ? 0xff : 0x00))
}

/** NULL. */
export function derNull(): Uint8Array {
  return derElement(tag.null, new Uint8Array(0))
}

/** UTF8String. */
export function derUtf8String(text: string): Uint8Array {
  return derElement(tag.utf8String, encodeUtf8(text))
}

/**
 * UTCTime of an instant in epoch milliseconds, cut to the second.
 * @throws DecodingError DER_INVALID outside the years 1950 to 2049
 */
export function derUtcTime(instantMs: number): Uint8Array {
  return derElement(tag.utcTime, encodeUtf8(formatUtcTime(instantMs)))
}

/**
 * GeneralizedTime of an instant in epoch milliseconds, with its fraction of a second if it has one.
 * @throws DecodingError DER_INVALID outside the years 100 to 9999
 */
export function derGeneralizedTime(instantMs: number): Uint8Array {
  return derElement(tag.generalizedTime, encodeUtf8(formatGeneralizedTime(instantMs)))
}

/**
 * The time of a certificate, cut to the second: UTCTime before 2050, GeneralizedTime from then on (RFC 5280 section
 * 4.1.2.5, which allows no fraction in either).
 * @throws DecodingError DER_INVALID outside the years 1950 to 9999
 */
export function derTime(instantMs: number): Uint8Array {
  return instantMs < Date.UTC(2050, 0, 1) ? derUtcTime(instantMs) : derGeneralizedTime(Math.floor(instantMs / 1000) * 1000)
}

/** `[number] EXPLICIT` around whole elements. */
export function derExplicit(number: number, ...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(contextTag(number, true), ...elements)
}

/** `[number] IMPLICIT`: the content without the identifier and length it would have had. */
export function derImplicit(number: number, content: Uint8Array, constructed = false): Uint8Array {
  return derElement(contextTag(number, constructed), content)
}

/** How many octets a length takes. */
function lengthOctets(length: number): number {
  return length < 0x80 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x100_0000 ? 4 : 5
}

/** X.690 section 8.1.3: in one octet below 128, otherwise behind one that counts the others. */
function writeLength(element: Uint8Array, length: number, octets: number): void {
  if (octets === 1) {
    element[1] = length
    return
  }
  element[1] = 0x80 | (octets - 1)
  for (let at = octets, rest = length; at > 1; at--, rest >>>= 8) element[at] = rest & 0xff
}

function positive(magnitude: Uint8Array): Uint8Array {
  let from = 0
  while (from < magnitude.length - 1 && magnitude[from] === 0) from++
  const minimal = magnitude.subarray(from)
  return (minimal[0] ?? 0) >= 0x80 || minimal.length === 0 ? concatBytes(Uint8Array.of(0), minimal) : minimal
}

function twosComplement(value: bigint): Uint8Array {
  // One more bit than the magnitude has, for the sign; -2^n takes as many as 2^n - 1, which is ~(-2^n).
  const bits = (value < 0n ? ~value : value).toString(2).length + 1
  const size = Math.ceil(bits / 8)
  return decodeHex(
    BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, '0'),
    'the number',
  )
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
