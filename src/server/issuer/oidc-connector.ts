/** Sign-in through another OpenID provider: Google, Microsoft, Keycloak, another Countersign. */
import * as client from 'openid-client'
import { CountersignError, messageOf } from '../../error.ts'
import type { Clock } from '../clock.ts'
import type { Connector } from './connector.ts'
import { clockShift } from './provider-adapter.ts'
import type { ConnectorSettings } from './settings.ts'
import { isLoopbackUrl } from './settings.ts'

export interface ConnectorOptions {
  /** Where the upstream issuer sends the browser back to. */
  readonly callbackUrl: string
  readonly clientSecret: string | undefined
  readonly fetch: client.CustomFetch
  readonly clock: Clock
}

/** How long discovered metadata is believed. */
const metadataLifetimeMs = 60 * 60_000

/** A connector that finds the provider's endpoints when it is first used; one that is down breaks only itself. */
export function createOidcConnector(settings: Extract<ConnectorSettings, { type: 'oidc' }>, options: ConnectorOptions): Connector {
  const { id, name } = settings
  let discovered: { readonly metadata: client.ServerMetadata; readonly untilMs: number } | undefined
  const configuration = async (): Promise<client.Configuration> => {
    if (discovered === undefined || discovered.untilMs <= options.clock()) {
      const found = await discover(settings, options)
      discovered = { metadata: found, untilMs: options.clock() + metadataLifetimeMs }
    }
    return configure(settings.issuer, discovered.metadata, settings['client-id'], options)
  }
  return {
    id,
    name,
    authorizationUrl: async ({ state, nonce, verifier }) => {
      try {
        return client.buildAuthorizationUrl(await configuration(), {
          redirect_uri: options.callbackUrl,
          scope: 'openid email profile',
          state,
          nonce,
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        })
      } catch (cause) {
        throw new CountersignError('SIGN_IN_FAILED', `${name} cannot be reached: ${messageOf(cause)}`, { cause })
      }
    },
    identify: async (query, { state, nonce, verifier }) => {
      const claims = await exchangeCode(await configuration(), options.callbackUrl, query, { state, nonce, verifier }, name)
      const { email, sub } = claims
      // Some issuers write it as text.
      const verified = claims.email_verified === true || (claims.email_verified as unknown) === 'true'
      if (typeof email !== 'string' || (!verified && !settings['skip-email-verification'])) {
        throw new CountersignError('SIGN_IN_FAILED', `${name} gave no verified e-mail address`)
      }
      return { userId: sub, email, name: typeof claims.name === 'string' ? claims.name : undefined }
    },
  }
}

/** A client of an issuer whose metadata is known. */
export function configure(
  issuer: string,
  metadata: client.ServerMetadata,
  clientId: string,
  { clientSecret, fetch, clock }: ConnectorOptions,
): client.Configuration {
  const authentication = clientSecret === undefined ? client.None() : client.ClientSecretPost(clientSecret)
  const configuration = new client.Configuration(metadata, clientId, { [client.clockSkew]: clockShift(clock) }, authentication)
  configuration[client.customFetch] = fetch
  if (isLoopbackUrl(issuer)) client.allowInsecureRequests(configuration)
  return configuration
}

async function discover(
  { issuer, 'client-id': clientId, name }: Extract<ConnectorSettings, { type: 'oidc' }>,
  { fetch }: ConnectorOptions,
): Promise<client.ServerMetadata> {
  try {
    const found = await client.discovery(new URL(issuer), clientId, undefined, undefined, {
      [client.customFetch]: fetch,
      ...(isLoopbackUrl(issuer) ? { execute: [client.allowInsecureRequests] } : {}),
    })
    return found.serverMetadata()
  } catch (cause) {
    throw new CountersignError('SIGN_IN_FAILED', `${name} cannot be reached: ${messageOf(cause)}`, { cause })
  }
}

async function exchangeCode(
  configuration: client.Configuration,
  callbackUrl: string,
  query: URLSearchParams,
  { state, nonce, verifier }: { readonly state: string; readonly nonce: string; readonly verifier: string },
  name: string,
): Promise<client.IDToken> {
  try {
    const tokens = await client.authorizationCodeGrant(configuration, new URL(`${callbackUrl}?${query.toString()}`), {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (claims === undefined) throw new CountersignError('SIGN_IN_FAILED', 'it sent no ID token')
    return claims
  } catch (cause) {
    throw new CountersignError('SIGN_IN_FAILED', `${name} did not confirm the sign-in: ${messageOf(cause)}`, { cause })
  }
}
