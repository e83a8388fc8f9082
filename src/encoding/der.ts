/**
 * Strict DER (ITU-T X.690 sections 8 and 10). Only what certificates, keys and timestamp tokens use: tag numbers below
 * 31, definite lengths, at most 16 MiB. Whatever BER would allow besides is refused with its own message. Elements are
 * views of the received bytes, so that signed bytes are checked as they came.
 */
import { DecodingError } from '../error.ts'
import {
  checkInteger,
  invalidDer,
  parseBitString,
  parseBoolean,
  parseInteger,
  parseNamedBits,
  parseSmallInteger,
  parseUtf8String,
} from './der-content.ts'
import { contextTag, hexOctet } from './der-tag.ts'
import * as tag from './universal-tag.ts'
import { isFinerThanMilliseconds, parseGeneralizedTime, parseUtcTime } from './der-time.ts'
import { parseOid } from './oid.ts'

/** One element as received. */
export interface DerElement {
  /** The identifier octet: class, constructed bit and tag number. */
  readonly tag: number
  /** Identifier, length and content. */
  readonly bytes: Uint8Array
  readonly content: Uint8Array
}

const maxDepth = 24
const maxLength = 16 * 1024 * 1024

/** The universal tag numbers of which the element is constructed: EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, CHARACTER STRING. */
const constructedTypes = (1 << 8) | (1 << 11) | (1 << 16) | (1 << 17) | (1 << 29)

/**
 * Reads exactly one element.
 * @param what names the element in error messages
 * @throws DecodingError DER_INVALID when it is not DER or something stands after it
 */
export function parseDer(bytes: Uint8Array, what: string): DerElement {
  const reader = new DerReader(bytes, what)
  const element = reader.any(what)
  reader.end()
  return element
}

/** Reads the one SEQUENCE that the bytes hold. */
export function parseDerSequence(bytes: Uint8Array, what: string): DerReader {
  const outer = new DerReader(bytes, what)
  const inner = outer.sequence(what)
  outer.end()
  return inner
}

/** Reads the elements inside a constructed element, front to back. Every read fails with DecodingError DER_INVALID. */
export class DerReader {
  // Private by type, as in JsonFields: a certificate takes fifty of these, and `#fields` are slow until V8 optimises.
  private readonly bytes: Uint8Array
  private readonly what: string
  private readonly depth: number
  private readonly limit: number
  private at: number
  /** Where the element that ends at `at` begins, and where its content does. */
  private start: number
  private contentStart: number

  /**
   * @param what names the element that the content is of in error messages; `depth` is how deep it is nested
   * @param start where in the bytes the content begins; it ends at `limit`
   */
  constructor(bytes: Uint8Array, what: string, depth = 0, start = 0, limit = bytes.length) {
    if (depth > maxDepth) throw new DecodingError('DER_INVALID', `${what} is nested more than ${maxDepth} levels deep`)
    this.bytes = bytes
    this.what = what
    this.depth = depth
    this.limit = limit
    this.at = start
    this.start = start
    this.contentStart = start
  }

  /** Whether every element was read. */
  get done(): boolean {
    return this.at === this.limit
  }

  /** The identifier octet of the next element, -1 at the end. */
  peekTag(): number {
    return this.at < this.limit ? (this.bytes[this.at] ?? -1) : -1
  }

  /** Demands that every element was read. */
  end(): void {
    if (!this.done) throw this.invalid(`${this.limit - this.at} bytes stand after the last element`)
  }

  /** The next element, whatever it is. */
  any(what: string): DerElement {
    return { tag: this.pass(what), bytes: this.last(), content: this.bytes.subarray(this.contentStart, this.at) }
  }

  /** The element that was read last, whole. */
  last(): Uint8Array {
    return this.bytes.subarray(this.start, this.at)
  }

  /** The next element, which must have this tag. */
  next(expected: number, what: string): DerElement {
    const found = this.peekTag()
    if (found !== expected) throw this.wrongTag(expected, found, what)
    return this.any(what)
  }

  /** The next element, which must have this tag, whole. */
  whole(expected: number, what: string): Uint8Array {
    this.passTag(expected, what)
    return this.last()
  }

  /** The content of the next element, which must have this tag. */
  content(expected: number, what: string): Uint8Array {
    this.passTag(expected, what)
    return this.bytes.subarray(this.contentStart, this.at)
  }

  /** The next element if it has this tag, otherwise nothing is read. */
  optional(expected: number, what: string): DerElement | undefined {
    return this.peekTag() === expected ? this.any(what) : undefined
  }

  /** The elements of the next element, a SEQUENCE. */
  sequence(what: string): DerReader {
    return this.inside(tag.sequence, what)
  }

  /**
   * The elements of the next element, a SET, as they came. Their order (X.690 section 11.6) is not checked: CMS lets its
   * writers use BER (RFC 5652 section 5.1), and timestamp authorities do.
   */
  set(what: string): DerReader {
    return this.inside(tag.set, what)
  }

  /** The elements inside `[number] EXPLICIT` or a constructed IMPLICIT, if that is what comes next. */
  context(number: number, what: string): DerReader | undefined {
    const expected = contextTag(number, true)
    return this.peekTag() === expected ? this.inside(expected, what) : undefined
  }

  /** INTEGER as received: two's complement, minimal. */
  integerBytes(what: string): Uint8Array {
    return checkInteger(this.content(tag.integer, what), what, this.what)
  }

  /** INTEGER of any sign, up to 1,024 bytes. */
  integer(what: string): bigint {
    return parseInteger(this.content(tag.integer, what), what, this.what)
  }

