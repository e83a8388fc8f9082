/** A repository of a registry that speaks the OCI distribution specification 1.1, or an older one. */
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { concatBytes } from '../encoding/bytes.ts'
import { CountersignError, DecodingError, TransportError } from '../error.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { HttpStatusError, isSuccess } from '../http/fetch.ts'
import { appendUntilThere } from './append.ts'
import { checkContent, checkedContent, contentDigest, isDigest } from './digest.ts'
import type { Descriptor, StoredManifest } from './manifest.ts'
import { acceptedManifests, descriptorOf, encodeIndex, isManifestType, maxManifestBytes, mediaType, parseManifest } from './manifest.ts'
import type { BlobContent, Referrers, Repository } from './repository.ts'
import type { RepositoryName } from './reference.ts'
import { repositoryText } from './reference.ts'
import type { RegistrySession } from './registry-session.ts'

/** A blob is sent in pieces of this size when it is larger: what was sent before a failure is not sent again. */
const pieceBytes = 16 * 1024 * 1024
const maxReferrersPages = 200
const maxReferrers = 10_000
const maxTagsPages = 1000
const maxPieceAttempts = 5

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
      const chunks = await this.#session.open(this.#path(`/blobs/${digest}`), { repository: this.#repository, action: 'pull' })
      return checkedContent(chunks, { digest, size }, this.name)
    } catch (error) {
      if (error instanceof HttpStatusError && error.status === 404) throw this.#missing(digest)
      throw error
    }
  }

  async referrers(digest: string): Promise<Referrers> {
    const descriptors: Descriptor[] = []
    let next: string | undefined = this.#path(`/referrers/${digest}`)
    for (let page = 0; next !== undefined; page++) {
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
    for (let page = 0; next !== undefined; page++) {
      if (page >= maxTagsPages) throw this.#tooMany('pages of tags', maxTagsPages)
      const response: HttpResponse = await this.#session.request(next, { repository: this.#repository, action: 'pull' })
      if (response.status === 404) throw this.#missing('')
      if (response.status !== 200) throw this.#session.refusal(response, `listing the tags of ${this.name}`)
      const fields = new JsonFields(parseJson(response.body, 'the list of tags', { maxDepth: 8 }), 'tags', 'MANIFEST_INVALID')
      tags.push(...fields.array('tags', 1_000_000).filter((tag) => typeof tag === 'string'))
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
    const location = await this.#startUpload(digest, from)
    if (location === undefined) return { digest, size }
    if (content instanceof Uint8Array && size <= pieceBytes) {
      await this.#finishUpload(location, digest, content)
    } else {
      const chunks = content instanceof Uint8Array ? pieces(content) : content.chunks()
      await this.#finishUpload(await this.#sendPieces(location, checkedContent(chunks, { digest, size }, 'the source')), digest)
    }
    return { digest, size }
  }

  async putManifest(manifest: StoredManifest, tag?: string): Promise<Descriptor> {
    await this.#writeManifest(manifest, tag ?? manifest.digest)
    return descriptorOf(manifest)
  }

  async attach(manifest: StoredManifest, subject: string): Promise<Descriptor> {
    const response = await this.#writeManifest(manifest, manifest.digest)
    const descriptor = descriptorOf(manifest)
    // The header says that the registry has the referrers API and has taken notice (distribution specification 1.1).
    if (response.headers['oci-subject'] === subject) return descriptor
    const { descriptors, source } = await this.referrers(subject)
    if (source === 'api' && descriptors.some(({ digest }) => digest === descriptor.digest)) return descriptor
    if (source === 'tag') await this.#appendToFallback(subject, manifest, descriptor)
    return descriptor
  }

  async remove(target: string): Promise<void> {
    const response = await this.#session.request(this.#path(`/manifests/${target}`), {
      repository: this.#repository,
      action: 'delete',
      method: 'DELETE',
    })
    if (response.status === 404) throw this.#missing(target)
    if (!isSuccess(response)) throw this.#session.refusal(response, `removing ${target} from ${this.name}`)
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
      isThere: (descriptors) => descriptors.some(({ digest }) => digest === descriptor.digest),
      write: async (descriptors) => {
        await this.#writeManifest(encodeIndex([...descriptors, described].toSorted(byDigest)), fallbackTag(subject))
      },
    })
  }

  async #writeManifest(manifest: StoredManifest, target: string): Promise<HttpResponse> {
    const response = await this.#session.request(this.#path(`/manifests/${target}`), {
      repository: this.#repository,
      action: 'pull,push',
      method: 'PUT',
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
    })
    if (!isSuccess(response)) throw this.#session.refusal(response, `pushing to ${this.name}`)
    return response
  }

  /** @returns where to send the blob, or undefined when the registry took it over from another repository */
  async #startUpload(digest: string, from: string | undefined): Promise<string | undefined> {
    const mount = from === undefined || from === this.#repository ? '' : `?${new URLSearchParams({ mount: digest, from }).toString()}`
    const response = await this.#session.request(this.#path(`/blobs/uploads/${mount}`), {
      repository: this.#repository,
      action: 'pull,push',
      alsoPull: mount === '' ? undefined : from,
      method: 'POST',
      idempotent: true,
    })
    if (response.status === 201) return undefined
    if (response.status !== 202) throw this.#session.refusal(response, `pushing to ${this.name}`)
    return this.#locationOf(response)
  }

  #locationOf(response: HttpResponse): string {
    const location = response.headers['location']
    if (location === undefined || !URL.canParse(location, response.url)) {
      throw new CountersignError('SERVICE_REFUSED', `pushing to ${this.name}: the registry does not say where to`)
    }
    return new URL(location, response.url).href
  }

  /** Sends piece after piece; a piece that was cut off is sent from where the registry says that it has got to. */
  async #sendPieces(start: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
    let location = start
    let offset = 0
    for await (const piece of gathered(chunks, pieceBytes)) {
      location = await this.#sendPiece(location, piece, offset)
      offset += piece.length
    }
    return location
  }

  async #sendPiece(start: string, piece: Uint8Array, offset: number): Promise<string> {
    let location = start
    let sent = 0
    for (let attempt = 1; ; attempt++) {
      const rest = piece.subarray(sent)
      try {
        const response = await this.#session.request(location, {
          repository: this.#repository,
          action: 'pull,push',
          method: 'PATCH',
          headers: {
            'content-type': 'application/octet-stream',
            'content-range': `${offset + sent}-${offset + sent + rest.length - 1}`,
          },
          body: rest,
        })
        if (isSuccess(response)) return this.#locationOf(response)
        if (response.status !== 416 && response.status < 500) throw this.#session.refusal(response, `pushing to ${this.name}`)
        if (attempt >= maxPieceAttempts) throw this.#session.refusal(response, `pushing to ${this.name}`)
      } catch (error) {
        if (!(error instanceof TransportError) || error.code !== 'NETWORK_FAILED' || attempt >= maxPieceAttempts) throw error
      }
      const progress = await this.#session.request(location, { repository: this.#repository, action: 'pull,push' })
      if (progress.status !== 204) throw this.#session.refusal(progress, `pushing to ${this.name}`)
      if (progress.headers['location'] !== undefined) location = this.#locationOf(progress)
      const end = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(progress.headers['range'] ?? '')?.[1]
      sent = end === undefined ? 0 : Math.min(Math.max(Number(end) + 1 - offset, 0), piece.length)
      if (sent === piece.length) return location
    }
  }

  async #finishUpload(location: string, digest: string, body?: Uint8Array): Promise<void> {
    const url = new URL(location)
    url.searchParams.set('digest', digest)
    const response = await this.#session.request(url.href, {
      repository: this.#repository,
      action: 'pull,push',
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: body ?? new Uint8Array(),
    })
    if (isSuccess(response)) return
    // An answer that was lost: the second attempt finds the upload gone, and the blob there.
    if (response.status === 404 && (await this.hasBlob(digest))) return
    throw this.#session.refusal(response, `pushing to ${this.name}`)
  }

  #indexed(response: HttpResponse): readonly Descriptor[] {
    const index = parseManifest({ bytes: response.body, mediaType: mediaType.index, digest: contentDigest(response.body) })
    return index.kind === 'index' ? index.manifests : []
  }

  #missing(target: string): CountersignError {
    const separator = target === '' ? '' : isDigest(target) ? '@' : ':'
    return new CountersignError('NOT_FOUND', `${this.name}${separator}${target} is not in the registry`)
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

/** Where the next page is (RFC 8288), on the same registry. */
function nextPage({ headers, url }: HttpResponse): string | undefined {
  const link = /<([^<>]{1,4096})>\s*;[^,]*\brel\s*=\s*"?next"?/i.exec(headers['link'] ?? '')?.[1]
  if (link === undefined || !URL.canParse(link, url)) return undefined
  const next = new URL(link, url)
  return next.origin === new URL(url).origin ? `${next.pathname}${next.search}` : undefined
}

function byDigest(a: Descriptor, b: Descriptor): number {
  return a.digest < b.digest ? -1 : 1
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** The same bytes in pieces of one size, the last one shorter. */
async function* gathered(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    held.push(Uint8Array.from(chunk))
    length += chunk.length
    if (length < size) continue
    yield concatBytes(...held)
    held = []
    length = 0
  }
  if (length > 0) yield concatBytes(...held)
}
