/** What lies beside an image, of whatever kind: tags of cosign 1 and 2, and referrers, with what refers to those in turn. */
import { CountersignError, DecodingError } from '../error.ts'
import type { Descriptor, Manifest, StoredManifest } from './manifest.ts'
import { descriptorOf, parseManifest } from './manifest.ts'
import type { Referrers, Repository } from './repository.ts'
import type { SignatureTag } from './signature-places.ts'
import { artifactType, bundleAnnotation, isBundleLayer, signPredicateType, signatureTag } from './signature-places.ts'

/** How it is found. */
export type AttachmentKind = SignatureTag | 'referrer'

export interface Attachment {
  readonly kind: AttachmentKind
  /** The digest of what it is about. */
  readonly subject: string
  readonly descriptor: Descriptor
  /** Its tag, where it has one. */
  readonly tag: string | undefined
}

export interface AttachmentsOptions {
  readonly kinds?: readonly AttachmentKind[]
  /** Put in front of the tags: `--attachment-tag-prefix`. */
  readonly tagPrefix?: string
  /** Only what is of one of these, however it is found; what cannot be told is. */
  readonly only?: ReadonlySet<SignatureTag>
}

const attachmentKinds: readonly AttachmentKind[] = ['sig', 'att', 'sbom', 'referrer']
/** A signature of an SBOM of an image is two deep. */
const maxDepth = 4
const maxAttachments = 10_000

/**
 * Lists what lies beside a manifest, the nearest first.
 * @throws CountersignError TOO_LARGE; as the repository's methods: an answer is complete
 */
export async function attachmentsOf(
  repository: Repository,
  digest: string,
  options: AttachmentsOptions = {},
): Promise<readonly Attachment[]> {
  const { only } = options
  const found = new Map<string, Attachment>()
  let level: readonly string[] = [digest]
  for (let depth = 0; level.length > 0 && depth < maxDepth; depth++) {
    const next: string[] = []
    for (const subject of level) {
      for (const attachment of await nearest(repository, subject, options)) {
        const key = `${attachment.descriptor.digest} ${attachment.tag ?? ''}`
        if (found.has(key) || (only !== undefined && !(await isOneOf(repository, attachment, only)))) continue
        found.set(key, attachment)
        next.push(attachment.descriptor.digest)
      }
      if (found.size > maxAttachments)
        throw new CountersignError('TOO_LARGE', `more than ${maxAttachments} things lie beside ${repository.name}@${digest}`)
    }
    level = [...new Set(next)]
  }
  return [...found.values()]
}

async function nearest(
  repository: Repository,
  subject: string,
  { kinds = attachmentKinds, tagPrefix = '' }: AttachmentsOptions,
): Promise<readonly Attachment[]> {
  const tagged = kinds.flatMap((kind) => (kind === 'referrer' ? [] : [{ kind, tag: signatureTag(subject, kind, tagPrefix) }]))
  const [referrers, ...others] = await Promise.all([
    kinds.includes('referrer') ? allReferrers(repository, subject) : { descriptors: [] },
    ...tagged.map(async ({ kind, tag }): Promise<Attachment[]> => {
      const descriptor = await resolved(repository, tag)
      return descriptor === undefined ? [] : [{ kind, subject, descriptor, tag }]
    }),
  ])
  return [
    ...others.flat(),
    ...referrers.descriptors.map((descriptor): Attachment => ({ kind: 'referrer', subject, descriptor, tag: undefined })),
  ]
}

/** What cannot be read cannot be copied or removed either. */
async function allReferrers(repository: Repository, subject: string): Promise<Referrers> {
  const referrers = await repository.referrers(subject)
  const [reason] = referrers.unreadable ?? []
  if (reason === undefined) return referrers
  throw new DecodingError('MANIFEST_INVALID', reason)
}

/** By what it says that it is: enough to choose what is copied or removed, not for more. */
async function isOneOf(repository: Repository, { kind, descriptor }: Attachment, only: ReadonlySet<SignatureTag>): Promise<boolean> {
  if (kind !== 'referrer') return only.has(kind)
  const stored = await storedAt(repository, descriptor.digest)
  if (stored === undefined) return true
  const manifest = parseManifest(stored)
  const type = manifest.artifactType ?? (manifest.kind === 'manifest' ? manifest.config.mediaType : '')
  if (type === artifactType.legacySignature) return only.has('sig')
  if (type === artifactType.legacySbom) return only.has('sbom')
  if (!isBundleManifest(manifest)) return false
  const { [bundleAnnotation.predicateType]: predicateType, [bundleAnnotation.content]: content } = manifest.annotations
  if (content === 'message-signature' || predicateType === signPredicateType) return only.has('sig')
  return predicateType === undefined ? only.has('sig') || only.has('att') : only.has('att')
}

/** Whether a manifest holds a Sigstore bundle. */
export function isBundleManifest(manifest: Manifest): boolean {
  return manifest.kind === 'manifest' && manifest.layers.length === 1 && manifest.layers.every(isBundleLayer)
}

async function resolved(repository: Repository, tag: string): Promise<Descriptor | undefined> {
  const stored = await storedAt(repository, tag)
  return stored === undefined ? undefined : descriptorOf(stored)
}

/** A manifest; undefined where there is none, as what is listed beside an image may be gone. */
export async function storedAt(repository: Repository, target: string): Promise<StoredManifest | undefined> {
  try {
    return await repository.manifest(target)
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
