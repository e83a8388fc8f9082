/**
 * JSON of RFC 8259, read strictly, for untrusted text: what two decoders could read differently is refused. Size comes
 * first, then UTF-8, then a single pass that bounds depth and refuses duplicate keys, lone surrogates, integers that a
 * double cannot hold and anything after the value.
 */
import { DecodingError } from '../error.ts'
import { decodeUtf8, excerpt } from './bytes.ts'

export type JsonValue = null | boolean | number | bigint | string | JsonArray | JsonObject
export type JsonArray = readonly JsonValue[]
/** Has no prototype members: a key is there if and only if the text has it. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

export interface JsonLimits {
  /** Size of the encoded text; default 128 MiB, the largest attestation cosign takes. */
  readonly maxBytes?: number
  /** Nesting of arrays and objects; default 100, as protobuf's JSON decoders have it. */
  readonly maxDepth?: number
  /** What becomes of integers beyond ±(2^53 - 1): `safe` refuses them (default), `exact` gives a bigint. */
  readonly integers?: 'safe' | 'exact'
}

export const defaultMaxJsonBytes = 128 * 1024 * 1024
const defaultMaxDepth = 100

/**
 * Parses one JSON value.
 * @param input the encoded text, or text already decoded
 * @param what names the input in error messages
 * @throws DecodingError TOO_LARGE over `maxBytes`, JSON_INVALID for everything else
 */
export function parseJson(input: Uint8Array | string, what: string, limits: JsonLimits = {}): JsonValue {
  const maxBytes = limits.maxBytes ?? defaultMaxJsonBytes
  if (input.length > maxBytes) {
    throw new DecodingError('TOO_LARGE', `${what} is ${input.length} bytes long, more than the limit of ${maxBytes}`)
  }
  const text = typeof input === 'string' ? input : decodeText(input, what)
  return new JsonParser(text, what, limits.maxDepth ?? defaultMaxDepth, limits.integers === 'exact').document()
}

/** Whether a parsed value is an object (not an array, not null). */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decodeUtf8(bytes, what)
  } catch (cause) {
    throw new DecodingError('JSON_INVALID', `${what} is not valid JSON: it is not UTF-8 text`, { cause })
  }
}

// An object without Object.prototype that V8 still gives a hidden class, which Object.create(null) does not.
type MutableObject = { [key: string]: JsonValue }
const EmptyObject = function () {} as unknown as new () => MutableObject
EmptyObject.prototype = Object.create(null)

const quote = 0x22
const backslash = 0x5c
const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

const controlPattern = /[\u0000-\u001f]/g

/** An index that was found, or the end of the text. */
function positionOrEnd(text: string, index: number): number {
  return index < 0 ? text.length : index
}

class JsonParser {
  readonly #text: string
  readonly #what: string
  readonly #maxDepth: number
  readonly #exact: boolean
  #at = 0
  #nextBackslash = -1
  #nextControl = -1

  constructor(text: string, what: string, maxDepth: number, exact: boolean) {
    this.#text = text
    this.#what = what
    this.#maxDepth = maxDepth
    this.#exact = exact
  }

