import { createHash, randomBytes } from 'node:crypto'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { RunningIssuer, Visited } from '../../../support/issuer.ts'
import { openBrowser, runIssuer } from '../../../support/issuer.ts'

const email = 'alice@example.com'
const password = 'correct horse battery'
const redirectUri = 'http://localhost:43123/auth/callback'

let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer()
  await running.issuer.users.add({ email, password, name: 'Alice' })
})
afterAll(() => running.stop())

const discover = (): Promise<client.Configuration> =>
  client.discovery(new URL(running.url), 'sigstore', undefined, client.None(), { execute: [client.allowInsecureRequests] })

interface Begun {
  readonly configuration: client.Configuration
  readonly url: URL
  readonly verifier: string
  readonly state: string
  readonly nonce: string
}

async function begin(changes: Readonly<Record<string, string>> = {}): Promise<Begun> {
  const configuration = await discover()
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

async function signIn(url: URL, browser = openBrowser()): Promise<Visited> {
  return browser.proceed(await browser.open(url), { email, password })
}

describe('the authorization code flow', () => {
  test('gives openid-client a token that it verifies', async () => {
    const { configuration, url, verifier, state, nonce } = await begin()
    const end = await signIn(url)
    const tokens = await client.authorizationCodeGrant(configuration, new URL(end.location ?? ''), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    })
    expect(tokens.claims()).toMatchObject({ iss: running.url, aud: 'sigstore', email, email_verified: true, nonce })
    expect(running.reported).toEqual([])
  })
})
