/** The entries of a layout's `index.json`: which tags they have, and which of them is the image that the layout is about. */
import { UsageError } from '../error.ts'
import type { Annotations, Descriptor } from './manifest.ts'
import { isIndexType } from './manifest.ts'
import { isTag } from './reference.ts'
import { artifactType, signatureTag } from './signature-places.ts'

/** The annotation that holds a tag (image specification, "Pre-Defined Annotation Keys"). Some tools put a whole reference there. */
const refName = 'org.opencontainers.image.ref.name'
/** The annotation that holds a whole reference, by which containerd goes, and Docker where it stores its images there. */
const containerdName = 'io.containerd.image.name'
/** By which `cosign save` and `load` know what an entry is. */
const kindAnnotation = 'kind'
const kind = {
  image: 'dev.cosignproject.cosign/image',
  index: 'dev.cosignproject.cosign/imageIndex',
  signatures: 'dev.cosignproject.cosign/sigs',
  attestations: 'dev.cosignproject.cosign/atts',
} as const

const besideTag = /^sha256-[0-9a-f]{64}(?:\.[a-z]+)?$/
const prefixedBesideTag = /sha256-[0-9a-f]{64}(?:\.[a-z]+)?$/

/** The tags of an entry. Signatures that `cosign save` wrote have none of their own: they are those of the layout's image. */
export function tagsOf(entry: Descriptor, entries: readonly Descriptor[]): readonly string[] {
  const name = entry.annotations?.[refName]
  const tag = name?.includes('/') === true ? name.slice(name.lastIndexOf(':') + 1) : name
  const own = tag !== undefined && isTag(tag) ? [tag] : []
  const about = mainEntries(entries)
  const suffix = suffixOf(entry)
  const [image] = about
  if (suffix === undefined || image === undefined || about.length > 1 || own.some((one) => besideTag.test(one))) return own
  return [...own, signatureTag(image.digest, suffix)]
}

/** The entry with a tag. */
export function entryOf(tag: string, entries: readonly Descriptor[]): Descriptor | undefined {
  return entries.find((entry) => tagsOf(entry, entries).includes(tag))
}

/** The entries that have a tag, for whichever program, other than those of what lies beside an image, with whatever prefix. */
export function imagesByTag(entries: readonly Descriptor[]): readonly Descriptor[] {
  return entries.filter((entry) => {
    const name = entry.annotations?.[containerdName]
    return [...tagsOf(entry, entries), ...(name === undefined ? [] : [name])].some((tag) => !prefixedBesideTag.test(tag))
  })
}

/** An entry for a tag, marked as cosign marks it where it belongs to the layout's image. */
export function taggedEntry(descriptor: Descriptor, tag: string, entries: readonly Descriptor[]): Descriptor {
  const [image, ...others] = mainEntries(entries)
  const known = image !== undefined && others.length === 0 ? [image.digest] : []
  const is = (suffix: 'sig' | 'att'): boolean => known.some((digest) => signatureTag(digest, suffix) === tag)
  const what = is('sig') ? kind.signatures : is('att') ? kind.attestations : undefined
  return annotated(descriptor, { ...(what === undefined ? {} : { [kindAnnotation]: what }), [refName]: tag })
}

/** The entry of the image that a layout is made for. */
export function mainEntry(descriptor: Descriptor, tag: string | undefined): Descriptor {
  const what = isIndexType(descriptor.mediaType) ? kind.index : kind.image
  return annotated(descriptor, { [kindAnnotation]: what, ...(tag === undefined ? {} : { [refName]: tag }) })
}

/**
 * The image that a layout is about: the one that is marked so, or the only one.
 * @throws UsageError USAGE when there is none, or more than one
 */
export function mainImage(entries: readonly Descriptor[], name: string): Descriptor {
  const marked = mainEntries(entries)
  const images = marked.length > 0 ? marked : entries.filter((entry) => isImage(entry, entries))
  const [only, ...others] = [...new Map(images.map((image) => [image.digest, image])).values()]
  if (only === undefined) throw new UsageError('USAGE', `${name} holds no image`)
  if (others.length === 0) return only
  throw new UsageError('USAGE', `${name} holds ${others.length + 1} images; make a layout with one of them`)
}

function mainEntries(entries: readonly Descriptor[]): readonly Descriptor[] {
  return entries.filter(({ annotations }) => annotations?.[kindAnnotation] === kind.image || annotations?.[kindAnnotation] === kind.index)
}

function isImage(entry: Descriptor, entries: readonly Descriptor[]): boolean {
  const { artifactType: type = '' } = entry
  if (suffixOf(entry) !== undefined || type.startsWith('application/vnd.dev.sigstore.bundle')) return false
  if (type === artifactType.legacySignature || type === artifactType.legacySbom) return false
  return !tagsOf(entry, entries).some((tag) => besideTag.test(tag))
}

function suffixOf({ annotations }: Descriptor): 'sig' | 'att' | undefined {
  const what = annotations?.[kindAnnotation]
  return what === kind.signatures ? 'sig' : what === kind.attestations ? 'att' : undefined
}

function annotated(descriptor: Descriptor, more: Annotations): Descriptor {
  return { ...descriptor, annotations: { ...descriptor.annotations, ...more } }
}
