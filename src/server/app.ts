/** The server: all services of one origin, made of its material and mounted together. This is where they meet. */
import { Hono } from 'hono'
import type { PrivateKey } from '../crypto/private-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { request } from '../http/fetch.ts'
import type { Certificate } from '../x509/certificate.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { CertificateAuthority } from './ca/certificate-authority.ts'
import { createCertificateAuthority } from './ca/certificate-authority.ts'
import type { IssuerConfiguration } from './ca/issuer-configuration.ts'
import type { Clock } from './clock.ts'
import type { ServiceName } from './configuration.ts'
import { ctCheckpointSigner } from './ctlog/checkpoint-signer.ts'
import { createCtLog } from './ctlog/ct-log.ts'
import type { Issuer } from './issuer/issuer.ts'
import { createIssuer } from './issuer/issuer.ts'
import type { IssuerSettings } from './issuer/settings.ts'
import { trustedRoots, uncutChains } from './material.ts'
import type { ServerMaterial } from './material.ts'
import type { Metrics } from './metrics.ts'
import { createOrigin } from './origin.ts'
import type { Origin, ReadinessCheck } from './origin.ts'
import type { PublicTrust, RekorChoice } from './public-trust.ts'
import { createRekorV1 } from './rekor/rekor-v1.ts'
import type { RekorV1Options } from './rekor/rekor-v1.ts'
import { createRekorV2 } from './rekor/rekor-v2.ts'
import type { RekorV2Options } from './rekor/rekor-v2.ts'
import type { RekorV1Shard } from './rekor/shards.ts'
import type { RateLimit } from './request/rate-limit.ts'
import { errorFields } from './request-log.ts'
import type { ServerLog } from './request-log.ts'
import { createFollower } from './search/follower.ts'
import type { SearchedLog } from './search/found-entry.ts'
import { createSearch } from './search/search.ts'
import { describeServer } from './server-description.ts'
import { logsOfKind, openLogs, rekorCheckpointSigners, watchAgainstHeads, originOfCtLog } from './server-logs.ts'
import type { ServerLogInstance } from './server-logs.ts'
import { publicTrustOf, servicePaths } from './server-trust.ts'
import type { Service } from './service.ts'
import type { Storage } from './storage/storage.ts'
import { openGuardedSigner } from './threads/guarded-signing.ts'
import type { SignatureChecker } from './threads/signature-check.ts'
import { openChecker } from './threads/signature-check.ts'
import { openSigner, signingSetup } from './threads/signing.ts'
import type { OpenTask } from './threads/task.ts'
import { trustTargets } from './trust-targets.ts'
import { createClockWatch } from './time/clock-watch.ts'
import { createTimestampAuthority } from './tsa/timestamp-authority.ts'
import { createTufRepository } from './tuf/repository.ts'
import type { TufRepository } from './tuf/repository.ts'
import type { VersionRecord } from './tuf/version-record.ts'
import { createWeb } from './web/web.ts'
import type { EntrySearch } from './web/web.ts'

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
  /** Whose tokens get certificates. */
  readonly issuers: IssuerConfiguration
  readonly issuerSettings: IssuerSettings
  /** Reads a file with the secret of a connector. */
  readonly readSecret?: (file: string) => Promise<string>
  /** Hands work to other threads; by default all is done in this one. */
  readonly openTask?: OpenTask
  /** What the clock is watched with; a test that sets the clock sets this too. */
  readonly steadyClock?: () => number
}

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

/** What the parts of a server are made of, and where they are put. */
interface Parts {
  readonly options: AppOptions
  readonly instances: readonly ServerLogInstance[]
  readonly trust: PublicTrust
  readonly services: Service[]
  readonly readiness: ReadinessCheck[]
  /** Run after the services were closed, the last one first. */
  readonly closers: (() => Promise<void>)[]
  readonly onError: (error: unknown) => void
}

