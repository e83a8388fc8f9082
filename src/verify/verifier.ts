/** A verifier for many bundles: trust material and policy are prepared once. */
import { parseBundle } from '../bundle/bundle.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { parsePublicKeyPem } from '../crypto/public-key.ts'
import { UsageError } from '../error.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import type { Artifact } from './artifact.ts'
import { artifactFromBytes } from './artifact.ts'
import type { Evidence } from './evidence.ts'
import type { CertificateIdentity, Policy, VerifyOptions } from './policy.ts'
import { verify } from './verify.ts'

/** Whom to believe and who may have signed, the same for all bundles. */
export interface VerifierOptions extends VerifyOptions {
  readonly trust: TrustMaterial
  /** Who may have signed. Either this or `key`. */
  readonly identities?: readonly CertificateIdentity[]
  /** PEM of the public key that must have signed. Either this or `identities`. */
  readonly key?: string
  /** The predicate type that attestations must have. */
  readonly predicateType?: string
}

/** Verifies bundles by one policy. */
export interface Verifier {
  /**
   * Verifies one bundle.
   * @param bundle JSON of the bundle, or an entity that was parsed before
   * @param artifact its bytes, or digests of it; `any-subject` for an attestation that is not tied to an artifact
   * @throws VerificationError when a check fails, DecodingError when something is malformed
   */
  verify(bundle: Uint8Array | string | SignedEntity, artifact: Uint8Array | Artifact | 'any-subject'): Evidence
}

/**
 * Makes a verifier. It holds no resources and may be used from anywhere, any number of times.
 * @throws UsageError POLICY_INVALID when neither or both of `identities` and `key` are given
 * @throws DecodingError KEY_INVALID, PEM_INVALID when `key` is not a public key
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { trust, identities, key, predicateType, ...verifyOptions } = options
  const signer = readSigner(identities, key)
  return {
    verify(bundle, artifact) {
      const entity = typeof bundle === 'string' || bundle instanceof Uint8Array ? parseBundle(bundle) : bundle
      const policy: Policy = {
        artifact: artifact instanceof Uint8Array ? artifactFromBytes(artifact) : artifact,
        signer,
        ...(predicateType === undefined ? {} : { predicateType }),
      }
      return verify(entity, trust, policy, verifyOptions)
    },
  }
}

function readSigner(identities: readonly CertificateIdentity[] | undefined, key: string | undefined): Policy['signer'] {
  if (key !== undefined && identities === undefined) return { kind: 'key', key: parsePublicKeyPem(key) }
  if (key === undefined && identities !== undefined && identities.length > 0) return { kind: 'certificate', identities }
  throw new UsageError('POLICY_INVALID', 'a verifier needs either identities (at least one) or a key')
}
