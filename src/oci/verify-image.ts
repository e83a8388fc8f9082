/** A signature that was found beside an image: checked by the one verifier, and it must be about this image. */
import type { KeyMaterial, SignedEntity } from '../bundle/signed-entity.ts'
import { parseStatement } from '../bundle/statement.ts'
import { parseSimpleSigning } from '../bundle/simple-signing.ts'
import type { SimpleSigning } from '../bundle/simple-signing.ts'
import { loadEd25519ph } from '../crypto/signature.ts'
import type { JsonValue } from '../encoding/json.ts'
import { equalBytes, excerpt } from '../encoding/bytes.ts'
import { UsageError, VerificationError } from '../error.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { artifactFromBytes, artifactFromDigests } from '../verify/artifact.ts'
import type { Demands } from '../verify/demands.ts'
import { verifyOptionsFor } from '../verify/demands.ts'
import { mayUseEd25519 } from '../verify/digests-needed.ts'
import type { Evidence } from '../verify/evidence.ts'
import type { Policy } from '../verify/policy.ts'
import { isPredicateType } from '../verify/policy.ts'
import { isAboutArtifact } from '../verify/signature.ts'
import { verifyInParallel } from '../verify/verify.ts'
import { splitDigest } from './digest.ts'
import type { FoundSignature } from './found-signature.ts'
import { signPredicateType } from './signature-places.ts'

export interface ImagePolicy {
  readonly signer: Policy['signer']
  readonly trust: TrustMaterial
  readonly demands: Demands
  /**
   * What is wanted: a signature of the image, or an attestation about it of this predicate type (undefined: of any, but no signature; several: of
   * one of them). An attestation is no signature: whoever signed a list of what is in an image has not said that the image is theirs.
   */
  readonly wanted: 'signature' | { readonly predicateType: string | readonly string[] | undefined }
  /** Attestations count as signatures, too, as in cosign 3. */
  readonly acceptAttestations?: boolean
  /** What the signature must say, beside the digest. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Whether the signature must name the image's digest; default true. */
  readonly checkClaims?: boolean
  /** The signing certificate, for signatures that come without: of cosign 1, kept apart. */
  readonly certificate?: Extract<KeyMaterial, { readonly kind: 'certificate' }>
  /**
   * Looks for the log entry of a signature that came without, as those of cosign 1 do. What it adds is verified as anything else.
   * Default: such a signature is refused where a log is demanded.
   */
  readonly findLogEntry?: (found: FoundSignature, policy: Policy) => Promise<SignedEntity>
}

/** A signature that holds. */
export interface VerifiedSignature {
  readonly found: FoundSignature
  /** What was verified: as it was found, with what was not in it and had to be looked for. */
  readonly entity: SignedEntity
  readonly evidence: Evidence
  /** What was signed, in cosign's first format; undefined for statements. */
  readonly claim: SimpleSigning | undefined
}

/**
 * By what it says that it is. Nothing counts because of that, and only what is left out is left out unverified; a statement that
 * cannot be read is verified, so that its error is told.
 */
export function isWanted(
  { entity: { content }, payload, place }: FoundSignature,
  { wanted, acceptAttestations = false }: ImagePolicy,
): boolean {
  if (wanted !== 'signature') return content.kind === 'dsse-envelope'
  if (content.kind !== 'dsse-envelope') return payload !== undefined || place === 'referrer'
  if (acceptAttestations) return true
  try {
    return place === 'referrer' && parseStatement(content.payload).predicateType === signPredicateType
  } catch {
    return true
  }
}

/**
 * Verifies one signature, while others are read or verified.
 * @param digest of the image's manifest
 * @throws VerificationError, DecodingError; what looking for a log entry throws
 */
export async function verifyFound(found: FoundSignature, digest: string, policy: ImagePolicy): Promise<VerifiedSignature> {
  const { payload, bytes } = found
  const { signer, checkClaims = true } = policy
  const given = withCertificate(found, policy)
  const artifact =
    payload !== undefined
      ? artifactFromBytes(bytes)
      : checkClaims || given.content.kind === 'message-signature'
        ? imageArtifact(digest)
        : 'any-subject'
  const entity = await withLogEntry(found, given, policy, { artifact, signer })
  if (mayUseEd25519(entity, signer.kind === 'key' ? signer.key : undefined)) await loadEd25519ph()
  const evidence = await verifyInParallel(
    entity,
    policy.trust,
    { artifact, signer },
    verifyOptionsFor(entity, policy.demands, signer.kind === 'key'),
  )
  if (payload === undefined) {
    checkPredicateType(evidence, policy)
    checkAnnotations(subjectAnnotations(evidence, digest), policy.annotations)
    return { found, entity, evidence, claim: undefined }
  }
  const claim = parseSimpleSigning(payload)
  if (checkClaims) checkClaim(claim, digest)
  checkAnnotations([claim.optional], policy.annotations)
  return { found, entity, evidence, claim }
}

