/** `signing-config create`: from flags to a signing config. */
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import {
  selectCertificateAuthority,
  selectOidcIssuer,
  selectTimestampAuthorities,
  selectTransparencyLogs,
} from '../../trust/service-selection.ts'
import { encodeSigningConfig } from '../../trust/signing-config-writer.ts'
import type { ServiceSelection, SigningConfig, SigningService } from '../../trust/signing-config.ts'
import { maxSigningConfigBytes, parseSigningConfig, signingConfigMediaType } from '../../trust/signing-config.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { checkDocumentOutput, writeDocument } from '../document-output.ts'
import { readInputFile } from '../verification/input-file.ts'
import { fetchDefaults } from './default-services.ts'
import { parseServiceSpec, urlOf, windowOf, withPrefix } from './service-spec.ts'
import type { SigningConfigFlags } from './signing-config-flags.ts'

/**
 * Makes a signing config and writes or prints it.
 * @throws UsageError USAGE; DecodingError JSON_INVALID, SIGNING_CONFIG_INVALID for a base config; TransportError FILE_UNREADABLE,
 * FILE_UNWRITABLE, TRUST_ROOT_UNAVAILABLE; what TUF throws
 */
export async function createSigningConfigFile(context: CommandContext, flags: SigningConfigFlags): Promise<void> {
  const output = { out: flags.out, what: 'signing config' }
  if (flags.rekor.length > 0 && flags['rekor-config'] === '') throw usage('--rekor-config must be provided when --rekor is specified')
  if (flags.tsa.length > 0 && flags['tsa-config'] === '') throw usage('--tsa-config must be provided when --tsa is specified')
  checkDocumentOutput(context, output)
  const own = readOwnServices(flags)
  const base = withoutDefaults(readBase(context, flags), flags)
  const defaults = withoutDefaults(await loadDefaults(context, flags), flags)
  warnOfIdleFlags(context, flags)
  const config: SigningConfig = {
    mediaType: signingConfigMediaType,
    certificateAuthorities: join('certificateAuthorities', base, defaults, own),
    oidcIssuers: join('oidcIssuers', base, defaults, own),
    transparencyLogs: join('transparencyLogs', base, defaults, own),
    timestampAuthorities: join('timestampAuthorities', base, defaults, own),
    transparencyLogSelection: selectionOf('rekor-config', flags) ?? defaults.transparencyLogSelection ?? base.transparencyLogSelection,
    timestampAuthoritySelection:
      selectionOf('tsa-config', flags) ?? defaults.timestampAuthoritySelection ?? base.timestampAuthoritySelection,
  }
  warnOfUnusable(context, config)
  writeDocument(context, output, encodeSigningConfig(config))
}

type Services = Omit<SigningConfig, 'mediaType'>
type ServiceKind = { [Name in keyof Services]: Services[Name] extends readonly SigningService[] ? Name : never }[keyof Services]

const nothing: Services = {
  certificateAuthorities: [],
  oidcIssuers: [],
  transparencyLogs: [],
  timestampAuthorities: [],
  transparencyLogSelection: undefined,
  timestampAuthoritySelection: undefined,
}

/** One's own services of a kind take the place of a base config's, and follow those that TUF distributes. */
function join(kind: ServiceKind, base: Services, defaults: Services, own: Services): readonly SigningService[] {
  return [...(own[kind].length > 0 ? [] : base[kind]), ...defaults[kind], ...own[kind]]
}

const serviceKeys = { required: ['url', 'api-version', 'start-time', 'operator'], optional: ['end-time'] }

function readOwnServices(flags: SigningConfigFlags): Services {
  const services = (flag: 'fulcio' | 'oidc-provider' | 'rekor' | 'tsa'): SigningService[] =>
    flags[flag].map((text) => withPrefix(`parsing ${flag} spec`, () => readService(text)))
  return {
    ...nothing,
    certificateAuthorities: services('fulcio'),
    oidcIssuers: services('oidc-provider'),
    transparencyLogs: services('rekor'),
    timestampAuthorities: services('tsa'),
  }
}

