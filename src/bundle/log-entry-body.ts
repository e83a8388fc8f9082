/**
 * The bodies of Rekor entries, by kind and version: hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.1 and 0.0.2,
 * rekord 0.0.1. What each says about the signature, the key and the artifact, in one shape.
 */
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { digestLength, protobufDigestAlgorithm } from '../crypto/digest.ts'
import { asBuffer, decodeUtf8, excerpt } from '../encoding/bytes.ts'
import { decodeHex } from '../encoding/hex.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parsePem } from '../encoding/pem.ts'
import { DecodingError } from '../error.ts'
import { signatureOfText } from './dsse.ts'

export interface LogEntryBody {
  readonly kind: 'hashedrekord' | 'dsse' | 'intoto' | 'rekord'
  readonly version: string
  /** Of the artifact (hashedrekord, rekord), of the envelope's payload (dsse, intoto 0.0.2) or of its JSON text (intoto 0.0.1). */
  readonly digest: { readonly algorithm: DigestAlgorithm; readonly value: Uint8Array }
  readonly signatures: readonly LogEntrySignature[]
}

export interface LogEntrySignature {
  /** Undefined in intoto 0.0.1, where it is in what the digest is of. */
  readonly signature: Uint8Array | undefined
  readonly verifier: LogEntryVerifier
}

/** The key that the log checked the signature with. */
export interface LogEntryVerifier {
  readonly kind: 'certificate' | 'public-key'
  /** DER of the certificate, or of the key: SPKI, or PKCS#1 where `isPkcs1`. */
  readonly der: Uint8Array
  readonly isPkcs1?: boolean
  /** PublicKeyDetails, in Rekor v2 entries. */
  readonly keyDetails?: string
}

const maxBodyBytes = 16 * 1024 * 1024
/** Signatures that an entry may have. */
export const maxEntrySignatures = 16

/** Whether an entry is of a Rekor v2 log, which gives no time of its own. */
export function isRekorV2(kind: string, version: string): boolean {
  return version === '0.0.2' && (kind === 'hashedrekord' || kind === 'dsse')
}

/**
 * Parses the canonical body of an entry.
 * @throws DecodingError JSON_INVALID, LOG_ENTRY_INVALID, TOO_LARGE; LOG_ENTRY_INVALID too for kinds that are not supported
 */
export function parseLogEntryBody(body: Uint8Array): LogEntryBody {
  const entry = new JsonFields(parseJson(body, 'the log entry', { maxBytes: maxBodyBytes }), 'entry', 'LOG_ENTRY_INVALID')
  entry.only('apiVersion', 'kind', 'spec')
  const kind = entry.string('kind')
  const version = entry.string('apiVersion')
  const spec = entry.object('spec')
  switch (`${kind} ${version}`) {
    case 'hashedrekord 0.0.1':
      return { kind: 'hashedrekord', version, ...readHashedRekordV001(spec) }
    case 'hashedrekord 0.0.2':
      return { kind: 'hashedrekord', version, ...readHashedRekordV002(spec.only('hashedRekordV002').object('hashedRekordV002')) }
    case 'dsse 0.0.1':
      return { kind: 'dsse', version, ...readDsseV001(spec) }
    case 'dsse 0.0.2':
      return { kind: 'dsse', version, ...readDsseV002(spec.only('dsseV002').object('dsseV002')) }
    case 'intoto 0.0.1':
      return { kind: 'intoto', version, ...readIntotoV001(spec) }
    case 'intoto 0.0.2':
      return { kind: 'intoto', version, ...readIntotoV002(spec) }
    case 'rekord 0.0.1':
      return { kind: 'rekord', version, ...readRekordV001(spec) }
    default:
      throw entry.invalid(`log entries of kind ${excerpt(kind)} version ${excerpt(version)} are not supported`)
  }
}

/**
 * The kind and version that the canonical body of an entry states, of whatever kind it is.
 * @throws DecodingError JSON_INVALID, LOG_ENTRY_INVALID, TOO_LARGE
 */
export function parseLogEntryKind(body: Uint8Array): { readonly kind: string; readonly version: string } {
  const entry = new JsonFields(parseJson(body, 'the log entry', { maxBytes: maxBodyBytes }), 'entry', 'LOG_ENTRY_INVALID')
  return { kind: entry.string('kind'), version: entry.string('apiVersion') }
}

type Content = Pick<LogEntryBody, 'digest' | 'signatures'>

function readHashedRekordV001(spec: JsonFields): Content {
  spec.only('data', 'signature')
  const signature = spec.object('signature').only('content', 'publicKey')
  const verifier = readPemVerifier(signature.object('publicKey').only('content'), 'content')
  return {
    digest: readHexDigest(spec.object('data').only('hash').object('hash')),
    signatures: [{ signature: signature.bytes('content'), verifier }],
  }
}

function readHashedRekordV002(spec: JsonFields): Content {
  spec.only('data', 'signature')
  return { digest: readProtobufDigest(spec.object('data')), signatures: [readProtobufSignature(spec.object('signature'))] }
}

function readDsseV001(spec: JsonFields): Content {
  spec.only('envelopeHash', 'payloadHash', 'signatures')
  readHexDigest(spec.object('envelopeHash'))
  const signatures = spec.objects('signatures', maxEntrySignatures).map((signature) => ({
    signature: signature.only('signature', 'verifier').bytes('signature'),
    verifier: readPemVerifier(signature, 'verifier'),
  }))
  return { digest: readHexDigest(spec.object('payloadHash')), signatures }
}

