/** Trusted roots of media types v0.1, v0.2 and the old spelling: proto3 JSON, strictly. */
import { asBuffer, encodeUtf8, excerpt } from '../encoding/bytes.ts'
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { DecodingError } from '../error.ts'
import type { TimeWindow } from './time-window.ts'
import { readTimeWindow } from './time-window.ts'

/** A trusted root as its file states it. Keys and certificates are not parsed yet. */
export interface TrustedRoot {
  readonly mediaType: string
  readonly transparencyLogs: readonly LogInstance[]
  readonly certificateTransparencyLogs: readonly LogInstance[]
  readonly certificateAuthorities: readonly AuthorityInstance[]
  readonly timestampAuthorities: readonly AuthorityInstance[]
}

export interface LogInstance {
  readonly baseUrl: string
  readonly keyBytes: Uint8Array
  /** PublicKeyDetails, such as `PKIX_ED25519`. */
  readonly keyDetails: string
  readonly window: TimeWindow
  readonly logId: Uint8Array
  /** The key ID of the log's checkpoints, where it is stated. */
  readonly checkpointKeyId: Uint8Array | undefined
  readonly operator: string
}

export interface AuthorityInstance {
  readonly uri: string
  /** DER, leaf side first; the last one is the anchor. */
  readonly certificates: readonly Uint8Array[]
  readonly window: TimeWindow
  readonly operator: string
}

export const trustedRootMediaTypes = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
] as const

const maxRootBytes = 4 * 1024 * 1024
/** Of several in a file. */
const maxRoots = 16
const maxInstances = 256
const maxChain = 16

/**
 * Parses a trusted root.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, TRUSTED_ROOT_INVALID
 */
export function parseTrustedRoot(input: Uint8Array | string): TrustedRoot {
  return readTrustedRoot(parseJson(input, 'the trusted root', { maxBytes: maxRootBytes }))
}

/**
 * The trusted roots of a file that has several, one a line; undefined for a file that is one document, or none.
 * @throws DecodingError TOO_LARGE
 */
export function trustedRootLines(input: Uint8Array | string): readonly Uint8Array[] | undefined {
  const bytes = typeof input === 'string' ? encodeUtf8(input) : input
  // A character for each byte, so that the places are the same.
  const text = asBuffer(bytes).toString('latin1')
  const lines: Uint8Array[] = []
  for (let start = 0, end; start < text.length; start = end + 1) {
    const lineFeed = text.indexOf('\n', start)
    end = lineFeed < 0 ? text.length : lineFeed
    const line = text.slice(start, end).trim()
    if (line === '') continue
    // No document has two lines that are objects: there would have to be something between them.
    if (!line.startsWith('{') || !line.endsWith('}')) return undefined
    lines.push(bytes.subarray(start, end))
    if (lines.length > maxRoots) throw new DecodingError('TOO_LARGE', `the file has more than ${maxRoots} trusted roots, one a line`)
  }
  return lines.length > 1 ? lines : undefined
}

/**
 * Reads a trusted root that is part of another document.
 * @param path what it is called in messages
 * @throws DecodingError TRUSTED_ROOT_INVALID
 */
export function readTrustedRoot(json: JsonValue | undefined, path = 'trustedRoot'): TrustedRoot {
  const root = new JsonFields(json, path, 'TRUSTED_ROOT_INVALID')
  const mediaType = root.string('mediaType')
  if (!trustedRootMediaTypes.some((known) => known === mediaType)) {
    throw root.invalid(
      `${root.pathOf('mediaType')} should be that of a trusted root of version 0.1 or 0.2, found ${excerpt(mediaType, 80)}`,
    )
  }
  root.only('mediaType', 'tlogs', 'certificateAuthorities', 'ctlogs', 'timestampAuthorities')
  return {
    mediaType,
    transparencyLogs: root.objects('tlogs', maxInstances).map(readLog),
    certificateTransparencyLogs: root.objects('ctlogs', maxInstances).map(readLog),
    certificateAuthorities: root.objects('certificateAuthorities', maxInstances).map(readAuthority),
    timestampAuthorities: root.objects('timestampAuthorities', maxInstances).map(readAuthority),
  }
}

function readLog(log: JsonFields): LogInstance {
  log.only('baseUrl', 'hashAlgorithm', 'publicKey', 'logId', 'checkpointKeyId', 'operator')
  const hashAlgorithm = log.string('hashAlgorithm')
  if (hashAlgorithm !== 'SHA2_256') throw log.invalid(`${log.pathOf('hashAlgorithm')} should be SHA2_256, found ${excerpt(hashAlgorithm)}`)
  const key = log.object('publicKey').only('rawBytes', 'keyDetails', 'validFor')
  return {
    baseUrl: log.optionalString('baseUrl') ?? '',
    keyBytes: key.bytes('rawBytes'),
    keyDetails: key.string('keyDetails'),
    window: readTimeWindow(key.optionalObject('validFor'), key, 'required'),
    logId: log.object('logId').only('keyId').bytes('keyId'),
    checkpointKeyId: log.optionalObject('checkpointKeyId')?.only('keyId').bytes('keyId'),
    operator: log.optionalString('operator') ?? '',
  }
}

function readAuthority(authority: JsonFields): AuthorityInstance {
  authority.only('subject', 'uri', 'certChain', 'validFor', 'operator')
  authority.optionalObject('subject')?.only('organization', 'commonName')
  const chain = authority.object('certChain').only('certificates')
  const certificates = chain.objects('certificates', maxChain).map((certificate) => certificate.only('rawBytes').bytes('rawBytes'))
  if (certificates.length === 0) throw chain.invalid(`${chain.path} holds no certificate`)
  return {
    uri: authority.optionalString('uri') ?? '',
    certificates,
    window: readTimeWindow(authority.optionalObject('validFor'), authority, 'optional'),
    operator: authority.optionalString('operator') ?? '',
  }
}