/** Whether nobody has to be asked to verify it. */
export function isComplete({ entity }: FoundSignature, { demands }: ImagePolicy): boolean {
  return !demands.log || entity.logEntries.length > 0 || entity.format !== 'legacy'
}

/** A certificate from elsewhere completes a signature without; it never takes the place of another. A bundle has its own, or a key. */
function withCertificate({ entity, place }: FoundSignature, { certificate }: ImagePolicy): SignedEntity {
  if (certificate === undefined) return entity
  const { keyMaterial } = entity
  const isHeld = keyMaterial.kind === 'certificate' && equalBytes(keyMaterial.leaf, certificate.leaf)
  if (!isHeld && (place === 'referrer' || keyMaterial.kind === 'certificate')) {
    throw new VerificationError('KEY_MISMATCH', 'the cert passed in does not match the cert of the signature')
  }
  return place === 'referrer' ? entity : { ...entity, keyMaterial: certificate }
}

async function withLogEntry(found: FoundSignature, entity: SignedEntity, imagePolicy: ImagePolicy, policy: Policy): Promise<SignedEntity> {
  const { findLogEntry } = imagePolicy
  if (isComplete({ ...found, entity }, imagePolicy)) return entity
  if (findLogEntry !== undefined) return findLogEntry({ ...found, entity }, policy)
  throw new VerificationError('LOG_ENTRY_UNVERIFIED', 'the signature comes without an entry of a transparency log')
}

function imageArtifact(digest: string): ReturnType<typeof artifactFromDigests> {
  const parts = splitDigest(digest)
  if (parts === undefined) throw new UsageError('USAGE', `expected a digest like sha256:<64 hex digits>, found ${excerpt(digest)}`)
  return artifactFromDigests({ [parts.algorithm]: parts.value })
}

function checkClaim({ dockerManifestDigest }: SimpleSigning, digest: string): void {
  if (dockerManifestDigest === digest) return
  throw new VerificationError(
    'ARTIFACT_MISMATCH',
    `invalid or missing digest in claim: ${excerpt(dockerManifestDigest, 80)}, expected ${digest}`,
  )
}

function checkPredicateType({ statement }: Evidence, { wanted, acceptAttestations = false }: ImagePolicy): void {
  if (statement === undefined) return
  const { predicateType } = statement
  if (wanted === 'signature') {
    if (predicateType === signPredicateType || acceptAttestations) return
    throw new VerificationError(
      'PREDICATE_TYPE_MISMATCH',
      `it is an attestation (${excerpt(predicateType)}), not a signature; use verify-attestation for it`,
    )
  }
  if (wanted.predicateType === undefined && predicateType === signPredicateType)
    throw new VerificationError('PREDICATE_TYPE_MISMATCH', 'it is a signature of the image, which attests nothing about it')
  if (wanted.predicateType === undefined || isPredicateType(wanted.predicateType, predicateType)) return
  const expected = [wanted.predicateType].flat().map((type) => excerpt(type))
  throw new VerificationError(
    'PREDICATE_TYPE_MISMATCH',
    `invalid predicate type, expected ${expected.join(' or ')} got ${excerpt(predicateType)}`,
  )
}

/** Of the subjects that are the image; annotations of other subjects are about other things. */
function subjectAnnotations({ statement }: Evidence, digest: string): readonly ReadonlyMap<string, JsonValue>[] {
  const artifact = imageArtifact(digest)
  const about = statement?.subjects.filter((subject) => isAboutArtifact({ subjects: [subject] }, artifact)) ?? []
  return about.map(({ annotations }) => annotations)
}

/** All of them must be said in one place. */
function checkAnnotations(stated: readonly ReadonlyMap<string, JsonValue>[], wanted: Readonly<Record<string, string>> = {}): void {
  const names = Object.entries(wanted)
  if (names.length === 0 || stated.some((one) => names.every(([name, value]) => one.get(name) === value))) return
  const [first = new Map<string, JsonValue>()] = stated
  const [name, value] = names.find(([wantedName, wantedValue]) => first.get(wantedName) !== wantedValue) ?? ['', '']
  const found = first.get(name)
  const what = found === undefined ? 'it is not there' : `it is ${excerpt(typeof found === 'string' ? found : 'no text')}`
  throw new VerificationError('ARTIFACT_MISMATCH', `missing or incorrect annotation: ${excerpt(name)} should be ${excerpt(value)}, ${what}`)
}
