/** Hostile JSON: of no format, and a good document with one of its parts blown up. */
import type { HostileInput } from './hostile-input.ts'
import { hostileText, pemBlock, repeated } from './hostile-input.ts'

type Json = null | boolean | number | string | Json[] | { readonly [name: string]: Json }

/** JSON that fits no format. */
export const hostileJson: readonly HostileInput[] = [
  hostileText('JSON arrays in arrays', (size) => '['.repeat(size)),
  hostileText('JSON arrays in arrays, closed', (size) => '['.repeat(size / 2) + ']'.repeat(size / 2)),
  hostileText('JSON objects in objects', (size) => repeated('{"a":', size)),
  hostileText('JSON arrays 90 deep, many', (size) => `[${manyOf(size, () => '['.repeat(90) + ']'.repeat(90))}]`),
  hostileText('JSON empty objects', (size) => `[${manyOf(size, () => '{}')}]`),
  hostileText('JSON empty arrays', (size) => `[${manyOf(size, () => '[]')}]`),
  hostileText('JSON numbers', (size) => `[${manyOf(size, () => '1')}]`),
  hostileText('JSON number of many digits', (size) => '1'.repeat(size)),
  hostileText('JSON number of many fractional digits', (size) => `0.${'1'.repeat(size)}`),
  hostileText('JSON number of many exponent digits', (size) => `1e${'1'.repeat(size)}`),
  hostileText('JSON keys', (size) => `{${manyOf(size, (n) => `"k${n}":0`)}}`),
  hostileText('JSON keys that are numbers', (size) => `{${manyOf(size, (n) => `"${n * 104729}":0`)}}`),
  hostileText('JSON keys with one long beginning', (size) => `{${manyOf(size, (n) => `"${'a'.repeat(60)}${n}":0`)}}`),
  hostileText('JSON keys, the last one twice', (size) => `{${manyOf(size, (n) => `"k${n}":0`)},"k0":0}`),
  hostileText('JSON key named __proto__ in objects', (size) => `[${manyOf(size, () => '{"__proto__":{}}')}]`),
  hostileText('JSON string', (size) => `"${'a'.repeat(size)}"`),
  hostileText('JSON string without an end', (size) => `"${'a'.repeat(size)}`),
  hostileText('JSON string of escapes', (size) => `"${repeated(String.raw`\n`, size)}"`),
  hostileText('JSON string of code units', (size) => `"${repeated(String.raw`\u0041`, size - (size % 6))}"`),
  hostileText('JSON string of surrogates', (size) => `"${repeated(String.raw`\ud83d\ude00`, size - (size % 12))}"`),
  hostileText('JSON string of lone surrogates', (size) => `"${repeated(String.raw`\ud83d`, size - (size % 6))}"`),
  hostileText('JSON after blanks', (size) => `${' '.repeat(size)}{}`),
  hostileText('JSON strings of two-byte letters', (size) => `[${manyOf(size, () => '"éé"')}]`),
]

/**
 * The document again and again, each time with another of its parts blown up: a text made long in several ways, an array's
 * elements repeated, an object with many members that it should not have.
 */
export function blownUpJson(what: string, document: string): HostileInput[] {
  const root = JSON.parse(document) as Json
  return places(root, []).flatMap((path) =>
    waysToBlowUp(valueAt(root, path)).map(([way, blowUp]) =>
      hostileText(`${what}: ${path.join('.') || 'root'} ${way}`, (size) => JSON.stringify(replaceAt(root, path, blowUp(size)))),
    ),
  )
}

function waysToBlowUp(value: Json): readonly (readonly [string, (size: number) => Json])[] {
  if (typeof value === 'string') {
    return [
      ['is its own text, repeated', (size) => repeated(value === '' ? 'a' : value, size)],
      ['is long base64', (size) => repeated('QUFB', size - (size % 4))],
      ['is base64 of DER in DER', (size) => base64(Buffer.alloc((size * 3) / 4, Buffer.from([0x30, 0x80])))],
      ['is base64 of PEM', (size) => base64(Buffer.from(repeated(pemBlock('CERTIFICATE', 'MAA='), (size * 3) / 4)))],
      ['is base64 of JSON in JSON', (size) => base64(Buffer.from('['.repeat((size * 3) / 4)))],
      ['is lines', (size) => repeated('a\n\n', size)],
      ['is digits', (size) => '1'.repeat(size)],
    ]
  }
  if (Array.isArray(value)) {
    const [element = null] = value
    const length = JSON.stringify(element).length + 1
    return [
      ['has its first element repeated', (size) => Array.from<Json>({ length: Math.ceil(size / length) }).fill(element)],
      ['has empty objects', (size) => Array.from({ length: size / 3 }, () => ({}))],
      ['has numbers', (size) => Array.from<Json>({ length: size / 2 }).fill(0)],
    ]
  }
  if (typeof value === 'object' && value !== null) {
    return [
      [
        'has unknown members',
        (size) => ({ ...value, ...Object.fromEntries(Array.from({ length: size / 12 }, (_, n) => [`unknown${n}`, 0])) }),
      ],
    ]
  }
  return [['is a text', (size) => '1'.repeat(size)]]
}

type Path = readonly (string | number)[]

/** Every place in a document, the root first. Of an array only the first element: the others are of the same kind. */
function places(value: Json, path: Path): Path[] {
  if (Array.isArray(value)) {
    const [first] = value
    return first === undefined ? [path] : [path, ...places(first, [...path, 0])]
  }
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, member]) => places(member, [...path, name]))]
}

function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((at, step) => (at as { readonly [name: string | number]: Json })[step] ?? null, value)
}

function replaceAt(value: Json, [step, ...rest]: Path, replacement: Json): Json {
  if (step === undefined) return replacement
  if (Array.isArray(value)) return value.map((element, index) => (index === step ? replaceAt(element, rest, replacement) : element))
  const members = value as { readonly [name: string]: Json }
  return { ...members, [step]: replaceAt(members[step] ?? null, rest, replacement) }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}

function manyOf(size: number, one: (index: number) => string): string {
  const parts: string[] = []
  for (let length = 0; length < size; length += (parts.at(-1)?.length ?? 0) + 1) parts.push(one(parts.length))
  return parts.join(',')
}
