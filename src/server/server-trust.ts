/** What of a server's material clients have to trust. */
import type { TimeWindow } from '../trust/time-window.ts'
import type { CertifiedKey, LogMaterial, ServerMaterial } from './material.ts'
import type { PublicTrust, TrustedChain, TrustedLogKey } from './public-trust.ts'

/** Where the services are on the origin. */
export const servicePaths = { issuer: '/oidc', ctlog: '/ct', tuf: '/tuf', timestamp: '/api/v1/timestamp' } as const

/** The public material of a server. @param url its origin: scheme, host and port */
export function publicTrustOf({ ca, tsa, logs }: ServerMaterial, url: string, hasIssuer: boolean): PublicTrust {
  const keys = (kind: LogMaterial['kind'], path: string): TrustedLogKey[] =>
    newestFirst(logs.filter((log) => log.kind === kind)).map((log) => ({
      url: `${url}${path}`,
      publicKey: log.key.publicKey,
      window: windowOf(log),
    }))
  return {
    origin: url,
    tufUrl: `${url}${servicePaths.tuf}`,
    certificateAuthorities: chainsOf(ca, url),
    ctLogs: keys('ctlog', servicePaths.ctlog),
    rekorV1Logs: keys('rekor-v1', ''),
    rekorV2Logs: keys('rekor-v2', ''),
    timestampAuthorities: chainsOf(tsa, `${url}${servicePaths.timestamp}`),
    oidcIssuer: hasIssuer
      ? { url: `${url}${servicePaths.issuer}`, clientId: 'sigstore', window: { start: firstUse(ca), end: undefined } }
      : undefined,
  }
}

/** The chain in use first. */
function chainsOf(certified: CertifiedKey, url: string): TrustedChain[] {
  return [certified, ...(certified.earlier ?? [])].map((one) => ({ url, certificates: one.chain, window: windowOf(one) }))
}

function firstUse({ since, earlier = [] }: CertifiedKey): number {
  return Math.min(since, ...earlier.map((one) => one.since))
}

function windowOf({ since, until }: { readonly since: number; readonly until?: number | undefined }): TimeWindow {
  return { start: since, end: until }
}

function newestFirst(logs: readonly LogMaterial[]): LogMaterial[] {
  return logs.toSorted((a, b) => b.since - a.since)
}
