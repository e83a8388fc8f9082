/** A repository of a registry that speaks the OCI distribution specification 1.1, or an older one. */
import { randomUUID } from 'node:crypto'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError, DecodingError, TransportError, UsageError } from '../error.ts'
import { pause } from '../http/deadline.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { HttpStatusError, isSuccess } from '../http/fetch.ts'
import { backoff } from '../http/retry.ts'
import { appendUntilThere } from './append.ts'
import { checkContent, checkedContent, contentDigest, isDigest, splitDigest } from './digest.ts'
import type { Descriptor, StoredManifest } from './manifest.ts'
import { acceptedManifests, descriptorOf, encodeIndex, isManifestType, maxManifestBytes, mediaType, parseManifest } from './manifest.ts'
import type { RepositoryName } from './reference.ts'
import { isTag, repositoryText } from './reference.ts'
import { openDownload } from './registry-download.ts'
import type { RegistrySession } from './registry-session.ts'
import { errorCodes } from './registry-session.ts'
import { uploadBlob } from './registry-upload.ts'
import type { BlobContent, Referrers, Repository } from './repository.ts'
import { putUnbuiltImage } from './unbuilt-image.ts'

const maxReferrersPages = 200
const maxReferrers = 10_000
const maxTagsPages = 1000
const maxTags = 1_000_000
/** How often a registry is asked whether it has taken notice of a referrer. */
const maxReferrerChecks = 6
const maxManifestAttempts = 4
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

  constructor(session: RegistrySession, name: RepositoryName) {
    this.name = repositoryText(name)
    this.#session = session
    this.#repository = name.repository
  }

  async resolve(target: string): Promise<Descriptor> {
    this.#checkTarget(target)
    const response = await this.#read(`/manifests/${target}`, { method: 'HEAD', headers: { accept: acceptedManifests } })
    const size = Number(response.headers['content-length'] ?? Number.NaN)
    const type = typeOf(response)
    const digest = isDigest(target) ? target : response.headers['docker-content-digest']
    if (response.status === 404) throw this.#missing(target)
    // Some registries answer HEAD without what it is for, or not at all.
    if (response.status !== 200 || digest === undefined || !isDigest(digest) || !Number.isSafeInteger(size) || !isManifestType(type)) {
      return descriptorOf(await this.manifest(target))
    }
    return { mediaType: type, digest, size }
  }

  async manifest(target: string): Promise<StoredManifest> {
    this.#checkTarget(target)
    const response = await this.#read(`/manifests/${target}`, { headers: { accept: acceptedManifests }, maxBytes: maxManifestBytes })
    if (response.status === 404) throw this.#missing(target)
    if (response.status !== 200) throw this.#session.refusal(response, `reading ${this.name}`)
    const stated = response.headers['docker-content-digest']
    const digest = isDigest(target) ? target : stated !== undefined && isDigest(stated) ? stated : contentDigest(response.body)
    return { bytes: checkContent(response.body, digest, this.name), mediaType: typeOf(response), digest }
  }

  async blob({ digest, size }: Descriptor, maxBytes: number): Promise<Uint8Array> {
    if (size > maxBytes) {
      throw new TransportError('TOO_LARGE', `the blob ${digest} of ${this.name} has ${size} bytes, more than the limit of ${maxBytes}`)
    }
    const response = await this.#read(`/blobs/${digest}`, { maxBytes: size })
    if (response.status === 404) throw this.#missing(digest)
    if (response.status !== 200) throw this.#session.refusal(response, `reading ${this.name}`)
    return checkContent(response.body, digest, this.name)
  }

  async openBlob({ digest, size }: Descriptor): Promise<AsyncIterable<Uint8Array>> {
    try {
      const chunks = await openDownload(this.#session, this.#repository, this.#path(`/blobs/${digest}`))
      return checkedContent(chunks, { digest, size }, this.name)
    } catch (error) {
      if (error instanceof HttpStatusError && error.status === 404) throw this.#missing(digest)
      throw error
    }
  }

  async referrers(digest: string): Promise<Referrers> {
    const descriptors: Descriptor[] = []
    let next: string | undefined = this.#path(`/referrers/${digest}`)
    const checkTime = this.#startList('referrers')
    for (let page = 0; next !== undefined; page++) {
      checkTime()
      if (page >= maxReferrersPages) throw this.#tooMany('pages of referrers', maxReferrersPages)
      const response: HttpResponse = await this.#session.request(next, {
        repository: this.#repository,
        action: 'pull',
        headers: { accept: mediaType.index },
        maxBytes: maxManifestBytes,
      })
      if (page === 0 && (!isSuccess(response) || typeOf(response) !== mediaType.index)) return this.#fallbackReferrers(digest, response)
      if (response.status !== 200) throw this.#session.refusal(response, `reading the referrers of ${this.name}@${digest}`)
      descriptors.push(...this.#indexed(response))
      if (descriptors.length > maxReferrers) throw this.#tooMany('referrers', maxReferrers)
      next = nextPage(response)
    }
    return { descriptors, source: 'api' }
  }

  async tags(): Promise<readonly string[]> {
    const tags: string[] = []
    let next: string | undefined = this.#path('/tags/list')
    const checkTime = this.#startList('tags')
    for (let page = 0; next !== undefined; page++) {
      checkTime()
      if (page >= maxTagsPages) throw this.#tooMany('pages of tags', maxTagsPages)
      const response: HttpResponse = await this.#session.request(next, { repository: this.#repository, action: 'pull' })
      if (response.status === 404) throw this.#missing('')
      if (response.status !== 200) throw this.#session.refusal(response, `listing the tags of ${this.name}`)
      const fields = new JsonFields(parseJson(response.body, 'the list of tags', { maxDepth: 8 }), 'tags', 'MANIFEST_INVALID')
      for (const tag of fields.array('tags', maxTags)) if (typeof tag === 'string' && isTag(tag)) tags.push(tag)
      if (tags.length > maxTags) throw this.#tooMany('tags', maxTags)
      next = nextPage(response)
    }
    return tags
  }

  async hasBlob(digest: string): Promise<boolean> {
    return (await this.#read(`/blobs/${digest}`, { method: 'HEAD' })).status === 200
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
    await this.#writeManifest(manifest, tag ?? manifest.digest)
    return descriptorOf(manifest)
  }

  async attach(manifest: StoredManifest, subject: string): Promise<Descriptor> {
    const response = await this.#writeManifest(manifest, manifest.digest)
    const descriptor = descriptorOf(manifest)
    // The header says that the registry has the referrers API and has taken notice (distribution specification 1.1).
    if (response.headers['oci-subject'] === subject) return descriptor
    if (!(await this.#isListed(subject, descriptor.digest))) await this.#appendToFallback(subject, manifest, descriptor)
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
      await pause(backoff(attempt - 1), this.#session.signal ?? new AbortController().signal)
      this.#session.signal?.throwIfAborted()
    }
  }

  async detach(digest: string, subject: string): Promise<void> {
    // What is gone already may still be listed.
    await this.remove(digest).catch(onlyMissing)
    if ((await this.referrers(subject)).source === 'api') return
    const tag = fallbackTag(subject)
    for (let attempt = 1; attempt <= maxReferrerChecks; attempt++) {
      const listed = (await this.#indexAtTag(tag)) ?? []
      const kept = listed.filter((other) => other.digest !== digest)
      if (kept.length === listed.length) return
      if (kept.length === 0) await this.remove(tag)
      else await this.#writeFallback(kept, tag)
    }
    throw new CountersignError('CONFLICT', `the referrers of ${this.name}@${subject}: others kept adding ${digest}`)
  }

  async remove(target: string): Promise<void> {
    this.#checkTarget(target)
    const response = await this.#delete(target)
    if (!isDigest(target) && (response.status === 400 || response.status === 405)) return this.#removeTag(target)
    if (response.status === 404) throw this.#missing(target)
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
    const response = await this.#delete(own.digest)
    if (isSuccess(response) || response.status === 404) return
    // Where nothing may be removed, nothing is lost either.
    await this.putManifest(before, tag)
    throw this.#session.refusal(response, `removing ${tag} from ${this.name}`)
  }

  /** What is neither a tag nor a digest is in no registry; as a part of an address it could name another repository. */
  #checkTarget(target: string): void {
    if (!isTag(target) && !isDigest(target))
      throw new CountersignError('NOT_FOUND', `${this.name} has no ${excerpt(target)}: that is no tag`)
  }

  #delete(target: string): Promise<HttpResponse> {
    return this.#session.request(this.#path(`/manifests/${target}`), { repository: this.#repository, action: 'delete', method: 'DELETE' })
  }

  #read(
    path: string,
    options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly maxBytes?: number },
  ) {
    return this.#session.request(this.#path(path), { repository: this.#repository, action: 'pull', ...options })
  }

  #path(path: string): string {
    return `/v2/${this.#repository}${path}`
  }

  /** Registries without the API keep an index under a tag made of the digest. */
  async #fallbackReferrers(digest: string, answer: HttpResponse): Promise<Referrers> {
    if (answer.status === 401 || answer.status === 403 || answer.status >= 500 || answer.status === 429) {
      throw this.#session.refusal(answer, `reading the referrers of ${this.name}@${digest}`)
    }
    return { descriptors: (await this.#indexAtTag(fallbackTag(digest))) ?? [], source: 'tag' }
  }

  async #indexAtTag(tag: string): Promise<readonly Descriptor[] | undefined> {
    let manifest: StoredManifest
    try {
      manifest = await this.manifest(tag)
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
    const index = parseManifest(manifest)
    if (index.kind === 'index') return index.manifests
    throw new DecodingError('MANIFEST_INVALID', `${this.name}:${tag} should be an index of referrers, found another manifest`)
  }

  /**
   * Adds to the index under the tag. Registries cannot compare and swap, so it is read back until what was added is there: of
   * two writers the later one overwrites the earlier, who then adds theirs again.
   */
  async #appendToFallback(subject: string, manifest: StoredManifest, descriptor: Descriptor): Promise<void> {
    const parsed = parseManifest(manifest)
    const described: Descriptor = {
      ...descriptor,
      ...(parsed.artifactType === undefined ? {} : { artifactType: parsed.artifactType }),
      ...(Object.keys(parsed.annotations).length === 0 ? {} : { annotations: parsed.annotations }),
    }
    await appendUntilThere({
      what: `the referrers of ${this.name}@${subject}`,
      signal: this.#session.signal,
      read: async () => (await this.#indexAtTag(fallbackTag(subject))) ?? [],
      version: (descriptors) => descriptors.map(({ digest }) => digest).join(),
      isThere: (descriptors) => descriptors.some(({ digest }) => digest === descriptor.digest),
      write: (descriptors) => this.#writeFallback([...descriptors, described].toSorted(byDigest), fallbackTag(subject)),
    })
  }

  /** Registries refuse an index that names what is gone, so that nobody could sign any more: it is left out then. @returns what was written */
  async #writeFallback(descriptors: readonly Descriptor[], tag: string): Promise<readonly Descriptor[]> {
    try {
      await this.#writeManifest(encodeIndex(descriptors), tag)
      return descriptors
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code === 'ABORTED') throw error
      const there = await Promise.all(descriptors.map(({ digest }) => this.resolve(digest).catch(onlyMissing)))
      const kept = descriptors.filter((_, index) => there[index] !== undefined)
      if (kept.length === descriptors.length) throw error
      await this.#writeManifest(encodeIndex(kept), tag)
      return kept
    }
  }

  async #writeManifest(manifest: StoredManifest, target: string): Promise<HttpResponse> {
    const response = await this.#putUntilBlobsAreKnown(manifest, target)
    if (!isSuccess(response)) throw this.#session.refusal(response, `pushing to ${this.name}`)
    const stored = splitDigest(response.headers['docker-content-digest'] ?? '')
    if (stored?.algorithm === splitDigest(manifest.digest)?.algorithm && response.headers['docker-content-digest'] !== manifest.digest) {
      throw new TransportError('CONTENT_MISMATCH', `pushing to ${this.name}: the registry stored something else than ${manifest.digest}`)
    }
    return response
  }

  /** What was stored a moment ago, by us or by somebody else at the same time, is not yet known to some registries. */
  async #putUntilBlobsAreKnown({ bytes, mediaType: type }: StoredManifest, target: string): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#session.request(this.#path(`/manifests/${target}`), {
        repository: this.#repository,
        action: 'pull,push',
        method: 'PUT',
        headers: { 'content-type': type },
        body: bytes,
      })
      const isUnknown = (response.status === 400 || response.status === 404) && errorCodes(response).includes('MANIFEST_BLOB_UNKNOWN')
      if (!isUnknown || attempt >= maxManifestAttempts) return response
      await pause(backoff(attempt - 1), this.#session.signal ?? new AbortController().signal)
      this.#session.signal?.throwIfAborted()
    }
  }

  #indexed(response: HttpResponse): readonly Descriptor[] {
    const index = parseManifest({ bytes: response.body, mediaType: mediaType.index, digest: contentDigest(response.body) })
    return index.kind === 'index' ? index.manifests : []
  }

  #missing(target: string): CountersignError {
    const separator = target === '' ? '' : isDigest(target) ? '@' : ':'
    return new CountersignError('NOT_FOUND', `${this.name}${separator}${target} is not in the registry`)
  }

  /** A registry that takes its time over every page does not get it for all of them. @returns is to be called before each */
  #startList(what: string): () => void {
    const { listTimeoutMs } = this.#session
    const end = performance.now() + listTimeoutMs
    return () => {
      if (performance.now() <= end) return
      throw new TransportError('NETWORK_FAILED', `${this.name} has not listed all its ${what} within ${listTimeoutMs / 1000} seconds`)
    }
  }

  #tooMany(what: string, limit: number): TransportError {
    return new TransportError('TOO_LARGE', `${this.name} has more than ${limit} ${what}`)
  }
}

/** The tag that stands in for the referrers API: the digest with a dash (distribution specification, "Referrers Tag Schema"). */
export function fallbackTag(digest: string): string {
  return digest.replace(':', '-').slice(0, 128)
}

function typeOf({ headers }: HttpResponse): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Where the next page is (RFC 8288). Only this registry is asked, whatever host it calls itself by: proxies change that. */
function nextPage({ headers, url }: HttpResponse): string | undefined {
  const link = /<([^<>]{1,4096})>\s*;[^,<]*\brel\s*=\s*"?next\b/i.exec(headers['link'] ?? '')?.[1]
  if (link === undefined) return undefined
  if (!URL.canParse(link, url)) throw new TransportError('NETWORK_FAILED', `${new URL(url).host} names a next page that cannot be read`)
  const { pathname, search } = new URL(link, url)
  return `${pathname}${search}`
}

function byDigest(a: Descriptor, b: Descriptor): number {
  return a.digest < b.digest ? -1 : 1
}

function onlyMissing(error: unknown): undefined {
  if (error instanceof CountersignError && error.code === 'NOT_FOUND') return undefined
  throw error
}
