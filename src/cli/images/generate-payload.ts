/** `generate`: what cosign 1 and 2 sign about an image, for signing it elsewhere. */
import { encodeImagePayload } from '../../oci/image-statement.ts'
import { parseReference, repositoryText } from '../../oci/reference.ts'
import type { CommandContext } from '../context.ts'
import { findImage } from './image-input.ts'
import type { RegistryFlags } from './registries.ts'
import { connectRegistries } from './registries.ts'
import { readAnnotations } from './verify-signatures.ts'

/** @throws as `findImage` */
export async function generatePayload(
  context: CommandContext,
  flags: RegistryFlags & { readonly annotations: readonly string[] },
  image: string,
): Promise<void> {
  const reference = parseReference(image)
  const annotations = readAnnotations(flags.annotations)
  // A digest is what it is, whether or not it is in the registry yet.
  const digest = reference.digest ?? (await findImage(connectRegistries(context, flags).open(reference), reference)).descriptor.digest
  context.stdout.write(encodeImagePayload({ digest, annotations }, repositoryText(reference)))
}
