/** In which of cosign's formats an image is signed, and what that asks of the services. */
import { UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { isTrue } from '../flag-values.ts'
import type { RecordNeeds } from '../signing/signing-steps.ts'

/**
 * `bundle`: a Sigstore bundle that refers to the image. `tag`: a layer under the image's `.sig` or `.att` tag, as cosign 1 and 2 had
 * it. `referrer`: the same layer in a manifest that refers to the image, which cosign 2 tried out.
 */
export type SignatureLayout = 'bundle' | 'tag' | 'referrer'

export interface LayoutFlags {
  readonly 'new-bundle-format': boolean
  readonly bundle: string
  readonly 'signing-config': string
  readonly 'timestamp-server-url': string
  readonly 'registry-referrers-mode'?: string
}

/**
 * Chooses the format. Flags that only mean something in the format from before bundles choose that one, because scripts that have
 * them were written for it; not where the user has asked for a bundle.
 * @param given which of those flags are given, without their dashes
 * @throws UsageError USAGE
 */
export function chooseLayout(
  context: CommandContext,
  flags: LayoutFlags,
  isGiven: (flag: string) => boolean,
  given: readonly string[],
): SignatureLayout {
  const mode = flags['registry-referrers-mode'] ?? ''
  checkReferrersMode(context, mode)
  const wantsBundle = flags['new-bundle-format'] && (isGiven('new-bundle-format') || flags.bundle !== '')
  if (wantsBundle) for (const flag of given) warn(context, `--${flag} is deprecated when using --new-bundle-format and will be ignored`)
  const isOld = !flags['new-bundle-format'] || (!wantsBundle && given.length > 0)
  if (!isOld) return 'bundle'
  if (flags['new-bundle-format'])
    warn(context, `--${given[0]} belongs to the format from before bundles, so that one is used; --new-bundle-format=true makes a bundle`)
  return mode === 'oci-1-1' ? 'referrer' : 'tag'
}

/**
 * What the services must be able to. In the old format there is a timestamp only for who asks for one: cosign 2 refuses a signature
 * that has one unless it is told of the timestamp authority.
 */
export function layoutNeeds(layout: SignatureLayout, flags: LayoutFlags): RecordNeeds {
  return {
    isOldFormat: layout !== 'bundle',
    isWithoutBundle: layout !== 'bundle',
    keepsTimestamp: layout === 'bundle' || flags['timestamp-server-url'] !== '' || flags['signing-config'] !== '',
    insteadOfRekorV2: 'the format from before bundles needs the promise of its log, which only Rekor v1 gives, so make a bundle',
  }
}

/** @throws UsageError USAGE in cosign's words, unless COSIGN_EXPERIMENTAL allows what cosign 2 tried out */
export function checkReferrersMode({ env }: CommandContext, mode: string): void {
  if (mode !== 'oci-1-1' || isTrue(env['COSIGN_EXPERIMENTAL'])) return
  throw new UsageError(
    'USAGE',
    'invalid argument "oci-1-1" for "--registry-referrers-mode" flag: in order to use  mode "oci-1-1", you must set COSIGN_EXPERIMENTAL=1',
  )
}
