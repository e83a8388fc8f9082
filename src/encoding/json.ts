/**
 * JSON of RFC 8259, read strictly, for untrusted text: what two decoders could read differently is refused. Size comes
 * first, then UTF-8, then a single pass that bounds depth and count and refuses duplicate keys, lone surrogates, integers
 * that a double cannot hold and anything after the value.
 */
import { constants } from 'node:buffer'
import { DecodingError } from '../error.ts'
import { excerpt } from './bytes.ts'
import type { JsonCursor } from './json-cursor.ts'
import { invalidJson, readKey, readNumber, readString, skipSpace, textInBytes, tooLong, unexpected } from './json-cursor.ts'

export type JsonValue = null | boolean | number | bigint | string | JsonArray | JsonObject
export type JsonArray = readonly JsonValue[]
/** Has no prototype members: a key is there if and only if the text has it. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

export interface JsonLimits {
  /** Size of the encoded text; default 128 MiB, the largest attestation cosign takes. Text already decoded: in characters, of which V8 must hold the UTF-8. */
  readonly maxBytes?: number
  /** Nesting of arrays and objects; default 100, as protobuf's JSON decoders have it. */
  readonly maxDepth?: number
  /** How many values there may be in all; default 8 million, which take about 1 GB of memory at worst. */
  readonly maxValues?: number
  /** What becomes of integers beyond ±(2^53 - 1): `safe` refuses them (default), `exact` gives a bigint. */
  readonly integers?: 'safe' | 'exact'
}

export const defaultMaxJsonBytes = 128 * 1024 * 1024
const defaultMaxDepth = 100
const defaultMaxValues = 8_000_000

/**
 * Parses one JSON value.
 * @param input the encoded text, or text already decoded
 * @param what names the input in error messages
 * @throws DecodingError TOO_LARGE over `maxBytes` or `maxValues`, JSON_INVALID for everything else
 */
export function parseJson(input: Uint8Array | string, what: string, limits: JsonLimits = {}): JsonValue {
  const maxBytes = Math.min(limits.maxBytes ?? defaultMaxJsonBytes, constants.MAX_STRING_LENGTH)
  if (input.length > maxBytes) throw tooLong(what, input.length, maxBytes)
  const maxValues = limits.maxValues ?? defaultMaxValues
  const cursor: JsonCursor = {
    text: textInBytes(input, what),
    what,
    maxDepth: limits.maxDepth ?? defaultMaxDepth,
    maxValues,
    exact: limits.integers === 'exact',
    valuesLeft: maxValues,
    at: 0,
    nextBackslash: -1,
    nextSpecial: -1,
  }
  const value = readValue(cursor, 0)
  skipSpace(cursor)
  if (cursor.at < cursor.text.length) throw unexpected(cursor, 'the end')
  return value
}

/** Whether a parsed value is an object (not an array, not null). */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// An object without Object.prototype that V8 still gives a hidden class, which Object.create(null) does not.
type MutableObject = { [key: string]: JsonValue }
const EmptyObject = function () {} as unknown as new () => MutableObject
EmptyObject.prototype = Object.create(null)

function readValue(cursor: JsonCursor, depth: number): JsonValue {
  if (--cursor.valuesLeft < 0) {
    throw new DecodingError('TOO_LARGE', `${cursor.what} has more than ${cursor.maxValues} values, which is the limit`)
  }
  switch (skipSpace(cursor)) {
    case 0x22:
      return readString(cursor)
    case 0x7b:
      return readObject(cursor, depth + 1)
    case 0x5b:
      return readArray(cursor, depth + 1)
    case 0x74:
      return readLiteral(cursor, 'true', true)
    case 0x66:
      return readLiteral(cursor, 'false', false)
    case 0x6e:
      return readLiteral(cursor, 'null', null)
    default:
      return readNumber(cursor)
  }
}

function readObject(cursor: JsonCursor, depth: number): JsonObject {
  enter(cursor, depth)
  const object = new EmptyObject()
  let next = skipSpace(cursor)
  if (next === 0x7d) {
    cursor.at++
    return object
  }
  for (;;) {
    if (next !== 0x22) throw unexpected(cursor, 'a key in double quotes')
    const start = cursor.at
    const key = readKey(cursor)
    // Never undefined where there is one; `in` would not be answered from V8's caches.
    if (object[key] !== undefined) throw invalidJson(cursor, `the key ${excerpt(key)} stands twice in one object`, start)
    if (skipSpace(cursor) !== 0x3a) throw unexpected(cursor, '":"')
    cursor.at++
    object[key] = readValue(cursor, depth)
    next = skipSpace(cursor)
    if (next !== 0x2c && next !== 0x7d) throw unexpected(cursor, '"," or "}"')
    cursor.at++
    if (next === 0x7d) return object
    next = skipSpace(cursor)
  }
}

function readArray(cursor: JsonCursor, depth: number): JsonArray {
  enter(cursor, depth)
  if (skipSpace(cursor) === 0x5d) {
    cursor.at++
    return []
  }
  // A literal has room for one element. Pushing to an empty array makes room for 17, which hostile input could multiply.
  const array = [readValue(cursor, depth)]
  for (;;) {
    const next = skipSpace(cursor)
    if (next !== 0x2c && next !== 0x5d) throw unexpected(cursor, '"," or "]"')
    cursor.at++
    if (next === 0x5d) return array
    array.push(readValue(cursor, depth))
  }
}

function enter(cursor: JsonCursor, depth: number): void {
  if (depth > cursor.maxDepth) throw invalidJson(cursor, `nested more than ${cursor.maxDepth} levels deep`, cursor.at)
  cursor.at++
}

function readLiteral<T extends JsonValue>(cursor: JsonCursor, word: string, value: T): T {
  if (!cursor.text.startsWith(word, cursor.at)) throw unexpected(cursor, 'a value')
  cursor.at += word.length
  return value
}
