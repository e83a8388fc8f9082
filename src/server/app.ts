/** The server: all services of one origin, made of its material and mounted together. This is where they meet. */
import type { AppOptions, Parts } from './app-parts.ts'
import { addCertificateAuthority, addClockWatch, addTimestampAuthority } from './authority-services.ts'
import type { IssuerConfiguration } from './ca/issuer-configuration.ts'
import type { ServiceName } from './configuration.ts'
import { ctCheckpointSigner } from './ctlog/checkpoint-signer.ts'
import type { Issuer } from './issuer/issuer.ts'
import { createIssuer } from './issuer/issuer.ts'
import type { Metrics } from './metrics.ts'
import { createOrigin } from './origin.ts'
import type { Origin } from './origin.ts'
import type { PublicTrust } from './public-trust.ts'
import { addRekor } from './rekor-services.ts'
import { errorFields } from './request-log.ts'
import { demandNoOlderThanRotations } from './rotation-memory.ts'
import { describeServer } from './server-description.ts'
import { openLogs, rekorCheckpointSigners, originOfCtLog } from './server-logs.ts'
import type { ServerLogInstance } from './server-logs.ts'
import { publicTrustOf, servicePaths } from './server-trust.ts'
import { trustTargets } from './trust-targets.ts'
import { createTufRepository } from './tuf/repository.ts'
import type { TufRepository } from './tuf/repository.ts'
import { createWeb } from './web/web.ts'

/** A server without a socket. */
export interface App {
  /** The issuer, if it is among the services. */
  readonly issuer: Issuer | undefined
  readonly tuf: TufRepository | undefined
  /** Uses another configuration of trusted issuers from now on. */
  useIssuers(issuers: IssuerConfiguration): void
  readonly origin: Origin
  readonly trust: PublicTrust
  /** Starts timers and followers. */
  readonly start: () => Promise<void>
  /** Ends what is under way, then closes the logs. The storage stays open. */
  readonly close: () => Promise<void>
}

/**
 * Puts a server together and publishes its TUF repository.
 * @throws CountersignError CONFIGURATION_INVALID, LOG_ROLLED_BACK, TUF_ROLLED_BACK, STORAGE_FAILED; then nothing is left open
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { url, material, storage, clock, log, metrics } = options
  const has = (name: ServiceName): boolean => options.services.includes(name)
  await demandNoOlderThanRotations(storage.documents, material)
  const instances = await openLogs({
    materials: material.logs.filter(({ kind }) => has(kind)),
    storage,
    clock,
    headsFolder: options.headsFolder,
    signers: { ...rekorCheckpointSigners, ctlog: ({ key }) => ctCheckpointSigner(key.createSigner()) },
    originOfCtLog: originOfCtLog(url),
  })
  const trust = publicTrustOf(material, url, has('issuer'))
  const onError = (error: unknown): void => log.error(errorFields(error), 'a request failed')
  const parts: Parts = { options, instances, trust, services: [], readiness: [], closers: [], onError }
  const close = async (): Promise<void> => {
    for (const service of parts.services.toReversed()) await service.close?.()
    for (const closer of parts.closers.toReversed()) await closer()
    await Promise.all(instances.map((instance) => instance.log.close()))
  }
  try {
    const search = addRekor(parts)
    const suspicion = addClockWatch(parts)
    if (has('tsa')) addTimestampAuthority(parts, suspicion)
    const tuf = has('tuf') ? tufRepository(parts) : undefined
    if (tuf !== undefined) {
      parts.services.push(tuf)
      await tuf.start()
    }
    const issuer = has('issuer') ? await openIssuer(parts) : undefined
    if (issuer !== undefined) parts.services.push(issuer)
    const authority = has('ca') ? addCertificateAuthority(parts, issuer, suspicion) : undefined
    if (has('web'))
      parts.services.push(createWeb({ server: await describeServer(trust, options.services, tuf), onError, ...(search && { search }) }))
    const origin = createOrigin({ ...options, services: parts.services, readiness: parts.readiness })
    addLogMetrics(metrics, instances)
    return {
      origin,
      trust,
      issuer,
      tuf,
      useIssuers: (issuers) => authority?.useIssuers(issuers),
      start: async () => {
        for (const service of parts.services) if (service !== tuf) await service.start?.()
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function openIssuer({ options, trust, onError }: Parts): Promise<Issuer> {
  const { material, storage, clock, issuerSettings, readSecret, behindProxy } = options
  return createIssuer({
    url: trust.oidcIssuer?.url ?? `${trust.origin}${servicePaths.issuer}`,
    documents: storage.documents,
    secret: material.issuerSecret,
    clock,
    settings: issuerSettings,
    behindProxy,
    onError,
    ...(readSecret === undefined ? {} : { readSecret }),
  })
}

function tufRepository({ options, trust, readiness }: Parts): TufRepository {
  const { material, storage, clock, tufRecord, rekor, log } = options
  const { root, targets, snapshot, timestamp } = material.tuf
  const repository = createTufRepository({
    documents: storage.documents,
    clock,
    signers: {
      root: root === undefined ? [] : [root.createSigner()],
      targets: targets === undefined ? [] : [targets.createSigner()],
      snapshot: snapshot.createSigner(),
      timestamp: timestamp.createSigner(),
    },
    targets: () => trustTargets(trust, rekor, clock()),
    onFailure: (error) => log.error(errorFields(error), 'the TUF repository could not be renewed'),
    ...(tufRecord === undefined ? {} : { record: tufRecord }),
  })
  readiness.push({ name: 'tuf', check: async () => (await repository.status()).problems[0] })
  return repository
}

function addLogMetrics(metrics: Metrics, instances: readonly ServerLogInstance[]): void {
  const gauge = (name: string, help: string, read: (instance: ServerLogInstance) => number): void =>
    metrics.addGauge({
      name,
      help,
      read: () => instances.map((instance) => ({ labels: { log: instance.material.id }, value: read(instance) })),
    })
  gauge('countersign_log_size', 'Entries in the signed tree', ({ log }) => Number(log.status().size))
  gauge('countersign_log_waiting', 'Entries that wait to be logged', ({ log }) => log.status().waiting)
  gauge('countersign_log_head_timestamp_seconds', 'When the newest head was signed', ({ log }) => log.status().timestampMs / 1000)
}
