/** Digests as registries write them: `sha256:` and hex (OCI image specification, "Descriptors"). */
import { createDigest, digest } from '../crypto/digest.ts'
import { decodeHex, encodeHex } from '../encoding/hex.ts'
import type { ErrorCode } from '../error.ts'
import { DecodingError, TransportError } from '../error.ts'
import { equalBytes, excerpt } from '../encoding/bytes.ts'

/** An algorithm that registries use and that is worth trusting. */
export type ContentAlgorithm = 'sha256' | 'sha384' | 'sha512'

const patterns: Readonly<Record<ContentAlgorithm, RegExp>> = {
  sha256: /^sha256:[0-9a-f]{64}$/,
  sha384: /^sha384:[0-9a-f]{96}$/,
  sha512: /^sha512:[0-9a-f]{128}$/,
}

/** Whether the text is a digest of an algorithm that is supported, lower-case hex. */
export function isDigest(text: string): boolean {
  return algorithmOf(text) !== undefined
}

/** @throws DecodingError in the code given, saying what was found at `what` */
export function checkDigest(text: string, what: string, code: ErrorCode): string {
  if (isDigest(text)) return text
  throw new DecodingError(code, `${what} should be a digest like sha256:<64 hex digits>, found ${excerpt(text)}`)
}

/** The two halves of a digest; undefined for what is none. */
export function splitDigest(text: string): { readonly algorithm: ContentAlgorithm; readonly value: Uint8Array } | undefined {
  const algorithm = algorithmOf(text)
  return algorithm === undefined ? undefined : { algorithm, value: decodeHex(text.slice(algorithm.length + 1), 'the digest') }
}

function algorithmOf(text: string): ContentAlgorithm | undefined {
  const algorithm = text.slice(0, text.indexOf(':'))
  if (algorithm !== 'sha256' && algorithm !== 'sha384' && algorithm !== 'sha512') return undefined
  return patterns[algorithm].test(text) ? algorithm : undefined
}

/** The digest of content. */
export function contentDigest(bytes: Uint8Array): string {
  return `sha256:${encodeHex(digest('sha256', bytes))}`
}

/**
 * Content that must have this digest.
 * @param from names where it came from
 * @throws TransportError CONTENT_MISMATCH
 */
export function checkContent(bytes: Uint8Array, expected: string, from: string): Uint8Array {
  const wanted = splitDigest(expected)
  if (wanted === undefined || !equalBytes(digest(wanted.algorithm, bytes), wanted.value)) throw mismatch(expected, from)
  return bytes
}

/**
 * Passes content on, of which every byte but the last is passed on before the digest is known: whoever takes it must not use it
 * before the end.
 * @param size how long it must be, in bytes
 * @throws TransportError CONTENT_MISMATCH at the end, or as soon as there is more than `size`
 */
export async function* checkedContent(
  chunks: AsyncIterable<Uint8Array>,
  { digest: expected, size }: { readonly digest: string; readonly size: number },
  from: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const wanted = splitDigest(expected)
  const state = createDigest(wanted?.algorithm ?? 'sha256')
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > size) throw mismatch(expected, from, `more than the ${size} bytes that it should have`)
    state.update(chunk)
    yield chunk
  }
  if (length !== size) throw mismatch(expected, from, `${length} bytes instead of ${size}`)
  if (wanted === undefined || !equalBytes(state.finish(), wanted.value)) throw mismatch(expected, from)
}

function mismatch(expected: string, from: string, found = 'something else'): TransportError {
  return new TransportError(
    'CONTENT_MISMATCH',
    `${from} gave ${found} for the content with the digest ${expected}, so nothing of it is used`,
  )
}
