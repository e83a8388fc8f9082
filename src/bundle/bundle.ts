/** Sigstore bundles of versions 0.1, 0.2 and 0.3: proto3 JSON into the signed entity, strictly. */
import { protobufDigestAlgorithm } from '../crypto/digest.ts'
import type { JsonLimits, JsonValue } from '../encoding/json.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { excerpt } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import { parseEnvelopeFields } from './dsse.ts'
import { readLogEntry } from './log-entry.ts'
import { bundleVersionOf } from './media-type.ts'
import type { BundleVersion, CertificateMaterial, KeyMaterial, LogEntry, MessageSignature, SignedEntity } from './signed-entity.ts'

/** As sigstore-go has it: more entries, or more timestamps, only serve to keep a verifier busy. */
const maxLogEntries = 32
const maxTimestamps = 32
const maxChain = 16

/** What is accepted, and how much of it. */
export interface BundleOptions extends JsonLimits {
  /** Accept a certificate chain in a bundle of version 0.3, as `--allow-certificate-chain` does. */
  readonly allowCertificateChain?: boolean
}

/**
 * Parses one bundle.
 * @param input the JSON as bytes or text, or a value already parsed by `parseJson`
 * @throws DecodingError JSON_INVALID, TOO_LARGE or BUNDLE_INVALID
 */
export function parseBundle(input: Uint8Array | string, options: BundleOptions = {}): SignedEntity {
  return readBundle(parseJson(input, 'the bundle', options), options)
}

/** Reads a bundle from JSON that is already parsed. */
export function readBundle(value: JsonValue, options: BundleOptions = {}): SignedEntity {
  const bundle = new JsonFields(value, 'bundle', 'BUNDLE_INVALID')
  const mediaType = bundle.string('mediaType')
  const version = bundleVersionOf(mediaType)
  if (version === undefined) {
    throw bundle.invalid(`bundle.mediaType should be that of a Sigstore bundle of version 0.1, 0.2 or 0.3, found ${excerpt(mediaType, 80)}`)
  }
  bundle.only('mediaType', 'verificationMaterial', 'messageSignature', 'dsseEnvelope')
  const content = readContent(bundle)
  const material = bundle.object('verificationMaterial')
  material.only('publicKey', 'x509CertificateChain', 'certificate', 'tlogEntries', 'timestampVerificationData')
  const keyMaterial = readKeyMaterial(material, version, options.allowCertificateChain === true)
  if (
    keyMaterial.kind === 'public-key' &&
    content.kind === 'dsse-envelope' &&
    content.keyId !== '' &&
    keyMaterial.hint !== '' &&
    content.keyId !== keyMaterial.hint
  ) {
    throw bundle.invalid(
      `the key hint of the bundle, ${excerpt(keyMaterial.hint)}, is not the keyid of its envelope, ${excerpt(content.keyId)}`,
    )
  }
  const logEntries = material.objects('tlogEntries', maxLogEntries).map((entry) => readBundledEntry(entry, version))
  return { content, keyMaterial, logEntries, timestamps: readTimestamps(material), format: version }
}

/** Whether a parsed JSON value says that it is a Sigstore bundle, of whatever version. */
export function claimsToBeBundle(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false
  const mediaType = value['mediaType']
  return (
    (typeof mediaType === 'string' && mediaType.startsWith('application/vnd.dev.sigstore.bundle')) ||
    value['verificationMaterial'] !== undefined
  )
}

/**
 * Parses a `.sigstore.jsonl` file: one bundle a line. Empty lines are skipped.
 * @throws DecodingError as `parseBundle`, with the line's number
 */
export function parseBundleLines(text: string, options: BundleOptions = {}): SignedEntity[] {
  const entities: SignedEntity[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    if (entities.length === 1024) throw new DecodingError('BUNDLE_INVALID', 'the file holds more than 1024 bundles')
    try {
      entities.push(parseBundle(line, options))
    } catch (cause) {
      if (!(cause instanceof DecodingError)) throw cause
      throw new DecodingError(cause.code, `line ${index + 1}: ${cause.message}`, { cause })
    }
  }
  if (entities.length === 0) throw new DecodingError('BUNDLE_INVALID', 'the file holds no bundle')
  return entities
}

