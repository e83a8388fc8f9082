/**
 * URIs in the names of certificates. Fulcio writes them as Go's `net/url` does, and policies compare them as texts, so a branch or a
 * workflow with a letter beyond ASCII has to be percent-encoded the same way here. Only the tiny subset with an authority and
 * without user information is supported.
 */
import { Buffer } from 'node:buffer'

export interface Uri {
  /** `https://host:port`, as it stands in the text. */
  readonly origin: string
  /** Percent-encoded where it has to be. */
  readonly text: string
}

const form = /^([a-z][a-z0-9+.-]*:\/\/(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(\/[^?#]*)?(\?[^#]*)?(#.*)?$/s
const control = /[\u0000-\u001f\u007f]/
const printable = /^[\u0021-\u007e]*$/
const brokenEscape = /%(?![0-9A-Fa-f]{2})/

/** What may stand in a path as it is, and what Go leaves alone when it encodes one itself; in a fragment a little more. */
const path = { valid: /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/, kept: /[A-Za-z0-9\-_.~$&+,/:;=@]/ }
const fragment = { valid: /^[A-Za-z0-9\-_.~$&+,/:;=@?!'()*[\]%]*$/, kept: /[A-Za-z0-9\-_.~$&+,/:;=@?!()*]/ }

/** Reads a URI. @returns undefined for what is none, or must not be certified */
export function parseUri(source: string): Uri | undefined {
  const [, origin, pathText = '', query = '', fragmentText = ''] = form.exec(source) ?? []
  if (origin === undefined || control.test(source) || brokenEscape.test(pathText + fragmentText)) return undefined
  const encodedFragment = fragmentText.length > 1 ? `#${encode(fragmentText.slice(1), fragment)}` : ''
  const text = `${origin}${encode(pathText, path)}${query}${encodedFragment}`
  // Queries are the one part that Go leaves as it is.
  return printable.test(text) ? { origin, text } : undefined
}

/** As it is if it is well-formed; otherwise decoded and encoded anew, whole. */
function encode(part: string, { valid, kept }: { readonly valid: RegExp; readonly kept: RegExp }): string {
  if (valid.test(part)) return part
  const decoded = Buffer.from(part, 'utf8')
    .toString('latin1')
    .replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  let encoded = ''
  for (const octet of decoded) {
    encoded += kept.test(octet) ? octet : `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
