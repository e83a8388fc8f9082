/** GeneralName of RFC 5280 section 4.2.1.6: the names in a subject alternative name. */
import { DerReader } from '../encoding/der.ts'
import { contextTag } from '../encoding/der-tag.ts'
import * as tag from '../encoding/universal-tag.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { encodeHex } from '../encoding/hex.ts'
import { DecodingError } from '../error.ts'
import * as oid from './object-identifiers.ts'

/** A name that can identify a signer, or `other` for kinds that cannot. */
export interface GeneralName {
  readonly kind: 'email' | 'uri' | 'username' | 'dns' | 'ip' | 'other'
  /** The text; for `other`, the identifier octet in hexadecimal. */
  readonly value: string
}

const maxNames = 64

/**
 * Parses GeneralNames, the value of the subject alternative name extension.
 * @throws DecodingError DER_INVALID or CERTIFICATE_INVALID
 */
export function parseGeneralNames(der: Uint8Array): GeneralName[] {
  const outer = new DerReader(der, 'the subject alternative name')
  const reader = outer.sequence('the list of names')
  outer.end()
  const names: GeneralName[] = []
  while (!reader.done) {
    if (names.length === maxNames)
      throw new DecodingError('CERTIFICATE_INVALID', `the certificate has more than ${maxNames} subject alternative names`)
    names.push(parseGeneralName(reader))
  }
  if (names.length === 0) throw new DecodingError('CERTIFICATE_INVALID', 'the subject alternative name extension is empty')
  return names
}

function parseGeneralName(reader: DerReader): GeneralName {
  const element = reader.any('a name')
  switch (element.tag) {
    case contextTag(1, false):
      return { kind: 'email', value: ia5(element.content) }
    case contextTag(2, false):
      return { kind: 'dns', value: ia5(element.content) }
    case contextTag(6, false):
      return { kind: 'uri', value: ia5(element.content) }
    case contextTag(7, false):
      return { kind: 'ip', value: formatAddress(element.content) }
    case contextTag(0, true):
      return parseOtherName(element.content)
    default:
      return { kind: 'other', value: element.tag.toString(16) }
  }
}

function parseOtherName(content: Uint8Array): GeneralName {
  const reader = new DerReader(content, 'an otherName')
  const type = reader.oid('the type')
  const value = reader.context(0, 'the value')
  reader.end()
  if (value === undefined) throw new DecodingError('CERTIFICATE_INVALID', 'an otherName has no value')
  if (type !== oid.sigstoreOtherName || value.peekTag() !== tag.utf8String) return { kind: 'other', value: type }
  const text = value.utf8String('the user name')
  value.end()
  return { kind: 'username', value: text }
}

/** As Go's `net.IP` prints it: `192.0.2.1`, also where it is mapped into IPv6, and `2001:db8::1` (RFC 5952). */
function formatAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  if (octets.length !== 16)
    throw new DecodingError('CERTIFICATE_INVALID', `an IP address of a certificate has ${octets.length} bytes, 4 or 16 were expected`)
  const hex = encodeHex(octets)
  if (hex.startsWith('00000000000000000000ffff')) return octets.subarray(12).join('.')
  const groups = hex.match(/.{4}/g) ?? []
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}

/** IA5String: a NUL or a byte beyond ASCII in a name has fooled verifiers before, so neither passes. */
function ia5(content: Uint8Array): string {
  for (const byte of content) {
    if (byte >= 0x80 || byte < 0x20)
      throw new DecodingError('CERTIFICATE_INVALID', 'a subject alternative name holds a character that is not printable ASCII')
  }
  return decodeUtf8(content, 'a subject alternative name')
}
