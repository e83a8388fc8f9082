/** PKCS#11 URIs (RFC 7512), as far as they name a key of a token. */
import path from 'node:path'
import { decodeUtf8, excerpt } from '../encoding/bytes.ts'
import { DecodingError, messageOf, UsageError } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import type { Environment } from '../http/environment.ts'

/** What a token must be called, as far as the URI says. */
export interface TokenNames {
  readonly label?: string | undefined
  readonly manufacturer?: string | undefined
  readonly model?: string | undefined
  readonly serial?: string | undefined
  readonly slotId?: number | undefined
}

/** What a key must be called: one of both at least. */
export interface KeyNames {
  readonly id?: Uint8Array | undefined
  readonly label?: string | undefined
}

export interface Pkcs11Uri {
  readonly token: TokenNames
  readonly key: KeyNames
  /** The absolute path of the library. */
  readonly modulePath: string
  readonly pin: string | undefined
  /** The URI without its query, which may hold the PIN: for messages. */
  readonly name: string
}

const pathAttributes: ReadonlySet<string> = new Set(['token', 'manufacturer', 'model', 'serial', 'slot-id', 'id', 'object', 'type'])
const queryAttributes: ReadonlySet<string> = new Set(['module-path', 'pin-value'])
const maxUriLength = 8 * 1024

/**
 * Parses a URI. The library is that of `module-path`, or COSIGN_PKCS11_MODULE_PATH.
 * @throws UsageError USAGE; attributes that are not known here are refused, as they might have named another key
 */
export function parsePkcs11Uri(text: string, env: Environment): Pkcs11Uri {
  const [name = '', query = '', ...others] = text.slice(0, maxUriLength + 1).split('?')
  if (text.length > maxUriLength) throw new UsageError('USAGE', `the PKCS#11 URI is longer than the limit of ${maxUriLength} characters`)
  // "?" may stand in the values of the query.
  const rest = [query, ...others].join('?')
  // A PIN in the wrong place is one all the same.
  const shown = excerpt(name.replaceAll(/\b(pin-[a-z]+=)[^;]*/g, '$1…'), 120)
  const invalid = (reason: string): UsageError => new UsageError('USAGE', `invalid uri ${shown}: ${reason}`)
  if (!name.startsWith('pkcs11:')) throw invalid('expected pkcs11:token=…;id=…?module-path=…')
  const attributes = readAttributes(name.slice('pkcs11:'.length), ';', pathAttributes, invalid)
  const queries = readAttributes(rest, /[&;]/, queryAttributes, invalid)
  const textOf = (values: ReadonlyMap<string, Uint8Array>, attribute: string): string | undefined => {
    const value = values.get(attribute)
    try {
      return value === undefined || value.length === 0 ? undefined : decodeUtf8(value, attribute)
    } catch (cause) {
      if (cause instanceof DecodingError) throw invalid(cause.message)
      throw cause
    }
  }
  const token = {
    label: textOf(attributes, 'token'),
    manufacturer: textOf(attributes, 'manufacturer'),
    model: textOf(attributes, 'model'),
    serial: textOf(attributes, 'serial'),
    slotId: readSlotId(textOf(attributes, 'slot-id'), invalid),
  }
  const id = attributes.get('id')
  const key = { id: id?.length === 0 ? undefined : id, label: textOf(attributes, 'object') }
  const type = textOf(attributes, 'type')
  if (token.label === undefined && token.slotId === undefined && token.serial === undefined)
    throw invalid('one of token and slot-id must be set')
  if (key.id === undefined && key.label === undefined) throw invalid('one of object and id must be set')
  if (type !== undefined && type !== 'private' && type !== 'public') throw invalid(`expected the type private, found ${excerpt(type, 20)}`)
  const modulePath = textOf(queries, 'module-path') ?? variableOf(env, 'COSIGN_PKCS11_MODULE_PATH')
  if (modulePath === undefined || !path.isAbsolute(modulePath))
    throw invalid('module-path or COSIGN_PKCS11_MODULE_PATH must be set to the absolute path of the PKCS11 module')
  return { token, key, modulePath, pin: textOf(queries, 'pin-value'), name }
}

/** The URI of a key, without a PIN. Everything that another reader might take for syntax is percent-encoded. */
export function formatPkcs11Uri(token: TokenNames, key: KeyNames, modulePath: string): string {
  const attributes = [
    token.label === undefined || token.label === '' ? '' : `token=${encodeURIComponent(token.label)}`,
    token.slotId === undefined ? '' : `slot-id=${token.slotId}`,
    key.id === undefined ? '' : `id=${Array.from(key.id, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
    key.label === undefined ? '' : `object=${encodeURIComponent(key.label)}`,
  ]
  const module = modulePath.split('/').map(encodeURIComponent).join('/')
  return `pkcs11:${attributes.filter((attribute) => attribute !== '').join(';')}?module-path=${module}`
}

function readAttributes(
  text: string,
  separator: string | RegExp,
  known: ReadonlySet<string>,
  invalid: (reason: string) => UsageError,
): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>()
  for (const part of text.split(separator)) {
    if (part === '') continue
    const end = part.indexOf('=')
    const attribute = end < 0 ? part : part.slice(0, end)
    if (end < 0 || !known.has(attribute))
      throw invalid(`the attribute ${excerpt(attribute, 40)} is not supported, only ${[...known].join(', ')}`)
    if (attributes.has(attribute)) throw invalid(`${attribute} stands twice`)
    try {
      attributes.set(attribute, percentDecode(part.slice(end + 1)))
    } catch (cause) {
      throw invalid(`${attribute}: ${messageOf(cause)}`)
    }
  }
  return attributes
}

/** RFC 3986 section 2.1. Bytes, as identifiers are; "+" is itself. */
function percentDecode(text: string): Uint8Array {
  if (!/^(?:[^%]|%[0-9A-Fa-f]{2})*$/.test(text)) throw new UsageError('USAGE', 'a "%" should be followed by two hexadecimal digits')
  const pieces = text.split(/(%[0-9A-Fa-f]{2})/)
  return Buffer.concat(pieces.map((piece, at) => (at % 2 === 1 ? Buffer.from(piece.slice(1), 'hex') : Buffer.from(piece, 'utf8'))))
}

function readSlotId(text: string | undefined, invalid: (reason: string) => UsageError): number | undefined {
  if (text === undefined) return undefined
  if (!/^[0-9]{1,15}$/.test(text)) throw invalid(`slot-id ${excerpt(text, 20)} is not a valid number`)
  return Number(text)
}
