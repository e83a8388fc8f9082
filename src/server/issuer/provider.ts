/** The OpenID provider: `oidc-provider` with everything switched off that no Sigstore client needs, and with our keys, clock and pages. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import type { ClientMetadata, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { clockShift, createProviderAdapter } from './provider-adapter.ts'
import type { ProviderStateOptions } from './provider-adapter.ts'
import { Check, Prompt, Provider as ProviderLibrary, basePolicy } from './provider-library.ts'
import type { Identity, TokenSettings } from './id-token.ts'
import { claimsOf, signIdToken, sigstoreClient } from './id-token.ts'
import { isMachineSecret } from './machine-clients.ts'
import type { ProviderPages } from './provider-pages.ts'
import type { IssuerSettings } from './settings.ts'

export interface ProviderOptions extends ProviderStateOptions {
  readonly tokens: TokenSettings
  readonly settings: IssuerSettings
  readonly pages: ProviderPages
  /** Whom an account is about; undefined when it is there no more. */
  readonly findIdentity: (accountId: string) => Promise<Identity | undefined>
}

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const machineGrant = 'client_credentials'

/** For browsers that cannot reach the program: the code is shown, to be typed into it. */
export const outOfBandRedirect = 'urn:ietf:wg:oauth:2.0:oob'

/** Paths below the issuer. */
export const paths = {
  authorization: '/auth',
  token: '/token',
  jwks: '/keys',
  device: '/device',
  deviceAuthorization: '/device/code',
  discovery: '/.well-known/openid-configuration',
  signIn: '/sign-in',
  signOut: '/sign-out',
  callback: '/callback',
  style: '/style.css',
} as const

/** How long a device may wait, in seconds. */
const deviceLifetime = 600
/** How long somebody may take to sign in, in seconds. */
const interactionLifetime = 1_800
/** Redirects of Sigstore's clients to a port of their own; the port is not compared. */
const loopbackRedirects = ['localhost', '127.0.0.1'].flatMap((host) =>
  ['', '/', '/auth/callback', '/callback'].map((path) => `http://${host}${path}`),
)

/** The provider. Grant types of our own are registered by whoever implements them. */
export function createProvider(options: ProviderOptions): Provider {
  const { tokens, settings } = options
  const provider = new ProviderLibrary(tokens.issuer, configure(options))
  provider.IdToken.prototype.issue = async function issue({ use }) {
    if (use !== 'idtoken') throw new Error(`no ${use} token is ever issued`)
    const claims = await this.payload()
    const authTime = claims['auth_time']
    const ours = typeof authTime === 'number' ? { ...claims, auth_time: authTime + clockShift(tokens.clock) } : claims
    return signIdToken(tokens, ours, this.client.clientId)
  }
  provider.Client.prototype.compareClientSecret = function compareClientSecret(secret) {
    const machine = settings.machines.find(({ id }) => id === this.clientId)
    return machine !== undefined && isMachineSecret(secret, machine['secret-hash'])
  }
  provider.on('device_authorization.success', (_ctx, answer) => {
    // Without it some clients poll as fast as they can.
    answer['interval'] = pollIntervalSeconds
  })
  return provider
}

/** How long a device should wait between two polls. */
export const pollIntervalSeconds = 5

