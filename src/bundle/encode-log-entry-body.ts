/**
 * The canonical bodies of log entries (RFC 8785), which are the leaves of Rekor's logs: the inverse of `log-entry-body.ts`. Others
 * recompute them from a bundle and compare leaf hashes, so every byte counts.
 */
import type { DigestAlgorithm } from '../crypto/digest.ts'
import { protobufDigestName } from '../crypto/digest.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { canonicalizeJson } from '../encoding/canonical-json.ts'
import { encodeHex } from '../encoding/hex.ts'
import type { JsonObject } from '../encoding/json.ts'

/** A digest and what made it. */
export interface EntryDigest {
  readonly algorithm: DigestAlgorithm
  readonly value: Uint8Array
}

/** A signature in an entry of Rekor v2. */
export interface EntrySignatureV2 {
  readonly signature: Uint8Array
  readonly verifier: {
    readonly kind: 'certificate' | 'public-key'
    /** DER of the certificate, or the key's SubjectPublicKeyInfo. */
    readonly der: Uint8Array
    /** The default PublicKeyDetails of the key. */
    readonly keyDetails: string
  }
}

/** A signature in an entry of Rekor v1, and the PEM of the certificate or key that verifies it. */
export interface EntrySignatureV1 {
  readonly signature: Uint8Array
  readonly verifierPem: string
}

/** hashedrekord 0.0.2. */
export function encodeHashedRekordV002(digest: EntryDigest, signature: EntrySignatureV2): Uint8Array {
  return canonical('hashedrekord', '0.0.2', {
    hashedRekordV002: { data: protobufDigest(digest), signature: protobufSignature(signature) },
  })
}

/** dsse 0.0.2. @param payloadDigest of the envelope's payload */
export function encodeDsseV002(payloadDigest: EntryDigest, signatures: readonly EntrySignatureV2[]): Uint8Array {
  return canonical('dsse', '0.0.2', {
    dsseV002: { payloadHash: protobufDigest(payloadDigest), signatures: signatures.map(protobufSignature) },
  })
}

/** hashedrekord 0.0.1. */
export function encodeHashedRekordV001(digest: EntryDigest, { signature, verifierPem }: EntrySignatureV1): Uint8Array {
  return canonical('hashedrekord', '0.0.1', {
    data: { hash: hexDigest(digest) },
    signature: { content: encodeBase64(signature), publicKey: { content: base64Text(verifierPem) } },
  })
}

/**
 * dsse 0.0.1. The signatures are put in the order of their base64 texts.
 * @param envelopeSha256 of the envelope's JSON text as it was submitted
 */
export function encodeDsseV001(envelopeSha256: Uint8Array, payloadSha256: Uint8Array, signatures: readonly EntrySignatureV1[]): Uint8Array {
  const encoded = signatures.map(({ signature, verifierPem }) => ({
    signature: encodeBase64(signature),
    verifier: base64Text(verifierPem),
  }))
  return canonical('dsse', '0.0.1', {
    envelopeHash: sha256(envelopeSha256),
    payloadHash: sha256(payloadSha256),
    signatures: encoded.toSorted((a, b) => (a.signature < b.signature ? -1 : a.signature > b.signature ? 1 : 0)),
  })
}

/** intoto 0.0.1. @param envelopeSha256 of the envelope's JSON text as it was submitted */
export function encodeIntotoV001(envelopeSha256: Uint8Array, payloadSha256: Uint8Array, verifierPem: string): Uint8Array {
  return canonical('intoto', '0.0.1', {
    content: { hash: sha256(envelopeSha256), payloadHash: sha256(payloadSha256) },
    publicKey: base64Text(verifierPem),
  })
}

/**
 * intoto 0.0.2. A signature is base64 of base64, as its clients send it; keys and order are as they were submitted.
 * @param envelopeSha256 what the client says it is
 */
export function encodeIntotoV002(entry: {
  readonly payloadType: string
  readonly signatures: readonly (EntrySignatureV1 & { readonly keyId: string })[]
  readonly envelopeSha256: Uint8Array
  readonly payloadSha256: Uint8Array
}): Uint8Array {
  return canonical('intoto', '0.0.2', {
    content: {
      envelope: {
        payloadType: entry.payloadType,
        signatures: entry.signatures.map(({ signature, verifierPem, keyId }) => ({
          ...(keyId === '' ? {} : { keyid: keyId }),
          publicKey: base64Text(verifierPem),
          sig: base64Text(encodeBase64(signature)),
        })),
      },
      hash: sha256(entry.envelopeSha256),
      payloadHash: sha256(entry.payloadSha256),
    },
  })
}

/** rekord 0.0.1 with an X.509 key. */
export function encodeRekordV001(contentSha256: Uint8Array, { signature, verifierPem }: EntrySignatureV1): Uint8Array {
  return canonical('rekord', '0.0.1', {
    data: { hash: sha256(contentSha256) },
    signature: { content: encodeBase64(signature), format: 'x509', publicKey: { content: base64Text(verifierPem) } },
  })
}

/** rfc3161 0.0.1. @param response TimeStampResp, DER */
export function encodeTimestampV001(response: Uint8Array): Uint8Array {
  return canonical('rfc3161', '0.0.1', { tsr: { content: encodeBase64(response) } })
}

function canonical(kind: string, apiVersion: string, spec: JsonObject): Uint8Array {
  return encodeUtf8(canonicalizeJson({ apiVersion, kind, spec }))
}

function protobufDigest({ algorithm, value }: EntryDigest): JsonObject {
  return { algorithm: protobufDigestName(algorithm), digest: encodeBase64(value) }
}

function protobufSignature({ signature, verifier }: EntrySignatureV2): JsonObject {
  const rawBytes = encodeBase64(verifier.der)
  return {
    content: encodeBase64(signature),
    verifier: {
      keyDetails: verifier.keyDetails,
      ...(verifier.kind === 'certificate' ? { x509Certificate: { rawBytes } } : { publicKey: { rawBytes } }),
    },
  }
}

function hexDigest({ algorithm, value }: EntryDigest): JsonObject {
  return { algorithm, value: encodeHex(value) }
}

function sha256(value: Uint8Array): JsonObject {
  return hexDigest({ algorithm: 'sha256', value })
}

function base64Text(text: string): string {
  return encodeBase64(encodeUtf8(text))
}
