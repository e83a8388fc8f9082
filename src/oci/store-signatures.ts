/** Puts signatures and attestations beside an image: as bundles that refer to it, or as layers under the tags of cosign 1 and 2. */
import { imageSignatureAnnotations, signatureAnnotation, signatureLayerType } from '../bundle/image-signature.ts'
import { parseSignatureFile } from '../bundle/legacy-bundle.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { CountersignError, DecodingError } from '../error.ts'
import type { Appending } from './append.ts'
import { appendUntilThere } from './append.ts'
import type { Annotations, Descriptor } from './manifest.ts'
import { encodeManifest, mediaType, parseManifest } from './manifest.ts'
import type { Repository } from './repository.ts'
import { artifactType, bundleAnnotation, signatureTag } from './signature-places.ts'
import { encodeUnbuiltConfig, encodeUnbuiltImage } from './unbuilt-image.ts'

export interface BundleToStore {
  /** JSON of the bundle. */
  readonly bundle: string
  readonly content: 'dsse-envelope' | 'message-signature'
  readonly predicateType: string | undefined
  /** When it was made. */
  readonly created: Date
}

const emptyConfig = encodeUtf8('{}')

/**
 * Stores a bundle as a referrer of an image.
 * @param subject the image's manifest, which must be in the repository unless signatures are kept in another one
 * @returns the descriptor of the manifest that holds the bundle
 */
export async function storeBundle(repository: Repository, subject: Descriptor, stored: BundleToStore): Promise<Descriptor> {
  const { bundle, content, predicateType, created } = stored
  const [config, layer] = await Promise.all([repository.putBlob(emptyConfig), repository.putBlob(encodeUtf8(bundle))])
  const manifest = encodeManifest({
    config: { mediaType: mediaType.empty, ...config, artifactType: artifactType.bundle },
    layers: [{ mediaType: artifactType.bundle, ...layer }],
    annotations: {
      [bundleAnnotation.content]: content,
      ...(predicateType === undefined ? {} : { [bundleAnnotation.predicateType]: predicateType }),
      [bundleAnnotation.created]: `${created.toISOString().slice(0, 19)}Z`,
    },
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    artifactType: artifactType.bundle,
  })
  return repository.attach(manifest, subject.digest)
}

export interface LayerToStore {
  readonly kind: 'signature' | 'attestation'
  /** The payload that was signed, or the DSSE envelope. */
  readonly contents: Uint8Array
  readonly entity: SignedEntity
  readonly predicateType?: string
  /** Put in front of the tag. */
  readonly tagPrefix?: string
  /** Docker's media types for the manifest, for registries that know no others (COSIGN_DOCKER_MEDIA_TYPES). */
  readonly dockerTypes?: boolean
  /** The time in the configuration of the manifest; default the beginning of Go's time, as cosign has it. */
  readonly created?: Date
  readonly signal?: AbortSignal
  /** Layers that this one takes the place of (`attest --replace`). */
  readonly replaces?: (layer: Descriptor) => boolean
  /**
   * Whether a signature of the same contents is by the same key. One that has nothing else to it is not added to one that has as
   * little: it would say the same again.
   */
  readonly isRepeated?: (signature: Uint8Array) => boolean
}

/**
 * Adds a layer to the manifest under the image's `.sig` or `.att` tag. What others add at the same time stays.
 * @returns the digest of the manifest that holds it
 */
export async function storeLayer(repository: Repository, digest: string, stored: LayerToStore): Promise<string> {
  const { kind, tagPrefix, signal, replaces } = stored
  const tag = signatureTag(digest, kind === 'signature' ? 'sig' : 'att', tagPrefix)
  const layer = await putLayer(repository, stored)
  let holder = ''
  await appendUntilThere<Held>({
    what: `the ${kind}s at ${repository.name}:${tag}`,
    signal,
    isThere: ({ layers, manifestDigest }) => {
      holder = manifestDigest
      return layers.some((other) => isSameLayer(other, layer) || isRepeated(other, layer, stored))
    },
    ...writing(repository, tag, stored, ({ layers }) => [
      ...(replaces === undefined ? layers : layers.filter((other) => !replaces(other))),
      layer,
    ]),
  })
  return holder
}

/**
 * Stores a signature in a manifest that refers to the image, as cosign 2 does with `--registry-referrers-mode oci-1-1`. Its reader
 * looks at one such manifest only, so the signatures of those that are there are in the new one, too.
 * @returns the digest of the manifest that holds it
 */
