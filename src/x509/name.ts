/** Distinguished names as text, for messages and reports. Names are compared as bytes or by `name-match`, never as this text. */
import { DerReader } from '../encoding/der.ts'
import * as tag from '../encoding/universal-tag.ts'
import { asBuffer } from '../encoding/bytes.ts'

/** The attributes in their order, `O=sigstore.dev, CN=sigstore`; empty for an empty name. */
export function formatName(name: Uint8Array): string {
  const shortNames: Readonly<Record<string, string>> = {
    '2.5.4.3': 'CN',
    '2.5.4.6': 'C',
    '2.5.4.7': 'L',
    '2.5.4.8': 'ST',
    '2.5.4.10': 'O',
    '2.5.4.11': 'OU',
  }
  return readAttributes(name)
    .map(({ type, text }) => `${shortNames[type] ?? type}=${text}`)
    .join(', ')
}

/** The first common name and organization; undefined for what the name does not have. */
export function describeName(name: Uint8Array): { readonly commonName: string | undefined; readonly organization: string | undefined } {
  const attributes = readAttributes(name)
  const find = (type: string): string | undefined => attributes.find((attribute) => attribute.type === type)?.text
  return { commonName: find('2.5.4.3'), organization: find('2.5.4.10') }
}

interface NameAttribute {
  /** An object identifier. */
  readonly type: string
  /** Safe to print. */
  readonly text: string
}

function readAttributes(name: Uint8Array): NameAttribute[] {
  const found: NameAttribute[] = []
  const reader = new DerReader(name, 'a name').sequence('a name')
  while (!reader.done) {
    const attributes = reader.set('a relative name')
    while (!attributes.done) {
      const attribute = attributes.sequence('an attribute')
      const type = attribute.oid('the type')
      const value = attribute.any('the value')
      found.push({ type, text: printable(value.tag, value.content) })
    }
  }
  return found
}

function printable(identifier: number, content: Uint8Array): string {
  const isText = identifier === tag.utf8String || identifier === tag.printableString || identifier === tag.ia5String
  const text = isText ? asBuffer(content).toString('utf8') : `#${asBuffer(content).toString('hex')}`
  // Untrusted text goes to terminals: no control characters.
  return text.replaceAll(/\p{C}/gu, '?')
}
