/** JSON documents one after the other, with or without white space between them. */
import { asBuffer, encodeUtf8 } from './bytes.ts'
import { DecodingError } from '../error.ts'

const maxDocuments = 10_000

/**
 * Splits objects that follow each other. Each is to be parsed by whoever wants it; here only its end is found.
 * @returns the bytes of each
 * @throws DecodingError JSON_INVALID for what is no object, and for one that does not end
 */
export function splitJsonObjects(input: Uint8Array, what: string): Uint8Array[] {
  const text = asBuffer(input)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
  const documents: Uint8Array[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    if (text[at] !== '{') throw new DecodingError('JSON_INVALID', `${what} should hold JSON objects, one after the other`)
    if (documents.length >= maxDocuments) throw new DecodingError('JSON_INVALID', `${what} holds more than ${maxDocuments} JSON objects`)
    const end = endOfObject(text, at)
    if (end === undefined) throw new DecodingError('JSON_INVALID', `${what} ends within a JSON object`)
    documents.push(encodeUtf8(text.slice(at, end)))
    at = end
  }
  return documents
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++
  return at
}

function endOfObject(text: string, from: number): number | undefined {
  let depth = 0
  let isString = false
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (isString) {
      if (character === '\\') at++
      else if (character === '"') isString = false
    } else if (character === '"') isString = true
    else if (character === '{') depth++
    else if (character === '}' && --depth === 0) return at + 1
  }
  return undefined
}
