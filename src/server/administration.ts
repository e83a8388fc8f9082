/** What an operator does to a server that may be running: users, machines, the export of trust, its health. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { CountersignError, isMissing } from '../error.ts'
import type { Clock } from './clock.ts'
import type { ServerConfiguration } from './configuration.ts'
import { dataFiles } from './data-folder.ts'
import { createMachineSecret } from './issuer/machine-clients.ts'
import { endSessions } from './issuer/provider-adapter.ts'
import { createSealing } from './issuer/sealing.ts'
import type { Users } from './issuer/users.ts'
import { openUsers } from './issuer/users.ts'
import type { ServerMaterial, TufKeys } from './material.ts'
import { readMaterial } from './material-files.ts'
import { demandNoOlderThanRotations } from './rotation-memory.ts'
import { readConfiguration, storageLocation } from './run-server.ts'
import { publicTrustOf } from './server-trust.ts'
import type { Storage, StorageLocation } from './storage/storage.ts'
import { openStorage } from './storage/storage.ts'
import type { ExportedFile } from './trust-export.ts'
import { exportTrust } from './trust-export.ts'
import { trustTargets } from './trust-targets.ts'
import type { RepositorySigners } from './tuf/edition.ts'
import { createTufRepository } from './tuf/repository.ts'
import type { TufRepository } from './tuf/repository.ts'
import { createVersionFile } from './tuf/version-record.ts'

export { createMachineSecret }

export interface AdministrationOptions {
  readonly folder: string
  /** PostgreSQL instead of the file in the folder. */
  readonly databaseUrl: string | undefined
  readonly passphrase: string | undefined
  readonly clock: Clock
  /** Whether no server may run on the database meanwhile. */
  readonly isSole?: boolean
  /** Whether a database file that is missing is an error; otherwise it is made. */
  readonly mustExist?: boolean
}

/** A server's data, opened beside the server or without it. */
export interface Administration {
  readonly folder: string
  readonly clock: Clock
  readonly configuration: ServerConfiguration
  readonly material: ServerMaterial
  readonly storage: Storage
  readonly users: Users
  /** The TUF repository, not started. */
  readonly tuf: TufRepository
  /** Everything a client needs. Publishes the first edition of the TUF repository where there is none yet. */
  exportTrust(): Promise<readonly ExportedFile[]>
  close(): Promise<void>
}

/** Opens it. @throws CountersignError FILE_UNREADABLE, CONFIGURATION_INVALID, KEY_DECRYPTION_FAILED, STORAGE_FAILED */
export async function openAdministration(options: AdministrationOptions): Promise<Administration> {
  const { folder, databaseUrl, passphrase, clock } = options
  const configuration = await readConfiguration(folder)
  const material = await readMaterial(folder, configuration, passphrase)
  const location = storageLocation(folder, databaseUrl)
  if (options.mustExist === true) await demandDatabase(location)
  const storage = await openStorage(location, { clock, user: options.isSole === true ? 'sole' : undefined })
  const { documents } = storage
  const trust = publicTrustOf(material, configuration.url, configuration.services.includes('issuer'))
  const tuf = openTuf({ folder, clock, storage }, signersOf(material.tuf))
  const sealing = createSealing(material.issuerSecret)
  return {
    folder,
    clock,
    configuration,
    material,
    storage,
    users: openUsers({ documents, clock, endSessions: (subject) => endSessions({ documents, sealing, clock }, subject) }),
    tuf,
    exportTrust: async () => {
      await demandNoOlderThanRotations(documents, material)
      const rekor = configuration.rekor.default
      await tuf.publish(trustTargets(trust, rekor, clock()))
      const tufRoot = await tuf.file('1.root.json')
      if (tufRoot === undefined)
        throw new CountersignError('CONFIGURATION_INVALID', 'the TUF repository has no root yet: its offline keys have to sign')
      return exportTrust(trust, { rekor, tufRoot })
    },
    close: async () => {
      await tuf.close()
      await storage.close()
    },
  }
}

/** The TUF repository with these keys, not started. */
export function openTuf(
  { folder, clock, storage }: Pick<Administration, 'folder' | 'clock' | 'storage'>,
  signers: RepositorySigners,
): TufRepository {
  const record = createVersionFile(path.join(folder, dataFiles.heads, 'tuf.json'))
  return createTufRepository({ documents: storage.documents, clock, signers, record })
}

/** The signers of the keys that are not offline. */
export function signersOf({ root, targets, snapshot, timestamp }: TufKeys): RepositorySigners {
  return {
    root: root === undefined ? [] : [root.createSigner()],
    targets: targets === undefined ? [] : [targets.createSigner()],
    snapshot: snapshot.createSigner(),
    timestamp: timestamp.createSigner(),
  }
}

/** @throws CountersignError FILE_UNREADABLE */
async function demandDatabase(location: StorageLocation): Promise<void> {
  if (location.kind !== 'sqlite') return
  try {
    await stat(location.file)
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new CountersignError(
      'FILE_UNREADABLE',
      `the database ${location.file} is missing: restore it from a backup; a server that was never started has none yet`,
      { cause },
    )
  }
}
