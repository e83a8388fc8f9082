/**
 * Everything that was signed about an image, wherever any tool has put it: bundles as referrers (API or tag), layers under the tags
 * of cosign 1 and 2, cosign 2's experimental referrers. One unreadable entry never hides another, and nothing here is verified yet.
 */
import { parseBundle } from '../bundle/bundle.ts'
import { readImageAttestation, readImageSignature, signatureLayerType } from '../bundle/image-signature.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { CountersignError, messageOf } from '../error.ts'
import type { Descriptor, ImageManifest, Manifest } from './manifest.ts'
import { parseManifest } from './manifest.ts'
import type { Repository } from './repository.ts'
import { artifactType, isBundleLayer, mayHoldSignature, signatureTag } from './signature-places.ts'

/** A signature or an attestation, as found. */
export interface FoundSignature {
  readonly entity: SignedEntity
  /** What the signature is over where it is a layer of its own; undefined for bundles, whose envelope holds it. */
  readonly payload: Uint8Array | undefined
  readonly place: 'referrer' | 'signature-tag' | 'attestation-tag' | 'legacy-referrer'
  /** Which manifest it is in, and which of its layers. */
  readonly where: string
  readonly manifest: string
  readonly layer: Descriptor
  /** Its position among all that its place lists. */
  readonly index: number
}

/** What was found, and what was not: nothing is left out silently. */
export interface Findings {
  readonly signatures: readonly FoundSignature[]
  /** Entries that could not be read: sentences. */
  readonly unreadable: readonly string[]
  /** The places that were looked into, each with what was there: `3 referrers`, `no tag sha256-….sig`. */
  readonly looked: readonly string[]
}

export interface FindOptions {
  /** Put in front of the tags: `--attachment-tag-prefix`. */
  readonly tagPrefix?: string
  readonly kinds?: readonly ('signature' | 'attestation')[]
  /** The largest layer that is read; default 128 MiB (COSIGN_MAX_ATTACHMENT_SIZE). */
  readonly maxLayerBytes?: number
  /** How many referrers, and how many layers of one manifest, are looked into; default 1,000. */
  readonly maxEntries?: number
  readonly allowCertificateChain?: boolean
}

const defaultMaxLayerBytes = 128 * 1024 * 1024
const defaultMaxEntries = 1000

/**
 * Looks in every place at once.
 * @param digest of the image's manifest
 * @throws CountersignError when a place cannot be looked into (a registry that refuses, or is out of reach): what is there is
 *   unknown then, and must not pass for nothing. TOO_LARGE when there is more than is looked into
 */
export async function findSignatures(repository: Repository, digest: string, options: FindOptions = {}): Promise<Findings> {
  const { kinds = ['signature', 'attestation'], tagPrefix = '' } = options
  const search = new Search(repository, options)
  await Promise.all([
    search.referrers(digest),
    ...(kinds.includes('signature') ? [search.tag(signatureTag(digest, 'sig', tagPrefix), 'signature-tag')] : []),
    ...(kinds.includes('attestation') ? [search.tag(signatureTag(digest, 'att', tagPrefix), 'attestation-tag')] : []),
  ])
  return search.findings()
}

class Search {
  readonly #repository: Repository
  readonly #options: FindOptions
  readonly #signatures: FoundSignature[] = []
  readonly #unreadable: string[] = []
  readonly #looked: string[] = []

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
    }
  }

  async referrers(digest: string): Promise<void> {
    const { descriptors, source } = await this.#repository.referrers(digest)
    const how = source === 'api' ? 'the referrers API' : `the tag ${digest.replace(':', '-')} (there is no referrers API)`
    this.#looked.push(`${this.#repository.name}: ${count(descriptors.length, 'referrer')} by ${how}`)
    const candidates = descriptors.filter(mayHoldSignature)
    this.#limit(candidates.length, `referrers of ${digest}`)
    await Promise.all(
      candidates.map((descriptor, index) =>
        this.#attempt(`${this.#repository.name}@${descriptor.digest}`, () => this.#referrer(descriptor, digest, index)),
      ),
    )
  }

  async tag(tag: string, place: 'signature-tag' | 'attestation-tag'): Promise<void> {
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
    await this.#layers(manifest, name, where, place)
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
    if (bundle === undefined) return this.#layers(manifest, descriptor.digest, where, 'legacy-referrer')
    const entity = parseBundle(await this.#layer(bundle), { allowCertificateChain: this.#options.allowCertificateChain ?? false })
    this.#signatures.push({ entity, payload: undefined, place: 'referrer', where, manifest: descriptor.digest, layer: bundle, index })
  }

  async #layers(
    { layers }: ImageManifest,
    manifest: string,
    where: string,
    place: 'signature-tag' | 'attestation-tag' | 'legacy-referrer',
  ): Promise<void> {
    this.#limit(layers.length, `layers of ${where}`)
    await Promise.all(
      layers.map((layer, index) => {
        const name = `${where} (layer ${index + 1})`
        return this.#attempt(name, async () => {
          const annotations = layer.annotations ?? {}
          if (layer.mediaType === signatureLayerType.attestation) {
            const entity = readImageAttestation(await this.#layer(layer), annotations)
            this.#signatures.push({ entity, payload: undefined, place, where: name, manifest, layer, index })
          } else if (layer.mediaType === signatureLayerType.signature) {
            const { payload, entity } = readImageSignature(await this.#layer(layer), annotations)
            this.#signatures.push({ entity, payload, place, where: name, manifest, layer, index })
          }
        })
      }),
    )
  }

  #layer(layer: Descriptor): Promise<Uint8Array> {
    return this.#repository.blob(layer, this.#options.maxLayerBytes ?? defaultMaxLayerBytes)
  }

  /** What is wrong with one entry is told; what is wrong with the registry ends the search. */
  async #attempt(where: string, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (!(error instanceof CountersignError) || !unreadableCodes.has(error.code)) throw error
      this.#unreadable.push(`${where}: ${messageOf(error)}`)
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

const places: readonly FoundSignature['place'][] = ['referrer', 'legacy-referrer', 'signature-tag', 'attestation-tag']

function rank({ place }: FoundSignature): number {
  return places.indexOf(place)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
