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

const boundary = /^-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]*)-----$/

/**
 * Reads every block of a PEM text. Text outside blocks is allowed where RFC 7468 allows it (explanatory text); inside a
 * block only base64 lines are, so an old encrypted key with RFC 1421 headers is refused.
 * @param what names the text in error messages
 * @throws DecodingError PEM_INVALID when a block is broken, or there is none
 */
export function parsePem(text: string, what: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let label: string | undefined
  let body: string[] = []
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    const found = trimmed.startsWith('-----') ? boundary.exec(trimmed) : null
    if (label === undefined) {
      if (found === null) continue
      if (found[1] !== 'BEGIN') throw invalid(what, `an END line without its BEGIN: ${excerpt(trimmed)}`)
      label = found[2]
      body = []
      continue
    }
    if (found === null) {
      body.push(trimmed)
      continue
    }
    if (found[1] !== 'END' || found[2] !== label) {
      throw invalid(what, `${excerpt(trimmed)} where "-----END ${label}-----" was expected`)
    }
    if (blocks.length === maxBlocks) throw invalid(what, `more than ${maxBlocks} blocks`)
    blocks.push({ label, der: decodeBody(body.join(''), label, what) })
    label = undefined
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

function decodeBody(body: string, label: string, what: string): Uint8Array {
  if (body.length === 0) throw invalid(what, `an empty ${label} block`)
  try {
    return decodeBase64(body, `the ${label} block`)
  } catch (cause) {
    throw new DecodingError('PEM_INVALID', `${what} holds a ${label} block that is not base64`, { cause })
  }
}

function invalid(what: string, found: string): DecodingError {
  return new DecodingError('PEM_INVALID', `${what} is not valid PEM: found ${found}`)
}
