/**
 * The signed entity: what every bundle format, old and new, is decoded into, and the one thing that `verify/` checks.
 * Nothing in it is trusted. Byte strings are what was received; log indices and sizes are bigint; times are as the
 * format has them and become evidence only when a signature covers them.
 */
import type { DigestAlgorithm } from '../crypto/digest.ts'

/** A signature and everything that came with it, whatever format it came in. Nothing in it was verified yet. */
export interface SignedEntity {
  readonly content: MessageSignature | DsseEnvelope
  readonly keyMaterial: KeyMaterial
  readonly logEntries: readonly LogEntry[]
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Uint8Array[]
  /** Which rules about log proofs apply: those of a bundle version, or those of cosign's formats from before bundles. */
  readonly format: BundleVersion | 'legacy'
}

export type BundleVersion = '0.1' | '0.2' | '0.3'

/** A signature over an artifact. */
export interface MessageSignature {
  readonly kind: 'message-signature'
  readonly signature: Uint8Array
  /** A hint which artifact was signed. Never what the signature is checked over. */
  readonly digest: { readonly algorithm: DigestAlgorithm; readonly value: Uint8Array } | undefined
}

/** One of the signatures of a DSSE envelope. */
export interface EnvelopeSignature {
  readonly signature: Uint8Array
  readonly keyId: string
}

/** A DSSE envelope with its one signature. */
export interface DsseEnvelope extends EnvelopeSignature {
  readonly kind: 'dsse-envelope'
  readonly payloadType: string
  readonly payload: Uint8Array
  /** Where it was not part of a bundle it may have more than one. The verifier looks for that of the signer, and for no other. */
  readonly otherSignatures?: readonly EnvelopeSignature[]
  /**
   * The envelope's JSON, where it was a file of its own or part of cosign's local bundle: what cosign 1 and 2 had timestamped, and
   * not the signature in it.
   */
  readonly encoded?: Uint8Array
}

/** What the bundle says of the signer's key. */
export type KeyMaterial = CertificateMaterial | PublicKeyMaterial | NoKeyMaterial

export interface CertificateMaterial {
  readonly kind: 'certificate'
  /** DER of the signing certificate. */
  readonly leaf: Uint8Array
  /** DER of whatever came after it. Trusted only as far as the trust root knows it. */
  readonly chain: readonly Uint8Array[]
}

/** The signer holds a key that the verifier is expected to have; `hint` says which. */
export interface PublicKeyMaterial {
  readonly kind: 'public-key'
  readonly hint: string
}

/** A bare signature from before bundles: the verifier brings the key. */
export interface NoKeyMaterial {
  readonly kind: 'none'
}

/** An entry of a transparency log as the bundle states it. */
export interface LogEntry {
  /** The index over all shards of the log. */
  readonly logIndex: bigint
  /** Key identifier of the log. */
  readonly logId: Uint8Array
  readonly kind: string
  readonly version: string
  /** Seconds since 1970, as the entry claims; 0 when absent. */
  readonly integratedTime: bigint
  /** The log's promise: a signature over body, time, log and index (Rekor v1). */
  readonly signedEntryTimestamp: Uint8Array | undefined
  readonly inclusionProof: InclusionProof | undefined
  /** The canonical JSON that is the leaf of the log. */
  readonly body: Uint8Array
}

export interface InclusionProof {
  /** The index within the shard's tree. */
  readonly logIndex: bigint
  readonly treeSize: bigint
  readonly rootHash: Uint8Array
  readonly hashes: readonly Uint8Array[]
  /** A signed note. Bundles of version 0.1 may come without. */
  readonly checkpoint: string | undefined
}
