/** JSON on one line with sorted keys, in which every number means exactly what it meant before. */
import { DecodingError } from '../error.ts'
import type { JsonCursor } from './json-cursor.ts'
import { originalText, readNumber, readString, skipSpace, textInBytes } from './json-cursor.ts'
import type { JsonLimits, JsonValue } from './json.ts'
import { parseJson } from './json.ts'

/** As deep as `parseJson` reads. */
const maxDepth = 100

/**
 * The JSON of a value: keys sorted by UTF-16 code units, no white space, a bigint as an integer of any length. As with
 * `JSON.stringify`, members that are undefined are left out.
 * @throws DecodingError JSON_INVALID for what JSON has no form for: a number that is not finite, a lone surrogate, a function, a cycle
 */
export function encodeJson(value: unknown): string {
  return encode(value, 'value', 0)
}

function encode(value: unknown, path: string, depth: number): string {
  if (depth > maxDepth) throw new DecodingError('JSON_INVALID', `${path.slice(0, 60)}… is nested more than ${maxDepth} levels deep`)
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed())
        throw new DecodingError('JSON_INVALID', `${path} is a string with a lone surrogate, which has no JSON form`)
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw new DecodingError('JSON_INVALID', `${path} is ${value}, which has no JSON form`)
      return JSON.stringify(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `[${value.map((element, index) => encode(element, `${path}[${index}]`, depth + 1)).join(',')}]`
      return encodeMembers(value, path, depth)
    default:
      throw new DecodingError('JSON_INVALID', `${path} is of the type ${typeof value}, which has no JSON form`)
  }
}

function encodeMembers(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A Date or a Map would silently become something else.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new DecodingError('JSON_INVALID', `${path} is neither a plain object nor an array, so it has no JSON form`)
  const members: string[] = []
  for (const [key, member] of Object.entries(value).toSorted(byKey)) {
    if (member !== undefined) members.push(`${encode(key, path, depth)}:${encode(member, `${path}.${key}`, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

/** A JSON text that was read, and how it is written. */
export interface SortedJson {
  /** As `parseJson` gives it; integers beyond 2^53 are bigint. */
  readonly value: JsonValue
  /** On one line, with sorted keys. Strings and numbers are as they were written, to the last digit. */
  readonly text: string
}

/**
 * Reads a JSON text and rewrites it on one line with sorted keys.
 * @param what names the text in error messages
 * @throws as `parseJson`
 */
export function sortJson(text: string, what: string, limits: JsonLimits = {}): SortedJson {
  // What is walked through after this is known to be valid, bounded and without duplicate keys.
  const value = parseJson(text, what, { ...limits, integers: 'exact' })
  const inBytes = textInBytes(text, what)
  const cursor = { text: inBytes, what, maxDepth, maxValues: 0, exact: true, valuesLeft: 0, at: 0, nextBackslash: -1, nextSpecial: -1 }
  return { value, text: originalText(rewrite(cursor)) }
}

function rewrite(cursor: JsonCursor): string {
  const first = skipSpace(cursor)
  if (first === 0x7b) return rewriteObject(cursor)
  if (first === 0x5b) return rewriteArray(cursor)
  const start = cursor.at
  if (first === 0x22) readString(cursor)
  else if (first === 0x74 || first === 0x6e) cursor.at += 4
  else if (first === 0x66) cursor.at += 5
  else readNumber(cursor)
  return cursor.text.slice(start, cursor.at)
}

function rewriteObject(cursor: JsonCursor): string {
  const members: [string, string][] = []
  cursor.at++
  while (nextPart(cursor) !== 0x7d) {
    const start = cursor.at
    const key = readString(cursor)
    const written = cursor.text.slice(start, cursor.at)
    skipSpace(cursor)
    cursor.at++
    members.push([key, `${written}:${rewrite(cursor)}`])
  }
  cursor.at++
  return `{${members
    .toSorted(byKey)
    .map(([, member]) => member)
    .join(',')}}`
}

function rewriteArray(cursor: JsonCursor): string {
  const elements: string[] = []
  cursor.at++
  while (nextPart(cursor) !== 0x5d) elements.push(rewrite(cursor))
  cursor.at++
  return `[${elements.join(',')}]`
}

/** The first character of the next member or element, or the closing bracket. */
function nextPart(cursor: JsonCursor): number {
  if (skipSpace(cursor) === 0x2c) cursor.at++
  return skipSpace(cursor)
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
