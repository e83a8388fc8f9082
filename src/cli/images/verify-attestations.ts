/** `verify-attestation`: from flags to what is printed. */
import { acceptedPredicateTypes } from '../../bundle/predicate-type.ts'
import type { VerifiedSignature } from '../../oci/verify-image.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { verifyAttestationFlags } from './flags.ts'
import { explanationOf } from './explanation.ts'
import { verifyImages } from './verify-images.ts'
import type { ImageVerificationTask } from './verification-task.ts'
import { printAttestations, printHeader } from './verify-report.ts'

/** @throws as `verifyImages` */
export async function verifyAttestations(
  context: CommandContext,
  flags: FlagValues<typeof verifyAttestationFlags>,
  images: readonly string[],
): Promise<void> {
  const policies = flags.policy.length === 0 ? undefined : await loadPolicies(context, flags.policy)
  const task: ImageVerificationTask = { wanted: { predicateType: acceptedPredicateTypes(flags.type) }, typeName: flags.type }
  const explain = await explanationOf(context, flags)
  for await (const verified of verifyImages(context, flags, images, task, explain)) {
    // Of an image that is refused nothing may be read that says otherwise.
    await policies?.apply(verified.signatures)
    printHeader(context, flags, verified, false)
    explain(verified)
    printAttestations(context, verified)
  }
}

interface Policies {
  apply(attestations: readonly VerifiedSignature[]): Promise<void>
}

async function loadPolicies(context: CommandContext, files: readonly string[]): Promise<Policies> {
  const { applyPolicies, openAttestationPolicies } = await import('./attestation-policies.ts')
  const policies = await openAttestationPolicies(context, files)
  return { apply: (attestations) => applyPolicies(context, policies, attestations) }
}
