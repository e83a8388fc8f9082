/** Images with what was signed about them: from registries, from a folder that `save` has written, or with a signature in files. */
import { CountersignError } from '../../error.ts'
import type { FindOptions } from '../../oci/find-signatures.ts'
import { findSignatures } from '../../oci/find-signatures.ts'
import type { Findings } from '../../oci/found-signature.ts'
import type { ImageVerifier } from '../../oci/image-verifier.ts'
import type { ImageReference } from '../../oci/reference.ts'
import { parseReference, withTag } from '../../oci/reference.ts'
import type { Repository } from '../../oci/repository.ts'
import { signatureTag } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { ExitError } from '../failure.ts'
import type { FoundImage, MeantImage } from './image-input.ts'
import { findImage, forPlatform, imageOfDigest, withChildren } from './image-input.ts'
import { maxAttachmentBytes } from './attachment-size.ts'
import { connectRegistries } from './registries.ts'
import type { ImageVerificationFlags, ImageVerificationTask } from './verification-task.ts'

/** An image, and everything that was found about it. */
export interface SignedImage {
  readonly image: MeantImage
  readonly findings: Findings
  /** Has begun with what was found. */
  readonly verifier: ImageVerifier
}

/** What was signed about an image. */
type Signed = Omit<SignedImage, 'image'>

/** Finds the images that a reference means, the one that it names first. What was signed about each is loaded when it is asked for. */
export type FindImages = () => Promise<readonly (() => Promise<SignedImage>)[]>

/**
 * Reads references, to registries or to folders as the flags say; nothing is asked yet.
 * @throws UsageError
 */
export async function openImages(
  context: CommandContext,
  flags: ImageVerificationFlags,
  references: readonly string[],
  task: ImageVerificationTask,
  openVerifier: (digest: string) => ImageVerifier,
): Promise<FindImages[]> {
  const options = findOptions(context, flags, task)
  const search = async (signatures: Repository, digest: string): Promise<Signed> => {
    const verifier = openVerifier(digest)
    const findings = await findSignatures(signatures, digest, { ...options, onFound: (found) => verifier.begin(found) })
    return { verifier, findings }
  }
  const look: Look = async (signatures, image) => {
    const { digest } = image.descriptor
    if (task.given === undefined) return search(signatures, digest)
    const { readGivenSignature } = await import('./given-signature.ts')
    return { verifier: openVerifier(digest), findings: await readGivenSignature(context, task.given, image) }
  }
  if (flags['local-image']) {
    const { openLocalImage } = await import('./local-image.ts')
    return references.map((folder) => async () => {
      const { repository, image } = await openLocalImage(context, folder)
      return imagesOf(flags, task, { repository, signatures: repository, image, look })
    })
  }
  const registries = connectRegistries(context, flags)
  return references.map((text) => {
    const reference = parseReference(text)
    const repository = registries.open(reference)
    const signatures = registries.signaturesOf(reference)
    const isOne = flags.platform === '' && !flags.recursive
    return async () => {
      const image =
        isOne && reference.digest !== undefined ? imageOfDigest(reference, reference.digest) : await findOne(repository, reference, task)
      return imagesOf(flags, task, { repository, signatures, image, look })
    }
  })
}

/** Looks for what was signed about an image, unless it was given. */
type Look = (signatures: Repository, image: MeantImage) => Promise<Signed>

/** Where to look, and how. */
interface Surroundings {
  readonly repository: Repository
  readonly signatures: Repository
  readonly image: MeantImage
  readonly look: Look
}

/** The image, what is attached to it, the one for a platform, or everything that an index names. */
async function imagesOf(
  flags: ImageVerificationFlags,
  task: ImageVerificationTask,
  { repository, signatures, image, look }: Surroundings,
): Promise<readonly (() => Promise<SignedImage>)[]> {
  const found = task.attachment === undefined ? image : await attachedTo(image, signatures, flags, task.attachment)
  const chosen = flags.platform === '' ? found : await forPlatform(repository, found, flags.platform)
  const all = flags.recursive ? await withChildren(repository, chosen) : [chosen]
  return all.map((one) => async () => ({ image: one, ...(await look(signatures, one)) }))
}

function findOptions(
  { env }: CommandContext,
  flags: ImageVerificationFlags,
  { wanted, acceptAttestations }: ImageVerificationTask,
): FindOptions {
  const both = ['signature', 'attestation'] as const
  return {
    kinds: wanted !== 'signature' ? ['attestation'] : acceptAttestations === true ? both : ['signature'],
    tagPrefix: flags['attachment-tag-prefix'],
    allowCertificateChain: flags['allow-certificate-chain'],
    maxLayerBytes: maxAttachmentBytes(env),
  }
}

/** Only `verify` of signatures has exit codes of its own. */
async function findOne(repository: Repository, reference: ImageReference, { wanted }: ImageVerificationTask): Promise<FoundImage> {
  try {
    return await findImage(repository, reference)
  } catch (error) {
    if (wanted === 'signature' || !(error instanceof ExitError)) throw error
    throw new CountersignError(error.code, error.message)
  }
}

/** What cosign 1 and 2 stored beside an image under a tag: an artifact, which has signatures of its own. */
async function attachedTo(
  { reference, descriptor }: MeantImage,
  signatures: Repository,
  flags: ImageVerificationFlags,
  attachment: 'sbom',
): Promise<FoundImage> {
  const tag = signatureTag(descriptor.digest, attachment, flags['attachment-tag-prefix'])
  const found = await findImage(signatures, withTag(reference, tag))
  return { ...found, name: `${signatures.name}:${tag}`, repository: signatures.name }
}
