/** With which services something is signed, and what they are trusted by: from files, from TUF, or from addresses in flags. */
import { CountersignError, UsageError } from '../../error.ts'
import { withoutSecrets } from '../../http/address.ts'
import type { Strangers } from '../../sign/sign-content.ts'
import type { SigningServices } from '../../sign/signing-services.ts'
import { checkOneRoot, checkTimes, noServices, selectIssuer, selectServices } from '../../sign/signing-services.ts'
import type { ServiceDemands } from '../../sign/signing-services.ts'
import { selectTransparencyLogs } from '../../trust/service-selection.ts'
import { parseSigningConfig } from '../../trust/signing-config.ts'
import type { SigningConfig } from '../../trust/signing-config.ts'
import type { TrustMaterial } from '../../trust/trust-material.ts'
import { emptyTrustMaterial, loadTrustMaterial } from '../../trust/trust-material.ts'
import type { Repository } from '../../tuf/repository.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { readInputFile } from '../verification/input-file.ts'
import { loadTrust } from '../verification/trust-input.ts'
import type { identityFlags, witnessFlags } from './flags.ts'

export type ServiceFlags = FlagValues<typeof witnessFlags> &
  Pick<FlagValues<typeof identityFlags>, 'fulcio-url' | 'oidc-issuer' | 'insecure-skip-verify'>

export interface ServiceInput {
  readonly flags: ServiceFlags
  /** Whether a flag was given, on the command line or by the environment. */
  readonly isGiven: (flag: string) => boolean
  readonly demands: ServiceDemands
  /** Why the demands are for a version of Rekor, where they are. */
  readonly insteadOfRekorV2: string
  /** Whether a log that speaks Rekor's first API is taken where there is one. */
  readonly prefersRekorV1: boolean
  /** Whether a certificate that is there already must be from an authority of the trust material. Default false. */
  readonly trustedCertificate?: boolean
}

export interface SigningMaterial {
  readonly services: SigningServices
  readonly trust: TrustMaterial
  /** How many CT logs must have promised to publish a certificate. */
  readonly scts: number
  /** The issuer to sign in with. Throws CountersignError SIGNING_CONFIG_INVALID when there is none. */
  readonly issuer: () => string
  /** Whether a signing config names the services, rather than flags. */
  readonly fromConfig: boolean
  /**
   * Whether logs and timestamp authorities may be unknown here. With addresses in flags cosign signs with any, and its scripts have the keys
   * where they verify. A signing config comes with a trusted root, and `--trusted-root` says what is trusted.
   */
  readonly strangers: Strangers
}

const maxConfigBytes = 4 * 1024 * 1024
const urlFlags = ['fulcio-url', 'rekor-url', 'oidc-issuer', 'timestamp-server-url'] as const
const withoutLog =
  "--tlog-upload=false is not supported with --signing-config or --use-signing-config. Provide a signing config with --signing-config without a transparency log service, which can be created with `countersign signing-config create` or `curl https://raw.githubusercontent.com/sigstore/root-signing/refs/heads/main/targets/signing_config.v0.2.json | jq 'del(.rekorTlogUrls)'` for the public instance"

/**
 * Finds out which services to use, and loads the trust material that their answers are verified with.
 * @throws UsageError USAGE for flags that contradict each other; CountersignError SIGNING_CONFIG_INVALID; what reading files and TUF throw
 */
export async function loadSigningMaterial(context: CommandContext, input: ServiceInput): Promise<SigningMaterial> {
  const { flags, isGiven, demands, trustedCertificate = false } = input
  const hasUrls = urlFlags.some(isGiven)
  const asksForConfig = flags['signing-config'] !== '' || (isGiven('use-signing-config') && flags['use-signing-config'])
  if (hasUrls && asksForConfig) throw new UsageError('USAGE', 'cannot specify service URLs and use signing config')
  if (!flags['tlog-upload'] && asksForConfig) throw new UsageError('USAGE', withoutLog)

  const repository = openOnce(context)
  if (hasUrls || !flags['use-signing-config']) {
    const issuer = (): string => flags['oidc-issuer']
    const services = servicesOfFlags(flags, demands)
    const strangers = flags['trusted-root'] === '' ? 'noted' : 'refused'
    return {
      ...(await trustFor(context, flags, services, trustedCertificate, repository, strangers)),
      issuer,
      fromConfig: false,
      strangers,
    }
  }
  if (!demands.certificate && !flags['tlog-upload'] && !asksForConfig) {
    const trusted = await trustFor(context, flags, noServices, trustedCertificate, repository, 'refused')
    return { ...trusted, issuer: () => flags['oidc-issuer'], fromConfig: false, strangers: 'refused' }
  }
  const config = await loadConfig(context, flags, repository)
  const services = select(config, context.now(), { ...demands, log: flags['tlog-upload'] }, input)
  const trusted = await trustFor(context, flags, services, trustedCertificate, repository, 'refused')
  return { ...trusted, issuer: () => selectIssuer(config, context.now()), fromConfig: true, strangers: 'refused' }
}

