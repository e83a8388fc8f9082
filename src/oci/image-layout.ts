/**
 * The OCI image layout (image specification, "Image Layout") as a repository: what `cosign save`, skopeo, oras, buildx and Docker write.
 * Signatures are found by their tags, by cosign's marks, and by looking into every small blob for manifests with a subject.
 */
import { asBuffer } from '../encoding/bytes.ts'
import { parseJson, isJsonObject } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { CountersignError, DecodingError, TransportError, UsageError } from '../error.ts'
import { checkContent, checkedContent, isDigest } from './digest.ts'
import type { LayoutFiles } from './layout-files.ts'
import { entryOf, mainImage, tagsOf } from './layout-index.ts'
import type { Descriptor, Manifest, StoredManifest } from './manifest.ts'
import { descriptorOf, maxManifestBytes, mediaType, parseManifest } from './manifest.ts'
import type { BlobContent, Referrers, Repository } from './repository.ts'

/** A layout, which holds one image as a rule. */
export interface ImageLayout extends Repository {
  /** Whether it is a folder; nothing is written into archives. */
  readonly isWritable: boolean
  /** What `index.json` lists. */
  entries(): Promise<readonly Descriptor[]>
  /** The image that it is about. @throws UsageError USAGE when that is not clear */
  image(): Promise<Descriptor>
  /**
   * The files of which `docker load` would make an image: it goes by `manifest.json` where there is one, and not by `index.json`; before
   * version 28 by `repositories` where there is none.
   */
  filesForDocker(): Promise<readonly string[]>
}

/** What `docker save` writes beside the layout. */
export const dockerTable = 'manifest.json'
/** What it wrote before it wrote that. */
const formerTable = 'repositories'
const maxBlobs = 200_000
const subjectMark = Buffer.from('"subject"')

/** Where a blob is: the digest has been checked, so that nothing outside of the layout can be meant. */
export function blobPath(digest: string): string {
  if (!isDigest(digest)) throw new UsageError('USAGE', 'a blob is named by a digest')
  return `blobs/${digest.replace(':', '/')}`
}

/** A layout that is only read. */
export class LayoutReader implements ImageLayout {
  readonly name: string
  readonly isWritable: boolean = false
  protected readonly files: LayoutFiles
  /** The subjects of the manifests seen so far, by digest; undefined for what is none or has none. */
  readonly #subjects = new Map<string, string | undefined>()

  constructor(files: LayoutFiles) {
    this.name = files.name
    this.files = files
  }

  async entries(): Promise<readonly Descriptor[]> {
    const bytes = await this.files.read('index.json', maxManifestBytes)
    if (bytes === undefined) throw new TransportError('FILE_UNREADABLE', `${this.name} is no image layout: it has no index.json`)
    const index = parseManifest({ bytes, mediaType: mediaType.index, digest: `${this.name}/index.json` })
    return index.kind === 'index' ? index.manifests : []
  }

