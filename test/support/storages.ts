/** The storages that the contract suites run against. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Clock } from '../../src/server/clock.ts'
import type { Storage, StorageLocation } from '../../src/server/storage/storage.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import type { TestPostgres } from './postgres.ts'
import { postgresMissing, startPostgres } from './postgres.ts'

/** A kind of storage, of which a test can have as many as it likes. */
export interface StorageKind {
  readonly name: string
  /** Why it cannot be tested here; undefined when it can. */
  readonly missing: string | undefined
  /** Whether what was stored is there when it is opened again. */
  readonly isLasting: boolean
  start(): Promise<void>
  stop(): Promise<void>
  /** A place where nothing is stored yet. */
  newLocation(): Promise<StorageLocation>
}

/** The kinds; each suite starts and stops its own. */
export function storageKinds(): readonly StorageKind[] {
  return [memory(), sqliteFile(), postgres()]
}

/** A folder that is removed after the callback. */
export async function withFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Opens a storage, and closes it after the callback. */
export async function withStorage<Result>(
  location: StorageLocation,
  use: (storage: Storage) => Promise<Result>,
  clock: Clock = Date.now,
): Promise<Result> {
  const storage = await openStorage(location, { clock })
  try {
    return await use(storage)
  } finally {
    await storage.close()
  }
}

function memory(): StorageKind {
  return {
    name: 'SQLite in memory',
    missing: undefined,
    isLasting: false,
    start: async () => {},
    stop: async () => {},
    newLocation: async () => ({ kind: 'memory' }),
  }
}

function sqliteFile(): StorageKind {
  let folder = ''
  return {
    name: 'SQLite file',
    missing: undefined,
    isLasting: true,
    start: async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'countersign-sqlite-'))
    },
    stop: () => rm(folder, { recursive: true, force: true }),
    newLocation: async () => ({ kind: 'sqlite', file: path.join(folder, `${randomUUID()}.db`) }),
  }
}

function postgres(): StorageKind {
  let server: TestPostgres | undefined
  return {
    name: 'PostgreSQL',
    missing: postgresMissing,
    isLasting: true,
    start: async () => {
      server = await startPostgres()
    },
    stop: async () => server?.stop(),
    newLocation: async () => {
      if (server === undefined) throw new Error('the PostgreSQL server was not started')
      return { kind: 'postgres', url: await server.createDatabase() }
    },
  }
}
