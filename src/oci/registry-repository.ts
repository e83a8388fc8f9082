/** A repository of a registry that speaks the OCI distribution specification 1.1, or an older one. */
import { randomUUID } from 'node:crypto'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError, TransportError, UsageError } from '../error.ts'
import { HttpStatusError, isSuccess } from '../http/fetch.ts'
import { checkContent, checkedContent, contentDigest, isDigest } from './digest.ts'
import { FallbackReferrers } from './fallback-referrers.ts'
import type { Descriptor, StoredManifest } from './manifest.ts'
import { descriptorOf, maxManifestBytes, mediaType } from './manifest.ts'
import type { RepositoryName } from './reference.ts'
import { isTag, repositoryText } from './reference.ts'
import { parseReferrerList } from './referrer-list.ts'
import { openDownload } from './registry-download.ts'
import { listPages } from './registry-list.ts'
import { contentType, missing, onlyMissing, RegistryManifests } from './registry-manifests.ts'
import type { RegistrySession } from './registry-session.ts'
import { uploadBlob } from './registry-upload.ts'
import type { BlobContent, Referrers, Repository } from './repository.ts'
import { putUnbuiltImage } from './unbuilt-image.ts'

const maxReferrersPages = 200
const maxReferrers = 10_000
const maxTagsPages = 1000
const maxTags = 1_000_000
/** How often a registry is asked whether it has taken notice of a referrer. */
const maxReferrerChecks = 6
/** Of a manifest that only takes a tag away from another one. */
const removedAnnotation = 'dev.countersign.removed'

/** Opens a repository; nothing is asked yet. */
export function openRegistryRepository(session: RegistrySession, name: RepositoryName): Repository {
  return new RegistryRepository(session, name)
}

class RegistryRepository implements Repository {
  readonly name: string
  readonly #session: RegistrySession
  readonly #repository: string
  readonly #manifests: RegistryManifests
  readonly #fallback: FallbackReferrers

  constructor(session: RegistrySession, name: RepositoryName) {
    this.name = repositoryText(name)
    this.#session = session
    this.#repository = name.repository
    this.#manifests = new RegistryManifests(session, name.repository, this.name)
    this.#fallback = new FallbackReferrers(this.#manifests)
  }

  async resolve(target: string): Promise<Descriptor> {
    return this.#manifests.resolve(target)
  }

  async manifest(target: string): Promise<StoredManifest> {
    return this.#manifests.read(target)
  }

  async blob({ digest, size }: Descriptor, maxBytes: number): Promise<Uint8Array> {
    if (size > maxBytes) {
      throw new TransportError('TOO_LARGE', `the blob ${digest} of ${this.name} has ${size} bytes, more than the limit of ${maxBytes}`)
    }
    const response = await this.#session.request(this.#blobPath(digest), { repository: this.#repository, action: 'pull', maxBytes: size })
    if (response.status === 404) throw missing(this.name, digest)
    if (response.status !== 200) throw this.#session.refusal(response, `reading ${this.name}`)
    return checkContent(response.body, digest, this.name)
  }

