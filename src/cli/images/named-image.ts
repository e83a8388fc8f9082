/** The image that an argument names, for verbs that fail with status 1 where there is none. */
import type { Repository } from '../../oci/repository.ts'
import type { ImageReference } from '../../oci/reference.ts'
import { parseReference, referenceTarget, referenceText, repositoryText } from '../../oci/reference.ts'
import type { CommandContext } from '../context.ts'
import type { FoundImage } from './image-input.ts'
import { forPlatform } from './image-input.ts'
import type { Registries, RegistryFlags } from './registries.ts'
import { connectRegistries } from './registries.ts'

/** An image, and the repositories that it and its signatures are in. */
export interface NamedImage extends FoundImage {
  readonly images: Repository
  readonly signatures: Repository
  readonly registries: Registries
}

/**
 * Finds an image.
 * @param platform chooses one of an index; empty for what the argument names itself
 * @throws UsageError USAGE; CountersignError NOT_FOUND; as `Repository.manifest`
 */
export async function findNamedImage(context: CommandContext, flags: RegistryFlags, argument: string, platform = ''): Promise<NamedImage> {
  const reference = parseReference(argument)
  const registries = connectRegistries(context, flags)
  const images = registries.open(reference)
  const descriptor = await images.resolve(referenceTarget(reference))
  const named: FoundImage = { reference, name: referenceText(reference), repository: repositoryText(reference), descriptor }
  const image = platform === '' ? named : await forPlatform(images, named, platform)
  return { ...image, images, signatures: registries.signaturesOf(reference), registries }
}

/** The source's path on the target's registry, where both are on one. */
export function mountSource(source: ImageReference, target: ImageReference): string | undefined {
  return source.registry === target.registry && source.repository !== target.repository ? source.repository : undefined
}