  async image(): Promise<Descriptor> {
    const entries = await this.entries()
    const subjects = await Promise.all(entries.map((entry) => this.#subjectOf(entry.digest)))
    // What is about something else is beside an image.
    const images = entries.filter((_, at) => subjects[at] === undefined)
    const { mediaType: type, digest, size } = mainImage(images, this.name)
    return { mediaType: type, digest, size }
  }

  async filesForDocker(): Promise<readonly string[]> {
    const bytes = await this.files.read(dockerTable, maxManifestBytes)
    if (bytes === undefined) return (await this.files.size(formerTable)) === undefined ? [] : [formerTable]
    const what = `${this.name}/${dockerTable}`
    const list = parseJson(bytes, what, { maxDepth: 16 })
    if (!Array.isArray(list)) throw new DecodingError('MANIFEST_INVALID', `${what} should list images`)
    return list.flatMap((image) => {
      const fields = new JsonFields(image, what, 'MANIFEST_INVALID').spelled('Config', 'Layers')
      return [fields.string('Config'), ...fields.array('Layers', maxBlobs).map((layer) => (typeof layer === 'string' ? layer : ''))]
    })
  }

  async resolve(target: string): Promise<Descriptor> {
    return descriptorOf(await this.manifest(target))
  }

  async manifest(target: string): Promise<StoredManifest> {
    const entries = await this.entries()
    const entry = isDigest(target) ? entries.find(({ digest }) => digest === target) : entryOf(target, entries)
    const digest = isDigest(target) ? target : entry?.digest
    const bytes = digest === undefined ? undefined : await this.files.read(blobPath(digest), maxManifestBytes)
    if (digest === undefined || bytes === undefined) throw this.missing(target)
    return { bytes: checkContent(bytes, digest, this.name), mediaType: entry?.mediaType ?? typeOf(bytes), digest }
  }

  async blob({ digest, size }: Descriptor, maxBytes: number): Promise<Uint8Array> {
    if (size > maxBytes) {
      throw new TransportError('TOO_LARGE', `the blob ${digest} of ${this.name} has ${size} bytes, more than the limit of ${maxBytes}`)
    }
    const bytes = await this.files.read(blobPath(digest), size)
    if (bytes === undefined) throw this.missing(digest)
    return checkContent(bytes, digest, this.name)
  }

  async openBlob({ digest, size }: Descriptor): Promise<AsyncIterable<Uint8Array>> {
    const file = blobPath(digest)
    if ((await this.files.size(file)) === undefined) throw this.missing(digest)
    return checkedContent(this.files.chunks(file), { digest, size }, this.name)
  }

  async referrers(digest: string): Promise<Referrers> {
    const names = await this.files.list('blobs/sha256')
    if (names.length > maxBlobs)
      throw new TransportError('TOO_LARGE', `${this.name} has ${names.length} blobs, more than the limit of ${maxBlobs}`)
    const descriptors: Descriptor[] = []
    for (const name of names.toSorted()) {
      const blob = `sha256:${name}`
      if (isDigest(blob) && (await this.#subjectOf(blob)) === digest) descriptors.push(await this.#described(blob))
    }
    return { descriptors, source: 'api' }
  }

  async tags(): Promise<readonly string[]> {
    const entries = await this.entries()
    return [...new Set(entries.flatMap((entry) => tagsOf(entry, entries)))].toSorted()
  }

  async hasBlob(digest: string): Promise<boolean> {
    return (await this.files.size(blobPath(digest))) !== undefined
  }

  putBlob(_content: BlobContent): Promise<{ readonly digest: string; readonly size: number }> {
    return Promise.reject(this.readOnly())
  }

  putManifest(_manifest: StoredManifest, _tag?: string): Promise<Descriptor> {
    return Promise.reject(this.readOnly())
  }

  attach(_manifest: StoredManifest, _subject: string): Promise<Descriptor> {
    return Promise.reject(this.readOnly())
  }

  detach(_digest: string, _subject: string): Promise<void> {
    return Promise.reject(this.readOnly())
  }

  remove(_target: string): Promise<void> {
    return Promise.reject(this.readOnly())
  }

  protected missing(target: string): CountersignError {
    return new CountersignError('NOT_FOUND', `${this.name} has no ${target}`)
  }

  /** For those that remove a blob. */
  protected forget(digest: string): void {
    this.#subjects.delete(digest)
  }

  private readOnly(): UsageError {
    return new UsageError('USAGE', `${this.name} is an archive, and nothing is written into it; make a folder of it with load and save`)
  }

  async #subjectOf(digest: string): Promise<string | undefined> {
    if (!this.#subjects.has(digest)) this.#subjects.set(digest, (await this.#parsed(digest))?.manifest.subject?.digest)
    return this.#subjects.get(digest)
  }

  async #described(digest: string): Promise<Descriptor> {
    const parsed = await this.#parsed(digest)
    if (parsed === undefined) throw this.missing(digest)
    return referrerDescriptor(parsed.stored, parsed.manifest)
  }

  /** A blob that is a manifest with a subject. Whether its digest is right is found out when it is used. */
  async #parsed(digest: string): Promise<{ readonly stored: StoredManifest; readonly manifest: Manifest } | undefined> {
    const file = blobPath(digest)
    if (((await this.files.size(file)) ?? maxManifestBytes + 1) > maxManifestBytes) return undefined
    const bytes = (await this.files.read(file, maxManifestBytes)) ?? new Uint8Array()
    if (!asBuffer(bytes).includes(subjectMark)) return undefined
    try {
      const stored = { bytes, mediaType: typeOf(bytes), digest }
      return { stored, manifest: parseManifest(stored) }
    } catch (error) {
      if (error instanceof CountersignError) return undefined
      throw error
    }
  }
}

/** What a list of referrers says about one of them. */
export function referrerDescriptor(stored: StoredManifest, manifest: Manifest): Descriptor {
  const type = manifest.artifactType ?? (manifest.kind === 'manifest' ? manifest.config.mediaType : undefined)
  return {
    ...descriptorOf(stored),
    ...(type === undefined ? {} : { artifactType: type }),
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations }),
  }
}

/** The media type of a manifest that no entry names: what it calls itself, or what it looks like. */
function typeOf(bytes: Uint8Array): string {
  try {
    const value = parseJson(bytes, 'the manifest', { maxBytes: maxManifestBytes, maxDepth: 32 })
    if (!isJsonObject(value)) return ''
    const stated = value['mediaType']
    if (typeof stated === 'string') return stated
    return value['config'] === undefined ? (value['manifests'] === undefined ? '' : mediaType.index) : mediaType.manifest
  } catch (error) {
    if (error instanceof CountersignError) return ''
    throw error
  }
}
