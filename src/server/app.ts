/** The server: all services of one origin, made of its material and mounted together. This is where they meet. */
import { parseCertificate } from '../x509/certificate.ts'
import type { Clock } from './clock.ts'
import type { ServiceName } from './configuration.ts'
import type { ServerMaterial } from './material.ts'
import type { Metrics } from './metrics.ts'
import { createOrigin } from './origin.ts'
import type { ReadinessCheck } from './origin.ts'
import type { PublicTrust, RekorChoice } from './public-trust.ts'
import { createRekorV1 } from './rekor/rekor-v1.ts'
import type { RekorV1Options } from './rekor/rekor-v1.ts'
import { createRekorV2 } from './rekor/rekor-v2.ts'
import type { RekorV2Options } from './rekor/rekor-v2.ts'
import { createFollower } from './search/follower.ts'
import type { SearchedLog } from './search/found-entry.ts'
import { createSearch } from './search/search.ts'
import type { RekorV1Shard } from './rekor/shards.ts'
import type { RateLimit } from './request/rate-limit.ts'
import { errorFields } from './request-log.ts'
import type { ServerLog } from './request-log.ts'
import { logsOfKind, openLogs, rekorCheckpointSigners } from './server-logs.ts'
import type { ServerLogInstance } from './server-logs.ts'
import { publicTrustOf } from './server-trust.ts'
import type { Service } from './service.ts'
import type { Storage } from './storage/storage.ts'
import { trustTargets } from './trust-targets.ts'
import { createClockWatch } from './tsa/clock-watch.ts'
import type { ClockWatch } from './tsa/clock-watch.ts'
import { createTimestampAuthority } from './tsa/timestamp-authority.ts'
import { createTufRepository } from './tuf/repository.ts'
import type { VersionRecord } from './tuf/version-record.ts'

export interface AppOptions {
  /** Scheme, host and port that clients use. */
  readonly url: string
  readonly material: ServerMaterial
  readonly storage: Storage
  readonly services: readonly ServiceName[]
  readonly clock: Clock
  readonly log: ServerLog
  readonly metrics: Metrics
  /** Where copies of signed heads are kept, outside the database. */
  readonly headsFolder?: string | undefined
  readonly tufRecord?: VersionRecord | undefined
  /** Hosts of NTP servers; none are asked by default. */
  readonly timeServers?: readonly string[]
  /** Which Rekor the signing config names. */
  readonly rekor: RekorChoice
  readonly serveMetrics: boolean
  readonly behindProxy: boolean
  readonly rateLimit: RateLimit | undefined
}

/** A server without a socket. */
export interface App {
  fetch(request: Request, env?: object): Response | Promise<Response>
  readonly trust: PublicTrust
  /** Starts timers and followers. */
  start(): Promise<void>
  /** Ends what is under way, then closes the logs. The storage stays open. */
  close(): Promise<void>
}

/**
 * Puts a server together.
 * @throws CountersignError CONFIGURATION_INVALID, LOG_ROLLED_BACK, STORAGE_FAILED
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { url, material, storage, clock, log, metrics } = options
  const has = (name: ServiceName): boolean => options.services.includes(name)
  const instances = await openLogs({
    materials: material.logs.filter(({ kind }) => has(kind)),
    storage,
    clock,
    headsFolder: options.headsFolder,
    signers: { ...rekorCheckpointSigners, ctlog: rekorCheckpointSigners['rekor-v2'] },
    originOfCtLog: `${new URL(url).hostname}/ct`,
  })
  const trust = publicTrustOf(material, url, has('issuer'))
  const watch = createClockWatch({
    clock,
    ...(options.timeServers?.length ? { timeServers: { servers: options.timeServers.map((host) => ({ host })) } } : {}),
  })
  const onError = (error: unknown): void => log.error(errorFields(error), 'a request failed')
  const services: Service[] = []
  const readiness: ReadinessCheck[] = []
  const shards = has('rekor-v1') ? rekorV1Shards(instances) : []
  const searched: SearchedLog[] = [
    ...shards.map(({ log: shard, firstIndex }) => ({ log: shard, api: 'rekor-v1' as const, firstIndex })),
    ...instances.flatMap((instance) =>
      instance.material.kind === 'rekor-v2' ? [{ log: instance.log, api: 'rekor-v2' as const, firstIndex: 0n }] : [],
    ),
  ]
  const follower = createFollower({
    logs: searched.map((one) => one.log),
    terms: storage.terms,
    onError: (error) => log.warn(errorFields(error), 'the search index fell behind'),
  })
  const onAdded = (): void => follower.wake()
  if (has('rekor-v1')) services.push(rekorV1(shards, { terms: storage.terms, onError, onAdded }))
  if (has('rekor-v2')) services.push(rekorV2(instances, { onError, onAdded }))
  if (has('search')) services.push(createSearch({ logs: searched, terms: storage.terms, onError }))
  if (has('tsa')) services.push(timestampAuthority(options, watch, readiness))
  if (has('tuf')) services.push(tufRepository(options, trust))
  const origin = createOrigin({ ...options, services, readiness })
  addLogMetrics(metrics, instances)
  return {
    fetch: (request, env) => origin.fetch(request, env),
    trust,
    start: async () => {
      await watch.start()
      for (const service of services) await service.start?.()
      follower.start()
    },
    close: async () => {
      watch.close()
      await follower.close()
      for (const service of services.toReversed()) await service.close?.()
      await Promise.all(instances.map((instance) => instance.log.close()))
    },
  }
}

/** The shards of Rekor v1, oldest first, under one virtual index. */
function rekorV1Shards(instances: readonly ServerLogInstance[]): RekorV1Shard[] {
  const { newest, others } = logsOfKind(instances, 'rekor-v1')
  let firstIndex = 0n
  return [...others, newest].map(({ material, log }) => {
    const shard = { log, treeId: material.treeId ?? 0n, firstIndex, signer: material.key.createSigner() }
    firstIndex += log.status().size
    return shard
  })
}

function rekorV1(shards: readonly RekorV1Shard[], options: Omit<RekorV1Options, 'active' | 'inactive'>): Service {
  const active = shards.at(-1)
  if (active === undefined) throw new TypeError('Rekor v1 has at least one shard')
  return createRekorV1({ ...options, active, inactive: shards.slice(0, -1) })
}

function rekorV2(instances: readonly ServerLogInstance[], options: Omit<RekorV2Options, 'log' | 'publicKey'>): Service {
  const { newest } = logsOfKind(instances, 'rekor-v2')
  return createRekorV2({ ...options, log: newest.log, publicKey: newest.material.key.publicKey })
}

function timestampAuthority({ material, clock }: AppOptions, watch: ClockWatch, readiness: ReadinessCheck[]): Service {
  const authority = createTimestampAuthority({
    signer: material.tsa.key.createSigner(),
    chain: material.tsa.chain.map(parseCertificate),
    clock,
    suspicion: () => watch.suspicion(),
  })
  readiness.push({ name: 'tsa', check: () => authority.unreadiness() })
  return authority
}

function tufRepository({ material, storage, clock, tufRecord, rekor, log }: AppOptions, trust: PublicTrust): Service {
  const { root, targets, snapshot, timestamp } = material.tuf
  return createTufRepository({
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
