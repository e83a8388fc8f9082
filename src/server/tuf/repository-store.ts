/** Where the repository is kept: contents by digest, and one document that says which of them are published. */
import { decodeBase64, encodeBase64 } from '../../encoding/base64.ts'
import { parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { CountersignError } from '../../error.ts'
import type { TopLevelRole } from '../../tuf/metadata-file.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import { sha256Hex } from './metadata.ts'

/** A number for each role. */
export type ByRole = Readonly<Record<TopLevelRole, number>>

/** What is published. */
export interface PublishedState {
  readonly versions: ByRole
  /** Epoch milliseconds. */
  readonly expires: ByRole
  /** When this server last signed, by its clock, in epoch milliseconds. */
  readonly signedAtMs: number
  /** Digests of contents by path below the repository's address. */
  readonly files: Readonly<Record<string, string>>
}

/** The state with the version of its document, for compare-and-swap. */
export interface StoredState {
  readonly state: PublishedState
  readonly documentVersion: number
}

/** The kinds of metadata whose keys may be offline. */
export type OfflineRole = 'root' | 'targets'

const collection = 'tuf'
const contentsCollection = 'tuf-contents'
const stateId = 'repository'
const maxCached = 256
const roles = ['root', 'timestamp', 'snapshot', 'targets'] as const

/** The repository in a document store. Damaged documents throw CountersignError STORAGE_FAILED. */
export class RepositoryStore {
  readonly #documents: DocumentStore
  /** Contents by digest, which never change. Bounded: the oldest go first. */
  readonly #cached = new Map<string, Uint8Array>()

  constructor(documents: DocumentStore) {
    this.#documents = documents
  }

  /** What is published; undefined before the first time. */
  async load(): Promise<StoredState | undefined> {
    const document = await this.#documents.get(collection, stateId)
    return document && { state: readState(document.json), documentVersion: document.version }
  }

  /**
   * Publishes as one step: contents first, then the state that names them.
   * @param before the document version that the state was made from; 0 for none
   * @returns false, having published nothing, when somebody else has published since
   */
  async publish(state: PublishedState, contents: Iterable<Uint8Array>, before: number): Promise<boolean> {
    for (const bytes of contents) await this.putContents(bytes)
    return this.#documents.put(collection, stateId, JSON.stringify(state), { ifVersion: before })
  }

  /** Keeps contents that metadata will name later. @returns their digest */
  async putContents(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes)
    await this.#documents.put(contentsCollection, digest, JSON.stringify({ base64: encodeBase64(bytes) }))
    return digest
  }

  /** Contents by digest; undefined when they were removed. @throws CountersignError STORAGE_FAILED when they are not those */
  async contents(digest: string): Promise<Uint8Array | undefined> {
    const cached = this.#cached.get(digest)
    if (cached !== undefined) return cached
    const document = await this.#documents.get(contentsCollection, digest)
    if (document === undefined) return undefined
    const bytes = decodeBase64(fieldsOf(document.json).string('base64'), 'stored contents of the TUF repository')
    if (sha256Hex(bytes) !== digest) throw damaged(`the contents with the digest ${digest} have changed`)
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size < maxCached) break
      this.#cached.delete(oldest)
    }
    this.#cached.set(digest, bytes)
    return bytes
  }

  /** Removes contents that nothing names any more. */
  async removeContents(digest: string): Promise<void> {
    await this.#documents.delete(contentsCollection, digest)
  }

  /** Metadata that waits for signatures of offline keys. */
  async pending(role: OfflineRole): Promise<Uint8Array | undefined> {
    const document = await this.#documents.get(collection, `pending-${role}`)
    return document && decodeBase64(fieldsOf(document.json).string('base64'), `the pending ${role} metadata`)
  }

  /** Keeps metadata that waits for signatures, in place of what waited before. */
  async putPending(role: OfflineRole, bytes: Uint8Array): Promise<void> {
    await this.#documents.put(collection, `pending-${role}`, JSON.stringify({ base64: encodeBase64(bytes) }))
  }

  async removePending(role: OfflineRole): Promise<void> {
    await this.#documents.delete(collection, `pending-${role}`)
  }
}

function readState(json: string): PublishedState {
  const fields = fieldsOf(json)
  const byRole = (name: string): ByRole => {
    const numbers = fields.object(name)
    const [root = 0, timestamp = 0, snapshot = 0, targets = 0] = roles.map((role) => Number(numbers.int64(role)))
    return { root, timestamp, snapshot, targets }
  }
  const files: Record<string, string> = {}
  for (const [path, digest] of fields.object('files').entries()) {
    if (typeof digest !== 'string') throw damaged(`the digest of ${path} is not a string`)
    files[path] = digest
  }
  return { versions: byRole('versions'), expires: byRole('expires'), signedAtMs: Number(fields.int64('signedAtMs')), files }
}

function fieldsOf(json: string): JsonFields {
  return new JsonFields(parseJson(json, 'a document of the TUF repository'), 'document', 'STORAGE_FAILED')
}

function damaged(reason: string): CountersignError {
  return new CountersignError('STORAGE_FAILED', `the stored TUF repository is damaged: ${reason}; restore it from a backup`)
}
