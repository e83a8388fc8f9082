import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, decodeJwt, exportJWK, exportSPKI, generateKeyPair } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { messageOf } from '../../../../src/error.ts'
import { askForToken } from '../../../support/issuer-client.ts'
import type { RunningIssuer } from '../../../support/issuer.ts'
import { runIssuer } from '../../../support/issuer.ts'

const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'

/** A continuous integration service that issues tokens. */
interface Foreign {
  readonly url: string
  readonly server: Server
  metadata: Record<string, unknown> | undefined
  redirectTo: string | undefined
  keys: JWK[]
  requests: string[]
}

let foreign: Foreign
let key: CryptoKey
let publicKey: CryptoKey
let running: RunningIssuer

beforeAll(async () => {
  foreign = await startForeign()
  const pair = await generateKeyPair('ES256', { extractable: true })
  key = pair.privateKey
  publicKey = pair.publicKey
})
beforeEach(async () => {
  foreign.metadata = undefined
  foreign.redirectTo = undefined
  foreign.keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }]
  foreign.requests = []
  await running?.stop()
  running = await runIssuer({
    settings: {
      'token-exchange': {
        rules: [
          {
            issuer: foreign.url,
            claims: { repository: 'org/app', ref: ['refs/heads/main', 'refs/heads/next'] },
            identity: { subject: 'https://ci.example.com/app' },
          },
          { issuer: foreign.url, claims: { kind: 'person' }, identity: { email: 'verified' } },
        ],
      },
    },
  })
})
afterAll(async () => {
  await running.stop()
  foreign.server.close()
})

const main = { repository: 'org/app', ref: 'refs/heads/main' }

function foreignToken(
  claims: Readonly<Record<string, unknown>> = main,
  header: Readonly<Record<string, unknown>> = { kid: 'one' },
): SignJWT {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', ...header })
    .setIssuer(foreign.url)
    .setSubject('job-7')
    .setAudience(running.url)
    .setIssuedAt()
    .setExpirationTime('5m')
}

const exchange = (token: string, fields: Readonly<Record<string, string>> = {}): ReturnType<typeof askForToken> =>
  askForToken(running.url, { grant_type: grant, client_id: 'sigstore', subject_token: token, subject_token_type: idTokenType, ...fields })

async function expectRefusal(token: string, reason: RegExp): Promise<void> {
  const { status, body } = await exchange(token)
  expect(body).toEqual({ error: 'invalid_request', error_description: 'the subject token is not accepted' })
  expect(status).toBe(400)
  expect(running.reported.map(messageOf).join('\n')).toMatch(reason)
}