/** As cosign 2: one service of each kind, where it is needed. The log speaks Rekor's first API. */
function servicesOfFlags(flags: ServiceFlags, { certificate }: ServiceDemands): SigningServices {
  const services: SigningServices = {
    certificateAuthority: certificate ? checkedUrl(flags['fulcio-url'], 'fulcio-url') : undefined,
    logs: flags['tlog-upload'] ? [{ url: checkedUrl(flags['rekor-url'], 'rekor-url'), apiVersion: 1 }] : [],
    timestampAuthorities: flags['timestamp-server-url'] === '' ? [] : [checkedUrl(flags['timestamp-server-url'], 'timestamp-server-url')],
  }
  checkTimes(services)
  return services
}

function checkedUrl(text: string, flag: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new UsageError(
    'USAGE',
    `--${flag} should be an http:// or https:// address, found ${JSON.stringify(withoutSecrets(text).slice(0, 80))}`,
  )
}

function select(
  config: SigningConfig,
  now: number,
  demands: ServiceDemands,
  { insteadOfRekorV2, prefersRekorV1 }: Pick<ServiceInput, 'insteadOfRekorV2' | 'prefersRekorV1'>,
): SigningServices {
  try {
    const isPreferred = prefersRekorV1 && speaksRekorV1(config, now)
    return selectServices(config, now, isPreferred ? { ...demands, logVersions: [1] } : demands)
  } catch (cause) {
    if (demands.logVersions === undefined || !(cause instanceof CountersignError) || cause.code !== 'SIGNING_CONFIG_INVALID') throw cause
    throw new CountersignError(cause.code, `${insteadOfRekorV2}: ${cause.message}`, { cause })
  }
}

function speaksRekorV1(config: SigningConfig, now: number): boolean {
  try {
    return selectTransparencyLogs(config, now, [1]).length > 0
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'SIGNING_CONFIG_INVALID') return false
    throw error
  }
}

type OpenRepository = () => Promise<Repository>

/** The repository is refreshed at most once, for the signing config and the trusted root. */
function openOnce(context: CommandContext): OpenRepository {
  let repository: Promise<Repository> | undefined
  return () => (repository ??= open(context))
}

async function open(context: CommandContext): Promise<Repository> {
  const { openRepository } = await import('../../tuf/repository.ts')
  const repository = await openRepository({ env: context.env, signal: context.signal, now: context.now() })
  for (const warning of repository.warnings) warn(context, warning)
  return repository
}

async function loadConfig(context: CommandContext, flags: ServiceFlags, repository: OpenRepository): Promise<SigningConfig> {
  if (flags['signing-config'] !== '') {
    return parseSigningConfig(readInputFile(context.cwd, flags['signing-config'], 'the signing config', maxConfigBytes))
  }
  return parseSigningConfig(
    await target(
      repository,
      'signingConfig',
      'the signing config',
      '--signing-config, or service addresses with --use-signing-config=false',
    ),
  )
}

async function target(
  repository: OpenRepository,
  name: 'signingConfig' | 'trustedRoot',
  what: string,
  instead: string,
): Promise<Uint8Array> {
  try {
    const { targetName } = await import('../../tuf/trusted-root.ts')
    return await (await repository()).target(targetName[name])
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'ABORTED') throw cause
    throw new CountersignError(cause.code, `getting ${what} from TUF: ${cause.message} (instead, give ${instead})`, { cause })
  }
}

/** With a key and no witness nothing is trusted, and nothing is fetched. */
async function trustFor(
  context: CommandContext,
  flags: ServiceFlags,
  services: SigningServices,
  trustedCertificate: boolean,
  repository: OpenRepository,
  strangers: Strangers,
): Promise<Pick<SigningMaterial, 'services' | 'trust' | 'scts'>> {
  const isIssued = services.certificateAuthority !== undefined
  const scts = isIssued && !flags['insecure-skip-verify'] ? 1 : 0
  const needs = {
    certificates: isIssued || trustedCertificate,
    scts: scts > 0,
    logs: services.logs.length > 0,
    timestamps: services.timestampAuthorities.length > 0,
    givenTimestamps: false,
  }
  if (!needs.certificates && !needs.logs && !needs.timestamps) return { services, trust: emptyTrustMaterial, scts }
  const files = { 'certificate-chain': '', 'ca-roots': '', 'ca-intermediates': '', 'timestamp-certificate-chain': '' }
  const trustFlags = { ...files, 'trusted-root': flags['trusted-root'], 'rekor-url': flags['rekor-url'] }
  const trust = await loadTrust(context, trustFlags, needs, async () => {
    try {
      return loadTrustMaterial(await target(repository, 'trustedRoot', 'the trusted root', '--trusted-root'))
    } catch (error) {
      if (strangers === 'refused' || !(error instanceof CountersignError) || error.code === 'ABORTED') throw error
      // What was given may be all that cannot be done without.
      const given = await loadTrust(context, trustFlags, { ...needs, logs: false, timestamps: false }, () => Promise.reject(error))
      warn(context, error.message)
      return given
    }
  })
  checkOneRoot(trust, `the trusted root ${flags['trusted-root']}`)
  return { services, trust, scts }
}
