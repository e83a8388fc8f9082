/** `server start`: a server from its data folder, on its socket. */
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { CountersignError } from '../error.ts'
import type { App } from './app.ts'
import { createApp } from './app.ts'
import type { AppOptions } from './app-parts.ts'
import { openIssuerFile } from './ca/issuer-file.ts'
import type { Clock } from './clock.ts'
import type { ServerConfiguration } from './configuration.ts'
import { parseConfiguration } from './configuration.ts'
import { dataFiles, isInitialised, makePrivateFolder, readDataText } from './data-folder.ts'
import type { Listener, ListenOptions } from './listener.ts'
import { openListener, parseListenAddress } from './listener.ts'
import { parseIssuerSettings } from './issuer/settings.ts'
import { readMaterial } from './material-files.ts'
import { createMetrics } from './metrics.ts'
import { createMetricsOrigin } from './origin.ts'
import { createServerLog, errorFields } from './request-log.ts'
import type { LogOptions } from './request-log.ts'
import type { StorageLocation } from './storage/storage.ts'
import { openStorage } from './storage/storage.ts'
import { createThreadPool } from './threads/thread-pool.ts'
import { createVersionFile } from './tuf/version-record.ts'

export interface RunOptions {
  readonly folder: string
  /** The configuration, if it is not the one in the folder. */
  readonly configurationFile?: string | undefined
  /** Where it is to answer. It is closed with the server, and when the server does not start. */
  readonly listener: Listener
  /** PostgreSQL instead of the file in the folder. */
  readonly databaseUrl: string | undefined
  readonly passphrase: string | undefined
  readonly clock: Clock
  readonly logging: LogOptions
}

export interface RunningServer {
  readonly url: string
  /** Where it listens. */
  readonly port: number
  readonly app: App
  readonly services: ServerConfiguration['services']
  /** Reads TLS files and the configuration of issuers again. */
  reload(): Promise<void>
  close(): Promise<void>
}

/** A server's configuration. @throws CountersignError FILE_UNREADABLE, CONFIGURATION_INVALID */
export async function readConfiguration(folder: string, file: string = dataFiles.configuration): Promise<ServerConfiguration> {
  if (file === dataFiles.configuration && !(await isInitialised(folder)))
    throw new CountersignError(
      'FILE_UNREADABLE',
      `there is no server in ${folder}: name its folder with --data, or make one with "countersign server init"`,
    )
  return parseConfiguration(await readDataText(folder, file), path.resolve(folder, file))
}

/** Where the server's database is. */
export function storageLocation(folder: string, databaseUrl: string | undefined): StorageLocation {
  return databaseUrl === undefined
    ? { kind: 'sqlite', file: path.join(folder, dataFiles.database) }
    : { kind: 'postgres', url: databaseUrl }
}

/**
 * Starts a server. It answers when this resolves.
 * @throws CountersignError of everything that can be wrong with a folder, a database, an address; nothing is left open then
 */
export async function runServer(options: RunOptions): Promise<RunningServer> {
  const { listener } = options
  let metricsListener: Listener | undefined
  try {
    const configuration = await readConfiguration(options.folder, options.configurationFile)
    const metricsAddress = metricsPlace(configuration, listener.options)
    if (metricsAddress !== 'origin' && metricsAddress !== 'off')
      metricsListener = await openListener({ ...parseListenAddress(metricsAddress), tls: undefined, behindProxy: true })
    return await startServices(options, configuration, metricsListener)
  } catch (error) {
    await Promise.all([listener.close(0), metricsListener?.close(0)])
    throw error
  }
}

/** Puts the services together, once all sockets are open, and lets the listeners answer. */
async function startServices(
  options: RunOptions,
  configuration: ServerConfiguration,
  metricsListener: Listener | undefined,
): Promise<RunningServer> {
  const { folder, clock, listener } = options
  const log = createServerLog(options.logging)
  const metrics = createMetrics()
  await makePrivateFolder(path.join(folder, dataFiles.heads))
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  let app: App | undefined
  try {
    // Together: keys are decrypted, and the database is opened, in other threads.
    const opening = openStorage(storageLocation(folder, options.databaseUrl), { clock, user: 'server' })
    closers.push(async () => (await opening.catch(() => undefined))?.close())
    const [storage, material] = await Promise.all([opening, readMaterial(folder, configuration, options.passphrase)])
    const pool = createThreadPool({
      size: Math.max(1, availableParallelism() - 1),
      onError: (error) => log.error(errorFields(error), 'a worker thread failed'),
    })
    closers.push(() => pool.close())
    const issuerFile = await openIssuerFile({
      file: path.resolve(folder, configuration.issuers),
      onChange: (issuers) => {
        app?.useIssuers(issuers)
        log.info({ issuers: issuers.issuers.length }, 'the configuration of issuers was read again')
      },
      onError: (error) => log.error(errorFields(error), 'the configuration of issuers stays as it was'),
    })
    closers.push(async () => issuerFile.close())
    app = await createApp({
      ...configuredOptions(configuration, folder, listener.options),
      material,
      storage,
      clock,
      log,
      metrics,
      issuers: issuerFile.issuers,
      openTask: pool.open,
    })
    const { origin, close: closeApp, start } = app
    closers.push(closeApp)
    await start()
    closers.push(() => listener.close())
    listener.answer(origin)
    if (metricsListener !== undefined) {
      const metricsOrigin = createMetricsOrigin(metrics)
      closers.push(() => metricsListener.close())
      metricsListener.answer((request) => metricsOrigin.fetch(request))
    }
    log.info({ url: configuration.url, port: listener.port }, 'started')
    return {
      url: configuration.url,
      port: listener.port,
      app,
      services: configuration.services,
      reload: async () => {
        await listener.reload()
        await issuerFile.reload()
        log.info({}, 'reloaded')
      },
      close,
    }
  } catch (error) {
    await close().catch((cause: unknown) => log.error(errorFields(cause), 'closing after a failed start failed'))
    throw error
  }
}

/** What the configuration says of a server, and what its folder and its address do. */
function configuredOptions(configuration: ServerConfiguration, folder: string, listening: ListenOptions) {
  const { url, services, tsa, rekor, limits, issuer } = configuration
  const headsFolder = path.join(folder, dataFiles.heads)
  return {
    url,
    services,
    headsFolder,
    tufRecord: createVersionFile(path.join(headsFolder, 'tuf.json')),
    timeServers: tsa['ntp-servers'],
    rekor: rekor.default,
    serveMetrics: metricsPlace(configuration, listening) === 'origin',
    behindProxy: listening.behindProxy,
    rateLimit: { perSecond: limits['writes-per-second'], burst: limits.burst },
    issuerSettings: parseIssuerSettings(issuer.settings),
    readSecret: async (file) => (await readDataText(folder, file)).trim(),
  } satisfies Partial<AppOptions>
}

/** Metrics tell strangers too much: they are on the origin only while nobody else can reach it. */
function metricsPlace(configuration: ServerConfiguration, { host, behindProxy }: ListenOptions): string {
  const { listen: place } = configuration.metrics
  if (place !== undefined && place !== 'origin' && place !== 'off') {
    parseListenAddress(place)
    return place
  }
  return place ?? (behindProxy || (host !== '127.0.0.1' && host !== 'localhost' && host !== '::1') ? 'off' : 'origin')
}