/** Both Rekors and the search over them. @returns the search, if it is wanted */
function addRekor({ options, instances, services, closers, onError }: Parts): EntrySearch | undefined {
  const { storage, log } = options
  const has = (name: ServiceName): boolean => options.services.includes(name)
  const shards = has('rekor-v1') ? rekorV1Shards(instances) : []
  const searched: SearchedLog[] = [
    ...shards.map(({ log: shard, firstIndex }) => ({ log: shard, api: 'rekor-v1' as const, firstIndex })),
    ...instances.flatMap(({ log: tiles, material: { kind } }) =>
      kind === 'rekor-v2' ? [{ log: tiles, api: 'rekor-v2' as const, firstIndex: 0n }] : [],
    ),
  ]
  const follower = createFollower({
    logs: searched.map((one) => one.log),
    terms: storage.terms,
    onError: (error) => log.warn(errorFields(error), 'the search index fell behind'),
  })
  const shared = { onError, onAdded: () => follower.wake(), ...checking(options) }
  if (has('rekor-v1')) services.push(rekorV1(shards, { ...shared, terms: storage.terms }))
  if (has('rekor-v2')) services.push(...rekorV2(instances, shared))
  closers.push(() => follower.close())
  if (!has('search')) return undefined
  const search = createSearch({ logs: searched, terms: storage.terms, onError })
  services.push({ ...search, start: () => follower.start() })
  return (query) => search.search(query)
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

/** What checks signatures, if it is not this thread. */
function checking({ openTask }: AppOptions): { checkSignature?: SignatureChecker } {
  return openTask === undefined ? {} : { checkSignature: openChecker(openTask) }
}

/** What signs with a key: this thread where handing the work over costs about as much as doing it. */
function signerFor({ openTask }: AppOptions, key: PrivateKey): Signer {
  const { publicKey } = key
  const isFast = publicKey.kind === 'ed25519' || (publicKey.kind === 'ecdsa' && publicKey.curve === 'P-256')
  return openTask === undefined || isFast ? key.createSigner() : openSigner(openTask, key)
}

/** The CT log and the authority that enters its certificates there. */
function addCertificateAuthority(parts: Parts, issuer: Issuer | undefined, suspicion: Suspicion): CertificateAuthority {
  const { options, instances, services, readiness } = parts
  const { material, storage, clock, issuers, log } = options
  const chain = material.ca.chain.map(parseCertificate)
  // Whoever holds a certificate of before may submit it, as to any log.
  const acceptedRoots = trustedRoots(material.ca).map(parseCertificate)
  const { newest } = logsOfKind(instances, 'ctlog')
  const signer = signerFor(options, newest.material.key)
  const ctLog = createCtLog({
    log: newest.log,
    signer,
    acceptedRoots,
    documents: storage.documents,
    prefix: servicePaths.ctlog,
  })
  const authority = createCertificateAuthority({
    signer: signerFor(options, material.ca.key),
    ...(options.openTask && { signIfValid: openGuardedSigner(options.openTask, material.ca.key) }),
    chain,
    earlierChains: uncutChains(material.ca).map((one) => one.map(parseCertificate)),
    log: ctLog,
    logKey: signer.publicKey,
    clock,
    suspicion,
    issuers,
    localKeys: new Map(issuer === undefined ? [] : [[issuer.url, () => issuer.jwks()]]),
    send: request,
    onRefusal: (error) => log.info(errorFields(error), 'a certificate was refused'),
  })
  readiness.push({ name: 'ca', check: () => authority.unreadiness() })
  services.push(ctLog, authority)
  addEarlierCtLogs(parts, acceptedRoots)
  return authority
}

/** The logs before the one that takes certificates, below paths of their own: their entries stay readable. */
function addEarlierCtLogs({ options, instances, services }: Parts, acceptedRoots: readonly Certificate[]): void {
  for (const { material, log } of logsOfKind(instances, 'ctlog').others) {
    const signer = material.key.createSigner()
    services.push(createCtLog({ log, signer, acceptedRoots, documents: options.storage.documents, prefix: `/${material.id}` }))
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

/** Rekor v2, and the logs before it below paths of their own: their entries stay readable. */
function rekorV2(instances: readonly ServerLogInstance[], options: Omit<RekorV2Options, 'log' | 'publicKey'>): Service[] {
  const { newest, others } = logsOfKind(instances, 'rekor-v2')
  const serve = ({ log, material }: ServerLogInstance, prefix: string): Service =>
    createRekorV2({ ...options, log, publicKey: material.key.publicKey, prefix })
  return [serve(newest, ''), ...others.map((other) => serve(other, `/${other.material.id}`))]
}

/** Why the clock must not be trusted now; undefined while it may be. */
type Suspicion = () => string | undefined

/** Watches the clock for those who certify times, if there are any. */
function addClockWatch({ options, instances, services }: Parts): Suspicion {
  const { clock, timeServers = [], steadyClock } = options
  const setBack = watchAgainstHeads(instances)
  const watch = createClockWatch({
    clock,
    ...(timeServers.length === 0 ? {} : { timeServers: { servers: timeServers.map((host) => ({ host })) } }),
    ...(steadyClock && { steady: steadyClock }),
  })
  if (options.services.includes('tsa') || options.services.includes('ca'))
    services.push({ routes: new Hono(), start: () => watch.start(), close: () => watch.close() })
  return () => watch.suspicion() ?? setBack(clock())
}

function addTimestampAuthority({ options, services, readiness }: Parts, suspicion: Suspicion): void {
  const { material, clock, openTask } = options
  const authority = createTimestampAuthority({
    signer: material.tsa.key.createSigner(),
    chain: material.tsa.chain.map(parseCertificate),
    clock,
    suspicion,
    ...(openTask === undefined ? {} : { threads: { openTask, signing: () => signingSetup(material.tsa.key) } }),
  })
  readiness.push({ name: 'tsa', check: () => authority.unreadiness() })
  services.push(authority)
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
