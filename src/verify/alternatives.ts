/**
 * What a signature may be verified as, where that is not one thing: under each of several trusted roots by itself, and an envelope with each of
 * the signatures that the signer made. It holds when it holds as one of them, with everything that is demanded; nothing is put together.
 */
import type { DsseEnvelope, SignedEntity } from '../bundle/signed-entity.ts'
import { CountersignError, UsageError, VerificationError } from '../error.ts'
import { findLogs, rootsOf } from '../trust/trust-material.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { authoritiesOver } from './certificate.ts'
import { isEnvelopeSignedBy } from './signature.ts'
import type { Signer } from './signer.ts'

/** One signature under one trusted root. */
export interface Alternative {
  readonly entity: SignedEntity
  readonly root: TrustMaterial
}

/** An alternative that does not hold, and why. */
export interface Refusal extends Alternative {
  readonly error: CountersignError
}

/** Everything that the signature may be verified as, at least one. */
export function alternativesOf(entity: SignedEntity, signer: Signer, trust: TrustMaterial): readonly Alternative[] {
  return rootsOf(trust).flatMap((root) => signaturesBy(entity, signer).map((one) => ({ entity: one, root })))
}

/**
 * The entity with each signature of its envelope that the signer made, that one in front. Where there is none, or no choice, the entity as it is: the
 * verifier refuses it.
 */
export function signaturesBy(entity: SignedEntity, signer: Signer): readonly [SignedEntity, ...SignedEntity[]] {
  const { content } = entity
  if (content.kind !== 'dsse-envelope' || content.otherSignatures === undefined) return [entity]
  const { signature, keyId } = content
  const all = [{ signature, keyId }, ...content.otherSignatures]
  const [first = entity, ...others] = all
    .map((one): DsseEnvelope => ({ ...content, ...one, otherSignatures: all.filter((other) => other !== one) }))
    .filter((envelope) => isEnvelopeSignedBy(envelope, signer))
    .map((envelope) => ({ ...entity, content: envelope }))
  return [first, ...others]
}

/** What an alternative was refused for. @throws the error where it is none of the signature, and the same for every alternative */
export function refusalOf(alternative: Alternative, error: unknown): Refusal {
  if (!(error instanceof CountersignError) || error instanceof UsageError) throw error
  return { ...alternative, error }
}

/** The reason of the only root that knows the signer, or the log where there is no certificate; otherwise every reason. */
export function mostTelling(refusals: readonly Refusal[], signer: Signer): CountersignError {
  // Of the signatures of one envelope, the first is as telling as any.
  const byRoot = refusals.filter(({ root }, index) => refusals.findIndex((other) => other.root === root) === index)
  const [first] = byRoot
  if (first === undefined) return new VerificationError('SIGNATURE_INVALID', 'there is nothing to verify')
  const [only, ...others] = byRoot.filter(({ entity, root }) => isOfRoot(entity, signer, root))
  if (only !== undefined && others.length === 0) return only.error
  if (byRoot.every(({ error }) => error.message === first.error.message)) return first.error
  const reasons = byRoot.map(({ error }, index) => `${index + 1}: ${error.message}`).join('; ')
  return new VerificationError(first.error.code, `it holds under none of the ${byRoot.length} trusted roots: ${reasons}`, {
    cause: first.error,
  })
}

function isOfRoot({ logEntries }: SignedEntity, { certificate }: Signer, root: TrustMaterial): boolean {
  return certificate === undefined
    ? logEntries.some(({ logId }) => findLogs(root.logs, logId).length > 0)
    : authoritiesOver(certificate, root).length > 0
}
