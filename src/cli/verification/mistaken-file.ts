/** What a file is that was given for another one. Loaded only when it could not be used. */
import { asBuffer } from '../../encoding/bytes.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { DecodingError } from '../../error.ts'

/** A document that people have beside each other in one folder. */
interface DocumentKind {
  readonly name: string
  /** What it is for, where that helps. */
  readonly hint?: string
  is(document: JsonObject): boolean
}

const kinds: readonly DocumentKind[] = [
  { name: 'a Sigstore bundle', is: hasMediaType('bundle') },
  { name: 'a local bundle of cosign 1 or 2', is: (document) => typeof document['base64Signature'] === 'string' },
  { name: 'a trusted root', hint: 'give it with --trusted-root', is: hasMediaType('trustedroot') },
  { name: 'a signing config', hint: 'which says what to sign with, and not whom to trust', is: hasMediaType('signingconfig') },
  { name: 'a client trust config', hint: 'which has a trusted root in it', is: hasMediaType('clienttrustconfig') },
  { name: 'a DSSE envelope', is: (document) => typeof document['payloadType'] === 'string' && Array.isArray(document['signatures']) },
  { name: 'an in-toto statement', is: ({ _type: type }) => typeof type === 'string' && type.startsWith('https://in-toto.io/Statement/') },
  { name: 'TUF metadata', is: ({ signed }) => isJsonObject(signed) && typeof signed['_type'] === 'string' },
]

/** Of one that is longer, nothing is said. */
const maxBytes = 4 * 1024 * 1024

/**
 * Says what was expected and what was found.
 * @param expected all that would have done, the usual one first
 * @returns undefined for what is not known, and for what is of a kind that was expected, and broken
 */
export function describeMistake(contents: Uint8Array, ...expected: readonly string[]): string | undefined {
  const document = contents.length > maxBytes ? undefined : (readObject(contents) ?? readObject(firstLine(contents)))
  const found = document === undefined ? undefined : kinds.find((kind) => kind.is(document))
  if (found === undefined || expected.includes(found.name)) return undefined
  return `expected ${expected[0]}, found ${found.name}${found.hint === undefined ? '' : ` (${found.hint})`}`
}

function hasMediaType(name: string): DocumentKind['is'] {
  const start = `application/vnd.dev.sigstore.${name}`
  return ({ mediaType }) => typeof mediaType === 'string' && (mediaType.startsWith(`${start}.`) || mediaType.startsWith(`${start}+`))
}

function readObject(contents: Uint8Array): JsonObject | undefined {
  try {
    const json = parseJson(contents, 'the file')
    return isJsonObject(json) ? json : undefined
  } catch (error) {
    if (error instanceof DecodingError) return undefined
    throw error
  }
}

/** Files with a document a line are of one kind. */
function firstLine(contents: Uint8Array): Uint8Array {
  const end = asBuffer(contents).indexOf('\n')
  return end === -1 ? contents : contents.subarray(0, end)
}
