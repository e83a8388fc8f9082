/** The JSON Canonicalization Scheme of RFC 8785: the one text that log signatures are made over. */
import { DecodingError } from '../error.ts'
import type { JsonValue } from './json.ts'
import { isJsonObject } from './json.ts'

/**
 * The canonical text of a value: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them.
 * @throws DecodingError JSON_INVALID for a number that is not finite, a bigint, or a string with a lone surrogate
 */
export function canonicalizeJson(value: JsonValue): string {
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new DecodingError('JSON_INVALID', `${value} has no canonical JSON form`)
    return JSON.stringify(value)
  }
  if (typeof value === 'bigint') {
    throw new DecodingError('JSON_INVALID', 'an integer beyond ±(2^53 - 1) has no canonical JSON form: RFC 8785 numbers are doubles')
  }
  if (isJsonObject(value)) {
    const members: string[] = []
    // RFC 8785 section 3.2.3 sorts by UTF-16 code units, which is what sort() does without a comparator.
    for (const key of Object.keys(value).toSorted()) {
      const member = value[key]
      if (member !== undefined) members.push(`${canonicalString(key)}:${canonicalizeJson(member)}`)
    }
    return `{${members.join(',')}}`
  }
  if (value === null || typeof value === 'boolean') return String(value)
  return `[${value.map(canonicalizeJson).join(',')}]`
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new DecodingError('JSON_INVALID', 'a string with a lone surrogate has no canonical JSON form')
  return JSON.stringify(text)
}
