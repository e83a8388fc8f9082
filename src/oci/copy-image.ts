/** Copying an image with everything that was said about it, so that whoever could verify it there can verify it here. */
import { CountersignError, VerificationError } from '../error.ts'
import type { Attachment, AttachmentKind } from './attachments.ts'
import { attachmentKinds, attachmentsOf } from './attachments.ts'
import type { Repository } from './repository.ts'
import { mergeLayers } from './store-signatures.ts'
import type { CopiedManifest, TransferProgress } from './transfer.ts'
import { createTransfer } from './transfer.ts'

/** Where an image is, and where its signatures are. */
export interface ImagePlace {
  readonly images: Repository
  readonly signatures: Repository
}

export interface CopyOptions {
  readonly source: ImagePlace
  readonly target: ImagePlace
  /** The tag that the target gets, after everything else. */
  readonly tag: string | undefined
  /** What is copied beside the image; default everything. */
  readonly kinds?: readonly AttachmentKind[]
  /** Whether the image itself is copied, too; default true. */
  readonly withImage?: boolean
  /** Whether signatures under a tag of the target are replaced; default they are kept, and what is missing is added. */
  readonly replace?: boolean
  readonly tagPrefix?: string
  /** The source's paths where both are on one registry. */
  readonly mountFrom?: { readonly images?: string | undefined; readonly signatures?: string | undefined }
  readonly signal?: AbortSignal
  readonly progress?: TransferProgress
  /** Told before something is copied: the attachment, or the image. */
  readonly onCopy?: (what: Attachment | 'image') => void
}

/** What was copied. */
export interface CopiedImage {
  /** The image and what it names, children first. */
  readonly manifests: readonly CopiedManifest[]
  readonly attachments: readonly Attachment[]
}

/**
 * Copies an image, the images of an index, and what lies beside each of them.
 * @param digest of the image's manifest
 * @throws CountersignError as the repositories; the tag is only moved when everything is there
 */
export async function copyImage(digest: string, options: CopyOptions): Promise<CopiedImage> {
  const {
    source,
    target,
    tag,
    kinds = attachmentKinds,
    withImage = true,
    replace = false,
    tagPrefix = '',
    mountFrom,
    signal,
    progress,
  } = options
  const { onCopy } = options
  const common = { ...(signal === undefined ? {} : { signal }), ...(progress === undefined ? {} : { progress }) }
  const images = createTransfer({ source: source.images, target: target.images, mountFrom: mountFrom?.images, ...common })
  const signatures = createTransfer({ source: source.signatures, target: target.signatures, mountFrom: mountFrom?.signatures, ...common })
  if (withImage) onCopy?.('image')
  const manifests = withImage ? await images.copy(digest) : []
  const subjects = withImage ? manifests.map(({ stored }) => stored.digest).toReversed() : [digest]
  const attachments: Attachment[] = []
  if (source.signatures.name !== target.signatures.name) {
    for (const subject of subjects) {
      for (const attachment of await attachmentsOf(source.signatures, subject, { kinds, tagPrefix })) {
        signal?.throwIfAborted()
        onCopy?.(attachment)
        const copied = await signatures.copy(attachment.descriptor.digest)
        await place(target.signatures, attachment, copied, replace)
        attachments.push(attachment)
      }
    }
  }
  const image = manifests.find(({ stored }) => stored.digest === digest)
  if (image !== undefined && tag !== undefined) await target.images.putManifest(image.stored, tag)
  return { manifests, attachments }
}

/** Gives a copy the place from which it is found: its tag, or the list of referrers. */
async function place(
  target: Repository,
  { kind, tag, descriptor, subject }: Attachment,
  copied: readonly CopiedManifest[],
  replace: boolean,
): Promise<void> {
  const own = copied.find(({ stored }) => stored.digest === descriptor.digest)
  if (own === undefined) throw new CountersignError('NOT_FOUND', `${descriptor.digest} was not copied`)
  if (kind === 'referrer') {
    if (own.manifest.subject?.digest !== subject) {
      throw new VerificationError(
        'CONTENT_MISMATCH',
        `${descriptor.digest} is listed as a referrer of ${subject}, and is about something else`,
      )
    }
    await target.attach(own.stored, subject)
    return
  }
  if (tag === undefined) return
  const there = replace ? undefined : await target.manifest(tag).catch(onlyMissing)
  if (there?.digest === descriptor.digest) return
  if (there === undefined || own.manifest.kind === 'index') await target.putManifest(own.stored, tag)
  else await mergeLayers(target, tag, own.manifest.layers)
}

function onlyMissing(error: unknown): undefined {
  if (error instanceof CountersignError && error.code === 'NOT_FOUND') return undefined
  throw error
}
