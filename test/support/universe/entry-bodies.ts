/** The bodies of Rekor's entries as the log stores them, one function for each kind and version. */
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { pemOf } from './certificates.ts'
import type { DigestName } from './keys.ts'

/** What an entry speaks of. */
export interface EntryParts {
  readonly digest: Uint8Array
  readonly digestAlgorithm: DigestName
  readonly signature: Uint8Array
  /** DER of the certificate or SubjectPublicKeyInfo. */
  readonly verifier: Uint8Array
  readonly verifierKind: 'certificate' | 'public-key'
  readonly keyDetails: string
  /** SHA-256 of the envelope's JSON, which nobody can check who does not know its spelling. Zeros by default. */
  readonly envelopeHash?: Uint8Array
}

type Json = Record<string, unknown>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** hashedrekord 0.0.1 of Rekor v1. */
export function hashedrekordBody(parts: EntryParts): Json {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: { data: { hash: hexDigest(parts) }, signature: { content: base64(parts.signature), publicKey: { content: pemVerifier(parts) } } },
  }
}

/** rekord 0.0.1 of Rekor v1. */
export function rekordBody(parts: EntryParts): Json {
  return {
    apiVersion: '0.0.1',
    kind: 'rekord',
    spec: {
      data: { hash: hexDigest(parts) },
      signature: { format: 'x509', content: base64(parts.signature), publicKey: { content: pemVerifier(parts) } },
    },
  }
}

/** dsse 0.0.1 of Rekor v1: the digest is the payload's. */
export function dsseBody(parts: EntryParts): Json {
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: envelopeHash(parts),
      payloadHash: hexDigest(parts),
      signatures: [{ signature: base64(parts.signature), verifier: pemVerifier(parts) }],
    },
  }
}

/** intoto 0.0.1 of Rekor v1: of the envelope's text alone. The oldest have no hash of the payload. */
export function firstIntotoBody(parts: EntryParts, withPayloadHash = true): Json {
  return {
    apiVersion: '0.0.1',
    kind: 'intoto',
    spec: {
      content: { hash: envelopeHash(parts), ...(withPayloadHash ? { payloadHash: hexDigest(parts) } : {}) },
      publicKey: pemVerifier(parts),
    },
  }
}

/** intoto 0.0.2 of Rekor v1: the digest is the payload's, and the signature is base64 of base64. */
export function intotoBody(parts: EntryParts, payloadType: string): Json {
  return {
    apiVersion: '0.0.2',
    kind: 'intoto',
    spec: {
      content: {
        envelope: { payloadType, signatures: [{ publicKey: pemVerifier(parts), sig: base64(encodeUtf8(base64(parts.signature))) }] },
        hash: envelopeHash(parts),
        payloadHash: hexDigest(parts),
      },
    },
  }
}

/** hashedrekord 0.0.2 of Rekor v2: of an attestation, the digest is that of the pre-authentication encoding. */
export function hashedrekordBodyV2(parts: EntryParts): Json {
  return {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: protobufDigest(parts),
        signature: { content: base64(parts.signature), verifier: protobufVerifier(parts) },
      },
    },
  }
}

/** dsse 0.0.2, which Rekor v2 took until spring 2026: the digest is the payload's. */
export function dsseBodyV2(parts: EntryParts): Json {
  return {
    apiVersion: '0.0.2',
    kind: 'dsse',
    spec: {
      dsseV002: {
        payloadHash: protobufDigest(parts),
        signatures: [{ content: base64(parts.signature), verifier: protobufVerifier(parts) }],
      },
    },
  }
}

/** HashAlgorithm of protobuf-specs. */
export function protobufAlgorithm(digest: DigestName): string {
  return digest.replace('sha', 'SHA2_')
}

function pemVerifier({ verifier, verifierKind }: EntryParts): string {
  return base64(encodeUtf8(pemOf(verifier, verifierKind === 'certificate' ? 'CERTIFICATE' : 'PUBLIC KEY')))
}

function hexDigest({ digest, digestAlgorithm }: EntryParts): Json {
  return { algorithm: digestAlgorithm, value: Buffer.from(digest).toString('hex') }
}

function envelopeHash({ envelopeHash: hash = new Uint8Array(32) }: EntryParts): Json {
  return { algorithm: 'sha256', value: Buffer.from(hash).toString('hex') }
}

function protobufVerifier({ verifier, verifierKind, keyDetails }: EntryParts): Json {
  return { keyDetails, [verifierKind === 'certificate' ? 'x509Certificate' : 'publicKey']: { rawBytes: base64(verifier) } }
}

function protobufDigest({ digest, digestAlgorithm }: EntryParts): Json {
  return { algorithm: protobufAlgorithm(digestAlgorithm), digest: base64(digest) }
}
