/** The server's storage: every mutable state but keys and configuration is in it. */
import type { Clock } from '../clock.ts'
import type { DocumentStore } from './document-store.ts'
import type { HeadStore } from './head-store.ts'
import type { ObjectStore } from './object-store.ts'
import { createPostgresHeadStore } from './postgres-heads.ts'
import { createQueryBuilder } from './schema.ts'
import type { SqlDatabase } from './sql-database.ts'
import { createDocumentStore } from './sql-documents.ts'
import { createHeadStore } from './sql-heads.ts'
import { createObjectStore } from './sql-objects.ts'
import { createTermIndex } from './sql-terms.ts'
import { openFileDatabase, openMemoryDatabase } from './sqlite-database.ts'
import type { StorageUser } from './storage-user.ts'
import type { TermIndex } from './term-index.ts'

/** Where the storage is. `memory` forgets everything when it is closed. */
export type StorageLocation =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string }

export interface StorageOptions {
  /** Says which documents have expired. */
  readonly clock: Clock
  /** By default it does not matter who else there is. */
  readonly user?: StorageUser | undefined
  /** For tests: the file of the thread that has the SQLite connection, in place of the program's own. */
  readonly sqliteWorker?: string
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
 * @throws CountersignError STORAGE_FAILED when it cannot be opened, was written by a newer program, or another process has it alone
 */
export async function openStorage(location: StorageLocation, { clock, user, sqliteWorker }: StorageOptions): Promise<Storage> {
  switch (location.kind) {
    case 'memory':
      return storageOn(location.kind, await openMemoryDatabase(), clock)
    case 'sqlite':
      return storageOn(location.kind, await openFileDatabase(location.file, { worker: sqliteWorker, isSole: user !== undefined }), clock)
    case 'postgres':
      return openPostgresStorage(location.url, clock, user)
  }
}

async function openPostgresStorage(url: string, clock: Clock, user: StorageUser | undefined): Promise<Storage> {
  // Loaded by those who use it only.
  const { openPostgresDatabase } = await import('./postgres-database.ts')
  const { openPostgresChannel } = await import('./postgres-channel.ts')
  const database = await openPostgresDatabase(url)
  try {
    const channel = await openPostgresChannel(database.connection, user)
    const query = createQueryBuilder(database.dialect)
    const heads = createPostgresHeadStore(database, query, channel)
    const close = async () => {
      await channel.close()
      await database.close()
    }
    return { ...storageOn('postgres', database, clock), heads, close }
  } catch (error) {
    await database.close()
    throw error
  }
}

function storageOn(kind: StorageLocation['kind'], database: SqlDatabase, clock: Clock): Storage {
  const query = createQueryBuilder(database.dialect)
  return {
    kind,
    heads: createHeadStore(database, query),
    objects: createObjectStore(database, query),
    documents: createDocumentStore(database, query, clock),
    terms: createTermIndex(database, query),
    close: () => database.close(),
  }
}
