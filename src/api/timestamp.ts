/**
 * The contract of a timestamp authority: TimeStampReq and TimeStampResp (RFC 3161 sections 2.4.1 and 2.4.2), and the JSON form
 * of the request that Sigstore's authorities take too.
 */
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts'
import { asBuffer, excerpt } from '../encoding/bytes.ts'
import type { DerReader } from '../encoding/der.ts'
import { parseDerSequence } from '../encoding/der.ts'
import * as tag from '../encoding/universal-tag.ts'
import {
  derBoolean,
  derElement,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
} from '../encoding/der-writer.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parseJson } from '../encoding/json.ts'
import { encodeOid } from '../encoding/oid.ts'
import { DecodingError, messageOf } from '../error.ts'
import { parseAlgorithmIdentifier } from '../x509/certificate.ts'
import * as oid from '../x509/object-identifiers.ts'

/** The digests that requests name. SHA-1 is read, so that it can be refused by name. */
export type RequestDigest = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** What a client asks to be stamped. */
export interface TimestampRequest {
  /** The digest is of any length here: whether it fits the algorithm is for the authority to say. */
  readonly imprint: { readonly algorithm: RequestDigest; readonly digest: Uint8Array }
  /** Whether the token should bring the authority's certificate along. */
  readonly certReq: boolean
  /** The content of an INTEGER of up to 128 bytes, which the token repeats. */
  readonly nonce?: Uint8Array | undefined
  /** Object identifier of the policy to stamp under. */
  readonly policy?: string | undefined
  /** Object identifiers of the extensions that the request has. */
  readonly extensions?: readonly string[] | undefined
}

/** What an authority answers. */
export type TimestampReply =
  | {
      readonly status: 'granted'
      /** The token: a ContentInfo, DER. */
      readonly token: Uint8Array
    }
  | {
      readonly status: 'rejected'
      /** PKIStatus, 2 for a plain refusal. */
      readonly code: number
      /** What the authority says about it. */
      readonly text: string
      /** Numbers of the bits in PKIFailureInfo, such as 0 for `badAlg`. */
      readonly failures: readonly number[]
    }

/** Media types of request and answer (RFC 3161 section 3.4). */
export const timestampQueryType = 'application/timestamp-query'
export const timestampReplyType = 'application/timestamp-reply'

/** Largest JSON request, in bytes. */
const maxTimestampJsonBytes = 1024

const maxQueryBytes = 1024 * 1024
const maxReplyBytes = 128 * 1024
const maxNonceBytes = 128
const maxExtensions = 16
const maxStatusTexts = 8

const digestOids: Readonly<Record<RequestDigest, string>> = { sha1: oid.sha1, sha256: oid.sha256, sha384: oid.sha384, sha512: oid.sha512 }
const digestNames: Readonly<Record<string, RequestDigest>> = {
  [oid.sha1]: 'sha1',
  [oid.sha256]: 'sha256',
  [oid.sha384]: 'sha384',
  [oid.sha512]: 'sha512',
}

/** Writes a TimeStampReq, DER. Extensions are not written. */
export function encodeTimestampRequest({ imprint, certReq, nonce, policy }: TimestampRequest): Uint8Array {
  return derSequence(
    derInteger(1),
    derSequence(derSequence(derOid(digestOids[imprint.algorithm]), derNull()), derOctetString(imprint.digest)),
    ...(policy === undefined ? [] : [derOid(policy)]),
    ...(nonce === undefined ? [] : [derElement(tag.integer, nonce)]),
    // X.690 section 11.5: false is the default, which DER leaves out.
    ...(certReq ? [derBoolean(true)] : []),
  )
}

/**
 * Parses a TimeStampReq of up to 1 MiB.
 * @throws DecodingError TOO_LARGE, DER_INVALID, REQUEST_INVALID
 */
export function parseTimestampRequest(der: Uint8Array): TimestampRequest {
  if (der.length > maxQueryBytes) throw tooLarge(der.length, maxQueryBytes)
  const request = parseDerSequence(der, 'the timestamp request')
  const version = request.smallInteger('version')
  if (version !== 1) throw invalid(`the timestamp request has version ${version}, expected 1`)
  const imprint = parseImprint(request.sequence('messageImprint'))
  const policy = request.peekTag() === tag.oid ? request.oid('reqPolicy') : undefined
  const nonce = request.peekTag() === tag.integer ? request.integerBytes('nonce') : undefined
  if (nonce !== undefined) checkNonce(nonce)
  const certReq = parseCertReq(request)
  const extensions = parseExtensions(request.context(0, 'extensions'))
  request.end()
  return { imprint, certReq, nonce, policy, extensions }
}

