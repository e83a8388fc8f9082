import { connect } from 'node:net'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Begun } from '../../../support/issuer-client.ts'
import { askForToken, beginSignIn, codeOf, redeem, redirectUri, signIn as signInAs } from '../../../support/issuer-client.ts'
import type { RunningIssuer, Visited } from '../../../support/issuer.ts'
import { openBrowser, runIssuer } from '../../../support/issuer.ts'

const email = 'alice@example.com'
const password = 'correct horse battery'
let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer()
  await running.issuer.users.add({ email, password, name: 'Alice' })
})
afterAll(() => running.stop())

const begin = (changes?: Readonly<Record<string, string>>): Promise<Begun> => beginSignIn(running.url, changes)
const signIn = (url: URL): Promise<Visited> => signInAs(url, { email, password })
const ask = (fields: Readonly<Record<string, string>>): ReturnType<typeof askForToken> =>
  askForToken(running.url, { grant_type: 'authorization_code', client_id: 'sigstore', redirect_uri: redirectUri, ...fields })

describe('the authorization code flow', () => {
  test('gives openid-client a token that it verifies', async () => {
    const begun = await begin()
    const claims = await redeem(begun, await signIn(begun.url))
    const [{ subject } = { subject: '' }] = await running.issuer.users.list()
    expect(claims).toMatchObject({ iss: running.url, aud: 'sigstore', sub: subject, email, email_verified: true, nonce: begun.nonce })
    expect(claims).toMatchObject({ federated_claims: { connector_id: 'local', user_id: subject.slice('local:'.length) } })
    expect(claims.exp - claims.iat).toBe(600)
    expect(running.reported).toEqual([])
  })

  test.each([
    'http://localhost:1/auth/callback',
    'http://127.0.0.1:65535/auth/callback',
    'http://localhost:8080',
    'http://127.0.0.1:9/callback',
  ])('redirects to %s, on whatever port', async (redirect) => {
    const { url } = await begin({ redirect_uri: redirect })
    const { location = '' } = await signIn(url)
    expect(new URL(location).origin).toBe(new URL(redirect).origin)
    expect(new URL(location).searchParams.get('code')).toBeTruthy()
    expect(new URL(location).searchParams.get('iss')).toBe(running.url)
  })

  test('shows the code on a page to a program that the browser cannot reach', async () => {
    const begun = await begin({ redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' })
    const page = await signIn(begun.url)
    const code = /id="code">([^<]+)</.exec(page.text)?.[1] ?? ''
    expect(page.status).toBe(200)
    expect(page.text).toContain('you may close this window')
    const { status, body } = await ask({ code, code_verifier: begun.verifier, redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' })
    expect(status).toBe(200)
    expect(body['id_token']).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('says on a page that nothing was allowed when the person stops', async () => {
    const browser = openBrowser()
    const { url } = await begin({ redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' })
    const page = await browser.proceed(await browser.open(url), {}, '/cancel')
    expect(page.text).toContain('Nothing was allowed')
  })

  test('tells the program when the person stops', async () => {
    const browser = openBrowser()
    const { url, state } = await begin()
    const { location = '' } = await browser.proceed(await browser.open(url), {}, '/cancel')
    const { searchParams } = new URL(location)
    expect([searchParams.get('error'), searchParams.get('state'), searchParams.get('code')]).toEqual(['access_denied', state, null])
  })

  test('leaves out what a scope did not ask for', async () => {
    const begun = await begin({ scope: 'openid' })
    const claims = await redeem(begun, await signIn(begun.url))
    expect(claims['email']).toBeUndefined()
  })

  test('refuses a wrong code verifier, and none', async () => {
    for (const changed of [{ code_verifier: client.randomPKCECodeVerifier() }, {}]) {
      const { url } = await begin()
      const { status, body } = await ask({ code: codeOf(await signIn(url)), ...changed })
      expect([status, body['error'], body['id_token']]).toEqual([400, 'invalid_grant', undefined])
    }
  })

  test('refuses another redirect than the one that the code was sent to', async () => {
    const { url, verifier } = await begin()
    const code = codeOf(await signIn(url))
    const { status, body } = await ask({ code, code_verifier: verifier, redirect_uri: 'http://localhost:1/auth/callback' })
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
  })

  test('takes the name of the public client with an empty secret, as sigstore-python sends it', async () => {
    const { url, verifier } = await begin()
    const fields = { grant_type: 'authorization_code', redirect_uri: redirectUri, code: codeOf(await signIn(url)), code_verifier: verifier }
    const named = (name: string): { authorization: string } => ({ authorization: `Basic ${btoa(`${name}:`)}` })
    expect((await askForToken(running.url, fields, named('somebody'))).status).toBe(401)
    expect((await askForToken(running.url, { ...fields, client_id: 'somebody' }, named('sigstore'))).status).toBe(401)
    const { body } = await askForToken(running.url, fields, named('sigstore'))
    // It takes the access token for the identity token.
    expect(body['access_token']).toBe(body['id_token'])
    expect(body['id_token']).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('takes a code once, even from several at the same time', async () => {
    const { url, verifier } = await begin()
    const code = codeOf(await signIn(url))
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ code, code_verifier: verifier })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const later = await ask({ code, code_verifier: verifier })
    expect([later.status, later.body['error']]).toEqual([400, 'invalid_grant'])
  })

  test('refuses a code after a minute', async () => {
    const { url, verifier } = await begin()
    const code = codeOf(await signIn(url))
    running.advance(61_000)
    const { status, body } = await ask({ code, code_verifier: verifier })
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
  })

  test.each([
    ['another host', { redirect_uri: 'http://evil.example/auth/callback' }],
    ['a host that begins like a loopback', { redirect_uri: 'http://localhost.evil.example:8080/auth/callback' }],
    ['a host behind a user name', { redirect_uri: 'http://localhost:8080@evil.example/auth/callback' }],
    ['a user name before a loopback', { redirect_uri: 'http://evil@localhost:8080/auth/callback' }],
    ['another path', { redirect_uri: 'http://localhost:8080/elsewhere' }],
    ['a path that climbs', { redirect_uri: 'http://localhost:8080/auth/callback/../../evil' }],
    ['https on a loopback', { redirect_uri: 'https://localhost:8080/auth/callback' }],
    ['a script', { redirect_uri: 'javascript:alert(1)' }],
    ['a query of its own', { redirect_uri: 'http://localhost:8080/auth/callback?next=//evil.example' }],
    ['a fragment', { redirect_uri: 'http://localhost:8080/auth/callback#x' }],
    ['no client of ours', { client_id: 'somebody' }],
  ])('does not redirect to %s', async (_, changes) => {
    const { url } = await begin(changes)
    const page = await openBrowser().get(url)
    expect([page.status, page.location]).toEqual([400, undefined])
    expect(page.text).toContain('This sign-in cannot go on')
  })

  test.each([
    ['no code challenge', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['a plain code challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'invalid_request'],
    ['a hybrid response', { response_type: 'code id_token' }, 'invalid_request'],
    ['a response by form', { response_mode: 'form_post' }, 'invalid_request'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ['a request by reference', { request_uri: 'http://127.0.0.1:1/request' }, 'request_uri_not_supported'],
  ])('refuses %s', async (_, changes, error) => {
    const { url } = await begin(changes)
    for (const [name, value] of Object.entries(changes)) if (value === '') url.searchParams.delete(name)
    const answer = await openBrowser().get(url)
    expect(answer.text + decodeURIComponent(answer.location ?? '')).toContain(error)
    expect(answer.location ?? '').not.toContain('code=')
  })
})

describe('discovery', () => {
  test('says what clients of Sigstore look for, and nothing that is not there', async () => {
    const answer = await fetch(`${running.url}/.well-known/openid-configuration`)
    const metadata = (await answer.json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      issuer: running.url,
      authorization_endpoint: `${running.url}/auth`,
      token_endpoint: `${running.url}/token`,
      jwks_uri: `${running.url}/keys`,
      device_authorization_endpoint: `${running.url}/device/code`,
      code_challenge_methods_supported: ['S256'],
      id_token_signing_alg_values_supported: ['ES256'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      subject_types_supported: ['public'],
    })
    expect(metadata['grant_types_supported']).not.toContain('urn:ietf:params:oauth:grant-type:token-exchange')
    expect(metadata['scopes_supported']).toEqual(expect.arrayContaining(['openid', 'email']))
    for (const endpoint of ['userinfo', 'registration', 'introspection', 'revocation', 'end_session', 'pushed_authorization_request']) {
      expect(metadata[`${endpoint}_endpoint`]).toBeUndefined()
    }
  })

  test('publishes public keys only', async () => {
    const { keys } = (await (await fetch(`${running.url}/keys`)).json()) as { keys: Record<string, unknown>[] }
    expect(keys).toHaveLength(1)
    expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(keys).toEqual((await running.issuer.jwks()).keys)
  })

  test('goes by the configured URL, whatever the request says of host and scheme', async () => {
    const { hostname, port } = new URL(running.url)
    const raw = await rawRequest(hostname, Number(port), [
      'GET /oidc/.well-known/openid-configuration HTTP/1.1',
      'Host: evil.example',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
      'Forwarded: host=evil.example;proto=https',
      'Connection: close',
    ])
    expect(raw).toContain(`"token_endpoint":"${running.url}/token"`)
    expect(raw).not.toContain('evil')
  })

  test('keeps redirects on the configured URL too', async () => {
    const { url } = await begin()
    const { hostname, port } = new URL(running.url)
    const raw = await rawRequest(hostname, Number(port), [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      'Host: evil.example',
      'X-Forwarded-Host: evil.example',
      'Connection: close',
    ])
    expect(raw).toMatch(/location: \/oidc\/sign-in\//i)
    expect(raw).not.toContain('evil')
  })
})

test('prints nothing, whatever happens', async () => {
  const printed: string[] = []
  const spies = (['log', 'info', 'warn', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation((...words) => void printed.push(words.join(' '))),
  )
  vi.resetModules()
  await import('../../../../src/server/issuer/issuer.ts')
  const begun = await begin()
  await redeem(begun, await signIn(begun.url))
  await openBrowser().get(`${running.url}/auth?client_id=x`)
  await openBrowser().get(`${running.url}/device`)
  await ask({ code: 'x', code_verifier: 'y' })
  for (const spy of spies) spy.mockRestore()
  expect(printed).toEqual([])
})

function rawRequest(host: string, port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString('utf8')))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}