  document(): JsonValue {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) throw this.#unexpected('the end')
    return value
  }

  #value(depth: number): JsonValue {
    this.#space()
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(depth + 1)
      case 0x5b:
        return this.#array(depth + 1)
      case quote:
        return this.#string()
      case 0x74:
        return this.#literal('true', true)
      case 0x66:
        return this.#literal('false', false)
      case 0x6e:
        return this.#literal('null', null)
      default:
        return this.#number()
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth)
    const object = new EmptyObject()
    if (this.#take(0x7d)) return object
    do {
      this.#space()
      if (this.#text.charCodeAt(this.#at) !== quote) throw this.#unexpected('a key in double quotes')
      const start = this.#at
      const key = this.#string()
      if (key in object) throw this.#invalid(`the key ${excerpt(key)} stands twice in one object`, start)
      if (!this.#take(0x3a)) throw this.#unexpected('":"')
      object[key] = this.#value(depth)
    } while (this.#take(0x2c))
    if (!this.#take(0x7d)) throw this.#unexpected('"," or "}"')
    return object
  }

  #array(depth: number): JsonArray {
    this.#enter(depth)
    const array: JsonValue[] = []
    if (this.#take(0x5d)) return array
    do array.push(this.#value(depth))
    while (this.#take(0x2c))
    if (!this.#take(0x5d)) throw this.#unexpected('"," or "]"')
    return array
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) throw this.#invalid(`nested more than ${this.#maxDepth} levels deep`, this.#at)
    this.#at++
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    const end = text.indexOf('"', start)
    if (end < 0) throw this.#invalid('a string without its closing quote', start - 1)
    // Both move forward only, so that the whole text is searched once for each: a native search is many times faster than
    // a loop over characters, above all in a process that has just started.
    if (this.#nextBackslash < start) this.#nextBackslash = positionOrEnd(text, text.indexOf('\\', start))
    if (this.#nextBackslash < end) return this.#escapedString(start, this.#nextBackslash)
    if (this.#nextControl < start) {
      controlPattern.lastIndex = start
      this.#nextControl = positionOrEnd(text, controlPattern.exec(text)?.index ?? -1)
    }
    if (this.#nextControl < end) throw this.#invalid('a control character in a string', this.#nextControl)
    this.#at = end + 1
    return text.slice(start, end)
  }

  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text
    const parts: string[] = []
    let from = start
    let at = firstEscape
    for (;;) {
      if (at >= text.length) throw this.#invalid('a string without its closing quote', start - 1)
      const code = text.charCodeAt(at)
      if (code === quote) break
      if (code < 0x20) throw this.#invalid('a control character in a string', at)
      if (code !== backslash) {
        at++
        continue
      }
      parts.push(text.slice(from, at))
      const letter = text.charAt(at + 1)
      if (letter === 'u') {
        parts.push(String.fromCharCode(this.#unit(at + 2)))
        at += 6
      } else {
        const character = escapes[letter]
        if (character === undefined) throw this.#invalid('an unknown escape in a string', at)
        parts.push(character)
        at += 2
      }
      from = at
    }
    parts.push(text.slice(from, at))
    this.#at = at + 1
    const joined = parts.join('')
    if (!joined.isWellFormed()) throw this.#invalid('a lone surrogate in a string', start - 1)
    return joined
  }

  #unit(at: number): number {
    const digits = this.#text.slice(at, at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#invalid('an unknown escape in a string', at - 2)
    return Number.parseInt(digits, 16)
  }

  #number(): number | bigint {
    numberPattern.lastIndex = this.#at
    const match = numberPattern.exec(this.#text)
    if (match === null) throw this.#unexpected('a value')
    const start = this.#at
    this.#at = numberPattern.lastIndex
    const isInteger = match[1] === undefined && match[2] === undefined
    const value = Number(match[0])
    if (Number.isSafeInteger(value) || (!isInteger && Number.isFinite(value) && !Number.isInteger(value))) return value
    if (this.#exact && isInteger && match[0].length <= 1000) return BigInt(match[0])
    if (this.#exact && Number.isFinite(value) && !isInteger) return value
    throw this.#invalid('a number that a double cannot hold exactly (over 2^53)', start)
  }

  #literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a value')
    this.#at += word.length
    return value
  }

  /** Skips white space, then one character if it is the given one. */
  #take(code: number): boolean {
    this.#space()
    if (this.#text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }

  #space(): void {
    const text = this.#text
    for (;;) {
      const code = text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  #unexpected(expected: string): DecodingError {
    const found = this.#at < this.#text.length ? excerpt(this.#text.slice(this.#at, this.#at + 12)) : 'the end of the text'
    return this.#invalid(`expected ${expected}, found ${found}`, this.#at)
  }

  #invalid(reason: string, at: number): DecodingError {
    return new DecodingError('JSON_INVALID', `${this.#what} is not valid JSON: ${reason} (at character ${at})`)
  }
}
