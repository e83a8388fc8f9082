/**
 * The OpenID issuer of the server: who wants to sign something says here who they are, and gets an ID token for the certificate
 * authority. People have a local password or sign in upstream; machines have a secret, or a token of another issuer.
 */
import { EventEmitter } from 'node:events'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { JWK } from 'jose'
import { CountersignError } from '../../error.ts'
import { request } from '../../http/fetch.ts'
import type { Clock } from '../clock.ts'
import { answerStyleSheet } from '../page/style.ts'
import type { Service } from '../service.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import { openAccounts } from './accounts.ts'
import { createAttemptLimit } from './attempt-limit.ts'
import type { Connector } from './connector.ts'
import { openDeviceGrants } from './device-grants.ts'
import { createGitHubConnector } from './github-connector.ts'
import { registerGrants } from './grants.ts'
import type { Identity, TokenOptions } from './id-token.ts'
import { claimsOf, signIdToken, sigstoreClient } from './id-token.ts'
import { createOidcConnector } from './oidc-connector.ts'
import type { ScryptParameters } from './password.ts'
import { createProvider, paths } from './provider.ts'
import { endSessions } from './provider-adapter.ts'
import { createProviderPages } from './provider-pages.ts'
import { createProviderRoutes } from './provider-routes.ts'
import { createSealing } from './sealing.ts'
import type { IssuerSettings } from './settings.ts'
import { createSignInRoutes } from './sign-in.ts'
import { openSigningKeys } from './signing-keys.ts'
import { createTokenExchange } from './token-exchange.ts'
import type { Send } from './upstream-fetch.ts'
import { createUpstreamFetch } from './upstream-fetch.ts'
import { openUpstreamSignIns } from './upstream-sign-in.ts'
import type { Users } from './users.ts'
import { openUsers } from './users.ts'

export interface IssuerOptions {
  /** The issuer's name and address, such as `https://sigstore.example.com/oidc`: no slash at its end. */
  readonly url: string
  readonly documents: DocumentStore
  /** 32 bytes that seal what is kept; with others, nothing of it can be opened. */
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly settings: IssuerSettings
  /** Reads the file that a connector's `client-secret` names; needed only where there is one. */
  readonly readSecret?: (file: string) => Promise<string>
  /** Whether a proxy stands in front, whose `X-Forwarded-For` is believed. */
  readonly behindProxy?: boolean
  /** The HTTP client for upstream issuers; default that of `src/http`. */
  readonly send?: Send
  /** Is told what a person or a client is not: why a token was refused, what an upstream issuer did wrong. Holds no secrets. */
  readonly onError?: (error: unknown) => void
  /** Of new password hashes; weaker ones are for tests. */
  readonly scrypt?: ScryptParameters
}

export interface Issuer extends Service {
  readonly url: string
  readonly users: Users
  /** The public keys, for who verifies in this process. */
  jwks(): Promise<{ keys: JWK[] }>
  /** A token about this identity, valid from now on: for tests and for programs that hold the server's keys anyway. */
  issueToken(identity: Identity, options?: TokenOptions): Promise<string>
}

const dayMs = 86_400_000
/** How long before it signs a key is published: many times what relying parties keep a JWKS for. */
const announceMs = dayMs
/** How long a key stays after the last token that it signed has expired: for clocks that are behind. */
const keepGraceMs = 15 * 60_000
const maintenanceMs = 15 * 60_000

/**
 * Creates the issuer; its first key is made where there is none.
 * @throws CountersignError CONFIGURATION_INVALID for an unusable URL or secret, KEY_DECRYPTION_FAILED for a secret that is not the one
 *   that the keys in the store were sealed with
 */
