/**
 * Everything that was signed about an image, wherever any tool has put it: bundles as referrers (API or tag), layers under the tags
 * of cosign 1 and 2, cosign 2's experimental referrers. One unreadable entry never hides another, nor does a place that cannot be
 * looked into, and nothing here is verified yet.
 */
import { signatureLayerType } from '../bundle/image-signature.ts'
import { CountersignError, messageOf } from '../error.ts'
import type { Findings, FoundSignature, SignaturePlace } from './found-signature.ts'
import type { Descriptor, ImageManifest, Manifest } from './manifest.ts'
import { parseManifest } from './manifest.ts'
import type { Referrers, Repository } from './repository.ts'
import type { LayerOptions, LayerReader } from './signature-layers.ts'
import { openLayerReader } from './signature-layers.ts'
import { artifactType, isBundleLayer, mayHoldSignature, signatureTag } from './signature-places.ts'

/** Where signatures are looked for, and how much is read. */
export interface FindOptions extends LayerOptions {
  /** Put in front of the tags: `--attachment-tag-prefix`. */
  readonly tagPrefix?: string
  readonly kinds?: readonly ('signature' | 'attestation')[]
  /** How many referrers, and how many layers of one manifest, are looked into; default 1,000. */
  readonly maxEntries?: number
  /** Told of each signature as soon as it is read, in any order. */
  readonly onFound?: (found: FoundSignature) => void
}

const defaultMaxEntries = 1000

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
  await search.readRest()
  return search.findings()
}

class Search {
  readonly #repository: Repository
  readonly #options: FindOptions
  readonly #signatures: FoundSignature[] = []
  readonly #unreadable: string[] = []
  readonly #looked: string[] = []
  readonly #failures: CountersignError[] = []
  readonly #layers: LayerReader

  constructor(repository: Repository, options: FindOptions) {
    this.#repository = repository
    this.#options = options
    const take = (found: FoundSignature): void => {
      this.#signatures.push(found)
      options.onFound?.(found)
    }
    this.#layers = openLayerReader(repository, options, take, (where, work) => this.#attempt(where, work))
  }

  /** What was not read as soon as it was known of. */
  readRest(): Promise<void> {
    return this.#layers.finish()
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
    const { descriptors, source, unreadable = [] } = found
    this.#unreadable.push(...unreadable.map((reason) => `${this.#repository.name}: ${reason}`))
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
    else this.#layers.add({ place: 'referrer', where, manifest: descriptor.digest, layer: bundle, index })
  }

  #collect({ layers }: ImageManifest, manifest: string, where: string, place: SignaturePlace, wantedTypes: readonly string[]): void {
    this.#limit(layers.length, `layers of ${where}`)
    for (const [index, layer] of layers.entries()) {
      if (!wantedTypes.includes(layer.mediaType)) continue
      this.#layers.add({ place, where: `${where} (layer ${index + 1})`, manifest, layer, index })
    }
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
