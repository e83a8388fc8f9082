/** A document store in memory, with copies for "backups" and a hook to come between two front ends. */
import type { DocumentStore, PutOptions, StoredDocument } from '../../../../src/server/storage/document-store.ts'

export class MemoryDocuments implements DocumentStore {
  readonly #documents: Map<string, StoredDocument>
  /** Called before each write; may write itself, as another front end would. */
  beforePut: ((collection: string, id: string) => Promise<void>) | undefined

  constructor(documents: Iterable<readonly [string, StoredDocument]> = []) {
    this.#documents = new Map(documents)
  }

  /** What a backup of now would hold. */
  copy(): MemoryDocuments {
    return new MemoryDocuments(this.#documents)
  }

  get size(): number {
    return this.#documents.size
  }

  get(collection: string, id: string): Promise<StoredDocument | undefined> {
    return Promise.resolve(this.#documents.get(`${collection}/${id}`))
  }

  find(): Promise<StoredDocument[]> {
    return Promise.resolve([])
  }

  list(collection: string): Promise<StoredDocument[]> {
    return Promise.resolve([...this.#documents].filter(([name]) => name.startsWith(`${collection}/`)).map(([, document]) => document))
  }

  async put(collection: string, id: string, json: string, options: PutOptions = {}): Promise<boolean> {
    await this.beforePut?.(collection, id)
    const name = `${collection}/${id}`
    const version = this.#documents.get(name)?.version ?? 0
    if (options.ifVersion !== undefined && options.ifVersion !== version) return false
    this.#documents.set(name, { id, json, version: version + 1, expiresAtMs: options.expiresAtMs })
    return true
  }

  delete(collection: string, id: string): Promise<boolean> {
    return Promise.resolve(this.#documents.delete(`${collection}/${id}`))
  }

  deleteAll(): Promise<number> {
    return Promise.resolve(0)
  }
}
