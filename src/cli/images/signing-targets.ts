/** What is to be signed: images by reference, what indexes name, what is attached to an image. */
import path from 'node:path'
import { CountersignError, UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { ImageReference } from '../../oci/reference.ts'
import { parseReference, referenceTarget, referenceText, repositoryText } from '../../oci/reference.ts'
import type { Repository } from '../../oci/repository.ts'
import { signatureTag } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FoundImage } from './image-input.ts'
import { withChildren } from './image-input.ts'
import type { Registries } from './registries.ts'
import { sbomDeprecation } from './sbom-notice.ts'

/** An image to sign, and where its signatures go: beside it in the registry or the layout, or where COSIGN_REPOSITORY says. */
export interface SigningTarget {
  readonly image: FoundImage
  readonly signatures: Repository
}

export interface TargetOptions {
  readonly recursive: boolean
  /** The images are folders with image layouts, which are signed before they are pushed. */
  readonly local: boolean
  /** `sbom` for the SBOM that is attached to the image, empty for the image itself. */
  readonly attachment?: string
  readonly tagPrefix?: string
  /** Whether signatures are stored beside the images; default true. */
  readonly stores?: boolean
}

/** Warns of tags, in cosign's words: what a tag names may have changed since somebody looked. */
export function warnOfTags(context: CommandContext, images: readonly string[]): void {
  for (const image of images) {
    if (parseReference(image).digest !== undefined) continue
    const text = `Image reference ${image} uses a tag, not a digest, to identify the image to sign.
    This can lead you to sign a different image than the intended one. Please use a
    digest (example.com/ubuntu@sha256:abc123...) rather than tag
    (example.com/ubuntu:latest) for the input to cosign. The ability to refer to
    images by tag will be removed in a future release.
`
    context.stderr.write(`WARNING: ${text}\n`)
  }
}

/**
 * Finds the images, each once. From here on everything goes by their digests.
 * @throws UsageError USAGE; CountersignError with the image in front, NOT_FOUND for one that is not there
 */
export async function findTargets(
  context: CommandContext,
  registries: Registries,
  images: readonly string[],
  options: TargetOptions,
): Promise<SigningTarget[]> {
  const { attachment = '' } = options
  if (attachment !== '' && attachment !== 'sbom')
    throw new UsageError('USAGE', `specified image attachment ${excerpt(attachment)} not specified. Can be 'sbom'`)
  if (attachment === 'sbom') warn(context, sbomDeprecation)
  const find = options.local ? localTargets(context, options) : (image: string) => targetsOf(registries, image, options)
  const found = await Promise.all(images.map(find))
  const targets = new Map<string, SigningTarget>()
  for (const target of found.flat()) {
    const key = `${target.image.repository}@${target.image.descriptor.digest}`
    if (!targets.has(key)) targets.set(key, target)
  }
  return [...targets.values()]
}

/** Signed as what the folder is called: nobody knows yet where the image will be. */
function localTargets(
  context: CommandContext,
  { recursive, attachment = '', stores = true }: TargetOptions,
): (folder: string) => Promise<SigningTarget[]> {
  if (attachment !== '') throw new UsageError('USAGE', '--attachment is for images in a registry')
  return async (folder) => {
    const { openLocalImage } = await import('./local-image.ts')
    const { repository, image } = await openLocalImage(context, folder)
    if (stores && !repository.isWritable) {
      const advice = 'do not upload, and name a file with --bundle; or load it into a registry and sign it there'
      throw new UsageError('USAGE', `${folder} is an archive, into which no signature is stored: ${advice}`)
    }
    const named = { ...image, repository: path.basename(path.resolve(context.cwd, folder)) }
    const all = recursive ? await withChildren(repository, named) : [named]
    return all.map((one) => ({ image: one, signatures: repository }))
  }
}

async function targetsOf(registries: Registries, text: string, options: TargetOptions): Promise<SigningTarget[]> {
  const { recursive, attachment = '', tagPrefix = '' } = options
  const reference = parseReference(text)
  const repository = registries.open(reference)
  const signatures = registries.signaturesOf(reference)
  try {
    const image = await describe(repository, reference)
    if (attachment === 'sbom') {
      const descriptor = await signatures.resolve(signatureTag(image.descriptor.digest, 'sbom', tagPrefix))
      return [{ image: { ...image, name: `${signatures.name}@${descriptor.digest}`, repository: signatures.name, descriptor }, signatures }]
    }
    const all = recursive ? await withChildren(repository, image) : [image]
    return all.map((one) => ({ image: one, signatures }))
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    const what = cause.code === 'NOT_FOUND' ? 'accessing entity: entity not found in registry: ' : ''
    throw new CountersignError(cause.code, `signing [${text}]: ${what}${cause.message}`, { cause })
  }
}

async function describe(repository: Repository, reference: ImageReference): Promise<FoundImage> {
  const descriptor = await repository.resolve(referenceTarget(reference))
  return { reference, name: referenceText(reference), repository: repositoryText(reference), descriptor }
}
