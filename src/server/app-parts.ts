/** What a server is made of, and where its parts are put. */
import type { IssuerConfiguration } from './ca/issuer-configuration.ts'
import type { Clock } from './clock.ts'
import type { ServiceName } from './configuration.ts'
import type { IssuerSettings } from './issuer/settings.ts'
import type { ServerMaterial } from './material.ts'
import type { Metrics } from './metrics.ts'
import type { ReadinessCheck } from './origin.ts'
import type { PublicTrust, RekorChoice } from './public-trust.ts'
import type { RateLimit } from './request/rate-limit.ts'
import type { ServerLog } from './request-log.ts'
import type { ServerLogInstance } from './server-logs.ts'
import type { Service } from './service.ts'
import type { Storage } from './storage/storage.ts'
import type { OpenTask } from './threads/task.ts'
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

/** What the parts of a server are made of, and where they are put. */
export interface Parts {
  readonly options: AppOptions
  readonly instances: readonly ServerLogInstance[]
  readonly trust: PublicTrust
  readonly services: Service[]
  readonly readiness: ReadinessCheck[]
  /** Run after the services were closed, the last one first. */
  readonly closers: (() => Promise<void>)[]
  readonly onError: (error: unknown) => void
}
