/** `server doctor`: looks at a server's folder, its database and, where it runs, at the server itself. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { isMissing } from '../../error.ts'
import type { Environment } from '../../http/environment.ts'
import type { Administration, AdministrationOptions } from '../administration.ts'
import { openAdministration } from '../administration.ts'
import type { ServerConfiguration } from '../configuration.ts'
import { dataFiles } from '../data-folder.ts'
import { readConfiguration, storageLocation } from '../run-server.ts'
import { createHeadCopy } from '../tile-log/head-copy.ts'
import type { Diagnosis } from './diagnosis.ts'
import { examine, failure, ok, warning } from './diagnosis.ts'
import { examineCertificates, examineDisk, examineIssuerFiles, examineKeys } from './files.ts'
import { examineIssuers, examineRunning } from './network.ts'
import { examineDatabase, examineExport, examineHeads, examineTuf } from './stored.ts'

export type { Diagnosis, Verdict } from './diagnosis.ts'

export interface DoctorOptions extends AdministrationOptions {
  /** Whether no request is to be sent to anybody. */
  readonly offline: boolean
  /** Where proxies and certificate authorities are read from. */
  readonly env: Environment
  readonly signal: AbortSignal
  /** Told of each diagnosis as soon as there is one. */
  readonly onDiagnosis?: (diagnosis: Diagnosis) => void
}

/** Examines a server. Failures are diagnoses; nothing is thrown but that the signal was aborted. */
export async function examineServer(options: DoctorOptions): Promise<readonly Diagnosis[]> {
  const said: Diagnosis[] = []
  const say = (diagnoses: readonly Diagnosis[]): void => {
    options.signal.throwIfAborted()
    said.push(...diagnoses)
    for (const diagnosis of diagnoses) options.onDiagnosis?.(diagnosis)
  }
  const configuration = await examineConfiguration(options, say)
  if (configuration === undefined) return said
  const { folder } = options
  say(await examineIssuerFiles(folder, configuration))
  const keys = await examineKeys(options, configuration)
  say(keys)
  say(await examineCertificates(options, configuration, options.clock()))
  say(await examineDisk(folder))
  if (keys.some(({ verdict }) => verdict === 'fail')) {
    say([warning('database', 'not looked at until all keys can be read')])
    return said
  }
  const administration = await openDatabase(options, configuration, say)
  if (administration === undefined) return said
  try {
    say(await examineHeads(administration, options.clock()))
    say(await examineTuf(administration))
    say(await examineExport(administration))
    if (!options.offline) {
      const { env, signal, clock } = options
      say(await examine('server', () => examineRunning(administration, { env, signal, now: clock })))
      say(await examine('issuers', () => examineIssuers(administration, { env, signal, now: clock })))
    }
  } finally {
    await administration.close()
  }
  return said
}

type Say = (diagnoses: readonly Diagnosis[]) => void

async function examineConfiguration({ folder }: DoctorOptions, say: Say): Promise<ServerConfiguration | undefined> {
  let configuration: ServerConfiguration | undefined
  say(
    await examine('configuration', async () => {
      configuration = await readConfiguration(folder)
      return [ok('configuration', `${path.join(folder, dataFiles.configuration)}: ${configuration.url}`)]
    }),
  )
  return configuration
}

/** The data, opened. A database that is not there is not made. */
async function openDatabase(options: DoctorOptions, configuration: ServerConfiguration, say: Say): Promise<Administration | undefined> {
  const missing = await missingDatabase(options, configuration)
  if (missing !== undefined) {
    say([missing])
    return undefined
  }
  let administration: Administration | undefined
  say(
    await examine('database', async () => {
      administration = await openAdministration(options)
      return examineDatabase(administration)
    }),
  )
  return administration
}

async function missingDatabase({ folder, databaseUrl }: DoctorOptions, { logs }: ServerConfiguration): Promise<Diagnosis | undefined> {
  const location = storageLocation(folder, databaseUrl)
  if (location.kind !== 'sqlite') return undefined
  try {
    await stat(location.file)
    return undefined
  } catch (error) {
    if (!isMissing(error)) return failure('database', `${location.file} cannot be looked at`)
  }
  const copies = await Promise.allSettled(logs.map(({ id }) => createHeadCopy(path.join(folder, dataFiles.heads), id).read()))
  const wasSigned = copies.some((copy) => copy.status === 'rejected' || (copy.value?.size ?? 0n) > 0n)
  if (wasSigned) return failure('database', `${location.file} is missing, and its logs have signed entries`, 'restore it from a backup')
  return warning('database', `${location.file} is not there yet`, 'start the server, which makes it')
}
