import * as client from 'openid-client'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMachineSecret } from '../../../../src/server/issuer/machine-clients.ts'
import { parseIssuerSettings } from '../../../../src/server/issuer/settings.ts'
import { askForToken, discover } from '../../../support/issuer-client.ts'
import type { RunningIssuer } from '../../../support/issuer.ts'
import { runIssuer } from '../../../support/issuer.ts'

const builder = createMachineSecret()
const releaser = createMachineSecret()
let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer({
    settings: {
      machines: [
        { id: 'builder', 'secret-hash': builder.secretHash, subject: 'https://ci.example.com/builder' },
        { id: 'releaser', 'secret-hash': releaser.secretHash, email: 'releases@example.com' },
      ],
    },
  })
})
afterAll(() => running.stop())

const basic = (id: string, secret: string): { authorization: string } => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
const ask = (headers: Readonly<Record<string, string>>, fields: Readonly<Record<string, string>> = {}): ReturnType<typeof askForToken> =>
  askForToken(running.url, { grant_type: 'client_credentials', ...fields }, headers)

describe('a machine client', () => {
  test('gets an ID token for sigstore about its configured subject', async () => {
    const { status, body } = await ask(basic('builder', builder.secret))
    expect(status).toBe(200)
    const { payload } = await jwtVerify(String(body['access_token']), createLocalJWKSet(await running.issuer.jwks()), {
      issuer: running.url,
      audience: 'sigstore',
    })
    expect(payload.sub).toBe('https://ci.example.com/builder')
    expect(payload['email']).toBeUndefined()
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600 })
  })

  test('gets one about its e-mail address, through openid-client', async () => {
    const configuration = await discover(running.url, 'releaser', client.ClientSecretPost(releaser.secret))
    const tokens = await client.clientCredentialsGrant(configuration)
    expect(tokens.claims()).toMatchObject({
      sub: 'machine:releaser',
      email: 'releases@example.com',
      email_verified: true,
    })
  })

  test.each([
    ['a wrong secret', basic('builder', releaser.secret)],
    ['the hash of its secret', basic('builder', builder.secretHash)],
    ['no secret', basic('builder', '')],
    ['an unknown name', basic('nobody', builder.secret)],
    ['the name of the public client', basic('sigstore', builder.secret)],
    ['nothing', {}],
  ])('gets nothing with %s', async (_, headers) => {
    const { status, body } = await ask(headers)
    expect([400, 401]).toContain(status)
    expect(body['error']).toMatch(/invalid_client|invalid_request/)
    expect(JSON.stringify(body)).not.toContain('eyJ')
  })

  test('cannot use the flows of people, nor people its own', async () => {
    expect((await ask({}, { client_id: 'sigstore' })).body['error']).toBe('invalid_request')
    const code = await ask(basic('builder', builder.secret), {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: 'http://localhost',
    })
    expect(code.body['error']).toBe('invalid_request')
    const page = await fetch(`${running.url}/auth?client_id=builder&response_type=code&scope=openid&redirect_uri=http://localhost`, {
      redirect: 'manual',
    })
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
  })

  test('does not choose whom its token is about', async () => {
    const { body } = await ask(basic('builder', builder.secret), {
      scope: 'openid email admin',
      sub: 'alice',
      email: 'alice@example.com',
      audience: 'evil',
    })
    expect(decodeJwt(String(body['access_token']))).toMatchObject({ sub: 'https://ci.example.com/builder', aud: 'sigstore' })
    expect(decodeJwt(String(body['access_token']))['email']).toBeUndefined()
  })
})

test('the program that holds the issuer makes tokens without a request', async () => {
  const token = await running.issuer.issueToken({ subject: 'test', email: 'test@example.com' }, { claims: { nonce: 'n', sub: 'other' } })
  const { payload } = await jwtVerify(token, createLocalJWKSet(await running.issuer.jwks()), { issuer: running.url, audience: 'sigstore' })
  expect(payload).toMatchObject({ sub: 'test', email: 'test@example.com', email_verified: true, nonce: 'n' })
})

describe('settings', () => {
  const machine = { id: 'builder', 'secret-hash': builder.secretHash, subject: 'https://ci.example.com/builder' }
  const rule = { issuer: 'https://ci.example.com', claims: { repository: 'a/b' }, identity: { subject: 'x' } }
  const connector = {
    id: 'google',
    name: 'Google',
    type: 'oidc',
    issuer: 'https://accounts.google.com',
    'client-id': 'x',
    'email-domains': 'any',
  }

  test('have defaults for everything', () => {
    expect(parseIssuerSettings({})).toMatchObject({
      algorithm: 'RS256',
      'token-lifetime': 600,
      'local-users': true,
      machines: [],
      connectors: [],
    })
  })

  test.each([
    ['an unknown field', { machine: [] }, /issuer\.settings.*machine/s],
    ['a symmetric algorithm', { algorithm: 'HS256' }, /issuer\.settings\.algorithm/],
    ['tokens that live for a day', { 'token-lifetime': 86_400 }, /token-lifetime/],
    ['a secret instead of its hash', { machines: [{ ...machine, 'secret-hash': builder.secret }] }, /machines\.0\.secret-hash/],
    ['a machine without an identity', { machines: [{ id: 'a', 'secret-hash': builder.secretHash }] }, /needs a subject or an email/],
    ['a machine twice', { machines: [machine, machine] }, /builder twice/],
    ['a machine that is called sigstore', { machines: [{ ...machine, id: 'sigstore' }] }, /public client/],
    ['a machine that poses as a local user', { machines: [{ ...machine, subject: 'local:1' }] }, /could be another's/],
    [
      'a machine that poses as a user of a connector',
      { connectors: [connector], machines: [{ ...machine, subject: 'google:1' }] },
      /could be another's/,
    ],
    [
      'a rule that poses as a machine',
      { 'token-exchange': { rules: [{ ...rule, identity: { subject: 'machine:a' } }] } },
      /could be another's/,
    ],
    [
      'two issuers of which one could speak for the other',
      {
        'token-exchange': {
          rules: [
            { ...rule, identity: { email: 'verified' } },
            { ...rule, issuer: 'https://ci.example.com:8443', identity: { email: 'verified' } },
          ],
        },
      },
      /subjects of https:\/\/ci\.example\.com:8443 could be another's/,
    ],
    ['a rule without claims', { 'token-exchange': { rules: [{ ...rule, claims: {} }] } }, /one claim at least/],
    ['a rule for plain http', { 'token-exchange': { rules: [{ ...rule, issuer: 'http://ci.example.com' }] } }, /an https URL/],
    ['a rule that names an address', { 'token-exchange': { rules: [{ ...rule, identity: { email: 'a@example.com' } }] } }, /identity/],
    ['an exchange without rules', { 'token-exchange': { rules: [] } }, /rules/],
    ['a connector that is called local', { connectors: [{ ...connector, id: 'local' }] }, /connectors\.0\.id/],
    ['a connector whose issuer has a user', { connectors: [{ ...connector, issuer: 'https://a@accounts.google.com' }] }, /without user/],
    ['a connector that does not say whom it lets in', { connectors: [{ ...connector, 'email-domains': undefined }] }, /email-domains/],
    ['a connector of an unknown type', { connectors: [{ ...connector, type: 'saml' }] }, /connectors\.0/],
  ])('refuse %s', (_, settings, message) => {
    expect(() => parseIssuerSettings(settings)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(message) as string }),
    )
  })
})
