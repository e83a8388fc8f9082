/**
 * What a bundle says, for showing it: unlike the signed entity it keeps what verification has no use for or refuses,
 * such as an empty chain, a second signature or a negative index. Nothing is decided by it, so nothing may be verified
 * with it.
 */
import type { BundleVersion } from '../../bundle/signed-entity.ts'
import type { Attempt } from './attempt.ts'

/** A Sigstore bundle, or the local bundle of cosign 1 and 2. */
export interface BundleOutline {
  readonly format: 'sigstore-bundle' | 'cosign-local-bundle'
  /** As stated; empty when it is absent, as it always is in a local bundle. */
  readonly mediaType: string
  /** What the media type stands for, if it is a bundle's. */
  readonly version: BundleVersion | undefined
  readonly material: MaterialOutline | undefined
  readonly content: ContentOutline | undefined
  /** Why the decoder that verification uses refuses the bundle, if it does. */
  readonly refusal: string | undefined
}

/** What a signature is to be verified with. */
export interface MaterialOutline {
  readonly key: KeyOutline | undefined
  readonly logEntries: readonly Attempt<LogEntryOutline>[]
  /** RFC 3161 TimeStampResp, DER; undefined when the bundle has no place for them. */
  readonly timestamps: readonly Uint8Array[] | undefined
}

/** Whose key it is. */
export type KeyOutline =
  | { readonly kind: 'certificate'; readonly certificate: Uint8Array }
  | { readonly kind: 'certificate-chain'; readonly certificates: readonly Uint8Array[] }
  | { readonly kind: 'hint'; readonly hint: string }
  /** A local bundle may hold the key itself: SubjectPublicKeyInfo. */
  | { readonly kind: 'public-key'; readonly spki: Uint8Array }
  /** A local bundle whose certificate is neither certificate nor key. */
  | { readonly kind: 'malformed'; readonly problem: string }

/** An entry of a transparency log. Numbers that are absent are 0, as proto3 has it. */
export interface LogEntryOutline {
  readonly logIndex: bigint
  readonly logId: Uint8Array | undefined
  readonly kindVersion: { readonly kind: string; readonly version: string } | undefined
  /** Seconds since 1970, 0 when the entry has none. */
  readonly integratedTime: bigint
  readonly signedEntryTimestamp: Uint8Array | undefined
  readonly inclusionProof: InclusionProofOutline | undefined
  readonly body: Uint8Array
}

/** The proof that an entry is in the tree. */
export interface InclusionProofOutline {
  readonly logIndex: bigint
  readonly treeSize: bigint
  readonly rootHash: Uint8Array
  readonly hashes: readonly Uint8Array[]
  /** The text of a signed note. */
  readonly checkpoint: string | undefined
}

/** What was signed. */
export type ContentOutline = MessageOutline | EnvelopeOutline

/** A signature over an artifact. */
export interface MessageOutline {
  readonly kind: 'message-signature'
  readonly digest: { readonly algorithm: string; readonly value: Uint8Array } | undefined
  readonly signature: Uint8Array
}

/** A DSSE envelope. */
export interface EnvelopeOutline {
  readonly kind: 'dsse-envelope'
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly { readonly signature: Uint8Array; readonly keyId: string }[]
}