export async function storeLegacyReferrer(repository: Repository, subject: Descriptor, stored: LayerToStore): Promise<string> {
  const [layer, earlier] = await Promise.all([putLayer(repository, stored), legacyReferrers(repository, subject.digest)])
  const layers = [...earlier.filter((other) => !isSameLayer(other, layer)), layer]
  const config = await repository.putBlob(encodeUnbuiltConfig(layers, stored.created))
  const manifest = encodeManifest({
    config: { mediaType: artifactType.legacySignature, ...config },
    layers,
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    artifactType: artifactType.legacySignature,
  })
  return (await repository.attach(manifest, subject.digest)).digest
}

async function legacyReferrers(repository: Repository, digest: string): Promise<Descriptor[]> {
  const { descriptors } = await repository.referrers(digest)
  const found = new Map<string, Descriptor>()
  for (const descriptor of descriptors) {
    if (descriptor.artifactType !== artifactType.legacySignature) continue
    const manifest = parseManifest(await repository.manifest(descriptor.digest))
    if (manifest.kind !== 'manifest' || manifest.subject?.digest !== digest) continue
    for (const layer of manifest.layers) found.set(`${layer.digest} ${layer.annotations?.[signatureAnnotation.signature] ?? ''}`, layer)
  }
  return [...found.values()]
}

async function putLayer(repository: Repository, { kind, contents, entity, predicateType }: LayerToStore): Promise<Descriptor> {
  return {
    mediaType: signatureLayerType[kind],
    ...(await repository.putBlob(contents)),
    annotations: {
      ...imageSignatureAnnotations(entity),
      ...(predicateType === undefined ? {} : { [signatureAnnotation.predicateType]: predicateType }),
    },
  }
}

/** Adds the layers that are not under a tag yet; their blobs must be there. What is under it stays. */
export async function mergeLayers(repository: Repository, tag: string, layers: readonly Descriptor[], signal?: AbortSignal): Promise<void> {
  const missing = (current: Held): readonly Descriptor[] =>
    layers.filter((layer) => !current.layers.some((other) => isSameLayer(other, layer)))
  await appendUntilThere<Held>({
    what: `the signatures at ${repository.name}:${tag}`,
    signal,
    isThere: (current) => missing(current).length === 0,
    ...writing(repository, tag, {}, (current) => [...current.layers, ...missing(current)]),
  })
}

interface Held {
  readonly layers: readonly Descriptor[]
  readonly annotations: Annotations
  readonly manifestDigest: string
}

type WritingOptions = Pick<LayerToStore, 'dockerTypes' | 'created'>

/** How what is under a tag is read and replaced: the configuration first, so that little time is between reading and writing. */
function writing(
  repository: Repository,
  tag: string,
  options: WritingOptions,
  layersAfter: (current: Held) => readonly Descriptor[],
): Pick<Appending<Held>, 'read' | 'version' | 'prepare' | 'write'> {
  return {
    read: () => held(repository, tag),
    version: ({ manifestDigest }) => manifestDigest,
    prepare: async (current) => void (await repository.putBlob(encodeUnbuiltConfig(layersAfter(current), options.created))),
    write: async (current) => {
      const layers = layersAfter(current)
      const manifest = encodeUnbuiltImage({ layers, annotations: current.annotations, ...options })
      await repository.putManifest(manifest, tag)
      return { layers, annotations: current.annotations, manifestDigest: manifest.digest }
    },
  }
}

async function held(repository: Repository, tag: string): Promise<Held> {
  try {
    const stored = await repository.manifest(tag)
    const manifest = parseManifest(stored)
    if (manifest.kind !== 'manifest')
      throw new DecodingError('MANIFEST_INVALID', `${repository.name}:${tag} is an index, nothing is added to it`)
    return { layers: manifest.layers, annotations: manifest.annotations, manifestDigest: stored.digest }
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'NOT_FOUND') return { layers: [], annotations: {}, manifestDigest: '' }
    throw error
  }
}

/** The same signature, however often it is stored. */
function isSameLayer(a: Descriptor, b: Descriptor): boolean {
  const { signature, rekorBundle } = signatureAnnotation
  return (
    a.digest === b.digest &&
    a.mediaType === b.mediaType &&
    a.annotations?.[signature] === b.annotations?.[signature] &&
    a.annotations?.[rekorBundle] === b.annotations?.[rekorBundle]
  )
}

function isRepeated(there: Descriptor, layer: Descriptor, { isRepeated: isByTheSameKey }: LayerToStore): boolean {
  if (isByTheSameKey === undefined || there.digest !== layer.digest || there.mediaType !== layer.mediaType) return false
  if (![there, layer].every(({ annotations = {} }) => Object.keys(annotations).join() === signatureAnnotation.signature)) return false
  try {
    return isByTheSameKey(parseSignatureFile(encodeUtf8(there.annotations?.[signatureAnnotation.signature] ?? '')))
  } catch (error) {
    if (error instanceof CountersignError) return false
    throw error
  }
}
