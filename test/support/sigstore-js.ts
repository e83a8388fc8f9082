/** An independent verifier to compare with: `@sigstore/verify` of sigstore-js. */
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import type { SignedBundle } from './universe/universe.ts'

export interface OracleCircumstances {
  /** The bundle, where it is not the one that was signed. */
  readonly bundle?: unknown
  /** JSON of the trusted root, where it is not the universe's. */
  readonly trustedRoot?: string
  /** The log entries or timestamps to ask for; one by default, as everywhere. */
  readonly logEntries?: number
}

/**
 * Verifies a bundle of the universe with sigstore-js, but for identity and issuer. It does not compare the artifact with an
 * attestation's subjects.
 * @throws what sigstore-js throws: an error of its own, or any other where it does not expect what it finds
 */
export function verifyWithSigstoreJs(signed: SignedBundle, circumstances: OracleCircumstances = {}): void {
  const root = TrustedRoot.fromJSON(JSON.parse(circumstances.trustedRoot ?? signed.universe.trustedRoot()))
  const trust = toTrustMaterial(root, () => ({ publicKey: signed.key.publicKey, validFor: () => true }))
  const verifier = new Verifier(trust, { tlogThreshold: circumstances.logEntries ?? 1, ctlogThreshold: 1 })
  const bundle = bundleFromJSON(circumstances.bundle ?? signed.bundle)
  verifier.verify(toSignedEntity(bundle, Buffer.from(signed.artifact)))
}
