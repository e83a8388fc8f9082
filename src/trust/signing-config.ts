/**
 * Signing configurations, media type v0.2: proto3 JSON, strictly, and the choice among their services
 * (protobuf-specs, SigningConfig, Service and ServiceConfiguration).
 */
import { excerpt } from '../encoding/bytes.ts'
import type { JsonValue } from '../encoding/json.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import type { TimeWindow } from './time-window.ts'
import { readTimeWindow } from './time-window.ts'

/** A signing configuration as its file states it, in its order. */
export interface SigningConfig {
  readonly mediaType: string
  /** Certificate authorities with Fulcio's API, by base URL. */
  readonly certificateAuthorities: readonly SigningService[]
  /** OIDC issuers, by base URL. */
  readonly oidcIssuers: readonly SigningService[]
  /** Rekor, by base URL. */
  readonly transparencyLogs: readonly SigningService[]
  /** RFC 3161 timestamp authorities, by full URL. */
  readonly timestampAuthorities: readonly SigningService[]
  /** How many logs to use; undefined where the file does not say. */
  readonly transparencyLogSelection: ServiceSelection | undefined
  readonly timestampAuthoritySelection: ServiceSelection | undefined
}

export interface SigningService {
  /** As written: `https` or `http`, without credentials. */
  readonly url: string
  /** The API's group number: 1 for Fulcio, OIDC and timestamps, 1 or 2 for Rekor. */
  readonly majorApiVersion: number
  readonly window: TimeWindow
  /** Empty where it is not stated. */
  readonly operator: string
}

export interface ServiceSelection {
  readonly selector: 'ALL' | 'ANY' | 'EXACT' | 'UNDEFINED'
  /** How many, for `EXACT`. */
  readonly count: number
}

export const signingConfigMediaType = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'

/** The longest signing configuration that is read. */
export const maxSigningConfigBytes = 1024 * 1024
const maxServices = 256
const maxUrlLength = 2048

/**
 * Parses a signing configuration.
 * @throws DecodingError JSON_INVALID, TOO_LARGE, SIGNING_CONFIG_INVALID
 */
export function parseSigningConfig(input: Uint8Array | string): SigningConfig {
  return readSigningConfig(parseJson(input, 'the signing config', { maxBytes: maxSigningConfigBytes }))
}

/**
 * Reads a signing configuration that is part of another document.
 * @param path what it is called in messages
 * @throws DecodingError SIGNING_CONFIG_INVALID
 */
export function readSigningConfig(json: JsonValue | undefined, path = 'signingConfig'): SigningConfig {
  const config = new JsonFields(json, path, 'SIGNING_CONFIG_INVALID')
  const mediaType = config.string('mediaType')
  if (mediaType !== signingConfigMediaType) {
    throw config.invalid(`${config.pathOf('mediaType')} should be ${signingConfigMediaType}, found ${excerpt(mediaType, 80)}`)
  }
  config.only('mediaType', 'caUrls', 'oidcUrls', 'rekorTlogUrls', 'rekorTlogConfig', 'tsaUrls', 'tsaConfig')
  const services = (name: string): SigningService[] => config.objects(name, maxServices).map(readService)
  return {
    mediaType,
    certificateAuthorities: services('caUrls'),
    oidcIssuers: services('oidcUrls'),
    transparencyLogs: services('rekorTlogUrls'),
    timestampAuthorities: services('tsaUrls'),
    transparencyLogSelection: readSelection(config.optionalObject('rekorTlogConfig')),
    timestampAuthoritySelection: readSelection(config.optionalObject('tsaConfig')),
  }
}

function readService(service: JsonFields): SigningService {
  service.only('url', 'majorApiVersion', 'validFor', 'operator')
  return {
    url: readUrl(service),
    majorApiVersion: readUint32(service, 'majorApiVersion'),
    window: readTimeWindow(service.optionalObject('validFor'), service, 'required'),
    operator: service.optionalString('operator') ?? '',
  }
}

const selectors = ['ALL', 'ANY', 'EXACT'] as const

function readSelection(selection: JsonFields | undefined): ServiceSelection | undefined {
  if (selection === undefined) return undefined
  selection.only('selector', 'count')
  const text = selection.optionalString('selector') ?? 'SERVICE_SELECTOR_UNDEFINED'
  const selector = selectors.find((known) => known === text) ?? (text === 'SERVICE_SELECTOR_UNDEFINED' ? 'UNDEFINED' : undefined)
  if (selector === undefined) {
    throw selection.invalid(`${selection.pathOf('selector')} should be ANY, ALL or EXACT, found ${excerpt(text)}`)
  }
  return { selector, count: readUint32(selection, 'count') }
}

function readUint32(fields: JsonFields, name: string): number {
  const value = fields.optionalInt64(name) ?? 0n
  if (value < 0n || value > 0xffff_ffffn) throw fields.invalid(`${fields.pathOf(name)} should be from 0 to 4294967295, found ${value}`)
  return Number(value)
}

function readUrl(service: JsonFields): string {
  const text = service.string('url')
  const fault = serviceUrlFault(text)
  if (fault !== undefined) throw service.invalid(`${service.pathOf('url')} ${fault}`)
  return text
}

/** What is wrong with the address of a service, to be read after its name; undefined for an http or https URL without credentials. */
export function serviceUrlFault(text: string): string | undefined {
  const url = text.length <= maxUrlLength && /^https?:\/\/[^\s\\]+$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return `should be an http or https URL, found ${excerpt(text)}`
  // Not repeated: it holds a secret.
  return url.username === '' && url.password === '' ? undefined : 'should be a URL without credentials'
}
