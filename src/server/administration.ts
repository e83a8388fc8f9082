/** What an operator does to a server that may be running: users, machines, the export of trust, its health. */
import path from 'node:path'
import { CountersignError } from '../error.ts'
import type { Clock } from './clock.ts'
import type { ServerConfiguration } from './configuration.ts'
import { dataFiles } from './data-folder.ts'
import { createMachineSecret } from './issuer/machine-clients.ts'
import { endSessions } from './issuer/provider-adapter.ts'
import { createSealing } from './issuer/sealing.ts'
import type { Users } from './issuer/users.ts'
import { openUsers } from './issuer/users.ts'
import type { ServerMaterial } from './material.ts'
import { readMaterial } from './material-files.ts'
import { readConfiguration, storageLocation } from './run-server.ts'
import { publicTrustOf } from './server-trust.ts'
import type { Storage } from './storage/storage.ts'
import { openStorage } from './storage/storage.ts'
import type { ExportedFile } from './trust-export.ts'
import { exportTrust } from './trust-export.ts'
import { trustTargets } from './trust-targets.ts'
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
}

/** A server's data, opened beside the server or without it. */
export interface Administration {
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
  const storage = await openStorage(storageLocation(folder, databaseUrl), { clock })
  const { documents } = storage
  const trust = publicTrustOf(material, configuration.url, configuration.services.includes('issuer'))
  const { root, targets, snapshot, timestamp } = material.tuf
  const tuf = createTufRepository({
    documents,
    clock,
    signers: {
      root: root === undefined ? [] : [root.createSigner()],
      targets: targets === undefined ? [] : [targets.createSigner()],
      snapshot: snapshot.createSigner(),
      timestamp: timestamp.createSigner(),
    },
    record: createVersionFile(path.join(folder, dataFiles.heads, 'tuf.json')),
  })
  const sealing = createSealing(material.issuerSecret)
  return {
    configuration,
    material,
    storage,
    users: openUsers({ documents, clock, endSessions: (subject) => endSessions({ documents, sealing, clock }, subject) }),
    tuf,
    exportTrust: async () => {
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