function configure(options: ProviderOptions): Configuration {
  const { settings, tokens, pages, findIdentity } = options
  const off = { enabled: false }
  const { pathname, protocol } = new URL(tokens.issuer)
  const secure = protocol === 'https:'
  // Browsers do not tell the cookies of two ports of a host apart: the name does.
  const instance = createHash('sha256').update(tokens.issuer).digest('hex').slice(0, 8)
  const prefix = `${secure ? '__Secure-' : ''}countersign_${instance}`
  const cookie = { httpOnly: true, sameSite: 'lax', secure, signed: false } as const
  return {
    adapter: createProviderAdapter(options),
    clients: clientsOf(settings),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    clientBasedCORS: () => false,
    claims: { openid: ['sub', 'federated_claims'], email: ['email', 'email_verified'], profile: ['name'] },
    scopes: ['openid', 'email', 'profile'],
    // There is no userinfo: what a scope asks for is in the ID token.
    conformIdTokenClaims: false,
    clockTolerance: 0,
    cookies: {
      names: { session: `${prefix}_session`, interaction: `${prefix}_interaction`, resume: `${prefix}_resume` },
      long: { ...cookie, path: pathname },
      short: cookie,
    },
    responseTypes: ['code'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    expiresWithSession: () => false,
    features: {
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      resourceIndicators: off,
      // For people only: see provider-routes.ts, which lets no program take part.
      rpInitiatedLogout: { enabled: true, logoutSource: pages.signOut, postLogoutSuccessSource: pages.signedOut },
      userinfo: off,
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: () => ({}),
        userCodeInputSource: pages.deviceCodeEntry,
        userCodeConfirmSource: pages.deviceConfirmation,
        successSource: pages.deviceDone,
      },
    },
    findAccount: async (_ctx, accountId) => {
      const identity = await findIdentity(accountId)
      return identity === undefined ? undefined : { accountId, claims: () => Promise.resolve(claimsOf(identity)) }
    },
    interactions: { policy: policyOf(), url: (_ctx, { uid }) => `${pathname === '/' ? '' : pathname}${paths.signIn}/${uid}` },
    jwks: { keys: [placeholderKey()] },
    loadExistingGrant: grantWithoutConsent,
    renderError: pages.error,
    routes: {
      authorization: paths.authorization,
      token: paths.token,
      jwks: paths.jwks,
      code_verification: paths.device,
      device_authorization: paths.deviceAuthorization,
      end_session: paths.signOut,
    },
    ttl: {
      AccessToken: settings['token-lifetime'],
      // A person who carries a code over takes longer than a redirect.
      AuthorizationCode: (_ctx, { redirectUri }) => (redirectUri === outOfBandRedirect ? 300 : 60),
      DeviceCode: deviceLifetime,
      Grant: 3_600,
      IdToken: settings['token-lifetime'],
      Interaction: interactionLifetime,
      // Whoever opens a page has one, and need not come back. From the sign-in on it lives so long, however often it is used.
      Session: (_ctx, { accountId, loginTs }) =>
        accountId === undefined ? interactionLifetime : Math.max(1, settings['session-lifetime'] - secondsSince(loginTs)),
    },
  }
}

/** By the clock of the library. @param instant in epoch seconds; what is none was just now */
function secondsSince(instant: number | undefined): number {
  return instant === undefined ? 0 : Math.max(0, Math.floor(Date.now() / 1000) - instant)
}

function clientsOf(settings: IssuerSettings): ClientMetadata[] {
  const exchange = settings['token-exchange'] === undefined ? [] : [tokenExchangeGrant]
  const sigstore: ClientMetadata = {
    client_id: sigstoreClient,
    client_name: 'Sigstore',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', deviceCodeGrant, ...exchange],
    response_types: ['code'],
    response_modes: ['query'],
    redirect_uris: [...loopbackRedirects, outOfBandRedirect, ...settings['redirect-uris']],
    id_token_signed_response_alg: 'ES256',
  }
  const machines = settings.machines.map(({ id, 'secret-hash': secretHash }): ClientMetadata => ({
    client_id: id,
    // The library never compares it: see compareClientSecret.
    client_secret: secretHash,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: [machineGrant, ...exchange],
    response_types: [],
    redirect_uris: [],
    id_token_signed_response_alg: 'ES256',
  }))
  return [sigstore, ...machines]
}

/**
 * Sign-in, without a page of consent behind it. Who is signed in already is asked before a program gets a token (RFC 8252 section
 * 8.6): another program than the one at the other end of a loopback redirect can pose as it.
 */
function policyOf(): ReturnType<typeof basePolicy> {
  const policy = basePolicy()
  policy.remove('consent')
  const gone = new Check('account_gone', 'the account is there no more', 'login_required', ({ oidc }) => {
    return oidc.session?.accountId !== undefined && oidc.account === undefined
  })
  policy.get('login')?.checks.add(gone)
  const known = new Check('known_session', 'the account was not confirmed', 'account_selection_required', ({ oidc }) => {
    return oidc.session?.accountId !== undefined && oidc.result?.login === undefined && oidc.result?.['select_account'] === undefined
  })
  policy.add(new Prompt({ name: 'select_account', requestable: true }, known))
  return policy
}

/** Whoever signed in has thereby granted what the client may ask for. */
async function grantWithoutConsent(ctx: KoaContextWithOIDC): Promise<InstanceType<Provider['Grant']>> {
  const { account, client, provider } = ctx.oidc
  const grant = new provider.Grant({ accountId: account?.accountId, clientId: client?.clientId })
  grant.addOIDCScope('openid email profile')
  await grant.save()
  return grant
}

/** The library wants a key to start with. It signs nothing: see `issue`. */
function placeholderKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ format: 'jwk' })
}