export async function createIssuer(options: IssuerOptions): Promise<Issuer> {
  const { url, documents, clock, settings, behindProxy = false, send = request, onError: reportError = () => {} } = options
  const mount = mountOf(url)
  const style = `${mount}${paths.style}`
  const sealing = createSealing(options.secret)
  const state = { documents, sealing, clock }
  const keys = await openSigningKeys({
    ...state,
    algorithm: settings.algorithm,
    rotationMs: settings['key-rotation-days'] * dayMs,
    announceMs,
    keepMs: settings['token-lifetime'] * 1000 + keepGraceMs,
  })
  const tokens = { issuer: url, keys, clock, lifetimeSeconds: settings['token-lifetime'] }
  const users = openUsers({
    ...state,
    endSessions: (subject) => endSessions(state, subject),
    ...(options.scrypt ? { scrypt: options.scrypt } : {}),
  })
  const accounts = openAccounts({ ...state, users, settings })
  const connectors = await createConnectors(options, send)
  const attempts = createAttemptLimit(state)
  const signOut = `${mount}${paths.signOut}`
  const pages = createProviderPages(style, signOut, async (accountId) => (await accounts.find(accountId))?.email)
  const provider = createProvider({ ...state, tokens, settings, pages, findIdentity: async (accountId) => accounts.find(accountId) })
  // Koa prints what nobody listens for.
  EventEmitter.prototype.on.call(provider, 'error', reportError)
  provider.on('server_error', (_ctx, error) => reportError(error))
  const rules = settings['token-exchange']?.rules
  const exchange = rules === undefined ? undefined : createTokenExchange({ issuer: url, rules, clock, send })
  registerGrants(provider, { tokens, settings, exchange, reportError })

  const place = { issuer: url, mount, style, provider, attempts, behindProxy, reportError }
  const routes = new Hono<{ Bindings: Partial<HttpBindings> }>()
  routes.get(style, (c) => answerStyleSheet(c.req.query('v')))
  routes.route('/', createProviderRoutes({ ...place, keys, deviceGrants: openDeviceGrants(state) }))
  routes.route(
    '/',
    createSignInRoutes({
      ...place,
      sealing,
      users,
      accounts,
      connectors,
      withPassword: settings['local-users'],
      upstream: openUpstreamSignIns(state),
    }),
  )
  let timer: NodeJS.Timeout | undefined
  return {
    url,
    users,
    routes: routes as unknown as Service['routes'],
    limitedReads: [paths.authorization, paths.signIn, paths.signOut, paths.device].map((path) => `${mount}${path}`),
    jwks: async () => keys.jwks(),
    issueToken: (identity, { audience = sigstoreClient, claims = {} } = {}) =>
      signIdToken(tokens, { ...claims, ...claimsOf(identity) }, audience),
    start: () => {
      timer = setInterval(() => void keys.rotate().catch(reportError), maintenanceMs)
      timer.unref()
    },
    close: () => clearInterval(timer),
  }
}

async function createConnectors({ url, clock, settings, readSecret }: IssuerOptions, send: Send): Promise<readonly Connector[]> {
  const fetch = createUpstreamFetch(send)
  return Promise.all(
    settings.connectors.map(async (connector) => {
      const file = connector['client-secret']
      if (file !== undefined && readSecret === undefined) {
        throw new CountersignError('CONFIGURATION_INVALID', `the connector ${connector.id} has a secret file, which nobody reads`)
      }
      const clientSecret = file === undefined ? undefined : (await readSecret?.(file))?.trim()
      const common = { callbackUrl: `${url}${paths.callback}/${connector.id}`, clientSecret, fetch, clock }
      return connector.type === 'github' ? createGitHubConnector(connector, common) : createOidcConnector(connector, common)
    }),
  )
}

function mountOf(url: string): string {
  const isUsable = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  if (!isUsable || url.endsWith('/') || new URL(url).search !== '' || new URL(url).hash !== '' || new URL(url).username !== '') {
    throw new CountersignError('CONFIGURATION_INVALID', `the issuer's URL should be like https://host/oidc, found ${url}`)
  }
  const { pathname } = new URL(url)
  return pathname === '/' ? '' : pathname
}
