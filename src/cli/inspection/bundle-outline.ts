/** Reads the outline of a Sigstore bundle: as strict as `bundle/` about types, base64 and choices, lax about what is there. */
import { bundleVersionOf } from '../../bundle/media-type.ts'
import { claimsToBeBundle, readBundle } from '../../bundle/bundle.ts'
import type { JsonValue } from '../../encoding/json.ts'
import { isJsonObject } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { attempt } from './attempt.ts'
import type {
  BundleOutline,
  ContentOutline,
  EnvelopeOutline,
  InclusionProofOutline,
  KeyOutline,
  LogEntryOutline,
  MaterialOutline,
  MessageOutline,
} from './outline.ts'

/** More of anything than a verifier looks at, many times over. */
const maxElements = 1024
const empty = new Uint8Array(0)

/** HashAlgorithm of protobuf-specs, sigstore_common.proto: proto3 JSON may give the number. */
const hashAlgorithms = ['HASH_ALGORITHM_UNSPECIFIED', 'SHA2_256', 'SHA2_384', 'SHA2_512', 'SHA3_256', 'SHA3_384']

/** Whether a parsed JSON value is worth inspecting as a bundle: it says that it is one, or has one of its parts. */
export function resemblesBundle(value: JsonValue): boolean {
  return claimsToBeBundle(value) || (isJsonObject(value) && (value['messageSignature'] ?? value['dsseEnvelope']) !== undefined)
}

/**
 * Reads a bundle from JSON that is already parsed. Absent parts are left out and unknown members are passed over;
 * `refusal` says what verification makes of that.
 * @throws DecodingError BUNDLE_INVALID for a value of the wrong type, bytes that are not base64, and two parts where one must be
 */
export function outlineBundle(value: JsonValue): BundleOutline {
  const bundle = new JsonFields(value, 'bundle', 'BUNDLE_INVALID')
  const mediaType = bundle.optionalString('mediaType') ?? ''
  const material = bundle.optionalObject('verificationMaterial')
  return {
    format: 'sigstore-bundle',
    mediaType,
    version: bundleVersionOf(mediaType),
    material: material === undefined ? undefined : outlineMaterial(material),
    content: outlineContent(bundle),
    refusal: attempt(() => readBundle(value)).problem,
  }
}

/** Reads a DSSE envelope with any number of signatures. */
export function outlineEnvelope(envelope: JsonFields): EnvelopeOutline {
  return {
    kind: 'dsse-envelope',
    payloadType: envelope.optionalString('payloadType') ?? '',
    payload: bytesOf(envelope, 'payload'),
    signatures: envelope
      .objects('signatures', maxElements)
      .map((signature) => ({ signature: bytesOf(signature, 'sig'), keyId: signature.optionalString('keyid') ?? '' })),
  }
}

function outlineContent(bundle: JsonFields): ContentOutline | undefined {
  switch (only(bundle, 'messageSignature', 'dsseEnvelope')) {
    case 'messageSignature':
      return outlineMessage(bundle.object('messageSignature'))
    case 'dsseEnvelope':
      return outlineEnvelope(bundle.object('dsseEnvelope'))
    case undefined:
      return undefined
  }
}

function outlineMessage(message: JsonFields): MessageOutline {
  const digest = message.optionalObject('messageDigest')
  return {
    kind: 'message-signature',
    digest: digest === undefined ? undefined : { algorithm: hashAlgorithmOf(digest), value: bytesOf(digest, 'digest') },
    signature: bytesOf(message, 'signature'),
  }
}

function hashAlgorithmOf(digest: JsonFields): string {
  const number = digest.raw('algorithm') ?? 0
  return typeof number === 'number' ? (hashAlgorithms[number] ?? String(number)) : digest.string('algorithm')
}

function outlineMaterial(material: JsonFields): MaterialOutline {
  return {
    key: outlineKey(material),
    logEntries: material.objects('tlogEntries', maxElements).map((entry) => ({ value: outlineLogEntry(entry) })),
    timestamps: material
      .optionalObject('timestampVerificationData')
      ?.objects('rfc3161Timestamps', maxElements)
      .map((timestamp) => bytesOf(timestamp, 'signedTimestamp')),
  }
}

function outlineKey(material: JsonFields): KeyOutline | undefined {
  switch (only(material, 'certificate', 'x509CertificateChain', 'publicKey')) {
    case 'certificate':
      return { kind: 'certificate', certificate: bytesOf(material.object('certificate'), 'rawBytes') }
    case 'x509CertificateChain': {
      const certificates = material.object('x509CertificateChain').objects('certificates', maxElements)
      return { kind: 'certificate-chain', certificates: certificates.map((certificate) => bytesOf(certificate, 'rawBytes')) }
    }
    case 'publicKey':
      return { kind: 'hint', hint: material.object('publicKey').optionalString('hint') ?? '' }
    case undefined:
      return undefined
  }
}

function outlineLogEntry(entry: JsonFields): LogEntryOutline {
  const kindVersion = entry.optionalObject('kindVersion')
  const promise = entry.optionalObject('inclusionPromise')
  const logId = entry.optionalObject('logId')
  const proof = entry.optionalObject('inclusionProof')
  return {
    logIndex: entry.optionalInt64('logIndex') ?? 0n,
    logId: logId === undefined ? undefined : bytesOf(logId, 'keyId'),
    kindVersion:
      kindVersion === undefined
        ? undefined
        : { kind: kindVersion.optionalString('kind') ?? '', version: kindVersion.optionalString('version') ?? '' },
    integratedTime: entry.optionalInt64('integratedTime') ?? 0n,
    signedEntryTimestamp: promise === undefined ? undefined : bytesOf(promise, 'signedEntryTimestamp'),
    inclusionProof: proof === undefined ? undefined : outlineInclusionProof(proof),
    body: bytesOf(entry, 'canonicalizedBody'),
  }
}

function outlineInclusionProof(proof: JsonFields): InclusionProofOutline {
  const checkpoint = proof.optionalObject('checkpoint')
  return {
    logIndex: proof.optionalInt64('logIndex') ?? 0n,
    treeSize: proof.optionalInt64('treeSize') ?? 0n,
    rootHash: bytesOf(proof, 'rootHash'),
    hashes: proof.array('hashes', maxElements).map((hash, index) => {
      if (typeof hash !== 'string') throw proof.invalid(`${proof.pathOf('hashes')}[${index}] should be a string`)
      return proof.decodeBase64(hash, `hashes[${index}]`)
    }),
    checkpoint: checkpoint === undefined ? undefined : (checkpoint.optionalString('envelope') ?? ''),
  }
}

function bytesOf(fields: JsonFields, name: string): Uint8Array {
  return fields.optionalBytes(name) ?? empty
}

/** Which one of several alternatives is there. Two of them would leave open which one is meant. */
function only<const Name extends string>(fields: JsonFields, ...names: readonly Name[]): Name | undefined {
  const found = names.filter((name) => fields.has(name))
  if (found.length > 1) throw fields.invalid(`${fields.path} has ${found.join(' and ')}, where at most one was expected`)
  return found[0]
}
