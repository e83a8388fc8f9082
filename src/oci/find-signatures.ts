/**
 * Everything that was signed about an image, wherever any tool has put it: bundles as referrers (API or tag), layers under the tags
 * of cosign 1 and 2, cosign 2's experimental referrers. One unreadable entry never hides another, nor does a place that cannot be
 * looked into, and nothing here is verified yet.
 */
import { parseBundle } from '../bundle/bundle.ts'
import { readImageAttestation, readImageSignature, signatureLayerType } from '../bundle/image-signature.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { CountersignError, messageOf } from '../error.ts'
import type { Descriptor, ImageManifest, Manifest } from './manifest.ts'
import { parseManifest } from './manifest.ts'
import type { Referrers, Repository } from './repository.ts'
import { artifactType, isBundleLayer, mayHoldSignature, signatureTag } from './signature-places.ts'

/** A signature or an attestation, as found. */
export interface FoundSignature {
  readonly entity: SignedEntity
  /** What the signature is over where it is a layer of its own; undefined for bundles, whose envelope holds it. */
  readonly payload: Uint8Array | undefined
  /** The layer as it is stored: the payload, the envelope or the bundle. */
  readonly bytes: Uint8Array
  readonly place: SignaturePlace
  /** Which manifest it is in, and which of its layers. */
  readonly where: string
  readonly manifest: string
  readonly layer: Descriptor
  /** Its position among all that its place lists. */
  readonly index: number
}

/** Where it was; `given` is what the caller brings. */
export type SignaturePlace = 'referrer' | 'signature-tag' | 'attestation-tag' | 'legacy-referrer' | 'given'

/** What was found, and what was not: nothing is left out silently. */
export interface Findings {
  readonly signatures: readonly FoundSignature[]
  /** Entries that could not be read: sentences. */
  readonly unreadable: readonly string[]
  /** The places that were looked into, each with what was there: `3 referrers`, `no tag sha256-….sig`. */
  readonly looked: readonly string[]
  /** Places that could not be looked into: what is there is unknown, and must not pass for nothing. */
  readonly failures: readonly CountersignError[]
}

export interface FindOptions {
  /** Put in front of the tags: `--attachment-tag-prefix`. */
  readonly tagPrefix?: string
  readonly kinds?: readonly ('signature' | 'attestation')[]
  /** The largest layer that is read; default 128 MiB (COSIGN_MAX_ATTACHMENT_SIZE). */
  readonly maxLayerBytes?: number
  /** How much is read beyond the first 8 MiB, the smallest layers first; default 256 MiB, or one layer of the largest size. */
  readonly maxTotalBytes?: number
  /** How many referrers, and how many layers of one manifest, are looked into; default 1,000. */
  readonly maxEntries?: number
  readonly allowCertificateChain?: boolean
  /** Told of each signature as soon as it is read, in any order. */
  readonly onFound?: (found: FoundSignature) => void
}

const defaultMaxLayerBytes = 128 * 1024 * 1024
const defaultMaxTotalBytes = 256 * 1024 * 1024
const defaultMaxEntries = 1000
const maxEarlyLayers = 100
const maxEarlyBytes = 8 * 1024 * 1024

/**
 * Looks in every place at once.
 * @param digest of the image's manifest
 * @throws CountersignError ABORTED; what goes wrong in one place is told in `failures`
 */
export async function findSignatures(repository: Repository, digest: string, options: FindOptions = {}): Promise<Findings> {
  const { kinds = ['signature', 'attestation'], tagPrefix = '' } = options
  const search = new Search(repository, options)
  await Promise.all([
    search.place(() => search.referrers(digest)),
    ...(kinds.includes('signature')
      ? [search.place(() => search.tag(signatureTag(digest, 'sig', tagPrefix), 'signature-tag', signatureLayerType.signature))]
      : []),
    ...(kinds.includes('attestation')
      ? [search.place(() => search.tag(signatureTag(digest, 'att', tagPrefix), 'attestation-tag', signatureLayerType.attestation))]
      : []),
  ])
  await search.readLayers()
  return search.findings()
}

/** A layer that holds something signed, by its media type. */
type Candidate = Omit<FoundSignature, 'entity' | 'payload' | 'bytes'>

