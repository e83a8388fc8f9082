/** Referrers on registries without the API for them: an index under a tag (distribution specification, "Referrers Tag Schema"). */
import { CountersignError, DecodingError } from '../error.ts'
import { appendUntilThere } from './append.ts'
import type { Descriptor, StoredManifest } from './manifest.ts'
import { encodeIndex, parseManifest } from './manifest.ts'
import type { RegistryManifests } from './registry-manifests.ts'
import { onlyMissing } from './registry-manifests.ts'

const maxDetachAttempts = 6

/** Those of one repository. Methods throw as `RegistryManifests`, and DecodingError MANIFEST_INVALID for a tag that holds something else. */
export class FallbackReferrers {
  readonly #manifests: RegistryManifests

  constructor(manifests: RegistryManifests) {
    this.#manifests = manifests
  }

  /** @param subject digest of the manifest that they are about @returns none where there is no such tag */
  async read(subject: string): Promise<readonly Descriptor[]> {
    const tag = fallbackTag(subject)
    const manifest = await this.#manifests.read(tag).catch(onlyMissing)
    if (manifest === undefined) return []
    const index = parseManifest(manifest)
    if (index.kind === 'index') return index.manifests
    throw new DecodingError('MANIFEST_INVALID', `${this.#manifests.name}:${tag} should be an index of referrers, found another manifest`)
  }

  /**
   * Registries cannot compare and swap, so the index is read back until what was added is there: of two writers the later one
   * overwrites the earlier, who then adds theirs again.
   */
  async add(subject: string, manifest: StoredManifest, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<void> {
    const parsed = parseManifest(manifest)
    const described: Descriptor = {
      ...descriptor,
      ...(parsed.artifactType === undefined ? {} : { artifactType: parsed.artifactType }),
      ...(Object.keys(parsed.annotations).length === 0 ? {} : { annotations: parsed.annotations }),
    }
    await appendUntilThere({
      what: `the referrers of ${this.#manifests.name}@${subject}`,
      signal,
      read: () => this.read(subject),
      version: (descriptors) => descriptors.map(({ digest }) => digest).join(),
      isThere: (descriptors) => descriptors.some(({ digest }) => digest === descriptor.digest),
      write: (descriptors) => this.#write([...descriptors, described].toSorted(byDigest), subject),
    })
  }

  /**
   * Takes one away, for good.
   * @param removeTag for an index in which nothing is left
   * @throws CountersignError CONFLICT when others keep adding it
   */
  async remove(digest: string, subject: string, removeTag: (tag: string) => Promise<void>): Promise<void> {
    for (let attempt = 1; attempt <= maxDetachAttempts; attempt++) {
      const listed = await this.read(subject)
      const kept = listed.filter((other) => other.digest !== digest)
      if (kept.length === listed.length) return
      if (kept.length === 0) await removeTag(fallbackTag(subject))
      else await this.#write(kept, subject)
    }
    throw new CountersignError('CONFLICT', `the referrers of ${this.#manifests.name}@${subject}: others kept adding ${digest}`)
  }

  /** Registries refuse an index that names what is gone, so that nobody could sign any more: it is left out then. @returns what was written */
  async #write(descriptors: readonly Descriptor[], subject: string): Promise<readonly Descriptor[]> {
    const tag = fallbackTag(subject)
    try {
      await this.#manifests.write(encodeIndex(descriptors), tag)
      return descriptors
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code === 'ABORTED') throw error
      const there = await Promise.all(descriptors.map(({ digest }) => this.#manifests.resolve(digest).catch(onlyMissing)))
      const kept = descriptors.filter((_, index) => there[index] !== undefined)
      if (kept.length === descriptors.length) throw error
      await this.#manifests.write(encodeIndex(kept), tag)
      return kept
    }
  }
}

/** The digest with a dash. */
function fallbackTag(digest: string): string {
  return digest.replace(':', '-').slice(0, 128)
}

function byDigest(a: Descriptor, b: Descriptor): number {
  return a.digest < b.digest ? -1 : 1
}
