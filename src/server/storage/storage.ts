/** The server's storage: every mutable state but keys and configuration is in it. */
import type { Clock } from '../clock.ts'
import type { DocumentStore } from './document-store.ts'
import type { HeadStore } from './head-store.ts'
import type { ObjectStore } from './object-store.ts'
import { createQueryBuilder } from './schema.ts'
import type { SqlDatabase } from './sql-database.ts'
import { createDocumentStore } from './sql-documents.ts'
import { createHeadStore } from './sql-heads.ts'
import { createObjectStore } from './sql-objects.ts'
import { createTermIndex } from './sql-terms.ts'
import { openFileDatabase, openMemoryDatabase } from './sqlite-database.ts'
import type { TermIndex } from './term-index.ts'

/** Where the storage is. `memory` forgets everything when it is closed. */
export type StorageLocation =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string }

export interface StorageOptions {
  /** Says which documents have expired. */
  readonly clock: Clock
}

export interface Storage {
  readonly kind: StorageLocation['kind']
  readonly heads: HeadStore
  readonly objects: ObjectStore
  readonly documents: DocumentStore
  readonly terms: TermIndex
  /** Lets go of the database. Logs on it are closed before. */
  close(): Promise<void>
}

/**
 * Opens the storage, creating it or bringing its schema up to date.
 * @throws CountersignError STORAGE_FAILED when it cannot be opened, or was written by a newer program
 */
export async function openStorage(location: StorageLocation, { clock }: StorageOptions): Promise<Storage> {
  const database = await openDatabase(location)
  const query = createQueryBuilder(database.dialect)
  return {
    kind: location.kind,
    heads: createHeadStore(database, query),
    objects: createObjectStore(database, query),
    documents: createDocumentStore(database, query, clock),
    terms: createTermIndex(database, query),
    close: () => database.close(),
  }
}

async function openDatabase(location: StorageLocation): Promise<SqlDatabase> {
  switch (location.kind) {
    case 'memory':
      return openMemoryDatabase()
    case 'sqlite':
      return openFileDatabase(location.file)
    case 'postgres':
      throw new Error('to come')
  }
}