  /** INTEGER from 0 to 2^31 - 1. */
  smallInteger(what: string): number {
    return parseSmallInteger(this.content(tag.integer, what), what, this.what)
  }

  /** BOOLEAN: 00 or FF. */
  boolean(what: string): boolean {
    return parseBoolean(this.content(tag.boolean, what), what, this.what)
  }

  /** NULL. */
  null(what: string): void {
    if (this.content(tag.null, what).length !== 0) throw this.invalid(`${what} is a NULL with content`)
  }

  /** OBJECT IDENTIFIER in dotted form. */
  oid(what: string): string {
    this.passTag(tag.oid, what)
    return parseOid(this.bytes, what, this.contentStart, this.at)
  }

  /** OCTET STRING: its content, not copied. */
  octetString(what: string): Uint8Array {
    return this.content(tag.octetString, what)
  }

  /** BIT STRING of whole bytes, as keys and signatures are. */
  bitString(what: string): Uint8Array {
    return parseBitString(this.content(tag.bitString, what), what, this.what)
  }

  /** A BIT STRING of named bits (X.690 11.2.2: no trailing zero bits), bit 0 first. At most 32 bits. */
  namedBits(what: string): readonly boolean[] {
    return parseNamedBits(this.content(tag.bitString, what), what, this.what)
  }

  /** UTF8String. */
  utf8String(what: string): string {
    return parseUtf8String(this.content(tag.utf8String, what), what, this.what)
  }

  /** UTCTime or GeneralizedTime without fractions, in epoch milliseconds; RFC 5280 4.1.2.5 fixes which one when. */
  certificateTime(what: string): number {
    if (this.peekTag() === tag.utcTime) return parseUtcTime(this.content(tag.utcTime, what), what)
    const content = this.content(tag.generalizedTime, what)
    const time = parseGeneralizedTime(content, what)
    if (time < firstGeneralized) throw this.invalid(`${what} is a GeneralizedTime before 2050`)
    if (content.length !== 15) throw this.invalid(`${what} has a fraction of a second`)
    return time
  }

  /** GeneralizedTime with or without a fraction, in epoch milliseconds. */
  generalizedTime(what: string): number {
    return parseGeneralizedTime(this.content(tag.generalizedTime, what), what)
  }

  /**
   * GeneralizedTime whose fraction may be finer than a millisecond: the whole milliseconds, since 1970, that it is not before and not
   * after. They are the same unless it is finer.
   */
  generalizedTimeBounds(what: string): { readonly from: number; readonly to: number } {
    const content = this.content(tag.generalizedTime, what)
    const from = parseGeneralizedTime(content, what)
    return { from, to: isFinerThanMilliseconds(content) ? from + 1 : from }
  }

  /** Goes past the next element, the only place where identifiers and lengths are read. Gives the identifier octet. */
  private pass(what: string): number {
    const bytes = this.bytes
    const start = this.at
    const identifier = start < this.limit ? bytes[start] : undefined
    if (identifier === undefined) throw this.invalid(`${what} is missing`)
    const number = identifier & 0x1f
    if (number === 0x1f) throw this.invalid(`${what} has a tag number over 30, which is not supported`)
    if (identifier < 0x40) {
      if (number === 0) throw this.invalid(`${what} has the reserved tag 0`)
      // X.690 sections 8.9 to 8.12, and 10.2: in DER no string is put together from parts.
      const isConstructed = identifier >= 0x20
      if (((constructedTypes >> number) & 1) !== Number(isConstructed)) {
        throw this.invalid(
          `${what} has tag ${hexOctet(identifier)}, which is ${isConstructed ? 'constructed' : 'primitive'} and must not be`,
        )
      }
    }
    const first = start + 1 < this.limit ? bytes[start + 1] : undefined
    if (first === undefined) throw this.invalid(`${what} ends before its length`)
    let contentStart = start + 2
    let length = first
    if (first >= 0x80) {
      const octets = first & 0x7f
      if (octets === 0) throw this.invalid(`${what} has an indefinite length, which DER does not allow`)
      if (octets > 4) throw this.invalid(`${what} has a length of ${octets} octets`)
      length = 0
      for (let i = 0; i < octets; i++) {
        const octet = contentStart + i < this.limit ? bytes[contentStart + i] : undefined
        if (octet === undefined) throw this.invalid(`${what} ends inside its length`)
        length = length * 256 + octet
      }
      if (length < 0x80 || bytes[contentStart] === 0) throw this.invalid(`${what} has a length that is not minimal`)
      contentStart += octets
    }
    if (length > maxLength) throw this.invalid(`${what} is ${length} bytes long, more than the limit of ${maxLength}`)
    const end = contentStart + length
    if (end > this.limit) {
      throw this.invalid(`${what} should have ${length} bytes of content, only ${this.limit - contentStart} are there`)
    }
    this.start = start
    this.contentStart = contentStart
    this.at = end
    return identifier
  }

  private inside(expected: number, what: string): DerReader {
    this.passTag(expected, what)
    return new DerReader(this.bytes, what, this.depth + 1, this.contentStart, this.at)
  }

  /** Goes past the next element, which must have this tag. */
  private passTag(expected: number, what: string): void {
    const found = this.peekTag()
    if (found !== expected) throw this.wrongTag(expected, found, what)
    this.pass(what)
  }

  private wrongTag(expected: number, found: number, what: string): DecodingError {
    return this.invalid(found === -1 ? `${what} is missing` : `${what} has tag ${hexOctet(found)} where ${hexOctet(expected)} was expected`)
  }

  private invalid(reason: string): DecodingError {
    return invalidDer(this.what, reason)
  }
}

const firstGeneralized = Date.UTC(2050, 0, 1)
