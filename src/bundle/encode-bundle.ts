/** Writes bundles of version 0.3, the form all current clients read. */
import { protobufDigestName } from '../crypto/digest.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { DecodingError } from '../error.ts'
import { bundleMediaType } from './media-type.ts'
import type { KeyMaterial, LogEntry, SignedEntity } from './signed-entity.ts'

export interface EncodeBundleOptions {
  /**
   * Whether what came after the signing certificate is written, too: as cosign from 3.1.3 does for certificates of authorities of one's
   * own. Verifiers must be told to take such a bundle. Default false.
   */
  readonly certificateChain?: boolean
}

/**
 * The bundle as one line of JSON.
 * @throws DecodingError BUNDLE_INVALID when the entity has no key material, which a bundle must have, or an envelope with several signatures,
 * which it must not
 */
export function encodeBundle(entity: SignedEntity, { certificateChain = false }: EncodeBundleOptions = {}): string {
  const { content } = entity
  checkFitsBundle(content)
  return JSON.stringify({
    mediaType: bundleMediaType,
    verificationMaterial: {
      ...encodeKeyMaterial(entity.keyMaterial, certificateChain),
      ...(entity.logEntries.length === 0 ? {} : { tlogEntries: entity.logEntries.map(encodeLogEntry) }),
      ...(entity.timestamps.length === 0
        ? {}
        : {
            timestampVerificationData: { rfc3161Timestamps: entity.timestamps.map((token) => ({ signedTimestamp: encodeBase64(token) })) },
          }),
    },
    ...(content.kind === 'message-signature'
      ? {
          messageSignature: {
            ...(content.digest === undefined
              ? {}
              : { messageDigest: { algorithm: protobufDigestName(content.digest.algorithm), digest: encodeBase64(content.digest.value) } }),
            signature: encodeBase64(content.signature),
          },
        }
      : {
          dsseEnvelope: {
            payload: encodeBase64(content.payload),
            payloadType: content.payloadType,
            signatures: [{ sig: encodeBase64(content.signature), ...(content.keyId === '' ? {} : { keyid: content.keyId }) }],
          },
        }),
  })
}

/** @throws DecodingError BUNDLE_INVALID for an envelope with several signatures: a bundle's has one, and none may be lost */
export function checkFitsBundle(content: SignedEntity['content']): void {
  if (content.kind !== 'dsse-envelope' || content.otherSignatures === undefined) return
  const count = 1 + content.otherSignatures.length
  throw new DecodingError('BUNDLE_INVALID', `the DSSE envelope has ${count} signatures, and a bundle holds exactly one`)
}

function encodeKeyMaterial(material: KeyMaterial, withChain: boolean): object {
  switch (material.kind) {
    case 'certificate':
      return withChain && material.chain.length > 0
        ? { x509CertificateChain: { certificates: [material.leaf, ...material.chain].map((der) => ({ rawBytes: encodeBase64(der) })) } }
        : { certificate: { rawBytes: encodeBase64(material.leaf) } }
    case 'public-key':
      return { publicKey: { hint: material.hint } }
    case 'none':
      throw new DecodingError('BUNDLE_INVALID', 'a bundle needs a certificate or the hint of a key')
  }
}

function encodeLogEntry(entry: LogEntry): object {
  const proof = entry.inclusionProof
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.version },
    ...(entry.integratedTime === 0n ? {} : { integratedTime: String(entry.integratedTime) }),
    ...(entry.signedEntryTimestamp === undefined
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: encodeBase64(entry.signedEntryTimestamp) } }),
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: String(proof.logIndex),
            rootHash: encodeBase64(proof.rootHash),
            treeSize: String(proof.treeSize),
            hashes: proof.hashes.map(encodeBase64),
            ...(proof.checkpoint === undefined ? {} : { checkpoint: { envelope: proof.checkpoint } }),
          },
        }),
    canonicalizedBody: encodeBase64(entry.body),
  }
}
