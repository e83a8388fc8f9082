/** Writes DER elements. Every function gives one whole element: identifier, length, content. */
import { concatBytes, encodeUtf8 } from './bytes.ts'
import { contextTag, tag } from './der.ts'
import { formatGeneralizedTime, formatUtcTime } from './der-time.ts'
import { encodeOid } from './oid.ts'

/** An element with this identifier octet and content. */
export function derElement(identifier: number, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(identifier), encodeLength(content.length), content)
}

export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(tag.sequence, concatBytes(...elements))
}

/** SET OF: the elements are put in DER's order (X.690 section 11.6). */
export function derSet(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(tag.set, concatBytes(...elements.toSorted(compareBytes)))
}

/** INTEGER from a number, or from the big-endian bytes of a magnitude. */
export function derInteger(value: bigint | number | Uint8Array): Uint8Array {
  return derElement(tag.integer, value instanceof Uint8Array ? positive(value) : twosComplement(BigInt(value)))
}

export function derEnumerated(value: number): Uint8Array {
  return derElement(tag.enumerated, twosComplement(BigInt(value)))
}

export function derOid(dotted: string): Uint8Array {
  return derElement(tag.oid, encodeOid(dotted))
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return derElement(tag.octetString, content)
}

/** BIT STRING of whole bytes. */
export function derBitString(content: Uint8Array): Uint8Array {
  return derElement(tag.bitString, concatBytes(Uint8Array.of(0), content))
}

/** BIT STRING of named bits: the numbers of those that are set. */
export function derNamedBits(...bits: readonly number[]): Uint8Array {
  const last = Math.max(-1, ...bits)
  const content = new Uint8Array(1 + Math.ceil((last + 1) / 8))
  content[0] = (8 - ((last + 1) % 8)) % 8
  for (const bit of bits) content[1 + (bit >> 3)] = (content[1 + (bit >> 3)] ?? 0) | (0x80 >> (bit & 7))
  return derElement(tag.bitString, content)
}

export function derBoolean(value: boolean): Uint8Array {
  return derElement(tag.boolean, Uint8Array.of(value ? 0xff : 0x00))
}

export function derNull(): Uint8Array {
  return derElement(tag.null, new Uint8Array(0))
}

export function derUtf8String(text: string): Uint8Array {
  return derElement(tag.utf8String, encodeUtf8(text))
}

export function derPrintableString(text: string): Uint8Array {
  return derElement(tag.printableString, encodeUtf8(text))
}

export function derIa5String(text: string): Uint8Array {
  return derElement(tag.ia5String, encodeUtf8(text))
}

export function derUtcTime(instantMs: number): Uint8Array {
  return derElement(tag.utcTime, encodeUtf8(formatUtcTime(instantMs)))
}

export function derGeneralizedTime(instantMs: number): Uint8Array {
  return derElement(tag.generalizedTime, encodeUtf8(formatGeneralizedTime(instantMs)))
}

/** The time of a certificate: UTCTime before 2050, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
export function derTime(instantMs: number): Uint8Array {
  return instantMs < Date.UTC(2050, 0, 1) ? derUtcTime(instantMs) : derGeneralizedTime(instantMs)
}

/** `[number] EXPLICIT` around whole elements. */
export function derExplicit(number: number, ...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(contextTag(number, true), concatBytes(...elements))
}

/** `[number] IMPLICIT`: the content without the identifier and length it would have had. */
export function derImplicit(number: number, content: Uint8Array, constructed = false): Uint8Array {
  return derElement(contextTag(number, constructed), content)
}

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff)
  return Uint8Array.of(0x80 | octets.length, ...octets)
}

function positive(magnitude: Uint8Array): Uint8Array {
  let from = 0
  while (from < magnitude.length - 1 && magnitude[from] === 0) from++
  const minimal = magnitude.subarray(from)
  return (minimal[0] ?? 0) >= 0x80 || minimal.length === 0 ? concatBytes(Uint8Array.of(0), minimal) : minimal
}

function twosComplement(value: bigint): Uint8Array {
  let size = 1
  while (value < -(1n << BigInt(8 * size - 1)) || value >= 1n << BigInt(8 * size - 1)) size++
  const bytes = new Uint8Array(size)
  let rest = BigInt.asUintN(8 * size, value)
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