/** Writes the JSON form of a request. @throws DecodingError REQUEST_INVALID for a negative nonce */
export function encodeTimestampJson({ imprint, certReq, nonce, policy }: TimestampRequest): string {
  const members = [
    `"artifactHash":${JSON.stringify(encodeBase64(imprint.digest))}`,
    `"hashAlgorithm":${JSON.stringify(imprint.algorithm)}`,
    ...(certReq ? ['"certificates":true'] : []),
    // A JSON number of any size, which JSON.stringify has no notion of.
    ...(nonce === undefined ? [] : [`"nonce":${nonceNumber(nonce)}`]),
    ...(policy === undefined ? [] : [`"tsaPolicyOID":${JSON.stringify(policy)}`]),
  ]
  return `{${members.join(',')}}`
}

/**
 * Parses the JSON form of a request, of up to 1,024 bytes. Members that it does not know are passed over.
 * @throws DecodingError TOO_LARGE, JSON_INVALID, REQUEST_INVALID
 */
export function parseTimestampJson(json: Uint8Array): TimestampRequest {
  // All of it is bounded, since the time to read a number grows with the square of its digits.
  if (json.length > maxTimestampJsonBytes) throw tooLarge(json.length, maxTimestampJsonBytes)
  const limits = { maxBytes: maxTimestampJsonBytes, maxDepth: 2, maxValues: 64, integers: 'exact' } as const
  const fields = new JsonFields(parseJson(json, 'the timestamp request', limits), 'request', 'REQUEST_INVALID')
  const name = fields.string('hashAlgorithm')
  const algorithm = Object.values(digestNames).find((known) => known === name.toLowerCase())
  if (algorithm === undefined) throw invalid(`hashAlgorithm should be sha256, sha384 or sha512, found ${excerpt(name)}`)
  return {
    imprint: { algorithm, digest: decodeHash(fields) },
    certReq: fields.optionalBoolean('certificates') ?? false,
    nonce: readNonce(fields),
    policy: readPolicy(fields),
    extensions: [],
  }
}

/** Writes a TimeStampResp, DER. */
export function encodeTimestampReply(reply: TimestampReply): Uint8Array {
  if (reply.status === 'granted') return derSequence(granted, reply.token)
  const { code, text, failures } = reply
  const statusString = text === '' ? [] : [derSequence(derUtf8String(text))]
  const failInfo = failures.length === 0 ? [] : [derNamedBits(...failures)]
  return derSequence(derSequence(derInteger(code), ...statusString, ...failInfo))
}

const granted = derSequence(derInteger(0))

/**
 * Parses a TimeStampResp of up to 128 KiB. The token is not looked into: that is `parseTimestampResponse` in `x509/`.
 * @throws DecodingError TOO_LARGE, DER_INVALID, TIMESTAMP_INVALID
 */
export function parseTimestampReply(der: Uint8Array): TimestampReply {
  if (der.length > maxReplyBytes) throw tooLarge(der.length, maxReplyBytes)
  const response = parseDerSequence(der, 'the timestamp response')
  const status = response.sequence('status')
  const code = status.smallInteger('status')
  const text = status.peekTag() === tag.sequence ? parseStatusString(status.sequence('statusString')) : ''
  const bits = status.peekTag() === tag.bitString ? status.namedBits('failInfo') : []
  status.end()
  const token = response.optional(tag.sequence, 'timeStampToken')
  response.end()
  // RFC 3161 section 2.4.2: a token comes with granted and grantedWithMods, and with nothing else.
  const isGranted = code === 0 || code === 1
  if (isGranted !== (token !== undefined)) {
    throw new DecodingError(
      'TIMESTAMP_INVALID',
      `the timestamp response has status ${code} ${token === undefined ? 'without' : 'with'} a token`,
    )
  }
  if (token !== undefined) return { status: 'granted', token: token.bytes }
  return { status: 'rejected', code, text, failures: bits.flatMap((isSet, bit) => (isSet ? [bit] : [])) }
}

