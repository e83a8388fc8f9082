/** Images with what was signed about them: from registries, from a folder that `save` has written, or with a signature in files. */
import { CountersignError } from '../../error.ts'
import type { Findings, FindOptions } from '../../oci/find-signatures.ts'
import { findSignatures } from '../../oci/find-signatures.ts'
import type { ImageReference } from '../../oci/reference.ts'
import { parseReference } from '../../oci/reference.ts'
import type { Repository } from '../../oci/repository.ts'
import { signatureTag } from '../../oci/signature-places.ts'
import type { CommandContext } from '../context.ts'
import { ExitError } from '../failure.ts'
import type { FoundImage } from './image-input.ts'
import { findImage, forPlatform, withChildren } from './image-input.ts'
import { maxAttachmentBytes } from './attachment-size.ts'
import { connectRegistries } from './registries.ts'
import type { ImageVerificationFlags, ImageVerificationTask } from './verify-images.ts'

/** An image, and everything that was found about it. */
export interface SignedImage {
  readonly image: FoundImage
  readonly findings: Findings
}

/** Where images come from. */
export interface ImageSource {
  /** @throws UsageError */
  parse(reference: string): ImageReference
  /** The images that a reference means, the one that it names first. What was signed about each is loaded when it is asked for. */
  find(reference: ImageReference): Promise<readonly (() => Promise<SignedImage>)[]>
}

/** Opens what the flags say; nothing is asked yet. */
export async function openSource(
  context: CommandContext,
  flags: ImageVerificationFlags,
  task: ImageVerificationTask,
): Promise<ImageSource> {
  const options = findOptions(context, flags, task)
  const registries = connectRegistries(context, flags)
  const load = (signatures: Repository, image: FoundImage) => async (): Promise<SignedImage> => ({
    image,
    findings: await findingsOf(context, task, signatures, image, options),
  })
  return {
    parse: parseReference,
    find: async (reference) => {
      const repository = registries.open(reference)
      const signatures = registries.signaturesOf(reference)
      const isOne = flags.platform === '' && !flags.recursive && task.attachment === undefined
      if (isOne && reference.digest !== undefined && task.given === undefined) {
        // What was signed about a digest can be asked for before it is known whether there is such an image.
        const findings = findSignatures(signatures, reference.digest, options)
        findings.catch(() => undefined)
        const image = await findOne(repository, reference, task)
        return [async () => ({ image, findings: await findings })]
      }
      const named = await findOne(repository, reference, task)
      const found = task.attachment === undefined ? named : await attachedTo(named, signatures, flags, task.attachment)
      const image = flags.platform === '' ? found : await forPlatform(repository, found, flags.platform)
      return (flags.recursive ? await withChildren(repository, image) : [image]).map((one) => load(signatures, one))
    },
  }
}

async function findingsOf(
  context: CommandContext,
  { given }: ImageVerificationTask,
  signatures: Repository,
  image: FoundImage,
  options: FindOptions,
): Promise<Findings> {
  if (given === undefined) return findSignatures(signatures, image.descriptor.digest, options)
  const { readGivenSignature } = await import('./given-signature.ts')
  return readGivenSignature(context, given, image)
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

/** What cosign 1 and 2 stored beside an image under a tag: an artefact, which has signatures of its own. */
async function attachedTo(
  { descriptor }: FoundImage,
  signatures: Repository,
  flags: ImageVerificationFlags,
  attachment: 'sbom',
): Promise<FoundImage> {
  const tag = signatureTag(descriptor.digest, attachment, flags['attachment-tag-prefix'])
  return findImage(signatures, parseReference(`${signatures.name}:${tag}`))
}
