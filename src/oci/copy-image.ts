/** Copying an image with everything that was said about it, so that whoever could verify it there can verify it here. */
import { CountersignError } from '../error.ts'
import type { Attachment } from './attachments.ts'
import { attachmentsOf, storedAt } from './attachments.ts'
import type { Repository } from './repository.ts'
import type { SignatureTag } from './signature-places.ts'
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
  /** The tag that the target gets, after everything else; without one it has the image by its digest only. */
  readonly tag: string | undefined
  /** What is copied beside the image; default everything. */
  readonly only?: ReadonlySet<SignatureTag>
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
  /** Sentences: what was listed beside the image and was not copied, because it is about something else. */
  readonly skipped: readonly string[]
}

/**
 * Copies an image, the images of an index, and what lies beside each of them.
 * @param digest of the image's manifest
 * @throws CountersignError as the repositories; the tag is only moved when everything is there
 */
export async function copyImage(digest: string, options: CopyOptions): Promise<CopiedImage> {
  const { source, target, tag, only, replace = false, tagPrefix = '', mountFrom, signal, progress } = options
  const { onCopy } = options
  const common = { ...(signal === undefined ? {} : { signal }), ...(progress === undefined ? {} : { progress }) }
  const images = createTransfer({ source: source.images, target: target.images, mountFrom: mountFrom?.images, ...common })
  const signatures = createTransfer({ source: source.signatures, target: target.signatures, mountFrom: mountFrom?.signatures, ...common })
  onCopy?.('image')
  const manifests = await images.copy(digest)
  const subjects = manifests.map(({ stored }) => stored.digest).toReversed()
  const attachments: Attachment[] = []
  const skipped: string[] = []
  if (source.signatures.name !== target.signatures.name) {
    for (const subject of subjects) {
      for (const attachment of await attachmentsOf(source.signatures, subject, { tagPrefix, ...(only === undefined ? {} : { only }) })) {
        signal?.throwIfAborted()
        if (attachment.kind === 'referrer' && (await storedAt(source.signatures, attachment.descriptor.digest)) === undefined) {
          skipped.push(`${attachment.descriptor.digest} is listed as a referrer of ${attachment.subject}, and is not there`)
          continue
        }
        onCopy?.(attachment)
        const copied = await signatures.copy(attachment.descriptor.digest)
        const own = copied.find(({ stored }) => stored.digest === attachment.descriptor.digest)
        if (own === undefined) throw new CountersignError('NOT_FOUND', `${attachment.descriptor.digest} was not copied`)
        if (attachment.kind === 'referrer' && own.manifest.subject?.digest !== attachment.subject) {
          skipped.push(`${own.stored.digest} is listed as a referrer of ${attachment.subject}, and is about something else`)
          continue
        }
        if (await place(target.signatures, attachment, own, replace)) attachments.push(attachment)
        else skipped.push(`${attachment.tag} is an index and no signatures: what ${target.signatures.name} has under that tag stays`)
      }
    }
  }
  const image = manifests.find(({ stored }) => stored.digest === digest)
  if (image !== undefined && tag !== undefined) await target.images.putManifest(image.stored, tag)
  return { manifests, attachments, skipped }
}

/**
 * Gives a copy the place from which it is found: its tag, or the list of referrers.
 * @returns false for an index, where something else is under its tag: the two cannot be put together
 */
async function place(target: Repository, { kind, tag, subject }: Attachment, own: CopiedManifest, replace: boolean): Promise<boolean> {
  if (kind === 'referrer') await target.attach(own.stored, subject)
  if (tag === undefined) return true
  const there = replace ? undefined : await storedAt(target, tag)
  if (there?.digest === own.stored.digest) return true
  if (there === undefined) await target.putManifest(own.stored, tag)
  else if (own.manifest.kind === 'index') return false
  else await mergeLayers(target, tag, own.manifest.layers)
  return true
}
