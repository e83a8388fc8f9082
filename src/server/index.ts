/**
 * A private Sigstore in this process, for tests: everything in memory, on a free port of this machine, with a clock that can be set.
 *
 * ```ts
 * import { createServer } from 'countersign/server'
 * const server = await createServer()
 * // … point clients at server.url, with server.trustedRoot and server.signingConfig …
 * await server.close()
 * ```
 */
import { UsageError } from '../error.ts'
import { encodeSigningConfig } from '../trust/signing-config-writer.ts'
import { encodeTrustedRoot } from '../trust/trusted-root-writer.ts'
import { createApp } from './app.ts'
import { parseIssuerConfiguration } from './ca/issuer-configuration.ts'
import { defaultServices } from './configuration.ts'
import type { ServiceName } from './configuration.ts'
import { defaultIssuers } from './initialise.ts'
import { parseIssuerSettings } from './issuer/settings.ts'
import type { Listener } from './listener.ts'
import { openListener } from './listener.ts'
import { createMaterial } from './material.ts'
import { createMetrics } from './metrics.ts'
import type { RekorChoice } from './public-trust.ts'
import { signingConfigOf, trustedRootOf } from './public-trust.ts'
import { silentLog } from './request-log.ts'
import { openStorage } from './storage/storage.ts'

export type { ServiceName } from './configuration.ts'

/** What a private Sigstore is to be. */
export interface CreateServerOptions {
  /** 0, the default, for any free port. */
  readonly port?: number
  /** Default all. */
  readonly services?: readonly ServiceName[]
  /** The Rekor API that the signing config prefers; default `v2`. */
  readonly rekor?: RekorChoice
  /** Fulcio's configuration of trusted issuers, YAML; default the server's own issuer alone. */
  readonly issuers?: string
  /** The time that everything starts at, in epoch milliseconds; from then on it passes as usual. Default now. */
  readonly time?: number
}

/** A server that runs. */
export interface PrivateSigstore {
  /** `http://localhost:<port>`. */
  readonly url: string
  /** Trusted root, JSON. */
  readonly trustedRoot: string
  /** Signing config v0.2, JSON. */
  readonly signingConfig: string
  /** The certificate that TUF clients start from, and the address of the repository. */
  readonly tuf: { readonly url: string; readonly root: Uint8Array } | undefined
  /** An identity token of this server's own issuer, for somebody with this e-mail address. @throws UsageError USAGE without an issuer */
  identityToken(email: string): Promise<string>
  /** The server's time, in epoch milliseconds. */
  now(): number
  /** Moves the server's clock by so many milliseconds. */
  advance(milliseconds: number): void
  /** Ends it; everything in it is gone. */
  close(): Promise<void>
}

/** Starts a private Sigstore. @throws CountersignError NETWORK_FAILED when the port is taken, CONFIGURATION_INVALID for the issuers */
export async function createServer(options: CreateServerOptions = {}): Promise<PrivateSigstore> {
  const listener = await openListener({ host: '127.0.0.1', port: options.port ?? 0, tls: undefined, behindProxy: false })
  try {
    return await startOn(listener, options)
  } catch (error) {
    await listener.close(0)
    throw error
  }
}

async function startOn(listener: Listener, options: CreateServerOptions): Promise<PrivateSigstore> {
  const { services = defaultServices, rekor = 'v2' } = options
  let shift = options.time === undefined ? 0 : options.time - Date.now()
  const clock = (): number => Date.now() + shift
  const url = `http://localhost:${listener.port}`
  const issuers = parseIssuerConfiguration(options.issuers ?? defaultIssuers(url), 'issuers')
  const storage = await openStorage({ kind: 'memory' }, { clock })
  const app = await createApp({
    url,
    material: createMaterial({ hostname: 'localhost', now: clock() }),
    storage,
    services,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    rekor,
    serveMetrics: true,
    behindProxy: false,
    rateLimit: undefined,
    issuers,
    issuerSettings: parseIssuerSettings({}),
    // The clock that is watched passes as the server's does.
    steadyClock: () => performance.now() + shift,
  })
  await app.start()
  listener.answer(app.origin)
  const { trust, issuer, tuf } = app
  const root = await tuf?.file('1.root.json')
  return {
    url,
    tuf: root === undefined ? undefined : { url: trust.tufUrl, root },
    identityToken: async (email) => {
      if (issuer === undefined) throw new UsageError('USAGE', 'this server has no issuer: name it in services')
      return issuer.issueToken({ subject: `test:${email}`, email })
    },
    trustedRoot: encodeTrustedRoot(trustedRootOf(trust)),
    signingConfig: encodeSigningConfig(signingConfigOf(trust, rekor)),
    now: clock,
    advance: (milliseconds) => {
      shift += milliseconds
    },
    close: async () => {
      await listener.close(0)
      await app.close()
      await storage.close()
    },
  }
}
