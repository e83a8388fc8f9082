/** The log entry of a signature that came without: looked for in the log, unless the user does not want that. */
import { UsageError } from '../../error.ts'
import type { ImagePolicy } from '../../oci/verify-image.ts'
import type { TrustMaterial } from '../../trust/trust-material.ts'
import type { CommandContext } from '../context.ts'

/** @returns what looks for entries, as `ImagePolicy.findLogEntry` */
export function entryFinder(
  { env, signal }: CommandContext,
  flags: { readonly offline: boolean; readonly 'rekor-url': string },
  trust: TrustMaterial,
): NonNullable<ImagePolicy['findLogEntry']> {
  return async ({ entity, bytes }, policy) => {
    if (flags.offline) {
      throw new UsageError(
        'LOG_ENTRY_UNVERIFIED',
        'offline verification failed: the signature comes without an entry of a transparency log, and --offline forbids to look for it',
      )
    }
    const { withEntryOfLog } = await import('../verification/log-search.ts')
    const envelope = entity.content.kind === 'dsse-envelope' ? bytes : undefined
    return withEntryOfLog(entity, policy, envelope, { named: flags['rekor-url'], trust, options: { env, signal } })
  }
}