function readContent(bundle: JsonFields): SignedEntity['content'] {
  const message = bundle.optionalObject('messageSignature')
  const envelope = bundle.optionalObject('dsseEnvelope')
  if (message !== undefined && envelope !== undefined) {
    throw bundle.invalid('the bundle has two contents, messageSignature and dsseEnvelope, where exactly one was expected')
  }
  if (message !== undefined) return readMessageSignature(message)
  if (envelope !== undefined) return parseEnvelopeFields(envelope)
  throw bundle.invalid('the bundle has no content: messageSignature or dsseEnvelope was expected')
}

function readMessageSignature(message: JsonFields): MessageSignature {
  message.only('messageDigest', 'signature')
  return { kind: 'message-signature', signature: message.bytes('signature'), digest: readMessageDigest(message) }
}

function readMessageDigest(message: JsonFields): MessageSignature['digest'] {
  const digest = message.optionalObject('messageDigest')
  if (digest === undefined) return undefined
  digest.only('algorithm', 'digest')
  // What cosign 3.1 writes for pure Ed25519, which hashes nothing beforehand: an empty message.
  if (!digest.has('algorithm') && !digest.has('digest')) return undefined
  const name = digest.string('algorithm')
  const algorithm = protobufDigestAlgorithm(name)
  if (algorithm === undefined)
    throw digest.invalid(`${digest.pathOf('algorithm')} should be SHA2_256, SHA2_384 or SHA2_512, found ${excerpt(name)}`)
  return { algorithm, value: digest.bytes('digest') }
}

function readKeyMaterial(material: JsonFields, version: BundleVersion, allowChain: boolean): KeyMaterial {
  const names = ['publicKey', 'x509CertificateChain', 'certificate'].filter((name) => material.has(name))
  const [name] = names
  if (name === undefined) throw material.invalid(`${material.path} has no key: certificate, x509CertificateChain or publicKey was expected`)
  if (names.length > 1) throw material.invalid(`${material.path} has more than one of ${names.join(', ')}`)
  if (name === 'publicKey') {
    return { kind: 'public-key', hint: material.object('publicKey').only('hint').optionalString('hint') ?? '' }
  }
  if (name === 'certificate') {
    if (version !== '0.3') throw material.invalid(`a bundle of version ${version} should have x509CertificateChain, found certificate`)
    return { kind: 'certificate', leaf: material.object('certificate').only('rawBytes').bytes('rawBytes'), chain: [] }
  }
  if (version === '0.3' && !allowChain) {
    throw material.invalid(
      'a bundle of version 0.3 should have certificate, found x509CertificateChain (to accept it, pass --allow-certificate-chain)',
    )
  }
  return readChain(material.object('x509CertificateChain').only('certificates'))
}

function readChain(chain: JsonFields): CertificateMaterial {
  const [leaf, ...others] = chain.objects('certificates', maxChain).map((certificate) => certificate.only('rawBytes').bytes('rawBytes'))
  if (leaf === undefined) throw chain.invalid(`${chain.path} holds no certificate`)
  return { kind: 'certificate', leaf, chain: others }
}

function readTimestamps(material: JsonFields): Uint8Array[] {
  const data = material.optionalObject('timestampVerificationData')
  if (data === undefined) return []
  data.only('rfc3161Timestamps')
  return data.objects('rfc3161Timestamps', maxTimestamps).map((timestamp) => timestamp.only('signedTimestamp').bytes('signedTimestamp'))
}

/** A log entry with what the bundle's version requires of it (protobuf-specs, sigstore_bundle.proto). */
function readBundledEntry(fields: JsonFields, version: BundleVersion): LogEntry {
  const entry = readLogEntry(fields)
  if (version === '0.1' && entry.signedEntryTimestamp === undefined) {
    throw fields.invalid(`${fields.pathOf('inclusionPromise')} is missing, which a bundle of version 0.1 requires`)
  }
  if (version !== '0.1' && entry.inclusionProof?.checkpoint === undefined) {
    throw fields.invalid(`${fields.pathOf('inclusionProof')} with a checkpoint is missing, which a bundle of version ${version} requires`)
  }
  return entry
}