class Search {
  readonly #repository: Repository
  readonly #options: FindOptions
  readonly #candidates: Candidate[] = []
  readonly #signatures: FoundSignature[] = []
  readonly #unreadable: string[] = []
  readonly #looked: string[] = []
  readonly #failures: CountersignError[] = []
  /** Layers that are read as soon as they are known of. */
  readonly #early: Promise<void>[] = []
  #earlyBytes = 0
  /** Layers by digest and size: signatures over the same payload share one, and a size that is wrong is wrong for itself only. */
  readonly #layers = new Map<string, Promise<Uint8Array>>()

  constructor(repository: Repository, options: FindOptions) {
    this.#repository = repository
    this.#options = options
  }

  /** In an order that does not depend on who answered first. */
  findings(): Findings {
    return {
      signatures: this.#signatures.toSorted((a, b) => rank(a) - rank(b) || a.index - b.index),
      unreadable: this.#unreadable.toSorted(compare),
      looked: this.#looked.toSorted(compare),
      failures: this.#failures.toSorted((a, b) => compare(a.message, b.message)),
    }
  }

  /** A place that cannot be looked into takes nothing from the others. */
  async place(look: () => Promise<void>): Promise<void> {
    try {
      await look()
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code === 'ABORTED') throw error
      this.#failures.push(error)
    }
  }

  async referrers(digest: string): Promise<void> {
    let found: Referrers
    try {
      found = await this.#repository.referrers(digest)
    } catch (error) {
      // Somebody else's tag where the index of referrers would be.
      if (!(error instanceof CountersignError) || error.code !== 'MANIFEST_INVALID') throw error
      this.#unreadable.push(`${this.#repository.name}: ${error.message}`)
      return
    }
    const { descriptors, source } = found
    const how = source === 'api' ? 'the referrers API' : `the tag ${digest.replace(':', '-')} (there is no referrers API)`
    this.#looked.push(`${this.#repository.name}: ${count(descriptors.length, 'referrer')} by ${how}`)
    const candidates = distinct(descriptors.filter(mayHoldSignature))
    this.#limit(candidates.length, `referrers of ${digest}`)
    await Promise.all(
      candidates.map((descriptor, index) =>
        this.#attempt(`${this.#repository.name}@${descriptor.digest}`, () => this.#referrer(descriptor, digest, index)),
      ),
    )
  }

  /** @param wantedType of its layers that count; others have no business there */
  async tag(tag: string, place: SignaturePlace, wantedType: string): Promise<void> {
    const where = `${this.#repository.name}:${tag}`
    let manifest: Manifest
    let name: string
    try {
      const stored = await this.#repository.manifest(tag)
      manifest = parseManifest(stored)
      name = stored.digest
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      if (error.code === 'NOT_FOUND') {
        this.#looked.push(`${this.#repository.name}: no tag ${tag}`)
        return
      }
      if (!unreadableCodes.has(error.code)) throw error
      this.#unreadable.push(`${where}: ${error.message}`)
      return
    }
    if (manifest.kind !== 'manifest') {
      this.#unreadable.push(`${where}: it is an index, and signatures are layers of a manifest`)
      return
    }
    this.#looked.push(`${this.#repository.name}: ${count(manifest.layers.length, 'layer')} under the tag ${tag}`)
    this.#collect(manifest, name, where, place, [wantedType])
  }

  async #referrer(descriptor: Descriptor, digest: string, index: number): Promise<void> {
    const where = `${this.#repository.name}@${descriptor.digest}`
    const manifest = parseManifest(await this.#repository.manifest(descriptor.digest))
    if (manifest.kind !== 'manifest') return
    const isSignature = manifest.artifactType === artifactType.legacySignature || manifest.config.mediaType === artifactType.legacySignature
    const [layer, ...others] = manifest.layers
    const bundle = layer !== undefined && others.length === 0 && isBundleLayer(layer) ? layer : undefined
    if (!isSignature && bundle === undefined) return
    // Whoever lists it says that it is about this image; it must say so itself.
    if (manifest.subject?.digest !== digest) {
      this.#unreadable.push(`${where}: it is listed as a referrer of ${digest} and is about ${manifest.subject?.digest ?? 'nothing'}`)
      return
    }
    if (bundle === undefined) this.#collect(manifest, descriptor.digest, where, 'legacy-referrer', Object.values(signatureLayerType))
    else this.#add({ place: 'referrer', where, manifest: descriptor.digest, layer: bundle, index })
  }

  #collect({ layers }: ImageManifest, manifest: string, where: string, place: SignaturePlace, wantedTypes: readonly string[]): void {
    this.#limit(layers.length, `layers of ${where}`)
    for (const [index, layer] of layers.entries()) {
      if (!wantedTypes.includes(layer.mediaType)) continue
      this.#add({ place, where: `${where} (layer ${index + 1})`, manifest, layer, index })
    }
  }

  /** What is usual is read at once. What is more waits until everything that there is to read is known. */
  #add(candidate: Candidate): void {
    const { size } = candidate.layer
    if (this.#early.length >= maxEarlyLayers || this.#earlyBytes + size > maxEarlyBytes || size > this.#maxLayerBytes()) {
      this.#candidates.push(candidate)
      return
    }
    this.#earlyBytes += size
    this.#early.push(this.#attempt(candidate.where, () => this.#read(candidate)))
  }

  /** The rest: small ones first, so that what is stored to keep others from being read has to be smaller than they are. */
  async readLayers(): Promise<void> {
    const { maxTotalBytes = Math.max(defaultMaxTotalBytes, this.#maxLayerBytes()) } = this.#options
    const bySize = this.#candidates.toSorted((a, b) => a.layer.size - b.layer.size)
    let total = 0
    await Promise.all([
      ...this.#early,
      ...bySize.map((candidate) =>
        this.#attempt(candidate.where, async () => {
          if (!this.#layers.has(contentOf(candidate.layer))) total += candidate.layer.size
          if (total > maxTotalBytes) throw new CountersignError('TOO_LARGE', `all that is stored there exceeds ${maxTotalBytes} bytes`)
          await this.#read(candidate)
        }),
      ),
    ])
  }

  async #read(candidate: Candidate): Promise<void> {
    const bytes = await this.#layer(candidate.layer, this.#maxLayerBytes())
    const found = { ...candidate, ...this.#parse(candidate, bytes) }
    this.#signatures.push(found)
    this.#options.onFound?.(found)
  }

  #maxLayerBytes(): number {
    return this.#options.maxLayerBytes ?? defaultMaxLayerBytes
  }

  #parse({ place, layer }: Candidate, bytes: Uint8Array): Pick<FoundSignature, 'entity' | 'payload' | 'bytes'> {
    const { allowCertificateChain = false } = this.#options
    if (place === 'referrer') return { entity: parseBundle(bytes, { allowCertificateChain }), payload: undefined, bytes }
    const annotations = layer.annotations ?? {}
    if (layer.mediaType === signatureLayerType.attestation) {
      return { entity: readImageAttestation(bytes, annotations), payload: undefined, bytes }
    }
    return { ...readImageSignature(bytes, annotations), bytes }
  }

  #layer(layer: Descriptor, maxBytes: number): Promise<Uint8Array> {
    const content = contentOf(layer)
    const reading = this.#layers.get(content) ?? this.#repository.blob(layer, maxBytes)
    this.#layers.set(content, reading)
    return reading
  }

  /** What is wrong with one entry is told; what is wrong with the registry leaves unknown what is there. */
  async #attempt(where: string, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code === 'ABORTED') throw error
      if (unreadableCodes.has(error.code)) this.#unreadable.push(`${where}: ${messageOf(error)}`)
      else this.#failures.push(error)
    }
  }

  #limit(found: number, what: string): void {
    const { maxEntries = defaultMaxEntries } = this.#options
    if (found <= maxEntries) return
    throw new CountersignError('TOO_LARGE', `there are ${found} ${what}, more than the ${maxEntries} that are looked into`)
  }
}

/** Errors of an entry itself. */
const unreadableCodes: ReadonlySet<string> = new Set([
  'BUNDLE_INVALID',
  'CERTIFICATE_INVALID',
  'CONTENT_MISMATCH',
  'DER_INVALID',
  'ENCODING_INVALID',
  'JSON_INVALID',
  'LOG_ENTRY_INVALID',
  'MANIFEST_INVALID',
  'NOT_FOUND',
  'PEM_INVALID',
  'STATEMENT_INVALID',
  'TIMESTAMP_INVALID',
  'TOO_LARGE',
])

const places: readonly SignaturePlace[] = ['referrer', 'legacy-referrer', 'signature-tag', 'attestation-tag', 'given']

function rank({ place }: FoundSignature): number {
  return places.indexOf(place)
}

function contentOf({ digest, size }: Descriptor): string {
  return `${digest} ${size}`
}

/** An index may name the same manifest twice. */
function distinct(descriptors: readonly Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
