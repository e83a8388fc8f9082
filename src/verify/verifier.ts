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
import type { Members } from './policy-check.ts'
import { checkMembers, checkOptions, checkPredicateType, checkSigner, checkTrust, copySigner, kindOf } from './policy-check.ts'
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
 * Makes a verifier. It holds no resources and may be used from anywhere, any number of times. What is changed in the options afterwards
 * is not heeded.
 * @throws UsageError POLICY_INVALID when neither or both of `identities` and `key` are given, for options that are not known, and for
 *   those that are of another type, or undefined where that would leave out a demand
 * @throws DecodingError KEY_INVALID, PEM_INVALID when `key` is not a public key
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { trust, identities, key, predicateType, ...others } = options
  checkMembers(options, 'the options of a verifier', verifierMembers)
  checkTrust(trust)
  checkPredicateType(options)
  checkOptions(others)
  const signer = readSigner(identities, key)
  const verifyOptions = copyOptions(others)
  return {
    verify(bundle, artifact) {
      const policy: Policy = {
        artifact: artifact instanceof Uint8Array ? artifactFromBytes(artifact) : artifact,
        signer,
        ...(predicateType === undefined ? {} : { predicateType }),
      }
      return verify(readEntity(bundle), trust, policy, verifyOptions)
    },
  }
}

const verifierMembers: Members<VerifierOptions> = {
  trust: true,
  identities: true,
  key: true,
  predicateType: true,
  thresholds: true,
  currentTime: true,
  detachedSct: true,
}

function readSigner(identities: readonly CertificateIdentity[] | undefined, key: string | undefined): Policy['signer'] {
  if (typeof key === 'string' && identities === undefined) return { kind: 'key', key: parsePublicKeyPem(key) }
  if (key !== undefined || identities === undefined)
    throw new UsageError('POLICY_INVALID', 'a verifier needs either identities (at least one) or a key, as the text of a PEM file')
  const signer = { kind: 'certificate', identities } as const
  checkSigner(signer)
  return copySigner(signer)
}

function copyOptions({ thresholds, currentTime, detachedSct }: VerifyOptions): VerifyOptions {
  return {
    ...(thresholds === undefined ? {} : { thresholds: { ...thresholds } }),
    ...(currentTime === undefined ? {} : { currentTime: new Date(currentTime) }),
    ...(detachedSct === undefined ? {} : { detachedSct: Uint8Array.from(detachedSct) }),
  }
}

function readEntity(bundle: Uint8Array | string | SignedEntity): SignedEntity {
  if (typeof bundle === 'string' || bundle instanceof Uint8Array) return parseBundle(bundle)
  if (typeof bundle === 'object' && bundle !== null && 'content' in bundle && 'keyMaterial' in bundle) return bundle
  throw new UsageError('USAGE', `a bundle should be its JSON, as text or bytes, or what parseBundle gave, found ${kindOf(bundle)}`)
}
