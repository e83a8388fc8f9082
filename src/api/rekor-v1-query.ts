/** Questions to a Rekor v1 log: `POST /api/v1/log/entries/retrieve` and `POST /api/v1/index/retrieve`, both ways. */
import { encodeBase64 } from '../encoding/base64.ts'
import { excerpt } from '../encoding/bytes.ts'
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { DecodingError } from '../error.ts'
import type { EntryId } from './rekor-v1.ts'
import { parseEntryId } from './rekor-v1.ts'
import type { ProposedEntry } from './rekor-v1-proposal.ts'
import { isSupportedProposal, proposedEntryJson, readProposedEntry } from './rekor-v1-proposal.ts'

/** Where entries are retrieved and the index is searched, below the log's base URL. Both are asked with POST. */
export const rekorV1RetrievePath = '/api/v1/log/entries/retrieve'
export const rekorV1IndexPath = '/api/v1/index/retrieve'

/** How many entries may be retrieved at a time. */
export const maxRetrievedEntries = 10

/** Entries to be retrieved, however they are named. */
export interface RetrieveQuery {
  readonly entryIds: readonly EntryId[]
  /** Virtual indices. */
  readonly logIndexes: readonly bigint[]
  /** Entries as they would be proposed. Those of kinds that no log of ours can hold are left out: nothing matches them. */
  readonly entries: readonly ProposedEntry[]
  /** How many were asked for in all. */
  readonly count: number
}

/** Terms that entries are searched by; at least one. */
export interface IndexQuery {
  readonly email?: string
  /** Any subject alternative name, compared without case. */
  readonly subject?: string
  /** Such as `sha256:<hex>`, lower case, with its algorithm. */
  readonly hash?: string
  /** PEM of a certificate or public key. */
  readonly publicKey?: Uint8Array
  readonly operator: 'and' | 'or'
}

const maxIndexQueryBytes = 256 * 1024
/** Lists longer than this are not even counted; the log refuses far fewer. */
const maxListed = 1000

/**
 * Parses the request to retrieve entries.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, REQUEST_INVALID
 */
export function parseRetrieveQuery(body: Uint8Array, maxBytes: number): RetrieveQuery {
  const json = parseJson(body, 'the request', { maxBytes, maxValues: 5_000 })
  const query = new JsonFields(json, 'request', 'REQUEST_INVALID').only('entryUUIDs', 'logIndexes', 'entries')
  const ids = query.array('entryUUIDs', maxListed)
  const indexes = query.array('logIndexes', maxListed)
  const proposals = query.array('entries', maxListed)
  return {
    entryIds: ids.map((value, at) => {
      if (typeof value !== 'string') throw query.invalid(`request.entryUUIDs[${at}] should be a string`)
      return parseEntryId(value)
    }),
    logIndexes: indexes.map((value, at) => readIndex(query, value, at)),
    entries: proposals.filter(isSupportedProposal).map((value, at) => readProposedEntry(value, `request.entries[${at}]`)),
    count: ids.length + indexes.length + proposals.length,
  }
}

/** The JSON of a request to retrieve entries, at most 10 in all. */
export function encodeRetrieveQuery(query: {
  readonly entryIds?: readonly string[]
  readonly logIndexes?: readonly bigint[]
  readonly entries?: readonly ProposedEntry[]
}): string {
  return JSON.stringify({
    ...(query.entries === undefined ? {} : { entries: query.entries.map(proposedEntryJson) }),
    ...(query.entryIds === undefined ? {} : { entryUUIDs: query.entryIds }),
    ...(query.logIndexes === undefined ? {} : { logIndexes: query.logIndexes.map(Number) }),
  })
}

/**
 * Parses the request to search the index. A key is given as its content: one given by URL is never fetched, but refused.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, REQUEST_INVALID
 */
export function parseIndexQuery(body: Uint8Array): IndexQuery {
  const json = parseJson(body, 'the request', { maxBytes: maxIndexQueryBytes, maxValues: 256 })
  const query = new JsonFields(json, 'request', 'REQUEST_INVALID').only('email', 'subject', 'hash', 'publicKey', 'operator')
  const operator = query.optionalString('operator') ?? 'or'
  if (operator !== 'and' && operator !== 'or') throw query.invalid(`request.operator should be and or or, found ${excerpt(operator, 30)}`)
  const email = bounded(query, 'email')
  const subject = bounded(query, 'subject')
  const hash = readHash(query)
  const publicKey = readPublicKey(query)
  return {
    ...(email === undefined ? {} : { email }),
    ...(subject === undefined ? {} : { subject }),
    ...(hash === undefined ? {} : { hash }),
    ...(publicKey === undefined ? {} : { publicKey }),
    operator,
  }
}

/** The JSON of a request to search the index. */
export function encodeIndexQuery({ publicKey, ...rest }: IndexQuery): string {
  return JSON.stringify({
    ...rest,
    ...(publicKey === undefined ? {} : { publicKey: { format: 'x509', content: encodeBase64(publicKey) } }),
  })
}

/** Parses the answer of the index: entry IDs. @throws DecodingError JSON_INVALID, TOO_LARGE, LOG_ENTRY_INVALID */
export function parseIndexAnswer(body: Uint8Array): string[] {
  const json = parseJson(body, "the log's answer", { maxBytes: 16 * 1024 * 1024 })
  if (!Array.isArray(json)) throw new DecodingError('LOG_ENTRY_INVALID', "the log's answer should be an array")
  return json.map((value) => {
    if (typeof value !== 'string' || !/^[0-9a-fA-F]{64,80}$/.test(value))
      throw new DecodingError('LOG_ENTRY_INVALID', "the log's answer should be an array of entry IDs")
    return value
  })
}

function readIndex(query: JsonFields, value: JsonValue, at: number): bigint {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw query.invalid(`request.logIndexes[${at}] should be an integer from 0`)
  return BigInt(value)
}

function bounded(query: JsonFields, name: string): string | undefined {
  const text = query.optionalString(name)
  if (text !== undefined && (text.length === 0 || text.length > 512))
    throw query.invalid(`${query.pathOf(name)} should have 1 to 512 characters, found ${text.length}`)
  return text
}

const digestNames = new Map([
  [40, 'sha1'],
  [64, 'sha256'],
  [128, 'sha512'],
])

/** `sha256:<hex>`, or the digits alone, whose number says which digest it is. */
function readHash(query: JsonFields): string | undefined {
  const text = query.optionalString('hash')
  if (text === undefined) return undefined
  const [, prefix, digits = ''] = /^(?:(sha1|sha256|sha512):)?([0-9a-fA-F]{1,128})$/.exec(text) ?? []
  const name = digestNames.get(digits.length)
  if (name === undefined || (prefix !== undefined && prefix !== name))
    throw query.invalid(`request.hash should be a sha1, sha256 or sha512 digest in hexadecimal, found ${excerpt(text)}`)
  return `${name}:${digits.toLowerCase()}`
}

function readPublicKey(query: JsonFields): Uint8Array | undefined {
  const key = query.optionalObject('publicKey')
  if (key === undefined) return undefined
  if (key.has('url')) throw key.invalid('request.publicKey.url is not supported: keys are not fetched, give the key itself as content')
  key.only('format', 'content')
  const format = key.string('format')
  if (format !== 'x509') throw key.invalid(`the PKI format requested is not supported by this server: ${excerpt(format, 30)}, only x509 is`)
  return key.bytes('content')
}
