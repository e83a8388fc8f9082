/**
 * Signatures of images as cosign 1 and 2 kept them: a layer with what was signed, its annotations with everything else. The same
 * annotations belong to the layers of attestations, whose envelope holds the signature itself.
 */
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { encodePem } from '../encoding/pem.ts'
import { DecodingError } from '../error.ts'
import { parseEnvelope } from './dsse.ts'
import { encodeRekorBundle, encodeTimestampFile } from './legacy-bundle-writer.ts'
import { parseCertificateFile, parseSignatureFile, parseTimestampFile, readRekorBundle } from './legacy-bundle.ts'
import type { KeyMaterial, SignedEntity } from './signed-entity.ts'

/** Keys of the annotations. */
export const signatureAnnotation = {
  signature: 'dev.cosignproject.cosign/signature',
  rekorBundle: 'dev.sigstore.cosign/bundle',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
  predicateType: 'predicateType',
} as const

/** Media types of the layers. */
export const signatureLayerType = {
  signature: 'application/vnd.dev.cosign.simplesigning.v1+json',
  attestation: 'application/vnd.dsse.envelope.v1+json',
} as const

type Annotations = Readonly<Record<string, string>>

/** A signature layer: the payload is what was signed, byte for byte. */
export interface ImageSignature {
  readonly payload: Uint8Array
  readonly entity: SignedEntity
}

/**
 * Reads a layer of a `.sig` manifest.
 * @throws DecodingError BUNDLE_INVALID, CERTIFICATE_INVALID, TIMESTAMP_INVALID, LOG_ENTRY_INVALID, JSON_INVALID
 */
export function readImageSignature(payload: Uint8Array, annotations: Annotations): ImageSignature {
  const text = annotations[signatureAnnotation.signature] ?? ''
  if (text === '') throw new DecodingError('BUNDLE_INVALID', `the layer has no annotation ${signatureAnnotation.signature}`)
  const signature = parseSignatureFile(encodeUtf8(text))
  return { payload, entity: { content: { kind: 'message-signature', signature, digest: undefined }, ...readProof(annotations) } }
}

/**
 * Reads a layer of an `.att` manifest: a DSSE envelope.
 * @throws as `readImageSignature`
 */
export function readImageAttestation(envelope: Uint8Array, annotations: Annotations): SignedEntity {
  return { content: parseEnvelope(envelope), ...readProof(annotations) }
}

/** The annotations of a layer for a signature or an attestation. Of its log entries, the first with a promise is in them. */
export function imageSignatureAnnotations({ content, keyMaterial, logEntries, timestamps }: SignedEntity): Record<string, string> {
  const promised = logEntries.find(({ signedEntryTimestamp }) => signedEntryTimestamp !== undefined)
  const [timestamp] = timestamps
  return {
    [signatureAnnotation.signature]: content.kind === 'dsse-envelope' ? '' : encodeBase64(content.signature),
    ...(keyMaterial.kind === 'certificate'
      ? {
          [signatureAnnotation.certificate]: encodePem('CERTIFICATE', keyMaterial.leaf),
          [signatureAnnotation.chain]: keyMaterial.chain.map((der) => encodePem('CERTIFICATE', der)).join(''),
        }
      : {}),
    ...(promised === undefined ? {} : { [signatureAnnotation.rekorBundle]: encodeRekorBundle(promised) }),
    ...(timestamp === undefined ? {} : { [signatureAnnotation.timestamp]: encodeTimestampFile(timestamp) }),
  }
}

/** What the annotations say beside the signature. Present but empty ones are absent ones, as cosign writes them. */
function readProof(annotations: Annotations): Omit<SignedEntity, 'content'> {
  const rekorBundle = annotations[signatureAnnotation.rekorBundle] ?? ''
  const timestamp = annotations[signatureAnnotation.timestamp] ?? ''
  return {
    keyMaterial: readKeyMaterial(annotations),
    logEntries:
      rekorBundle === ''
        ? []
        : [readRekorBundle(new JsonFields(parseJson(rekorBundle, 'the log entry'), 'rekorBundle', 'LOG_ENTRY_INVALID'))],
    timestamps: timestamp === '' ? [] : [parseTimestampFile(encodeUtf8(timestamp))],
    format: 'legacy',
  }
}

function readKeyMaterial(annotations: Annotations): KeyMaterial {
  const certificate = annotations[signatureAnnotation.certificate] ?? ''
  if (certificate === '') return { kind: 'none' }
  const [leaf, ...others] = parseCertificateFile(encodeUtf8(certificate), 'the certificate')
  if (leaf === undefined || others.length > 0) {
    throw new DecodingError('CERTIFICATE_INVALID', `the annotation ${signatureAnnotation.certificate} should hold one certificate`)
  }
  const chain = (annotations[signatureAnnotation.chain] ?? '').trim()
  return { kind: 'certificate', leaf, chain: chain === '' ? [] : parseCertificateFile(encodeUtf8(chain), 'the certificate chain') }
}
