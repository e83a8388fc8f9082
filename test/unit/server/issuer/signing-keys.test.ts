import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, describe, expect, test } from 'vitest'
import { createIssuer } from '../../../../src/server/issuer/issuer.ts'
import { parseIssuerSettings } from '../../../../src/server/issuer/settings.ts'
import type { DocumentStore } from '../../../../src/server/storage/document-store.ts'
import { askForToken } from '../../../support/issuer-client.ts'
import type { RunOptions, RunningIssuer } from '../../../support/issuer.ts'
import { runIssuer } from '../../../support/issuer.ts'

const dayMs = 86_400_000
const running: RunningIssuer[] = []
const run = async (options: RunOptions): Promise<RunningIssuer> => {
  const started = await runIssuer(options)
  running.push(started)
  return started
}
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})

const kidsOf = async ({ issuer }: RunningIssuer): Promise<(string | undefined)[]> => (await issuer.jwks()).keys.map(({ kid }) => kid)
const kidOfToken = async ({ issuer }: RunningIssuer): Promise<string | undefined> =>
  decodeProtectedHeader(await issuer.issueToken({ subject: 'a' })).kid

describe('signing keys', () => {
  test('are announced a day before they sign, and kept until what they signed has expired', async () => {
    const server = await run({ settings: { 'key-rotation-days': 30 } })
    const [first] = await kidsOf(server)
    server.advance(29 * dayMs - 60_000)
    expect(await kidsOf(server)).toEqual([first])

    server.advance(60_000)
    const [, second] = await kidsOf(server)
    expect(second).toBeDefined()
    expect(await kidOfToken(server)).toBe(first)

    server.advance(dayMs - 60_000)
    const last = await server.issuer.issueToken({ subject: 'a' })
    expect(decodeProtectedHeader(last).kid).toBe(first)
    server.advance(60_000)
    expect(await kidOfToken(server)).toBe(second)
    await jwtVerify(last, createLocalJWKSet(await server.issuer.jwks()), { currentDate: new Date(server.clock()) })

    server.advance(10 * 60_000 + 15 * 60_000 - 1_000)
    expect(await kidsOf(server)).toEqual([first, second])
    server.advance(31_000)
    expect(await kidsOf(server)).toEqual([second])
  })

  test('are never a surprise to who keeps the JWKS for a day, over a year', async () => {
    const server = await run({ settings: { 'key-rotation-days': 7 } })
    let kept = await kidsOf(server)
    const used = new Set<string | undefined>()
    for (let day = 0; day < 365; day++) {
      server.advance(dayMs - 60_000)
      const kid = await kidOfToken(server)
      expect(kept).toContain(kid)
      used.add(kid)
      kept = await kidsOf(server)
      expect(kept.length).toBeLessThanOrEqual(3)
    }
    expect(used.size).toBeGreaterThan(40)
  })

  test('are the same for two servers on one store, even when both rotate at once', async () => {
    const one = await run({})
    const two = await run({ documents: one.documents, secret: one.secret, clock: one.clock })
    expect(await kidsOf(two)).toEqual(await kidsOf(one))
    one.advance(90 * dayMs)
    await Promise.all([one.issuer.jwks(), two.issuer.jwks(), one.issuer.jwks()])
    expect(await kidsOf(two)).toEqual(await kidsOf(one))
    expect(await kidsOf(two)).toHaveLength(2)
    const token = await one.issuer.issueToken({ subject: 'a' })
    await jwtVerify(token, createLocalJWKSet(await two.issuer.jwks()), { currentDate: new Date(one.clock()) })
  })

  test('made at the same time by two servers that start on an empty store are one', async () => {
    const probe = await run({})
    const { documents, secret, clock } = probe
    await documents.delete('issuer-keys', '000001')
    const servers = await Promise.all([run({ documents, secret, clock }), run({ documents, secret, clock })])
    const [one, two] = await Promise.all(servers.map(kidsOf))
    expect(one).toEqual(two)
    expect(one).toHaveLength(1)
  })

  test('sign with RS256 where that is configured, which takes over like any next key', async () => {
    const before = await run({})
    const after = await run({ documents: before.documents, secret: before.secret, clock: before.clock, settings: { algorithm: 'RS256' } })
    expect(decodeProtectedHeader(await after.issuer.issueToken({ subject: 'a' })).alg).toBe('ES256')
    const metadata = await (await fetch(`${after.url}/.well-known/openid-configuration`)).json()
    expect(metadata).toMatchObject({ id_token_signing_alg_values_supported: ['ES256', 'RS256'] })
    before.advance(dayMs + 1_000)
    const token = await after.issuer.issueToken({ subject: 'a' })
    expect(decodeProtectedHeader(token).alg).toBe('RS256')
    await jwtVerify(token, createLocalJWKSet(await after.issuer.jwks()), { currentDate: new Date(after.clock()) })
  })

  test('sign with RS256 unless something else is configured: cosign takes no other token on its command line', async () => {
    const { issuer } = await run({ settings: { algorithm: undefined } })
    expect(decodeProtectedHeader(await issuer.issueToken({ subject: 'a' })).alg).toBe('RS256')
    expect((await issuer.jwks()).keys).toEqual([expect.objectContaining({ kty: 'RSA', alg: 'RS256' })])
  })

  test('whose first could not be stored say so to whoever needs one, and are made by the next who does', async () => {
    const { documents, secret, clock } = await run({})
    await documents.delete('issuer-keys', '000001')
    let isBroken = true
    const unstable: DocumentStore = {
      ...documents,
      put: (...words) => (isBroken ? Promise.reject(new Error('the disk is full')) : documents.put(...words)),
    }
    const options = { documents: unstable, secret, clock, url: 'https://sigstore.example.com/oidc' }
    const issuer = await createIssuer({ ...options, settings: parseIssuerSettings({ algorithm: 'ES256' }) })
    await expect(issuer.jwks()).rejects.toThrow('the disk is full')
    isBroken = false
    expect((await issuer.jwks()).keys).toHaveLength(1)
    await issuer.close?.()
  })

  test('cannot be opened with another secret, and are not in the store in the clear', async () => {
    const server = await run({})
    const { documents } = server
    await expect(run({ documents })).rejects.toMatchObject({
      code: 'KEY_DECRYPTION_FAILED',
      message: expect.stringContaining('secret file') as string,
    })
    const [stored] = await documents.list('issuer-keys', 10)
    expect(stored?.json).not.toMatch(/PRIVATE|"d":/)
    const tampered = (stored?.json ?? '').replace(/"privateKey":"./, '"privateKey":"_')
    await documents.put('issuer-keys', '000001', tampered)
    await expect(run({ documents, secret: server.secret })).rejects.toMatchObject({ code: 'KEY_DECRYPTION_FAILED' })
  })

  test('cannot be moved to another place in the store', async () => {
    const server = await run({})
    const [stored] = await server.documents.list('issuer-keys', 10)
    await server.documents.put('issuer-keys', '000002', stored?.json ?? '')
    await expect(run({ documents: server.documents, secret: server.secret })).rejects.toMatchObject({ code: 'KEY_DECRYPTION_FAILED' })
  })
})

test('an issuer whose clock is set far ahead gives tokens of that time', async () => {
  const ahead = Date.parse('2031-05-01T12:00:00Z')
  const server = await run({ clock: () => ahead })
  const { payload } = await jwtVerify(await server.issuer.issueToken({ subject: 'a' }), createLocalJWKSet(await server.issuer.jwks()), {
    currentDate: new Date(ahead),
  })
  expect(payload.iat).toBe(ahead / 1000)
  expect(
    (
      await askForToken(server.url, {
        grant_type: 'authorization_code',
        client_id: 'sigstore',
        code: 'x',
        redirect_uri: 'http://localhost',
      })
    ).status,
  ).toBe(400)
})

test.each([
  ['a slash at its end', { path: '/oidc/' }],
  ['a query', { path: '/oidc?x=1' }],
  ['a fragment', { path: '/oidc#x' }],
])('an issuer does not start with a URL that has %s', async (_, options) => {
  await expect(run(options)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
})

test('an issuer does not start with a short secret', async () => {
  await expect(run({ secret: new Uint8Array(16) })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
})
