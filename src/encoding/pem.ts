/** PEM text (RFC 7468): labelled base64 blocks. */
import { DecodingError } from '../error.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { excerpt } from './bytes.ts'

/** One block: its label, such as `CERTIFICATE`, and the bytes it holds. */
export interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

/** No file this product reads holds more: a chain, a key, a bundle of CA certificates. */
const maxBlocks = 256
const maxCharacters = 4 * 1024 * 1024

/**
 * Reads every block of a PEM text. Text outside blocks is allowed where RFC 7468 allows it (explanatory text); inside a
 * block only base64 lines are, so an old encrypted key with RFC 1421 headers is refused.
 * @param what names the text in error messages
 * @throws DecodingError PEM_INVALID when a block is broken, or there is none; TOO_LARGE over 4 Mi characters
 */
export function parsePem(text: string, what: string): PemBlock[] {
  if (text.length > maxCharacters) {
    throw new DecodingError('TOO_LARGE', `${what} is ${text.length} characters long, more than the limit of ${maxCharacters} for PEM`)
  }
  const blocks: PemBlock[] = []
  let label: string | undefined
  let body: string[] = []
  for (const line of text.split('\n')) {
    const trimmed = trimBlanks(line)
    const found = parseBoundary(trimmed, what)
    if (label === undefined) {
      if (found === undefined) continue
      if (found.kind === 'END') throw invalid(what, `an END line without its BEGIN: ${excerpt(trimmed)}`)
      label = found.label
      body = []
    } else if (found === undefined) {
      body.push(trimmed)
    } else {
      if (found.kind === 'BEGIN' || found.label !== label) {
        throw invalid(what, `${excerpt(trimmed)} where "-----END ${label}-----" was expected`)
      }
      if (blocks.length === maxBlocks) throw invalid(what, `more than ${maxBlocks} blocks`)
      blocks.push({ label, der: decodeBody(body.join(''), label, what) })
      label = undefined
    }
  }
  if (label !== undefined) throw invalid(what, `no "-----END ${label}-----" line`)
  if (blocks.length === 0) throw new DecodingError('PEM_INVALID', `${what} holds no PEM block ("-----BEGIN …-----")`)
  return blocks
}

/** Writes one block with 64 characters a line and a final newline. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function parseBoundary(line: string, what: string): { readonly kind: string; readonly label: string } | undefined {
  if (!line.startsWith('-----')) return undefined
  const [, kind, label] = /^-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,63})-----$/.exec(line) ?? []
  if (kind !== undefined && label !== undefined) return { kind, label }
  // A block must not be passed over for explanatory text because of a slip in its boundary.
  if (/^-----(?:BEGIN|END)\b/.test(line)) throw invalid(what, `a boundary line that is not well-formed: ${excerpt(line)}`)
  return undefined
}

/** Only the blanks that RFC 7468 knows: `trim` would also take a no-break space or a byte order mark. */
function trimBlanks(line: string): string {
  let from = 0
  let to = line.length
  while (from < to && isBlank(line.charCodeAt(from))) from++
  while (from < to && isBlank(line.charCodeAt(to - 1))) to--
  return line.slice(from, to)
}

/** Tab, line feed, vertical tab, form feed, carriage return, space. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

function decodeBody(body: string, label: string, what: string): Uint8Array {
  if (body.length === 0) throw invalid(what, `an empty ${label} block`)
  if (body.includes(':')) throw invalid(what, `a ${label} block with headers (RFC 1421), as old encrypted keys have them`)
  try {
    return decodeBase64(body, `the ${label} block`)
  } catch (cause) {
    throw new DecodingError('PEM_INVALID', `${what} holds a ${label} block that is not base64`, { cause })
  }
}

function invalid(what: string, found: string): DecodingError {
  return new DecodingError('PEM_INVALID', `${what} is not valid PEM: found ${found}`)
}
