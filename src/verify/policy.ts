/** What the caller demands of a signature: which artifact, signed by whom. */
import type { PublicKey } from '../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../crypto/signature.ts'
import type { TimeWindow } from '../trust/time-window.ts'
import type { SigstoreExtensionName } from '../x509/sigstore-extensions.ts'
import type { Artifact } from './artifact.ts'

/** What a signature must be about, and whose it must be. */
export interface Policy {
  /**
   * The artifact that must have been signed, or that must be a subject of the signed statement. `any-subject` checks an
   * attestation without tying it to an artifact, and is refused for other signatures.
   */
  readonly artifact: Artifact | 'any-subject'
  readonly signer: CertificatePolicy | KeyPolicy
  /** The in-toto predicate type that an attestation must have; of several, one of them. */
  readonly predicateType?: string | readonly string[]
}

/** Whether a statement of this type is what is expected: one type, or one of several. */
export function isPredicateType(expected: string | readonly string[], found: string): boolean {
  return typeof expected === 'string' ? found === expected : expected.includes(found)
}

/** Signed with a certificate that has one of these identities. */
export interface CertificatePolicy {
  readonly kind: 'certificate'
  readonly identities: readonly CertificateIdentity[]
}

/** Signed with this key. */
export interface KeyPolicy {
  readonly kind: 'key'
  readonly key: PublicKey
  /** When the key may have signed; needs a verified time. */
  readonly window?: TimeWindow
  /** The one algorithm to accept, or several, where the caller knows them; otherwise those usual for the key. */
  readonly algorithm?: SignatureAlgorithm | readonly SignatureAlgorithm[]
}

/** Who may have signed. Every member that is given must match. */
export interface CertificateIdentity {
  readonly subjectAlternativeName: TextMatcher
  readonly issuer: TextMatcher
  /** Further extensions of the certificate, by name. */
  readonly extensions?: { readonly [Name in SigstoreExtensionName]?: TextMatcher }
}

/** A text that must be exactly this, or must match a pattern (`compilePattern`), or both. */
export type TextMatcher = string | Pattern | readonly [string, Pattern]

/** A compiled regular expression: `compilePattern` makes it. */
export interface Pattern {
  /** As the user wrote it. */
  readonly source: string
  matches(text: string): boolean
}

/** How much evidence is needed. Several of one operator count once. */
export interface Thresholds {
  /** Verified entries in transparency logs; default 1. */
  readonly logEntries?: number
  /** Verified certificate timestamps, for certificates; default 1. */
  readonly scts?: number
  /** Verified times, of either kind; default 1 for certificates and 0 for keys. */
  readonly times?: number
  /** Verified times from timestamp authorities; default 0. */
  readonly signedTimestamps?: number
  /** Verified times from transparency logs; default 0. */
  readonly integratedTimes?: number
}

/** How much evidence is asked for, and what is brought beside the bundle. */
export interface VerifyOptions {
  readonly thresholds?: Thresholds
  /**
   * The time to check a certificate or a key's window at when no time is demanded and none is there (`times: 0`).
   * Verification takes no time from a clock.
   */
  readonly currentTime?: Date
  /** A detached SCT of the signing certificate, for certificates without an embedded one: serialised, or JSON as the log answered. */
  readonly detachedSct?: Uint8Array
}
