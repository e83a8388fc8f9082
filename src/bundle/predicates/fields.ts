/** What the readers of predicates look at again and again. Every message begins with the path: `predicate.builder.id should be …`. */
import { excerpt } from '../../encoding/bytes.ts'
import type { JsonFields } from '../../encoding/json-fields.ts'

/** How many elements a list may have: as many as a JSON text may have values. */
const maxElements = 8_000_000

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Checks that the fields are strings, where they are there. */
export function checkStrings(fields: JsonFields, ...names: readonly string[]): void {
  for (const name of names) fields.optionalString(name)
}

/** Checks that the fields are objects, where they are there. */
export function checkObjects(fields: JsonFields, ...names: readonly string[]): void {
  for (const name of names) fields.optionalObject(name)
}

/** Checks that the fields are times as RFC 3339 has them, to any fraction of a second, where they are there. */
export function checkTimes(fields: JsonFields, ...names: readonly string[]): void {
  for (const name of names) {
    const text = fields.optionalString(name)
    if (text === undefined || (rfc3339.test(text) && isDay(text.slice(0, 10)))) continue
    throw fields.invalid(`${fields.pathOf(name)} should be a time such as 2026-01-31T12:00:00Z (RFC 3339), found ${excerpt(text, 40)}`)
  }
}

/** Checks that the fields are there. */
export function checkPresent(fields: JsonFields, ...names: readonly string[]): void {
  for (const name of names) if (!fields.has(name)) throw fields.invalid(`${fields.pathOf(name)} is missing`)
}

/** Checks that a field is a list of strings, where it is there. */
export function checkStringList(fields: JsonFields, name: string): void {
  for (const [index, element] of fields.array(name, maxElements).entries()) {
    if (typeof element !== 'string') throw fields.invalid(`${fields.pathOf(name)}[${index}] should be a string`)
  }
}

/** Checks that a field is an object of strings, such as the digests of an artifact, where it is there. */
export function checkStringMap(fields: JsonFields, name: string): void {
  const map = fields.optionalObject(name)
  for (const [key] of map?.entries() ?? []) map?.string(key)
}

/** The objects of a list; an absent list has none. */
export function listOf(fields: JsonFields, name: string): JsonFields[] {
  return fields.objects(name, maxElements)
}

/** Checks a list of in-toto resource descriptors, where it is there. Bytes are not decoded. */
export function checkResourceDescriptors(fields: JsonFields, name: string): void {
  for (const descriptor of listOf(fields, name)) {
    checkStrings(descriptor, 'name', 'uri', 'content', 'downloadLocation', 'mediaType')
    checkStringMap(descriptor, 'digest')
    checkObjects(descriptor, 'annotations')
  }
}

/** Whether a month has that day. */
function isDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}
