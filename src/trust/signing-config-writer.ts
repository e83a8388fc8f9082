/** Signing configurations as JSON, media type v0.2. */
import type { ServiceSelection, SigningConfig, SigningService } from './signing-config.ts'
import { encodeTimeWindow } from './time-window.ts'

/** The signing configuration as JSON with an indent, in the order of published ones. */
export function encodeSigningConfig(config: SigningConfig): string {
  return `${JSON.stringify(signingConfigJson(config), undefined, 2)}\n`
}

/** The signing configuration as a JSON object, to be part of another document. */
export function signingConfigJson(config: SigningConfig): object {
  return {
    mediaType: config.mediaType,
    caUrls: config.certificateAuthorities.map(serviceJson),
    oidcUrls: config.oidcIssuers.map(serviceJson),
    rekorTlogUrls: config.transparencyLogs.map(serviceJson),
    tsaUrls: config.timestampAuthorities.map(serviceJson),
    ...selectionJson('rekorTlogConfig', config.transparencyLogSelection),
    ...selectionJson('tsaConfig', config.timestampAuthoritySelection),
  }
}

function serviceJson({ url, majorApiVersion, window, operator }: SigningService): object {
  return { url, majorApiVersion, validFor: encodeTimeWindow(window), ...(operator === '' ? {} : { operator }) }
}

function selectionJson(name: string, selection: ServiceSelection | undefined): object {
  if (selection === undefined) return {}
  const { selector, count } = selection
  return {
    [name]: { selector: selector === 'UNDEFINED' ? 'SERVICE_SELECTOR_UNDEFINED' : selector, ...(count === 0 ? {} : { count }) },
  }
}
