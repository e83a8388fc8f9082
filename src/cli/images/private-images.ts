/** Images that not everybody may see: their owner is asked before their digests become public in a log. */
import { CountersignError } from '../../error.ts'
import { noServices } from '../../sign/signing-services.ts'
import type { SigningServices } from '../../sign/signing-services.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { confirm } from '../signing/confirmation.ts'
import type { Registries } from './registries.ts'
import type { SigningTarget } from './signing-targets.ts'

/**
 * Asks about each repository of which an image cannot be read anonymously.
 * @returns the services to use: without logs where somebody does not want them
 * @throws CountersignError ABORTED where a signature without a log would be worth nothing
 */
export async function confirmPrivateImages(
  context: CommandContext,
  registries: Registries,
  targets: readonly SigningTarget[],
  services: SigningServices,
): Promise<SigningServices> {
  const [log] = services.logs
  if (log === undefined) return services
  const asked = new Set<string>()
  for (const { image } of targets) {
    if (asked.has(image.repository)) continue
    asked.add(image.repository)
    if (await isPublic(registries, image)) continue
    warn(
      context,
      `"${image.repository}" appears to be a private repository, please confirm uploading to the transparency log at "${log.url}"`,
    )
    try {
      await confirm(context)
    } catch (error) {
      // A certificate is good for minutes: without an entry nobody could tell later that it was used in time.
      const isUseless = services.certificateAuthority !== undefined && services.timestampAuthorities.length === 0
      if (!(error instanceof CountersignError) || error.code !== 'ABORTED' || isUseless) throw error
      context.stderr.write('not uploading to transparency log\n')
      const { certificateAuthority, timestampAuthorities } = services
      return certificateAuthority === undefined && timestampAuthorities.length === 0 ? noServices : { ...services, logs: [] }
    }
  }
  return services
}

async function isPublic(registries: Registries, { reference, descriptor }: SigningTarget['image']): Promise<boolean> {
  try {
    await registries.anonymous(reference).resolve(descriptor.digest)
    return true
  } catch (error) {
    if (error instanceof CountersignError) return false
    throw error
  }
}
