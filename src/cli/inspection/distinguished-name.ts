/**
 * Distinguished names in the text form of Go's `pkix.Name`, which cosign prints: attributes grouped by kind, in a fixed
 * order whatever their order in the certificate.
 */
import { asBuffer } from '../../encoding/bytes.ts'
import { DerReader } from '../../encoding/der.ts'
import * as tag from '../../encoding/universal-tag.ts'
import { derElement } from '../../encoding/der-writer.ts'
import { encodeHex } from '../../encoding/hex.ts'

/** A name, with the parts that are shown by themselves. */
export interface DistinguishedName {
  /** Empty for an empty name. */
  readonly text: string
  /** The last one, if there are several. */
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly countries: readonly string[]
}

interface Attribute {
  readonly type: string
  /** The value; undefined when it is not of a type of text. */
  readonly text: string | undefined
  /** The value as a whole element. */
  readonly bytes: Uint8Array
}

const commonNameType = '2.5.4.3'
const serialNumberType = '2.5.4.5'
const countryType = '2.5.4.6'
const organizationType = '2.5.4.10'

/** The kinds that have a name, in the order in which they are printed. */
const kinds: readonly (readonly [type: string, name: string])[] = [
  [serialNumberType, 'SERIALNUMBER'],
  [commonNameType, 'CN'],
  ['2.5.4.11', 'OU'],
  [organizationType, 'O'],
  ['2.5.4.17', 'POSTALCODE'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  [countryType, 'C'],
]
const namedTypes = new Set(kinds.map(([type]) => type))

/** Of these kinds, only the last attribute counts. */
const singleTypes = new Set([commonNameType, serialNumberType])
const numericString = 0x12
const printableText = /^[A-Za-z0-9 '()+,\-./:=?]*$/

/**
 * Reads a Name.
 * @param name the whole element
 * @throws DecodingError DER_INVALID
 */
export function describeName(name: Uint8Array): DistinguishedName {
  const attributes = readAttributes(name)
  const valuesOf = (type: string): string[] =>
    attributes.filter((attribute) => attribute.type === type).map(({ text, bytes }) => text ?? `#${encodeHex(bytes)}`)
  const parts: string[] = []
  for (const [type, short] of kinds) {
    const values = singleTypes.has(type)
      ? valuesOf(type)
          .slice(-1)
          .filter((value) => value !== '')
      : valuesOf(type)
    if (values.length > 0) parts.push(values.map((value) => `${short}=${escapeValue(value)}`).join('+'))
  }
  const others = attributes.filter(({ type }) => !namedTypes.has(type)).toReversed()
  parts.push(...others.map(({ type, text, bytes }) => `${type}=#${encodeHex(text === undefined ? bytes : encodeValue(text))}`))
  return {
    text: parts.join(','),
    commonName: valuesOf(commonNameType).at(-1) ?? '',
    organizations: valuesOf(organizationType),
    countries: valuesOf(countryType),
  }
}

function readAttributes(name: Uint8Array): Attribute[] {
  const attributes: Attribute[] = []
  const outer = new DerReader(name, 'the name')
  const sets = outer.sequence('the name')
  while (!sets.done) {
    const set = sets.set('a relative name')
    while (!set.done) {
      const attribute = set.sequence('an attribute')
      const type = attribute.oid('the type')
      const { tag: kind, content, bytes } = attribute.any('the value')
      attribute.end()
      attributes.push({ type, text: decodeValue(kind, content), bytes })
    }
  }
  outer.end()
  return attributes
}

function decodeValue(kind: number, content: Uint8Array): string | undefined {
  switch (kind) {
    case tag.utf8String:
      return asBuffer(content).toString('utf8')
    case tag.printableString:
    case tag.ia5String:
    case tag.teletexString:
    case numericString:
      return asBuffer(content).toString('latin1')
    case tag.bmpString:
      return decodeBmp(content)
    default:
      return undefined
  }
}

/** Two bytes a character, the high one first. */
function decodeBmp(content: Uint8Array): string | undefined {
  return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : undefined
}

/** RFC 2253 section 2.4. */
function escapeValue(value: string): string {
  return value.replaceAll(/[,+"\\<>;]|^[ #]| $/g, String.raw`\$&`)
}

/** What Go's encoder makes of a text: PrintableString where that is possible. */
function encodeValue(text: string): Uint8Array {
  return derElement(printableText.test(text) ? tag.printableString : tag.utf8String, Buffer.from(text))
}
