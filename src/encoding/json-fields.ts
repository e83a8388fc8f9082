/** Reads the fields of a parsed JSON object, with the path to each field in every error. */
import type { ErrorCode } from '../error.ts'
import { DecodingError, messageOf } from '../error.ts'
import { decodeBase64 } from './base64.ts'
import { excerpt, textOf } from './bytes.ts'
import type { Name } from './bytes.ts'
import { parseDecimal } from './decimal.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { isJsonObject } from './json.ts'

/**
 * A JSON object of a known format, read field by field. `null` is the same as an absent field, as proto3 JSON has it.
 * Every read fails with a DecodingError of the format's own code that names the field.
 */
export class JsonFields {
  // Private by type: `#fields` take 1 ms of the process that verifies one file, as V8 has no fast path to them before it optimises.
  private readonly members: JsonObject
  private readonly name: Name
  private readonly code: ErrorCode

  /** @param name what the object is called in messages, such as `bundle.verificationMaterial` */
  constructor(value: JsonValue | undefined, name: Name, code: ErrorCode) {
    if (!isJsonObject(value)) throw new DecodingError(code, `${textOf(name)} should be an object, found ${kindOf(value)}`)
    this.members = value
    this.name = name
    this.code = code
  }

  /** What the object is called in messages. */
  get path(): string {
    return textOf(this.name)
  }

  /** The path of a field, for messages of checks made elsewhere. */
  pathOf(name: string): string {
    // Names of annotations and the like come from anybody; those of formats are short and plain.
    return `${this.path}.${/^[\w$.:/@+-]{1,80}(?:\[\d{1,6}\])?$/.test(name) ? name : excerpt(name)}`
  }

  /** An error about this object, in the format's own code. */
  invalid(message: string, cause?: unknown): DecodingError {
    return new DecodingError(this.code, message, { cause })
  }

  /** Refuses fields that the format does not have. */
  only(...names: readonly string[]): this {
    for (const name of Object.keys(this.members)) {
      if (!names.includes(name)) throw this.invalid(`${this.path} has an unknown field ${excerpt(name)}`)
    }
    return this
  }

  /** Refuses fields that are one of these but for case: Go's reader takes such a field for that one, and of two the later. */
  spelled(...names: readonly string[]): this {
    for (const name of Object.keys(this.members)) {
      const meant = names.includes(name) ? undefined : names.find((one) => foldCase(one) === foldCase(name))
      if (meant !== undefined) throw this.invalid(`${this.path} has ${excerpt(name)}, which some programs take for ${meant}`)
    }
    return this
  }

  has(name: string): boolean {
    const value = this.members[name]
    return value !== undefined && value !== null
  }

  /** Every member that is not null. */
  entries(): [string, JsonValue][] {
    const members: [string, JsonValue][] = []
    for (const [name, value] of Object.entries(this.members)) if (value !== undefined && value !== null) members.push([name, value])
    return members
  }

  /** The value as parsed; undefined when absent or null. */
  raw(name: string): JsonValue | undefined {
    return this.members[name] ?? undefined
  }

  optionalString(name: string): string | undefined {
    const value = this.raw(name)
    if (value === undefined || typeof value === 'string') return value
    throw this.wrong(name, 'a string', value)
  }

  string(name: string): string {
    return this.optionalString(name) ?? this.missing(name)
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.raw(name)
    if (value === undefined || typeof value === 'boolean') return value
    throw this.wrong(name, 'true or false', value)
  }

  /** Bytes as strict base64; proto3 JSON leaves an empty value out, so an absent field and `""` are both undefined. */
  optionalBytes(name: string): Uint8Array | undefined {
    const text = this.optionalString(name)
    return text === undefined || text === '' ? undefined : this.decodeBase64(text, name)
  }

  /** Strict base64 found at `name`, with the format's own error code. */
  decodeBase64(text: string, name: string): Uint8Array {
    try {
      return decodeBase64(text, () => this.pathOf(name))
    } catch (cause) {
      throw this.invalid(messageOf(cause), cause)
    }
  }

  bytes(name: string): Uint8Array {
    return this.optionalBytes(name) ?? this.missing(name)
  }

  /** A signed 64-bit integer: a decimal string, as proto3 JSON writes it, or a JSON integer. */
  optionalInt64(name: string): bigint | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    const integer = typeof value === 'string' ? parseDecimal(value) : value
    if (typeof integer === 'bigint' && BigInt.asIntN(64, integer) === integer) return integer
    throw this.wrong(name, 'a 64-bit integer', value)
  }

  int64(name: string): bigint {
    return this.optionalInt64(name) ?? this.missing(name)
  }

  optionalObject(name: string): JsonFields | undefined {
    return this.has(name) ? new JsonFields(this.members[name], () => this.pathOf(name), this.code) : undefined
  }

  object(name: string): JsonFields {
    return this.optionalObject(name) ?? this.missing(name)
  }

  /** The elements of an array; an absent one is empty, as proto3 JSON has it. */
  array(name: string, maxLength: number): readonly JsonValue[] {
    const value = this.raw(name)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw this.wrong(name, 'an array', value)
    if (value.length > maxLength) {
      throw this.invalid(`${this.pathOf(name)} has ${value.length} elements, more than the limit of ${maxLength}`)
    }
    return value
  }

  /** An array of objects. */
  objects(name: string, maxLength: number): JsonFields[] {
    return this.array(name, maxLength).map((value, index) => new JsonFields(value, () => `${this.pathOf(name)}[${index}]`, this.code))
  }

  private missing(name: string): never {
    throw this.invalid(`${this.pathOf(name)} is missing`)
  }

  private wrong(name: string, expected: string, found: JsonValue): DecodingError {
    return this.invalid(`${this.pathOf(name)} should be ${expected}, found ${kindOf(found)}`)
  }
}

/** Go folds as Unicode does: the long s and the sign for kelvin are letters, too. */
function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase()
}

function kindOf(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string') return `the string ${excerpt(value, 30)}`
  if (typeof value === 'bigint') return 'an integer beyond ±(2^53 - 1)'
  return typeof value === 'object' ? 'an object' : `${value}`
}
