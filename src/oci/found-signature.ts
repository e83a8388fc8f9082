/** What is found beside images. */
import type { SignedEntity } from '../bundle/signed-entity.ts'
import type { CountersignError } from '../error.ts'
import type { Descriptor } from './manifest.ts'

/** A signature or an attestation, as found. */
export interface FoundSignature {
  readonly entity: SignedEntity
  /** What the signature is over where it is a layer of its own; undefined for bundles, whose envelope holds it. */
  readonly payload: Uint8Array | undefined
  /** The layer as it is stored: the payload, the envelope or the bundle. */
  readonly bytes: Uint8Array
  readonly place: SignaturePlace
  /** Which manifest it is in, and which of its layers. */
  readonly where: string
  readonly manifest: string
  readonly layer: Descriptor
  /** Its position among all that its place lists. */
  readonly index: number
}

/** Where it was; `given` is what the caller brings. */
export type SignaturePlace = 'referrer' | 'signature-tag' | 'attestation-tag' | 'legacy-referrer' | 'given'

/** What was found, and what was not: nothing is left out silently. */
export interface Findings {
  readonly signatures: readonly FoundSignature[]
  /** Entries that could not be read: sentences. */
  readonly unreadable: readonly string[]
  /** The places that were looked into, each with what was there: `3 referrers`, `no tag sha256-….sig`. */
  readonly looked: readonly string[]
  /** Places that could not be looked into: what is there is unknown, and must not pass for nothing. */
  readonly failures: readonly CountersignError[]
}