  async openBlob({ digest, size }: Descriptor): Promise<AsyncIterable<Uint8Array>> {
    try {
      const chunks = await openDownload(this.#session, this.#repository, this.#blobPath(digest))
      return checkedContent(chunks, { digest, size }, this.name)
    } catch (error) {
      if (error instanceof HttpStatusError && error.status === 404) throw missing(this.name, digest)
      throw error
    }
  }

  async referrers(digest: string): Promise<Referrers> {
    const what = `the referrers of ${this.name}@${digest}`
    const path = `/v2/${this.#repository}/referrers/${digest}`
    const headers = { accept: mediaType.index }
    const descriptors: Descriptor[] = []
    const unreadable: string[] = []
    let isFirst = true
    const list = { path, repository: this.#repository, headers, maxBytes: maxManifestBytes, maxPages: maxReferrersPages }
    for await (const page of listPages(this.#session, { ...list, what: `the list of ${what}` })) {
      if (isFirst && (!isSuccess(page) || contentType(page) !== mediaType.index)) {
        // Without the API there is no such address; what is no answer to the question says nothing.
        if (page.status === 401 || page.status === 403 || page.status >= 500 || page.status === 429)
          throw this.#session.refusal(page, `reading ${what}`)
        return { descriptors: await this.#fallback.read(digest), source: 'tag' }
      }
      isFirst = false
      if (page.status !== 200) throw this.#session.refusal(page, `reading ${what}`)
      const listed = parseReferrerList(page.body, `the list of ${what}`, maxReferrers)
      descriptors.push(...listed.descriptors)
      unreadable.push(...listed.unreadable)
      if (descriptors.length + unreadable.length > maxReferrers) throw this.#tooMany('referrers', maxReferrers)
    }
    return { descriptors, source: 'api', ...(unreadable.length === 0 ? {} : { unreadable }) }
  }

  async tags(): Promise<readonly string[]> {
    const tags: string[] = []
    const path = `/v2/${this.#repository}/tags/list`
    const list = { path, repository: this.#repository, what: `the list of the tags of ${this.name}`, maxPages: maxTagsPages }
    for await (const page of listPages(this.#session, list)) {
      if (page.status === 404) throw missing(this.name, '')
      if (page.status !== 200) throw this.#session.refusal(page, `listing the tags of ${this.name}`)
      const fields = new JsonFields(parseJson(page.body, 'the list of tags', { maxDepth: 8 }), 'tags', 'MANIFEST_INVALID')
      for (const tag of fields.array('tags', maxTags)) if (typeof tag === 'string' && isTag(tag)) tags.push(tag)
      if (tags.length > maxTags) throw this.#tooMany('tags', maxTags)
    }
    return tags
  }

  async hasBlob(digest: string): Promise<boolean> {
    const asked = { repository: this.#repository, action: 'pull', method: 'HEAD' } as const
    return (await this.#session.request(this.#blobPath(digest), asked)).status === 200
  }

  async putBlob(content: BlobContent, from?: string): Promise<{ readonly digest: string; readonly size: number }> {
    const { digest, size } = content instanceof Uint8Array ? { digest: contentDigest(content), size: content.length } : content
    if (await this.hasBlob(digest)) return { digest, size }
    const place = { session: this.#session, repository: this.#repository, name: this.name }
    await uploadBlob(place, { content, digest, size, from, isThere: () => this.hasBlob(digest) })
    return { digest, size }
  }

  async putManifest(manifest: StoredManifest, tag?: string): Promise<Descriptor> {
    if (tag !== undefined && !isTag(tag)) throw new UsageError('USAGE', `${excerpt(tag, 200)} is no tag that a registry takes`)
    await this.#manifests.write(manifest, tag ?? manifest.digest)
    return descriptorOf(manifest)
  }

  async attach(manifest: StoredManifest, subject: string): Promise<Descriptor> {
    const response = await this.#manifests.write(manifest, manifest.digest)
    const descriptor = descriptorOf(manifest)
    // The header says that the registry has the referrers API and has taken notice (distribution specification 1.1).
    if (response.headers['oci-subject'] === subject) return descriptor
    if (!(await this.#isListed(subject, descriptor.digest))) await this.#fallback.add(subject, manifest, descriptor, this.#session.signal)
    return descriptor
  }

  /**
   * Whether the registry lists a referrer by itself: those with an API do, some of them a little later.
   * @throws CountersignError SERVICE_REFUSED where it has the API and does not: nobody would find it
   */
  async #isListed(subject: string, digest: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const { descriptors, source } = await this.referrers(subject)
      if (source === 'tag') return false
      if (descriptors.some((other) => other.digest === digest)) return true
      if (attempt >= maxReferrerChecks) {
        const what = `the registry took ${digest} and does not list it as a referrer of ${subject}`
        throw new CountersignError('SERVICE_REFUSED', `pushing to ${this.name}: ${what}`)
      }
      await this.#session.pauseAfter(attempt)
    }
  }

  async detach(digest: string, subject: string): Promise<void> {
    // What is gone already may still be listed.
    await this.remove(digest).catch(onlyMissing)
    if ((await this.referrers(subject)).source === 'api') return
    await this.#fallback.remove(digest, subject, (tag) => this.remove(tag))
  }

  async remove(target: string): Promise<void> {
    const response = await this.#manifests.delete(target)
    if (!isDigest(target) && (response.status === 400 || response.status === 405)) return this.#removeTag(target)
    if (response.status === 404) throw missing(this.name, target)
    if (!isSuccess(response)) throw this.#session.refusal(response, `removing ${target} from ${this.name}`)
  }

  /**
   * Older registries remove by digest only, and with it every tag that it has, which may be those of an image, or of the same SBOM beside
   * another one. So the tag gets a manifest that nothing else has, and that one is removed.
   */
  async #removeTag(tag: string): Promise<void> {
    const before = await this.manifest(tag)
    const own = await putUnbuiltImage(this, { layers: [], annotations: { [removedAnnotation]: randomUUID() } })
    await this.putManifest(own, tag)
    const response = await this.#manifests.delete(own.digest)
    if (isSuccess(response) || response.status === 404) return
    // Where nothing may be removed, nothing is lost either.
    await this.putManifest(before, tag)
    throw this.#session.refusal(response, `removing ${tag} from ${this.name}`)
  }

  #blobPath(digest: string): string {
    return `/v2/${this.#repository}/blobs/${digest}`
  }

  #tooMany(what: string, limit: number): TransportError {
    return new TransportError('TOO_LARGE', `${this.name} has more than ${limit} ${what}`)
  }
}