describe('token exchange', () => {
  test('gives a token about whom the rule names', async () => {
    const { status, body } = await exchange(await foreignToken().sign(key))
    expect(status).toBe(200)
    expect(body).toMatchObject({ issued_token_type: idTokenType, token_type: 'N_A', expires_in: 600 })
    const claims = decodeJwt(String(body['access_token']))
    expect(claims).toMatchObject({ iss: running.url, aud: 'sigstore', sub: 'https://ci.example.com/app' })
    expect(claims['email']).toBeUndefined()
    expect(claims['repository']).toBeUndefined()
  })

  test.each([true, 'true'])('gives a token about an address that is verified: %j', async (verified) => {
    const { body } = await exchange(await foreignToken({ kind: 'person', email: 'dev@example.com', email_verified: verified }).sign(key))
    expect(decodeJwt(String(body['access_token']))).toMatchObject({
      email: 'dev@example.com',
      email_verified: true,
      sub: `exchange:${foreign.url}:job-7`,
    })
  })

  test.each([
    ['an address that is not verified', { kind: 'person', email: 'dev@example.com', email_verified: false }, /no verified e-mail/],
    ['an address of which nothing is said', { kind: 'person', email: 'dev@example.com' }, /no verified e-mail/],
    ['an address that is two', { kind: 'person', email: 'a@example.com, b@example.com', email_verified: true }, /no verified e-mail/],
    ['another repository', { ...main, repository: 'org/app2' }, /no rule matches/],
    ['another branch', { ...main, ref: 'refs/heads/main2' }, /no rule matches/],
    ['a claim that is missing', { repository: 'org/app' }, /no rule matches/],
    ['a claim that is a list', { ...main, repository: ['org/app'] }, /no rule matches/],
    ['no claims', {}, /no rule matches/],
  ])('refuses %s', async (_, claims, reason) => {
    await expectRefusal(await foreignToken(claims).sign(key), reason)
  })

  test('refuses a token for somebody else', async () => {
    for (const audience of ['sigstore', `${running.url}/`, 'https://other.example']) {
      await expectRefusal(await foreignToken().setAudience(audience).sign(key), /aud/)
    }
  })

  test('refuses expired tokens, tokens of tomorrow and tokens that never expire', async () => {
    await expectRefusal(await foreignToken().setIssuedAt(1).setExpirationTime(1_000).sign(key), /exp/)
    await expectRefusal(await foreignToken().setNotBefore('1h').sign(key), /nbf/)
    const endless = new SignJWT(main)
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(foreign.url)
      .setAudience(running.url)
      .setSubject('a')
      .setIssuedAt()
    await expectRefusal(await endless.sign(key), /exp/)
  })

  test('refuses another issuer, and one that almost is the one of the rule, without asking it', async () => {
    for (const issuer of ['https://evil.example', `${foreign.url}/`, `${foreign.url}.evil.example`, foreign.url.toUpperCase()]) {
      await expectRefusal(await foreignToken().setIssuer(issuer).sign(key), /is not configured/)
    }
    expect(foreign.requests).toEqual([])
  })

  test('refuses a signature of another key', async () => {
    const other = await generateKeyPair('ES256')
    await expectRefusal(await foreignToken().sign(other.privateKey), /its signature does not verify/)
  })

  test('refuses alg none, and HS256 with the public key as its secret', async () => {
    const payload = Buffer.from(JSON.stringify(decodeJwt(await foreignToken().sign(key)))).toString('base64url')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    await expectRefusal(none, /"none", which is not accepted/)
    const signed = `${Buffer.from('{"alg":"HS256","kid":"one"}').toString('base64url')}.${payload}`
    const mac = createHmac('sha256', await exportSPKI(publicKey))
      .update(signed)
      .digest('base64url')
    await expectRefusal(`${signed}.${mac}`, /"HS256", which is not accepted/)
  })

  test.each([
    ['many dots', 'a.'.repeat(5_000), /three parts/],
    ['a novel', 'a'.repeat(20_000), /more than 16384 characters/],
    ['two parts', 'e30.e30', /three parts/],
    ['five parts', 'e30.e30.e30.e30.e30', /three parts/],
    ['no JSON', 'YQ.YQ.YQ', /not JSON in base64url/],
    ['padded base64', 'e30=.e30=.e30=', /not JSON in base64url/],
    ['a key twice', `${Buffer.from('{"alg":"ES256","alg":"none"}').toString('base64url')}.e30.YQ`, /not JSON in base64url/],
    [
      'deep JSON',
      `${Buffer.from(`{"alg":${'['.repeat(1_000)}${']'.repeat(1_000)}}`).toString('base64url')}.e30.YQ`,
      /not JSON in base64url/,
    ],
    ['a list', 'W10.W10.YQ', /not an object/],
  ])('refuses what is no token: %s', async (_, token, reason) => {
    await expectRefusal(token, reason)
    expect(foreign.requests).toEqual([])
  })

  test('takes no key from the token', async () => {
    const other = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(other.publicKey)
    const token = foreignToken(main, { jwk, jku: `${foreign.url}/elsewhere`, x5u: `${foreign.url}/elsewhere` })
    await expectRefusal(await token.sign(other.privateKey), /cannot be accepted/)
    expect(foreign.requests).not.toContain('/elsewhere')
  })

  test('follows no redirect of the issuer', async () => {
    foreign.redirectTo = `${foreign.url}/stolen`
    await expectRefusal(await foreignToken().sign(key), /redirect/)
    expect(foreign.requests).toEqual(['/.well-known/openid-configuration'])
  })

  test('fetches keys from no other host than the rule allows', async () => {
    for (const uri of [
      'https://evil.example/keys',
      'http://169.254.169.254/keys',
      'file:///etc/passwd',
      `http://user@${new URL(foreign.url).host}/keys`,
    ]) {
      foreign.metadata = { issuer: foreign.url, jwks_uri: uri, id_token_signing_alg_values_supported: ['ES256'] }
      await expectRefusal(await foreignToken().sign(key), /which the configuration does not allow/)
    }
  })

  test('refuses an issuer that calls itself otherwise', async () => {
    foreign.metadata = { issuer: 'https://other.example', jwks_uri: `${foreign.url}/keys` }
    await expectRefusal(await foreignToken().sign(key), /calls itself otherwise/)
  })

  test('refuses an algorithm that the issuer does not announce', async () => {
    foreign.metadata = {
      issuer: foreign.url,
      jwks_uri: `${foreign.url}/keys`,
      id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256'],
    }
    await expectRefusal(await foreignToken().sign(key), /alg/)
  })

  test('remembers keys, and asks again for one that it does not know, but not each time', async () => {
    await exchange(await foreignToken().sign(key))
    await exchange(await foreignToken().sign(key))
    expect(foreign.requests).toHaveLength(2)
    const next = await generateKeyPair('ES256', { extractable: true })
    foreign.keys = [...foreign.keys, { ...(await exportJWK(next.publicKey)), kid: 'two', alg: 'ES256' }]
    const token = await foreignToken(main, { kid: 'two' }).sign(next.privateKey)
    expect((await exchange(token)).status).toBe(400)
    expect(foreign.requests).toHaveLength(2)
    running.advance(31_000)
    expect((await exchange(token)).status).toBe(200)
    expect(foreign.requests).toHaveLength(4)
  })

  test('refuses what it does not do, and says so', async () => {
    const token = await foreignToken().sign(key)
    for (const fields of [
      { audience: 'other' },
      { actor_token: token },
      { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
    ]) {
      expect((await exchange(token, fields as Record<string, string>)).body['error']).toBe('invalid_request')
    }
    expect((await exchange(token, { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' })).status).toBe(400)
  })

  test('is off without rules', async () => {
    const plain = await runIssuer()
    const { status, body } = await askForToken(plain.url, {
      grant_type: grant,
      client_id: 'sigstore',
      subject_token: 'x',
      subject_token_type: idTokenType,
    })
    expect([status, body['error']]).toEqual([400, 'unsupported_grant_type'])
    await plain.stop()
  })

  test('does not tell a token of its own from another: it is for sigstore, not for this issuer', async () => {
    await expectRefusal(await running.issuer.issueToken({ subject: 'a', email: 'a@example.com' }), /is not configured/)
  })
})

function startForeign(): Promise<Foreign> {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      const path = request.url ?? ''
      foreign.requests.push(path)
      if (foreign.redirectTo !== undefined) {
        response.writeHead(302, { location: foreign.redirectTo }).end()
        return
      }
      const metadata = foreign.metadata ?? {
        issuer: foreign.url,
        jwks_uri: `${foreign.url}/keys`,
        id_token_signing_alg_values_supported: ['ES256'],
      }
      const body = path === '/keys' ? { keys: foreign.keys } : metadata
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    server.listen(0, '127.0.0.1', () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      resolve({ url, server, metadata: undefined, redirectTo: undefined, keys: [], requests: [] })
    })
  })
}
