/** What a program does that signs somebody in: `openid-client` against an issuer of ours. */
import * as client from 'openid-client'
import type { Browser, Visited } from './issuer.ts'
import { openBrowser } from './issuer.ts'

export const redirectUri = 'http://localhost:43123/auth/callback'

/** A sign-in that a program has begun. */
export interface Begun {
  readonly configuration: client.Configuration
  /** Where the browser goes. */
  readonly url: URL
  readonly verifier: string
  readonly state: string
  readonly nonce: string
}

/** A client of the issuer, as `sigstore` unless another is given. */
export function discover(issuer: string, clientId = 'sigstore', authentication = client.None()): Promise<client.Configuration> {
  return client.discovery(new URL(issuer), clientId, undefined, authentication, { execute: [client.allowInsecureRequests] })
}

/** Begins the authorization code flow. */
export async function beginSignIn(issuer: string, changes: Readonly<Record<string, string>> = {}): Promise<Begun> {
  const configuration = await discover(issuer)
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: 'openid email',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...changes,
  })
  return { configuration, url, verifier, state, nonce }
}

/** Walks the browser through the sign-in page. */
export async function signIn(
  url: URL,
  credentials: { readonly email: string; readonly password: string },
  browser: Browser = openBrowser(),
): Promise<Visited> {
  return browser.proceed(await browser.open(url), { ...credentials })
}

/** The claims of the token that a sign-in ends with. */
export async function redeem({ configuration, verifier, state, nonce }: Begun, end: Visited): Promise<client.IDToken> {
  const tokens = await client.authorizationCodeGrant(configuration, new URL(end.location ?? ''), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  })
  const claims = tokens.claims()
  if (claims === undefined) throw new Error('there is no ID token')
  return claims
}

/** The code that a redirect brought. */
export function codeOf(end: Visited): string {
  return new URL(end.location ?? '').searchParams.get('code') ?? ''
}

/** What the token endpoint says to these parameters. */
export async function askForToken(
  issuer: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(fields), headers })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}
