/** The services that a signature is made with, as a signing config and the wishes of the caller have it. */
import { UsageError } from '../error.ts'
import {
  selectCertificateAuthority,
  selectOidcIssuer,
  selectTimestampAuthorities,
  selectTransparencyLogs,
} from '../trust/service-selection.ts'
import type { SigningConfig } from '../trust/signing-config.ts'
import { rootsOf } from '../trust/trust-material.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'

/** A transparency log and which API of Rekor it speaks. */
export interface LogService {
  readonly url: string
  readonly apiVersion: 1 | 2
}

export interface SigningServices {
  /** Undefined where the signature is made with a key alone. */
  readonly certificateAuthority: string | undefined
  readonly logs: readonly LogService[]
  /** By full address. */
  readonly timestampAuthorities: readonly string[]
}

export interface ServiceDemands {
  /** Whether a certificate is needed. */
  readonly certificate: boolean
  /** Whether the signature is to be logged; default true. */
  readonly log?: boolean
  /** Whether it is to be timestamped; default true. */
  readonly timestamp?: boolean
  /** The versions of Rekor's API that will do: `[1]` where the entry must be found again by searching. Default both. */
  readonly logVersions?: readonly number[]
}

/** For a signature with a key that nobody records. */
export const noServices: SigningServices = { certificateAuthority: undefined, logs: [], timestampAuthorities: [] }

/**
 * Chooses the services to use now.
 * @param now epoch milliseconds
 * @throws CountersignError SIGNING_CONFIG_INVALID when the config has none that can be used where one is needed; UsageError USAGE
 * when a certificate would be logged where no time is given
 */
export function selectServices(config: SigningConfig, now: number, demands: ServiceDemands): SigningServices {
  const services = {
    certificateAuthority: demands.certificate ? selectCertificateAuthority(config, now).url : undefined,
    logs: demands.log === false ? [] : selectTransparencyLogs(config, now, demands.logVersions).map(toLog),
    timestampAuthorities: demands.timestamp === false ? [] : selectTimestampAuthorities(config, now).map(({ url }) => url),
  }
  checkTimes(services)
  return services
}

/** The issuer to sign in with. @throws CountersignError SIGNING_CONFIG_INVALID */
export function selectIssuer(config: SigningConfig, now: number): string {
  return selectOidcIssuer(config, now).url
}

/**
 * Rekor v2 states no time, and a short-lived certificate is worth nothing without one.
 * @throws UsageError USAGE, in cosign's words
 */
export function checkTimes({ certificateAuthority, logs, timestampAuthorities }: SigningServices): void {
  const isTimed = timestampAuthorities.length > 0 || logs.length === 0 || logs.some(({ apiVersion }) => apiVersion === 1)
  if (certificateAuthority === undefined || isTimed) return
  throw new UsageError(
    'USAGE',
    'a timestamp authority must be provided to request a short-lived certificate that will be logged to Rekor (tsaUrls of the signing config, or --timestamp-server-url)',
  )
}

function toLog({ url, majorApiVersion }: { readonly url: string; readonly majorApiVersion: number }): LogService {
  return { url, apiVersion: majorApiVersion === 2 ? 2 : 1 }
}

/**
 * Refuses several trusted roots: the services of a signature are trusted together.
 * @param name what the trusted root is called
 * @throws UsageError USAGE
 */
export function checkOneRoot(trust: TrustMaterial, name = 'the trusted root'): void {
  const { length } = rootsOf(trust)
  if (length === 1) return
  throw new UsageError(
    'USAGE',
    `${name} has ${length} roots, one a line, and a signature is made with the services of one: give one with that line alone`,
  )
}
