/** Manifests and indexes of OCI (image specification 1.1) and of Docker (version 2, schema 2): what a reader needs of them. */
import { Buffer } from 'node:buffer'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { DecodingError } from '../error.ts'
import { excerpt } from '../encoding/bytes.ts'
import { checkDigest, contentDigest } from './digest.ts'

export const mediaType = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const

/** What a descriptor points at, and what is said of it. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Annotations
  readonly platform?: Platform
}

export type Annotations = Readonly<Record<string, string>>

/** What a manifest of an index is for. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
}

/** A manifest as it is stored: its digest is that of these bytes. */
export interface StoredManifest {
  readonly bytes: Uint8Array
  readonly mediaType: string
  readonly digest: string
}

interface ManifestCommon {
  readonly mediaType: string
  readonly artifactType: string | undefined
  /** The manifest that this one is about. */
  readonly subject: Descriptor | undefined
  readonly annotations: Annotations
}

export interface ImageManifest extends ManifestCommon {
  readonly kind: 'manifest'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

export interface ImageIndex extends ManifestCommon {
  readonly kind: 'index'
  readonly manifests: readonly Descriptor[]
}

export type Manifest = ImageManifest | ImageIndex

/** As registries limit them (distribution specification, "Pushing manifests"). */
export const maxManifestBytes = 4 * 1024 * 1024
const maxLayers = 1000
const maxManifests = 10_000
const maxAnnotations = 1000
const manifestFields = ['mediaType', 'artifactType', 'config', 'layers', 'manifests', 'subject', 'annotations']
const descriptorFields = ['mediaType', 'digest', 'size', 'artifactType', 'annotations', 'platform']
const manifestTypes: ReadonlySet<string> = new Set([mediaType.manifest, mediaType.dockerManifest])
const indexTypes: ReadonlySet<string> = new Set([mediaType.index, mediaType.dockerIndex])

/** What a client says it takes when it asks for a manifest. */
export const acceptedManifests = [mediaType.manifest, mediaType.index, mediaType.dockerManifest, mediaType.dockerIndex].join(', ')

/** A manifest to be stored. */
export function storedManifest(bytes: Uint8Array, type: string): StoredManifest {
  return { bytes, mediaType: type, digest: contentDigest(bytes) }
}

/** The descriptor of a stored manifest. */
export function descriptorOf({ bytes, mediaType: type, digest }: StoredManifest): Descriptor {
  return { mediaType: type, digest, size: bytes.length }
}

/**
 * Reads a manifest or an index. Fields that are not needed are ignored, as the specification asks of clients; a document whose own
 * media type contradicts the one it was served with is refused, as one that could be read both ways is.
 * @throws DecodingError MANIFEST_INVALID, JSON_INVALID, TOO_LARGE
 */
export function parseManifest({ bytes, mediaType: servedAs, digest }: StoredManifest): Manifest {
  const what = `the manifest ${digest}`
  const document = parseJson(bytes, what, { maxBytes: maxManifestBytes, maxDepth: 32 })
  const fields = new JsonFields(document, what, 'MANIFEST_INVALID').spelled(...manifestFields)
  const stated = fields.optionalString('mediaType')
  const type = stated ?? servedAs
  if (stated !== undefined && isManifestType(servedAs) && stated !== servedAs) {
    throw fields.invalid(`${what} was served as ${excerpt(servedAs)} and calls itself ${excerpt(stated, 80)}`)
  }
  const common: ManifestCommon = {
    mediaType: type,
    artifactType: fields.optionalString('artifactType'),
    subject: fields.has('subject') ? readDescriptor(fields.object('subject')) : undefined,
    annotations: readAnnotations(fields) ?? {},
  }
  // Without a type of its own it is what it was served as, and must then not look like the other (CVE-2021-41190).
  if (indexTypes.has(type) ? fields.has('layers') || fields.has('config') : fields.has('manifests')) {
    throw fields.invalid(`${what} could be read as a manifest and as an index`)
  }
  if (manifestTypes.has(type)) {
    const layers = fields.objects('layers', maxLayers).map(readDescriptor)
    return { kind: 'manifest', ...common, config: readDescriptor(fields.object('config')), layers }
  }
  if (indexTypes.has(type)) return { kind: 'index', ...common, manifests: fields.objects('manifests', maxManifests).map(readDescriptor) }
  throw new DecodingError('MANIFEST_INVALID', `${what} should be an image manifest or index, found the media type ${excerpt(type, 80)}`)
}

/** Whether it is a media type of manifests and indexes that `parseManifest` takes. */
export function isManifestType(type: string): boolean {
  return manifestTypes.has(type) || indexTypes.has(type)
}

/** Whether it is that of an index. */
export function isIndexType(type: string): boolean {
  return indexTypes.has(type)
}

/** A manifest to be written. */
export interface ManifestContent {
  /** Default that of OCI. */
  readonly mediaType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Annotations
  readonly subject?: Descriptor
  readonly artifactType?: string
}

/** Encodes a manifest, its members in the order that cosign writes. */
export function encodeManifest(content: ManifestContent): StoredManifest {
  const { mediaType: type = mediaType.manifest, config, layers, annotations, subject, artifactType } = content
  const document = {
    schemaVersion: 2,
    mediaType: type,
    config: encodeDescriptor(config),
    layers: layers.map(encodeDescriptor),
    ...(annotations === undefined ? {} : { annotations: sorted(annotations) }),
    ...(subject === undefined ? {} : { subject: encodeDescriptor(subject) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
  return storedManifest(Buffer.from(JSON.stringify(document)), type)
}

/** Encodes an index. */
export function encodeIndex(manifests: readonly Descriptor[], options: { readonly annotations?: Annotations } = {}): StoredManifest {
  const { annotations } = options
  const document = {
    schemaVersion: 2,
    mediaType: mediaType.index,
    manifests: manifests.map(encodeDescriptor),
    ...(annotations === undefined ? {} : { annotations: sorted(annotations) }),
  }
  return storedManifest(Buffer.from(JSON.stringify(document)), mediaType.index)
}

function encodeDescriptor({ mediaType: type, size, digest, annotations, platform, artifactType }: Descriptor): object {
  return {
    mediaType: type,
    size,
    digest,
    ...(annotations === undefined ? {} : { annotations: sorted(annotations) }),
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
}

function sorted(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Reads a descriptor (image specification, "Descriptors"). Addresses in `urls` are never followed, and embedded `data` never used. */
export function readDescriptor(fields: JsonFields): Descriptor {
  fields.spelled(...descriptorFields)
  const size = fields.raw('size')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw fields.invalid(`${fields.pathOf('size')} should be a number of bytes`)
  }
  const artifactType = fields.optionalString('artifactType')
  const annotations = readAnnotations(fields)
  const platform = fields.optionalObject('platform')
  return {
    mediaType: fields.string('mediaType'),
    digest: checkDigest(fields.string('digest'), fields.pathOf('digest'), 'MANIFEST_INVALID'),
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform: readPlatform(platform) }),
  }
}

function readPlatform(fields: JsonFields): Platform {
  const variant = fields.optionalString('variant')
  const version = fields.optionalString('os.version')
  return {
    os: fields.optionalString('os') ?? '',
    architecture: fields.optionalString('architecture') ?? '',
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  }
}

function readAnnotations(fields: JsonFields): Annotations | undefined {
  const annotations = fields.optionalObject('annotations')
  if (annotations === undefined) return undefined
  const entries = annotations.entries()
  if (entries.length > maxAnnotations) {
    throw fields.invalid(`${fields.pathOf('annotations')} has ${entries.length} members, more than the limit of ${maxAnnotations}`)
  }
  return Object.fromEntries(entries.map(([name]) => [name, annotations.string(name)]))
}
