/** Whether distinguished names are the same, however their text is encoded, spelled and spaced (RFC 5280 section 7.1, RFC 4518). */
import { isUtf8 } from 'node:buffer'
import { asBuffer, equalBytes } from '../encoding/bytes.ts'
import type { DerElement } from '../encoding/der.ts'
import { parseDerSequence } from '../encoding/der.ts'
import * as tag from '../encoding/universal-tag.ts'

/** An attribute of a relative name. */
interface Attribute {
  /** An object identifier. */
  readonly type: string
  readonly value: DerElement
  /** The text that it is compared by, once it was needed: one name is compared with many. */
  readonly prepared: { [Doubt in InDoubt]?: { readonly text: string | undefined } }
}

/** Longer ones cannot be compared: to normalise a text of nothing but marks takes time with the square of its length. */
const maxTextLength = 1024

/** Names that were read. Each is compared with every subtree of its form. */
const read = new WeakMap<Uint8Array, Attribute[][]>()

/** What is held of values that cannot be compared, such as text in an encoding of old: that they are the same, or that they are not. */
export type InDoubt = 'same' | 'different'

/**
 * Whether a name begins with the relative names of another, and so lies within the subtree below that one. In doubt they are the same also
 * where the name has further attributes beside those.
 * @throws DecodingError DER_INVALID
 */
export function isNameWithin(name: Uint8Array, base: Uint8Array, inDoubt: InDoubt): boolean {
  const relativeNames = readName(name)
  return readName(base).every((relative, index) => {
    const found = relativeNames[index]
    return found !== undefined && isSameRelativeName(found, relative, inDoubt)
  })
}

function readName(name: Uint8Array): Attribute[][] {
  const known = read.get(name)
  if (known !== undefined) return known
  const reader = parseDerSequence(name, 'a name')
  const relativeNames: Attribute[][] = []
  while (!reader.done) {
    const relative = reader.set('a relative name')
    const attributes: Attribute[] = []
    while (!relative.done) {
      const attribute = relative.sequence('an attribute')
      attributes.push({ type: attribute.oid('the type'), value: attribute.any('the value'), prepared: {} })
      attribute.end()
    }
    relativeNames.push(attributes)
  }
  read.set(name, relativeNames)
  return relativeNames
}

function isSameRelativeName(name: readonly Attribute[], base: readonly Attribute[], inDoubt: InDoubt): boolean {
  const holds = (all: readonly Attribute[], those: readonly Attribute[]): boolean =>
    those.every((one) => all.some((other) => other.type === one.type && isSameValue(other, one, inDoubt)))
  return holds(name, base) && (inDoubt === 'same' || (name.length === base.length && holds(base, name)))
}

function isSameValue(a: Attribute, b: Attribute, inDoubt: InDoubt): boolean {
  if (equalBytes(a.value.bytes, b.value.bytes)) return true
  const [text, other] = [textOf(a, inDoubt), textOf(b, inDoubt)]
  return text === undefined || other === undefined ? inDoubt === 'same' : text === other
}

function textOf({ value, prepared }: Attribute, inDoubt: InDoubt): string | undefined {
  prepared[inDoubt] ??= { text: preparedText(value, inDoubt) }
  return prepared[inDoubt].text
}

/**
 * The text as it is compared: without what is not seen, in one case, with one space where there are any (RFC 4518 section 2). Undefined
 * for what may not be compared: bytes of another kind, and characters that are not assigned or that mean what somebody says they mean.
 */
function preparedText(value: DerElement, inDoubt: InDoubt): string | undefined {
  const written = decodedText(value)
  if (written === undefined || written.length > maxTextLength) return undefined
  const mapped = written
    // Expressions with Unicode properties are made here and not in the module: few certificates need them.
    .replaceAll(/[\t\n\v\f\r\u0085\p{Z}]/gu, ' ')
    .replaceAll(inDoubt === 'same' ? /\p{Default_Ignorable_Code_Point}/gu : /\u034F|[\u180B-\u180D]|[\uFE00-\uFE0F]/gu, '')
    .replaceAll(/[\p{Cc}\p{Cf}\u1806\uFFFC]/gu, '')
    .normalize('NFKC')
  if (/[\p{Co}\p{Cn}\uFFFD]/u.test(mapped)) return undefined
  // Some letters differ in lower case and are the same in capitals, by the tables or by what some programs do: that is a doubt.
  const folded = inDoubt === 'same' ? mapped.toLowerCase().toUpperCase() : mapped.toLowerCase()
  // A space that something is combined with is none.
  return folded
    .normalize('NFKC')
    .replaceAll(/ +(?!\p{M})/gu, ' ')
    .replaceAll(/^ (?!\p{M})| $/gu, '')
}

/** The text of the kinds that every implementation compares; older ones are compared as bytes, which RFC 5280 allows. */
function decodedText({ tag: kind, content }: DerElement): string | undefined {
  if (kind === tag.utf8String) return isUtf8(content) ? asBuffer(content).toString('utf8') : undefined
  const isAscii = (kind === tag.printableString || kind === tag.ia5String) && content.every((octet) => octet < 0x80)
  return isAscii ? asBuffer(content).toString('latin1') : undefined
}
