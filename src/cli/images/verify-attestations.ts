/** `verify-attestation`: from flags to what is printed. */
import { predicateTypeUri } from '../../bundle/predicate-type.ts'
import { UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import type { verifyAttestationFlags } from './flags.ts'
import { explanationOf } from './explanation.ts'
import { verifyImages } from './verify-images.ts'
import type { ImageVerificationTask } from './verify-images.ts'
import { printAttestations, printHeader } from './verify-report.ts'

/** @throws as `verifyImages` */
export async function verifyAttestations(
  context: CommandContext,
  flags: FlagValues<typeof verifyAttestationFlags>,
  images: readonly string[],
): Promise<void> {
  if (flags.policy.length > 0) throw new UsageError('USAGE', '--policy is not supported by this version')
  const task: ImageVerificationTask = { wanted: { predicateType: predicateTypeUri(flags.type) }, typeName: flags.type }
  const explain = await explanationOf(context, flags)
  for await (const verified of verifyImages(context, flags, images, task, explain)) {
    printHeader(context, flags, verified, false)
    explain(verified)
    printAttestations(context, verified)
  }
}
