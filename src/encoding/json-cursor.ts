/** The strings, numbers and blanks of a JSON text (RFC 8259 sections 2, 6 and 7), read where a parser stands. */
import { Buffer, constants, isUtf8 } from 'node:buffer'
import { DecodingError } from '../error.ts'
import { asBuffer, encodeUtf8, excerpt } from './bytes.ts'

/**
 * Where a parser stands. A native search is many times faster than a loop over characters, above all in a process that
 * has just started: so a string is found by its quotes, and the next backslash and the next special character are
 * remembered. Everything only ever moves forward, so that the whole text is searched once for each of them.
 */
export interface JsonCursor {
  /** What `textInBytes` gave. */
  readonly text: string
  readonly what: string
  readonly maxDepth: number
  readonly maxValues: number
  readonly exact: boolean
  valuesLeft: number
  /** Index of the next character to read. */
  at: number
  /** Index of the first backslash that was not yet passed, or the length of the text; out of date when it is passed. */
  nextBackslash: number
  /** The same for the first character that a string may not hold (a control character), or has to be decoded for (beyond ASCII). */
  nextSpecial: number
}

/** Longer numbers do not occur; as a bigint an attacker's would cost quadratic time. */
const maxNumberLength = 1000

const specialPattern = /[\u0000-\u001f\u0080-\u00ff]/g
const controlPattern = /[\u0000-\u001f]/

/**
 * The text in UTF-8, with one character for each byte. What JSON is made of is ASCII, so that only the strings that hold more need to be decoded: one
 * dash, as checkpoints have, would make all the others twice as large, and slow to read.
 * @throws DecodingError JSON_INVALID for what is not UTF-8, and for lone surrogates, which it does not have; those that escapes spell are refused where they
 *   stand
 */
export function textInBytes(input: Uint8Array | string, what: string): string {
  if (typeof input === 'string' && !input.isWellFormed())
    throw notJson(what, `a lone surrogate (at character ${input.search(/\p{Surrogate}/u)})`)
  const bytes = typeof input === 'string' ? encodeUtf8(input) : input
  if (bytes.length > constants.MAX_STRING_LENGTH) throw tooLong(what, bytes.length, constants.MAX_STRING_LENGTH)
  if (!isUtf8(bytes)) throw notJson(what, 'it is not UTF-8 text')
  return asBuffer(bytes).toString('latin1')
}

/** The text that `textInBytes` gave, or a part of it, as it was. */
export function originalText(inBytes: string): string {
  return Buffer.from(inBytes, 'latin1').toString('utf8')
}

/** Skips white space. Gives the code of the character after it, NaN at the end of the text. */
export function skipSpace(cursor: JsonCursor): number {
  const { text } = cursor
  let { at } = cursor
  let code = text.charCodeAt(at)
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++at)
  cursor.at = at
  return code
}

/**
 * Reads the string whose opening quote comes next.
 * @throws DecodingError JSON_INVALID when it has no end, or a control character, an unknown escape or a lone surrogate
 */
export function readString(cursor: JsonCursor): string {
  const { text } = cursor
  const quote = cursor.at
  const start = quote + 1
  let end = findQuote(cursor, start, quote)
  if (cursor.nextBackslash < start) cursor.nextBackslash = indexOrEnd(text, text.indexOf('\\', start))
  const isEscaped = cursor.nextBackslash < end
  while (cursor.nextBackslash < end) {
    const after = cursor.nextBackslash + 2
    if (end < after) end = findQuote(cursor, after, quote)
    cursor.nextBackslash = indexOrEnd(text, text.indexOf('\\', after))
  }
  if (cursor.nextSpecial < start) cursor.nextSpecial = findSpecial(text, start)
  const isPlain = cursor.nextSpecial >= end
  const written = text.slice(start, end)
  if (!isPlain) {
    const control = written.search(controlPattern)
    if (control >= 0) throw invalidJson(cursor, 'a control character in a string', start + control)
    cursor.nextSpecial = findSpecial(text, end)
  }
  const content = isPlain ? written : originalText(written)
  cursor.at = end + 1
  return isEscaped ? unescape(cursor, content, quote) : content
}

/** Keys read before, each at the place that its length and its ends give: documents of a format have the same few. */
const knownKeys: (string | undefined)[] = []
const knownPlaces = 128
const maxKnownLength = 32

/**
 * As `readString`, for keys: one that was read before is the same string, which V8 need not look up among all names again.
 * @throws DecodingError JSON_INVALID
 */