function readService(text: string): SigningService {
  const spec = parseServiceSpec(text, serviceKeys)
  return {
    url: urlOf(spec),
    majorApiVersion: readCount(spec.get('api-version') ?? '', 'parsing api-version'),
    window: windowOf(spec),
    operator: spec.get('operator') ?? '',
  }
}

/** `ANY`, `ALL` or `EXACT:<count>`, in either case; undefined where the flag is not given. */
function selectionOf(flag: 'rekor-config' | 'tsa-config', flags: SigningConfigFlags): ServiceSelection | undefined {
  const text = flags[flag]
  if (text === '') return undefined
  const at = text.indexOf(':')
  const selector = (at < 0 ? text : text.slice(0, at)).toUpperCase()
  const count = at < 0 ? undefined : text.slice(at + 1)
  return withPrefix(`parsing ${flag}`, () => {
    switch (selector) {
      case 'ANY':
      case 'ALL':
        if (count !== undefined) throw usage(`mode ${selector} does not accept a count`)
        return { selector, count: 0 }
      case 'EXACT':
        if (count === undefined) throw usage('mode EXACT requires a count, e.g. EXACT:2')
        return { selector, count: readCount(count, 'invalid count for EXACT mode') }
      default:
        throw usage(`invalid service config mode: ${excerpt(selector)}, expected ANY, ALL or EXACT:<count>`)
    }
  })
}

function readCount(text: string, what: string): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > 0xffff_ffff) throw usage(`${what}: ${excerpt(text)} is no number from 1 to 4294967295`)
  return value
}

function readBase(context: CommandContext, flags: SigningConfigFlags): Services {
  const file = flags['base-config']
  if (file === '') return nothing
  return withPrefix(`loading base config from ${file}`, () =>
    parseSigningConfig(readInputFile(context.cwd, file, 'the signing config', maxSigningConfigBytes)),
  )
}

async function loadDefaults(context: CommandContext, flags: SigningConfigFlags): Promise<Services> {
  if (!flags['with-default-services'] && !flags['with-default-rekor-v2']) return nothing
  const name = flags['with-default-rekor-v2'] ? 'signingConfigRekorV2' : 'signingConfig'
  const bytes = await fetchDefaults(context, name, 'the default signing config')
  return withPrefix('getting the default signing config', () => parseSigningConfig(bytes))
}

/** What is left of services that were not described one by one. */
function withoutDefaults(services: Services, flags: SigningConfigFlags): Services {
  return {
    certificateAuthorities: flags['no-default-fulcio'] ? [] : services.certificateAuthorities,
    oidcIssuers: flags['no-default-oidc'] ? [] : services.oidcIssuers,
    ...(flags['no-default-rekor']
      ? { transparencyLogs: [], transparencyLogSelection: undefined }
      : { transparencyLogs: services.transparencyLogs, transparencyLogSelection: services.transparencyLogSelection }),
    ...(flags['no-default-tsa']
      ? { timestampAuthorities: [], timestampAuthoritySelection: undefined }
      : { timestampAuthorities: services.timestampAuthorities, timestampAuthoritySelection: services.timestampAuthoritySelection }),
  }
}

function warnOfIdleFlags(context: CommandContext, flags: SigningConfigFlags): void {
  if (flags['base-config'] !== '' || flags['with-default-services'] || flags['with-default-rekor-v2']) return
  for (const flag of ['no-default-fulcio', 'no-default-oidc', 'no-default-rekor', 'no-default-tsa'] as const) {
    if (flags[flag]) warn(context, `--${flag} has no effect without --with-default-services, --with-default-rekor-v2 or --base-config`)
  }
}

/** A file for later is no mistake; one that was meant for now is. */
function warnOfUnusable(context: CommandContext, config: SigningConfig): void {
  const now = context.now()
  for (const [services, select] of [
    [config.certificateAuthorities, selectCertificateAuthority],
    [config.oidcIssuers, selectOidcIssuer],
    [config.transparencyLogs, selectTransparencyLogs],
    [config.timestampAuthorities, selectTimestampAuthorities],
  ] as const) {
    if (services.length === 0) continue
    try {
      select(config, now)
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      warn(context, `signing with this config would fail now: ${error.message}`)
    }
  }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