/** The content of the INTEGER for a nonce. */
export function timestampNonce(value: bigint): Uint8Array {
  const reader = parseDerSequence(derSequence(derInteger(value)), 'the nonce')
  return reader.integerBytes('the nonce')
}

function parseImprint(imprint: DerReader): TimestampRequest['imprint'] {
  const { oid: algorithmOid, parameters } = parseAlgorithmIdentifier(imprint.sequence('hashAlgorithm'))
  const algorithm = Object.hasOwn(digestNames, algorithmOid) ? digestNames[algorithmOid] : undefined
  if (algorithm === undefined)
    throw invalid(`the timestamp request is of a digest with the algorithm ${excerpt(algorithmOid)}, expected SHA-256, SHA-384 or SHA-512`)
  // RFC 5754 section 2: NULL or absent.
  if (parameters !== undefined && !(parameters.length === 2 && parameters[0] === tag.null))
    throw invalid('the digest algorithm of the timestamp request has parameters that it should not have')
  const hashedMessage = imprint.octetString('hashedMessage')
  imprint.end()
  return { algorithm, digest: hashedMessage }
}

function parseCertReq(request: DerReader): boolean {
  if (request.peekTag() !== tag.boolean) return false
  if (!request.boolean('certReq')) throw invalid('the timestamp request spells out certReq FALSE, which DER leaves out')
  return true
}

function parseExtensions(list: DerReader | undefined): string[] {
  const extensions: string[] = []
  if (list === undefined) return extensions
  while (!list.done) {
    if (extensions.length === maxExtensions) throw invalid(`the timestamp request has more than ${maxExtensions} extensions`)
    const extension = list.sequence('an extension')
    extensions.push(extension.oid('extnID'))
    if (extension.peekTag() === tag.boolean) extension.boolean('critical')
    extension.octetString('extnValue')
    extension.end()
  }
  return extensions
}

/** PKIFreeText: one or more UTF8Strings. */
function parseStatusString(texts: DerReader): string {
  const parts: string[] = []
  while (!texts.done) {
    if (parts.length === maxStatusTexts) throw new DecodingError('TIMESTAMP_INVALID', `statusString has more than ${maxStatusTexts} texts`)
    parts.push(texts.utf8String('statusString'))
  }
  return parts.join(' ')
}

function decodeHash(fields: JsonFields): Uint8Array {
  const text = fields.string('artifactHash')
  try {
    return decodeBase64(text, 'artifactHash')
  } catch (cause) {
    throw invalid(messageOf(cause), cause)
  }
}

function readNonce(fields: JsonFields): Uint8Array | undefined {
  const value = fields.raw('nonce')
  if (value === undefined) return undefined
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value))) throw invalid('nonce should be an integer')
  const nonce = timestampNonce(BigInt(value))
  checkNonce(nonce)
  return nonce
}

/** GHSA-4qg8-fj49-pxjh: an identifier of any number of dots made another authority allocate without bound. */
function readPolicy(fields: JsonFields): string | undefined {
  const policy = fields.optionalString('tsaPolicyOID')
  if (policy === undefined || policy === '') return undefined
  try {
    encodeOid(policy)
  } catch (cause) {
    throw new DecodingError('REQUEST_INVALID', `tsaPolicyOID should be an object identifier, found ${excerpt(policy)}`, { cause })
  }
  return policy
}

function checkNonce(nonce: Uint8Array): void {
  if (nonce.length > maxNonceBytes)
    throw new DecodingError('TOO_LARGE', `the nonce is ${nonce.length} bytes long, more than the limit of ${maxNonceBytes}`)
}

function nonceNumber(nonce: Uint8Array): string {
  if ((nonce[0] ?? 0x80) >= 0x80) throw invalid('the nonce is negative or empty')
  return BigInt(`0x${asBuffer(nonce).toString('hex')}`).toString()
}

function tooLarge(found: number, limit: number): DecodingError {
  return new DecodingError('TOO_LARGE', `the timestamp message is ${found} bytes long, more than the limit of ${limit}`)
}

function invalid(message: string, cause?: unknown): DecodingError {
  return new DecodingError('REQUEST_INVALID', message, cause === undefined ? undefined : { cause })
}