export function readKey(cursor: JsonCursor): string {
  const { text } = cursor
  const start = cursor.at + 1
  const end = text.indexOf('"', start)
  const length = end - start
  if (length < 1 || length > maxKnownLength) return readString(cursor)
  const place = (length + 5 * text.charCodeAt(start) + 37 * text.charCodeAt(end - 1)) % knownPlaces
  const known = knownKeys[place]
  if (known?.length === length && text.startsWith(known, start)) {
    cursor.at = end + 1
    return known
  }
  const key = readString(cursor)
  // One with an escape ends later, or is shorter than it is written; so is one beyond ASCII.
  if (cursor.at === end + 1 && key.length === length) knownKeys[place] = key
  return key
}

/**
 * Reads the number that comes next, since nothing else can be there.
 * @throws DecodingError JSON_INVALID when it is none, when it is longer than 1,000 characters, or when a double does not
 *   hold it and no bigint is wanted
 */
export function readNumber(cursor: JsonCursor): number | bigint {
  const { text } = cursor
  const start = cursor.at
  const first = text.charCodeAt(start) === 0x2d ? start + 1 : start
  let at = skipDigits(text, first)
  if (at === first) throw unexpected(cursor, 'a value')
  if (at > first + 1 && text.charCodeAt(first) === 0x30) throw invalidJson(cursor, 'a number with a leading zero', start)
  const integerEnd = at
  if (text.charCodeAt(at) === 0x2e) at = skipSomeDigits(cursor, at + 1)
  const exponent = text.charCodeAt(at)
  if (exponent === 0x65 || exponent === 0x45) {
    const sign = text.charCodeAt(at + 1)
    at = skipSomeDigits(cursor, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
  }
  if (at - start > maxNumberLength) {
    throw invalidJson(cursor, `a number longer than ${maxNumberLength} characters`, start)
  }
  const digits = text.slice(start, at)
  const isInteger = at === integerEnd
  const value = Number(digits)
  cursor.at = at
  if (Number.isSafeInteger(value)) return value
  if (cursor.exact && isInteger) return BigInt(digits)
  if (Number.isFinite(value) && (cursor.exact || !Number.isInteger(value))) return value
  throw invalidJson(cursor, 'a number that a double cannot hold exactly (over 2^53)', start)
}

/** An error about what stands where the parser stands. */
export function unexpected(cursor: JsonCursor, expected: string): DecodingError {
  const { text, at } = cursor
  // No character is longer than four bytes.
  const found = at < text.length ? excerpt(originalText(text.slice(at, at + 48)).slice(0, 12)) : 'the end of the text'
  return invalidJson(cursor, `expected ${expected}, found ${found}`, cursor.at)
}

/** An error about the character whose first byte has the index `at`. */
export function invalidJson({ text, what }: JsonCursor, reason: string, at: number, cause?: unknown): DecodingError {
  return notJson(what, `${reason} (at character ${originalText(text.slice(0, at)).length})`, cause)
}

/** An error about more than is read. */
export function tooLong(what: string, length: number, limit: number): DecodingError {
  return new DecodingError('TOO_LARGE', `${what} is ${length} bytes long, more than the limit of ${limit}`)
}

function notJson(what: string, reason: string, cause?: unknown): DecodingError {
  return new DecodingError('JSON_INVALID', `${what} is not valid JSON: ${reason}`, cause === undefined ? {} : { cause })
}

function findQuote(cursor: JsonCursor, from: number, opening: number): number {
  const index = cursor.text.indexOf('"', from)
  if (index < 0) throw invalidJson(cursor, 'a string without its closing quote', opening)
  return index
}

/** What stands between the quotes, of which the first is at `quote`, means. */
function unescape(cursor: JsonCursor, content: string, quote: number): string {
  let value: unknown
  try {
    value = JSON.parse(`"${content}"`)
  } catch (cause) {
    throw invalidJson(cursor, 'an unknown escape in a string', quote, cause)
  }
  if (typeof value !== 'string' || !value.isWellFormed()) throw invalidJson(cursor, 'a lone surrogate in a string', quote)
  return value
}

function findSpecial(text: string, from: number): number {
  specialPattern.lastIndex = from
  return indexOrEnd(text, specialPattern.exec(text)?.index ?? -1)
}

function skipSomeDigits(cursor: JsonCursor, from: number): number {
  const end = skipDigits(cursor.text, from)
  if (end === from) throw invalidJson(cursor, 'a number without digits after its point or exponent', cursor.at)
  return end
}

/** Skips digits, at most one more than a number may have. */
function skipDigits(text: string, from: number): number {
  let at = from
  while (at - from <= maxNumberLength) {
    const code = text.charCodeAt(at)
    // Written so that NaN, at the end of the text, ends it too.
    if (!(code >= 0x30 && code <= 0x39)) break
    at++
  }
  return at
}

function indexOrEnd(text: string, index: number): number {
  return index < 0 ? text.length : index
}
