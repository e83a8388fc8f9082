/** What clients have to trust of a server, and the trusted root and signing configurations that say so. */
import type { PublicKey } from '../crypto/public-key.ts'
import type { ClientTrustConfig } from '../trust/client-trust-config.ts'
import type { SigningConfig, SigningService } from '../trust/signing-config.ts'
import { signingConfigMediaType } from '../trust/signing-config.ts'
import type { TimeWindow } from '../trust/time-window.ts'
import { createLogInstance, createTrustedRoot } from '../trust/trusted-root-writer.ts'
import type { AuthorityInstance, TrustedRoot } from '../trust/trusted-root.ts'

/**
 * The public material of a server. In each list the one in use comes first; those of before stay for what they signed, with
 * an end to their window. A window starts a little before the first use, because certificates have whole seconds.
 */
export interface PublicTrust {
  /** Scheme, host and port, such as `https://sigstore.example.com`. */
  readonly origin: string
  /** Address of the TUF repository. */
  readonly tufUrl: string
  /** Chains from the issuing certificate to the root, without leaves. */
  readonly certificateAuthorities: readonly TrustedChain[]
  readonly ctLogs: readonly TrustedLogKey[]
  readonly rekorV1Logs: readonly TrustedLogKey[]
  readonly rekorV2Logs: readonly TrustedLogKey[]
  /** Chains from the certificate that signs timestamps to the root; by full URL. */
  readonly timestampAuthorities: readonly TrustedChain[]
  /** Undefined where certificates are given for tokens of other issuers only. */
  readonly oidcIssuer: TrustedIssuer | undefined
}

export interface TrustedChain {
  readonly url: string
  /** DER. */
  readonly certificates: readonly Uint8Array[]
  readonly window: TimeWindow
}

export interface TrustedLogKey {
  readonly url: string
  readonly publicKey: PublicKey
  readonly window: TimeWindow
}

export interface TrustedIssuer {
  readonly url: string
  /** The client that command line tools sign in as, `sigstore` unless configured otherwise. */
  readonly clientId: string
  readonly window: TimeWindow
}

interface Addressed {
  readonly url: string
  readonly window: TimeWindow
}

/** Which of the two logs signing configurations name: the first choice of clients that speak both. */
export type RekorChoice = 'v1' | 'v2'

/** The trusted root of a server: everything that ever signed for it. */
export function trustedRootOf(trust: PublicTrust): TrustedRoot {
  const logs = (api: 'rekor-v1' | 'rekor-v2' | 'ct', keys: readonly TrustedLogKey[]) =>
    keys.map(({ url, publicKey, window }) => createLogInstance({ api, baseUrl: url, publicKey, window }))
  return createTrustedRoot({
    transparencyLogs: [...logs('rekor-v1', trust.rekorV1Logs), ...logs('rekor-v2', trust.rekorV2Logs)],
    certificateTransparencyLogs: logs('ct', trust.ctLogs),
    certificateAuthorities: trust.certificateAuthorities.map(authorityOf),
    timestampAuthorities: trust.timestampAuthorities.map(authorityOf),
  })
}

/**
 * The signing configuration of a server. With `v2` both logs are in it, as clients choose the newest API that they speak;
 * with `v1`, Rekor v2 is left out if there is a v1 log.
 */
export function signingConfigOf(trust: PublicTrust, rekor: RekorChoice): SigningConfig {
  const operator = new URL(trust.origin).hostname
  const services = (
    instances: readonly { readonly url: string; readonly window: TimeWindow }[],
    majorApiVersion: number,
  ): SigningService[] => mergeByUrl(instances).map(({ url, window }) => ({ url, majorApiVersion, window, operator }))
  const v1 = services(trust.rekorV1Logs, 1)
  const v2 = services(trust.rekorV2Logs, 2)
  const any = { selector: 'ANY', count: 0 } as const
  return {
    mediaType: signingConfigMediaType,
    certificateAuthorities: services(trust.certificateAuthorities, 1),
    oidcIssuers: services(trust.oidcIssuer === undefined ? [] : [trust.oidcIssuer], 1),
    transparencyLogs: rekor === 'v1' && v1.length > 0 ? v1 : [...v2, ...v1],
    timestampAuthorities: services(trust.timestampAuthorities, 1),
    transparencyLogSelection: v1.length + v2.length > 0 ? any : undefined,
    timestampAuthoritySelection: trust.timestampAuthorities.length > 0 ? any : undefined,
  }
}

/** Both in one, for clients without TUF. */
export function clientTrustConfigOf(trust: PublicTrust, rekor: RekorChoice): ClientTrustConfig {
  return { trustedRoot: trustedRootOf(trust), signingConfig: signingConfigOf(trust, rekor) }
}

function authorityOf({ url, certificates, window }: TrustedChain): AuthorityInstance {
  return { uri: url, certificates, window, operator: '' }
}

/** A service has one address and, in the course of time, several keys: its window spans theirs. */
function mergeByUrl(instances: readonly Addressed[]): readonly Addressed[] {
  const merged = new Map<string, TimeWindow>()
  for (const { url, window } of instances) {
    const known = merged.get(url)
    merged.set(url, known === undefined ? window : spanOf(known, window))
  }
  return [...merged].map(([url, window]) => ({ url, window }))
}

function spanOf(a: TimeWindow, b: TimeWindow): TimeWindow {
  return { start: Math.min(a.start, b.start), end: a.end === undefined || b.end === undefined ? undefined : Math.max(a.end, b.end) }
}
