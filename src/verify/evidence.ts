/** What a successful verification established. Nothing in here was taken on trust from the bundle. */
import type { PublicKey } from '../crypto/public-key.ts'
import type { Statement } from '../bundle/statement.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { SigstoreExtensions } from '../x509/sigstore-extensions.ts'

/** What a verification has established. Everything in it was checked. */
export interface Evidence {
  readonly signer: CertificateSigner | KeySigner
  /** The signature that all of this is about: of an envelope that has several, the one that holds, which need not be the first. */
  readonly signature: Uint8Array
  /** The log entries whose inclusion was verified. */
  readonly logEntries: readonly VerifiedLogEntry[]
  /** The times that a signature covers, earliest first. */
  readonly times: readonly VerifiedTime[]
  /** The logs whose SCT of the certificate was verified. */
  readonly certificateTimestamps: readonly VerifiedCertificateTimestamp[]
  /** The attestation's statement; undefined for a plain signature. */
  readonly statement: Statement | undefined
  /** What was there and did not count, with the reason: a timestamp of an unknown authority, say. */
  readonly notes: readonly string[]
}

/** Somebody for whom a certificate authority vouches. */
export interface CertificateSigner {
  readonly kind: 'certificate'
  /** The subject alternative name that the policy matched. */
  readonly identity: GeneralName
  readonly issuer: string | undefined
  readonly extensions: SigstoreExtensions
  readonly certificate: Certificate
}

/** Whoever has the private key of the key that the caller gave. */
export interface KeySigner {
  readonly kind: 'key'
  readonly key: PublicKey
}

/** An entry of a transparency log that is about this signature. */
export interface VerifiedLogEntry {
  readonly logUrl: string
  /** Key identifier of the log, hexadecimal. */
  readonly logId: string
  /** The index over all shards of the log; undefined where nobody has signed it: an entry of Rekor v1 with a proof and without a promise. */
  readonly logIndex: bigint | undefined
  /** The index in the tree, of one shard, that the entry was proven to have; undefined where there was only a promise. */
  readonly treeIndex: bigint | undefined
  readonly kind: string
  readonly version: string
  /** When the log promised to include it; undefined where the log gives no time. */
  readonly integratedTime: Date | undefined
  /** The tree it is included in; undefined where there was only a promise. */
  readonly treeSize: bigint | undefined
}

/** A time at which the signature was there, and who says so. */
export interface VerifiedTime {
  readonly time: Date
  readonly source: 'transparency-log' | 'timestamp-authority' | 'current-time'
  /** URL of the log or authority; empty for the current time. */
  readonly authority: string
}

/** A promise of a certificate transparency log to publish the certificate. */
export interface VerifiedCertificateTimestamp {
  readonly logUrl: string
  readonly logId: string
  readonly time: Date
}
