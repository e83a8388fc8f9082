/**
 * What cosign 1 and 2 wrote instead of bundles: the local bundle of `--bundle`, and signature, certificate and timestamp
 * in files of their own, each in any of several encodings.
 */
import { Buffer } from 'node:buffer'
import { asBuffer, encodeUtf8, excerpt, withoutByteOrderMark } from '../encoding/bytes.ts'
import { decodeHex } from '../encoding/hex.ts'
import type { JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parsePem } from '../encoding/pem.ts'
import { DecodingError, messageOf } from '../error.ts'
import type { LogEntry } from './signed-entity.ts'

/** cosign's local bundle. */
export interface LegacyBundle {
  /** The signature, or for attestations the DSSE envelope as JSON. */
  readonly signature: Uint8Array
  /** DER of the signing certificate. */
  readonly certificate: Uint8Array | undefined
  /**
   * Whether the certificate's place holds a public key, as cosign before 3.1.3 wrote it for signatures with a key. That
   * key came from whoever made the bundle: it must never be what the signature is checked with (GHSA-fx35-mq7g-6g98).
   */
  readonly holdsPublicKey: boolean
  readonly logEntry: LogEntry | undefined
}

const maxFileBytes = 16 * 1024 * 1024

/** Whether a parsed JSON value looks like cosign's local bundle. */
export function claimsToBeLegacyBundle(value: JsonValue): boolean {
  return isJsonObject(value) && value['base64Signature'] !== undefined
}

/**
 * Reads cosign's local bundle: `{"base64Signature":…,"cert":…,"rekorBundle":{"SignedEntryTimestamp":…,"Payload":{…}}}`.
 * @throws DecodingError BUNDLE_INVALID
 */
export function readLegacyBundle(value: JsonValue): LegacyBundle {
  const bundle = new JsonFields(value, 'bundle', 'BUNDLE_INVALID')
  bundle.only('base64Signature', 'cert', 'rekorBundle')
  const signature = bundle.bytes('base64Signature')
  const certificateText = bundle.optionalString('cert') ?? ''
  const certificate = certificateText === '' ? undefined : parseCertificateOrKey(encodeUtf8(certificateText), 'bundle.cert')
  const rekorBundle = bundle.optionalObject('rekorBundle')
  return {
    signature,
    certificate: certificate?.kind === 'certificate' ? certificate.der : undefined,
    holdsPublicKey: certificate?.kind === 'public-key',
    logEntry: rekorBundle === undefined ? undefined : readRekorBundle(rekorBundle),
  }
}

/** The Rekor part of a local bundle or of the annotation `dev.sigstore.cosign/bundle`. */
export function readRekorBundle(bundle: JsonFields): LogEntry {
  bundle.only('SignedEntryTimestamp', 'Payload')
  const payload = bundle.object('Payload').only('body', 'integratedTime', 'logIndex', 'logID')
  const body = payload.bytes('body')
  return {
    logIndex: payload.int64('logIndex'),
    logId: decodeHex(payload.string('logID'), payload.pathOf('logID')),
    ...kindVersionOf(body),
    integratedTime: payload.int64('integratedTime'),
    signedEntryTimestamp: bundle.bytes('SignedEntryTimestamp'),
    inclusionProof: undefined,
    body,
  }
}

/** A signature file: the raw signature, or base64 of it with or without a line break. */
export function parseSignatureFile(contents: Uint8Array): Uint8Array {
  if (contents.length === 0) throw new DecodingError('BUNDLE_INVALID', 'the signature is empty')
  if (contents.length > maxFileBytes)
    throw new DecodingError('TOO_LARGE', `the signature is ${contents.length} bytes long, more than the limit of ${maxFileBytes}`)
  return decodeIfBase64(withoutByteOrderMark(contents)) ?? contents
}

/**
 * A certificate file: PEM, base64 of PEM, DER, or base64 of DER. Of several PEM blocks the first is the signer's.
 * @param what names the file in error messages
 * @returns DER of the certificates, in the file's order
 * @throws DecodingError CERTIFICATE_INVALID
 */
export function parseCertificateFile(contents: Uint8Array, what: string): Uint8Array[] {
  if (contents.length > maxFileBytes)
    throw new DecodingError('TOO_LARGE', `${what} is ${contents.length} bytes long, more than the limit of ${maxFileBytes}`)
  const text = withoutByteOrderMark(contents)
  const decoded = decodeIfBase64(text) ?? text
  if (decoded[0] === 0x30) return [decoded]
  const blocks = parsePem(asBuffer(decoded).toString('latin1'), what)
  return blocks.map(({ label, der }) => {
    if (label !== 'CERTIFICATE')
      throw new DecodingError('CERTIFICATE_INVALID', `${what} holds a ${excerpt(label)} where a CERTIFICATE was expected`)
    return der
  })
}

/** `{"SignedRFC3161Timestamp":"<base64>"}`, or the DER itself. */
export function parseTimestampFile(contents: Uint8Array): Uint8Array {
  if (contents[0] === 0x30) return contents
  const file = new JsonFields(parseJson(contents, 'the RFC 3161 timestamp'), 'timestamp', 'TIMESTAMP_INVALID')
  return file.only('SignedRFC3161Timestamp').bytes('SignedRFC3161Timestamp')
}

function parseCertificateOrKey(
  contents: Uint8Array,
  what: string,
): { readonly kind: 'certificate' | 'public-key'; readonly der: Uint8Array } {
  const decoded = decodeIfBase64(contents) ?? contents
  if (decoded[0] === 0x30) return { kind: 'certificate', der: decoded }
  try {
    const [block] = parsePem(asBuffer(decoded).toString('latin1'), what)
    if (block?.label === 'CERTIFICATE') return { kind: 'certificate', der: block.der }
    if (block?.label === 'PUBLIC KEY') return { kind: 'public-key', der: block.der }
    throw new DecodingError('BUNDLE_INVALID', `${what} holds a ${excerpt(block?.label ?? '')} where a CERTIFICATE was expected`)
  } catch (cause) {
    if (cause instanceof DecodingError && cause.code === 'BUNDLE_INVALID') throw cause
    throw new DecodingError('BUNDLE_INVALID', `${what} is not a certificate: ${messageOf(cause)}`, { cause })
  }
}

/** Kind and version as the body states them: a local bundle has them nowhere else. */
function kindVersionOf(body: Uint8Array): { readonly kind: string; readonly version: string } {
  const entry = new JsonFields(parseJson(body, 'the log entry'), 'entry', 'LOG_ENTRY_INVALID')
  return { kind: entry.string('kind'), version: entry.string('apiVersion') }
}

/** Standard base64, with white space at the ends and line breaks within allowed; undefined for anything else. */
function decodeIfBase64(contents: Uint8Array): Uint8Array | undefined {
  const text = asBuffer(contents)
    .toString('latin1')
    .replaceAll(/[\r\n]/g, '')
    .trim()
  if (text === '') return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
