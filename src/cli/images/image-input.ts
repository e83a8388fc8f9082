/** The images that a command line means: a reference resolved to a digest once, and what an index names. */
import { CountersignError, UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { Descriptor, Platform } from '../../oci/manifest.ts'
import { isIndexType, parseManifest } from '../../oci/manifest.ts'
import type { ImageReference } from '../../oci/reference.ts'
import { referenceTarget, referenceText, repositoryText } from '../../oci/reference.ts'
import type { Repository } from '../../oci/repository.ts'
import { EXIT_CODE, ExitError } from '../failure.ts'

/** An image that a reference means, which may not be in the registry. */
export interface MeantImage {
  readonly reference: ImageReference
  /** As it is named in what is printed. */
  readonly name: string
  /** The repository without tag and digest. */
  readonly repository: string
  readonly descriptor: Pick<Descriptor, 'digest'>
}

/** An image, found. */
export interface FoundImage extends MeantImage {
  readonly descriptor: Descriptor
}

const maxDepth = 8
const maxImages = 1000

/**
 * Resolves a reference. Everything after it goes by the digest: a tag that moves meanwhile changes nothing.
 * @throws ExitError 11 for what is not there; as `Repository.resolve`
 */
export async function findImage(repository: Repository, reference: ImageReference): Promise<FoundImage> {
  try {
    const descriptor = await repository.resolve(referenceTarget(reference))
    return { reference, name: referenceText(reference), repository: repositoryText(reference), descriptor }
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code !== 'NOT_FOUND') throw cause
    throw new ExitError(EXIT_CODE.tagNotFound, 'NOT_FOUND', `image tag not found: ${cause.message}`, { cause })
  }
}

/** The image of a reference with a digest: what was signed about it may be verified where the image itself is not, or not any more. */
export function imageOfDigest(reference: ImageReference, digest: string): MeantImage {
  return { reference, name: referenceText(reference), repository: repositoryText(reference), descriptor: { digest } }
}

/** An image of an index, by its digest. */
function childOf({ repository, reference }: MeantImage, descriptor: Descriptor): FoundImage {
  return { reference, name: `${repository}@${descriptor.digest}`, repository, descriptor }
}

/**
 * The image and, where it is an index, everything that it names, each once.
 * @throws CountersignError TOO_LARGE for an index that is nested too deep or names too much
 */
export async function withChildren<Image extends MeantImage>(repository: Repository, image: Image): Promise<(Image | FoundImage)[]> {
  const found = new Map<string, Image | FoundImage>()
  const isNew = (one: Image | FoundImage): boolean => {
    if (found.has(one.descriptor.digest)) return false
    if (found.size === maxImages) throw new CountersignError('TOO_LARGE', `${image.name} names more than ${maxImages} images`)
    found.set(one.descriptor.digest, one)
    return true
  }
  const visit = async (index: MeantImage, depth: number): Promise<void> => {
    if (depth > maxDepth) throw new CountersignError('TOO_LARGE', `${image.name} is an index of indexes more than ${maxDepth} deep`)
    for (const child of (await childrenOf(repository, index)) ?? []) {
      if (isNew(child) && isIndexType(child.descriptor.mediaType)) await visit(child, depth + 1)
    }
  }
  isNew(image)
  await visit(image, 0)
  return [...found.values()]
}

/**
 * The image of an index for a platform, `os/architecture[/variant]`.
 * @throws UsageError USAGE for another form, or when there is none or more than one
 */
export async function forPlatform(repository: Repository, image: MeantImage, platform: string): Promise<FoundImage> {
  const [os, architecture, variant, ...rest] = platform.split('/')
  if (os === undefined || architecture === undefined || os === '' || architecture === '' || rest.length > 0)
    throw new UsageError('USAGE', `--platform should be os/architecture[/variant], found ${excerpt(platform)}`)
  const children = await childrenOf(repository, image)
  if (children === undefined) throw new UsageError('USAGE', `${image.name} is one image, and --platform chooses among those of an index`)
  const matching = children.filter(
    ({ descriptor: { platform: own } }) =>
      own?.os === os && own.architecture === architecture && (variant === undefined || own.variant === variant),
  )
  const [only] = matching
  if (only !== undefined && matching.length === 1) return only
  const known = children.map(({ descriptor }) => platformText(descriptor.platform)).join(', ')
  throw new UsageError(
    'USAGE',
    `${image.name} has ${matching.length === 0 ? 'no image' : 'several images'} for ${platform}; it has ${known}`,
  )
}

/**
 * What an index names; undefined for one image. The document decides: what the registry says of its type is not covered by a digest,
 * and would let it hide what an index names.
 */
async function childrenOf(repository: Repository, image: MeantImage): Promise<FoundImage[] | undefined> {
  const manifest = parseManifest(await repository.manifest(image.descriptor.digest))
  return manifest.kind === 'index' ? manifest.manifests.map((descriptor) => childOf(image, descriptor)) : undefined
}

function platformText(platform: Platform | undefined): string {
  if (platform === undefined) return 'one without a platform'
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined && part !== '').join('/')
}