function readDsseV002(spec: JsonFields): Content {
  spec.only('payloadHash', 'signatures')
  return {
    digest: readProtobufDigest(spec.object('payloadHash')),
    signatures: spec.objects('signatures', maxEntrySignatures).map(readProtobufSignature),
  }
}

/** As cosign 1 logged attestations. The oldest entries have no hash of the payload, which that of the envelope covers. */
function readIntotoV001(spec: JsonFields): Content {
  const content = spec.only('content', 'publicKey').object('content').only('hash', 'payloadHash')
  const payloadHash = content.optionalObject('payloadHash')
  if (payloadHash !== undefined) readHexDigest(payloadHash)
  return {
    digest: readHexDigest(content.object('hash')),
    signatures: [{ signature: undefined, verifier: readPemVerifier(spec, 'publicKey') }],
  }
}

function readIntotoV002(spec: JsonFields): Content {
  const content = spec.only('content').object('content').only('envelope', 'hash', 'payloadHash')
  const envelope = content.object('envelope').only('payloadType', 'signatures', 'payload')
  const signatures = envelope.objects('signatures', maxEntrySignatures).map((signature) => {
    signature.only('keyid', 'publicKey', 'sig')
    // Rekor encodes a signature that already is base64 text once more.
    const text = asBuffer(signature.bytes('sig')).toString('latin1')
    return { signature: signatureOfText(signature, text), verifier: readPemVerifier(signature, 'publicKey') }
  })
  return { digest: readHexDigest(content.object('payloadHash')), signatures }
}

function readRekordV001(spec: JsonFields): Content {
  spec.only('data', 'signature')
  const signature = spec.object('signature').only('format', 'content', 'publicKey')
  const format = signature.string('format')
  if (format !== 'x509') throw signature.invalid(`rekord entries with signatures of format ${excerpt(format)} are not supported, only x509`)
  const verifier = readPemVerifier(signature.object('publicKey').only('content'), 'content')
  return {
    digest: readHexDigest(spec.object('data').only('hash', 'content').object('hash')),
    signatures: [{ signature: signature.bytes('content'), verifier }],
  }
}

function readHexDigest(hash: JsonFields): LogEntryBody['digest'] {
  hash.only('algorithm', 'value')
  const name = hash.string('algorithm')
  if (name !== 'sha256' && name !== 'sha384' && name !== 'sha512') {
    throw hash.invalid(`${hash.pathOf('algorithm')} should be sha256, sha384 or sha512, found ${excerpt(name)}`)
  }
  return sized(hash, name, decodeHex(hash.string('value'), hash.pathOf('value')))
}

function readProtobufDigest(hash: JsonFields): LogEntryBody['digest'] {
  hash.only('algorithm', 'digest')
  const name = hash.string('algorithm')
  const algorithm = protobufDigestAlgorithm(name)
  if (algorithm === undefined)
    throw hash.invalid(`${hash.pathOf('algorithm')} should be SHA2_256, SHA2_384 or SHA2_512, found ${excerpt(name)}`)
  return sized(hash, algorithm, hash.bytes('digest'))
}

function sized(hash: JsonFields, algorithm: DigestAlgorithm, value: Uint8Array): LogEntryBody['digest'] {
  if (value.length !== digestLength(algorithm)) throw hash.invalid(`${hash.path} is a ${algorithm} digest of ${value.length} bytes`)
  return { algorithm, value }
}

function readProtobufSignature(signature: JsonFields): LogEntrySignature {
  signature.only('content', 'verifier')
  const verifier = signature.object('verifier').only('keyDetails', 'x509Certificate', 'publicKey')
  const keyDetails = verifier.string('keyDetails')
  const certificate = verifier.optionalObject('x509Certificate')?.only('rawBytes')
  const publicKey = verifier.optionalObject('publicKey')?.only('rawBytes')
  if ((certificate === undefined) === (publicKey === undefined)) {
    throw verifier.invalid(`${verifier.path} should have exactly one of x509Certificate and publicKey`)
  }
  const kind = certificate === undefined ? 'public-key' : 'certificate'
  const der = certificate?.bytes('rawBytes') ?? publicKey?.bytes('rawBytes') ?? new Uint8Array(0)
  return { signature: signature.bytes('content'), verifier: { kind, der, keyDetails } }
}

/** Base64 of PEM: a certificate, perhaps with its chain behind it, or a public key. */
function readPemVerifier(fields: JsonFields, name: string): LogEntryVerifier {
  const what = fields.pathOf(name)
  const [block] = parsePem(decodeUtf8(fields.bytes(name), what), what)
  if (block?.label === 'CERTIFICATE') return { kind: 'certificate', der: block.der }
  if (block?.label === 'PUBLIC KEY') return { kind: 'public-key', der: block.der }
  if (block?.label === 'RSA PUBLIC KEY') return { kind: 'public-key', der: block.der, isPkcs1: true }
  throw new DecodingError(
    'LOG_ENTRY_INVALID',
    `${what} holds a PEM ${excerpt(block?.label ?? '')} where a certificate or public key was expected`,
  )
}
