/**
 * Which services of a signing configuration a client uses (protobuf-specs, SigningConfig): only those whose API it speaks
 * and whose window holds the present; of those the newest API alone, and of each operator the newest service.
 */
import { CountersignError } from '../error.ts'
import type { ServiceSelection, SigningConfig, SigningService } from './signing-config.ts'
import { formatWindow, isWithin } from './time-window.ts'

/** The API versions that Countersign speaks. */
const supportedApiVersions = {
  certificateAuthority: [1],
  oidcIssuer: [1],
  transparencyLog: [1, 2],
  timestampAuthority: [1],
} as const

/**
 * The certificate authority to ask for a certificate.
 * @param now epoch milliseconds
 * @throws CountersignError SIGNING_CONFIG_INVALID when none can be used
 */
export function selectCertificateAuthority(config: SigningConfig, now: number): SigningService {
  return selectOne(config.certificateAuthorities, supportedApiVersions.certificateAuthority, now, 'certificate authority (caUrls)')
}

/** The issuer to sign in with. Throws as `selectCertificateAuthority`. */
export function selectOidcIssuer(config: SigningConfig, now: number): SigningService {
  return selectOne(config.oidcIssuers, supportedApiVersions.oidcIssuer, now, 'OIDC issuer (oidcUrls)')
}

/**
 * The transparency logs to enter a signature into, all with the same API version; none when the configuration names none.
 * @param now epoch milliseconds
 * @param versions the versions of Rekor's API to choose among; default all that Countersign speaks
 * @throws CountersignError SIGNING_CONFIG_INVALID when there are logs and none can be used, or fewer than demanded
 */
export function selectTransparencyLogs(
  config: SigningConfig,
  now: number,
  versions: readonly number[] = supportedApiVersions.transparencyLog,
): readonly SigningService[] {
  return selectSome(config.transparencyLogs, config.transparencyLogSelection, versions, now, {
    kind: 'transparency log (rekorTlogUrls)',
    selectionField: 'rekorTlogConfig',
  })
}

/** The timestamp authorities to ask for a timestamp, or none. Throws as `selectTransparencyLogs`. */
export function selectTimestampAuthorities(config: SigningConfig, now: number): readonly SigningService[] {
  return selectSome(config.timestampAuthorities, config.timestampAuthoritySelection, supportedApiVersions.timestampAuthority, now, {
    kind: 'timestamp authority (tsaUrls)',
    selectionField: 'tsaConfig',
  })
}

function selectOne(services: readonly SigningService[], versions: readonly number[], now: number, kind: string): SigningService {
  const [newest] = usableServices(services, versions, now)
  if (newest === undefined) throw noneUsable(services, versions, now, kind)
  return newest
}

interface Wording {
  readonly kind: string
  readonly selectionField: string
}

function selectSome(
  services: readonly SigningService[],
  selection: ServiceSelection | undefined,
  versions: readonly number[],
  now: number,
  { kind, selectionField }: Wording,
): readonly SigningService[] {
  if (services.length === 0) return []
  const usable = onePerOperator(usableServices(services, versions, now))
  if (usable.length === 0) throw noneUsable(services, versions, now, kind)
  const { selector, count } = selection ?? { selector: 'UNDEFINED', count: 0 }
  switch (selector) {
    case 'ALL':
      return usable
    case 'ANY':
      return usable.slice(0, 1)
    case 'EXACT':
      if (count === 0 || count > usable.length) {
        throw unusable(`${selectionField} asks for exactly ${count} of the services, and operators with a usable ${kind}: ${usable.length}`)
      }
      return usable.slice(0, count)
    case 'UNDEFINED':
      throw unusable(`${selectionField} should say which of the services to use with a selector of ANY, ALL or EXACT`)
  }
}

/** Services of the newest supported API that can be used now, newest start first, otherwise in the order of the file. */
function usableServices(services: readonly SigningService[], versions: readonly number[], now: number): SigningService[] {
  const usable = services.filter(({ majorApiVersion, window }) => versions.includes(majorApiVersion) && isWithin(window, now))
  const newestVersion = Math.max(...usable.map(({ majorApiVersion }) => majorApiVersion))
  return usable.filter(({ majorApiVersion }) => majorApiVersion === newestVersion).sort((a, b) => b.window.start - a.window.start)
}

/** The newest of each operator. Services that do not state one count as of the same. */
function onePerOperator(services: readonly SigningService[]): SigningService[] {
  return services.filter(({ operator }, index) => services.findIndex((other) => other.operator === operator) === index)
}

function noneUsable(services: readonly SigningService[], versions: readonly number[], now: number, kind: string): CountersignError {
  const found = services.map(({ url, majorApiVersion, window }) => `${url} with version ${majorApiVersion}, valid ${formatWindow(window)}`)
  const needed = `version ${versions.join(' or ')} at ${new Date(now).toISOString()}`
  return unusable(
    `the signing config has no ${kind} that can be used with API ${needed}; found ${found.length === 0 ? 'none' : found.slice(0, 4).join('; ')}`,
  )
}

function unusable(message: string): CountersignError {
  return new CountersignError('SIGNING_CONFIG_INVALID', message)
}
