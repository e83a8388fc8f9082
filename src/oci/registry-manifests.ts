/** The manifests of one repository of a registry: read, written and removed by tag or digest. */
import { CountersignError, TransportError } from '../error.ts'
import { excerpt } from '../encoding/bytes.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { isSuccess } from '../http/fetch.ts'
import { checkContent, contentDigest, isDigest, splitDigest } from './digest.ts'
import type { Descriptor, StoredManifest } from './manifest.ts'
import { acceptedManifests, descriptorOf, isManifestType, maxManifestBytes } from './manifest.ts'
import { isTag } from './reference.ts'
import { errorCodes } from './registry-refusal.ts'
import type { RegistrySession } from './registry-session.ts'

const maxManifestAttempts = 4

/** Those of one repository. Methods throw CountersignError NOT_FOUND, SERVICE_REFUSED; TransportError. */
export class RegistryManifests {
  /** As messages name the repository. */
  readonly name: string
  readonly #session: RegistrySession
  readonly #repository: string

  /** @param repository its path on the registry */
  constructor(session: RegistrySession, repository: string, name: string) {
    this.name = name
    this.#session = session
    this.#repository = repository
  }

  /** What a tag or a digest names, without reading it where the registry says so. */
  async resolve(target: string): Promise<Descriptor> {
    const path = this.#path(target)
    const asked = { repository: this.#repository, action: 'pull', method: 'HEAD', headers: { accept: acceptedManifests } } as const
    const response = await this.#session.request(path, asked)
    const size = Number(response.headers['content-length'] ?? Number.NaN)
    const type = contentType(response)
    const digest = isDigest(target) ? target : response.headers['docker-content-digest']
    if (response.status === 404) throw missingManifest(this.name, target)
    // Some registries answer HEAD without what it is for, or not at all.
    if (response.status !== 200 || digest === undefined || !isDigest(digest) || !Number.isSafeInteger(size) || !isManifestType(type)) {
      return descriptorOf(await this.read(target))
    }
    return { mediaType: type, digest, size }
  }

  /** The manifest, whose digest is that of its bytes. */
  async read(target: string): Promise<StoredManifest> {
    const response = await this.#session.request(this.#path(target), {
      repository: this.#repository,
      action: 'pull',
      headers: { accept: acceptedManifests },
      maxBytes: maxManifestBytes,
    })
    if (response.status === 404) throw missingManifest(this.name, target)
    if (response.status !== 200) throw this.#session.refusal(response, `reading ${this.name}`)
    const stated = response.headers['docker-content-digest']
    const digest = isDigest(target) ? target : stated !== undefined && isDigest(stated) ? stated : contentDigest(response.body)
    return { bytes: checkContent(response.body, digest, this.name), mediaType: contentType(response), digest }
  }

  /** Stores a manifest. @param target its digest, or a tag @returns the answer, for its headers */
  async write(manifest: StoredManifest, target: string): Promise<HttpResponse> {
    const response = await this.#putUntilBlobsAreKnown(manifest, target)
    if (!isSuccess(response)) throw this.#session.refusal(response, `pushing to ${this.name}`)
    const stored = splitDigest(response.headers['docker-content-digest'] ?? '')
    if (stored?.algorithm === splitDigest(manifest.digest)?.algorithm && response.headers['docker-content-digest'] !== manifest.digest) {
      throw new TransportError('CONTENT_MISMATCH', `pushing to ${this.name}: the registry stored something else than ${manifest.digest}`)
    }
    return response
  }

  /** Asks for a manifest or a tag to be removed. @returns the answer, whatever its status */
  delete(target: string): Promise<HttpResponse> {
    return this.#session.request(this.#path(target), { repository: this.#repository, action: 'delete', method: 'DELETE' })
  }

  /** What was stored a moment ago, by us or by somebody else at the same time, is not yet known to some registries. */
  async #putUntilBlobsAreKnown({ bytes, mediaType: type }: StoredManifest, target: string): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#session.request(this.#path(target), {
        repository: this.#repository,
        action: 'pull,push',
        method: 'PUT',
        headers: { 'content-type': type },
        body: bytes,
      })
      const isUnknown = (response.status === 400 || response.status === 404) && errorCodes(response).includes('MANIFEST_BLOB_UNKNOWN')
      if (!isUnknown || attempt >= maxManifestAttempts) return response
      await this.#session.pauseAfter(attempt)
    }
  }

  /** What is neither a tag nor a digest is in no registry; as a part of an address it could name another repository. */
  #path(target: string): string {
    if (!isTag(target) && !isDigest(target))
      throw new CountersignError('NOT_FOUND', `${this.name} has no ${excerpt(target)}: that is no tag`)
    return `/v2/${this.#repository}/manifests/${target}`
  }
}

/** @param target a tag, a digest, or nothing for the repository itself */
export function missing(name: string, target: string): CountersignError {
  const separator = target === '' ? '' : isDigest(target) ? '@' : ':'
  return new CountersignError('NOT_FOUND', `${name}${separator}${target} is not in the registry`)
}

/** With the registries' word for it, which cosign prints and programs that call cosign look for. */
function missingManifest(name: string, target: string): CountersignError {
  return new CountersignError('NOT_FOUND', `${missing(name, target).message} (MANIFEST_UNKNOWN)`)
}

/** For `catch`: what is not there is nothing, any other error goes on. */
export function onlyMissing(error: unknown): undefined {
  if (error instanceof CountersignError && error.code === 'NOT_FOUND') return undefined
  throw error
}

/** The media type that an answer says it is of. */
export function contentType({ headers }: HttpResponse): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
