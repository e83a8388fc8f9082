import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { PrivateSigstore } from '../../../src/server/index.ts'
import { createServer } from '../../../src/server/index.ts'
import { createVerifier } from '../../../src/verify/verifier.ts'
import { sign } from '../../../src/index.ts'

const artifact = new TextEncoder().encode('Hello, supply chain!')
const hour = 3_600_000
let server: PrivateSigstore

beforeAll(async () => {
  server = await createServer()
})
afterAll(() => server.close())

function signHere(instance: PrivateSigstore, identityToken: string): ReturnType<typeof sign> {
  return sign(artifact, {
    identityToken,
    signingConfig: instance.signingConfig,
    trustedRoot: instance.trustedRoot,
    now: () => instance.now(),
  })
}

function verifierFor(instance: PrivateSigstore, email: string): ReturnType<typeof createVerifier> {
  return createVerifier({
    trust: loadTrustMaterial(instance.trustedRoot),
    identities: [{ subjectAlternativeName: email, issuer: `${instance.url}/oidc` }],
  })
}

describe('a private Sigstore in this process', () => {
  test('is ready, and says so', async () => {
    const answer = await fetch(`${server.url}/readyz`)
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'READY', reasons: [] }])
  })

  test.each([
    '/readyz',
    '/api/v1/log',
    '/api/v2/configuration',
    '/api/v2/checkpoint',
    '/ct/ct/v1/get-sth',
    '/tuf/1.root.json',
    '/oidc/.well-known/openid-configuration',
    '/oidc/keys',
  ])('gives the same answer to clients that put %s behind a base address with a slash at its end', async (where) => {
    const text = async (path: string): Promise<string> => {
      const answer = await fetch(server.url + path)
      expect([path, answer.status]).toEqual([path, 200])
      return answer.text()
    }
    const usual = await text(where)
    expect(await text(`/${where}`)).toBe(usual)
    expect(await text(where.replace(/\/(?=[^/]*$)/, '//'))).toBe(usual)
  })

  test.each(['/api/v2/signingCert', '/api/v1/log/entries', '/api/v2/log/entries', '/api/v1/timestamp', '/oidc/token'])(
    'reads what such clients send to %s',
    async (where) => {
      const send = async (path: string): Promise<number> => (await fetch(server.url + path, { method: 'POST', body: '{' })).status
      expect(await send(`/${where}`)).toBe(await send(where))
      expect(await send(where)).not.toBe(404)
    },
  )

  test('has somebody sign whom it knows, and everybody can verify it', async () => {
    const { bundle } = await signHere(server, await server.identityToken('dev@example.com'))
    const evidence = verifierFor(server, 'dev@example.com').verify(bundle, artifact)
    expect(evidence.logEntries).toHaveLength(1)
  })

  test('is not what another one with the same address would be', async () => {
    const { bundle } = await signHere(server, await server.identityToken('dev@example.com'))
    const other = await createServer()
    try {
      expect(() => verifierFor(other, 'dev@example.com').verify(bundle, artifact)).toThrow(/trusted root/)
    } finally {
      await other.close()
    }
  })

  test('that does not start leaves its port to others', async () => {
    const first = await createServer()
    const port = Number(new URL(first.url).port)
    await first.close()
    await expect(createServer({ port, issuers: 'no configuration' })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    await (await createServer({ port })).close()
  })

  test('gives nobody a certificate for a token that it did not make', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const forged = await new SignJWT({ email: 'dev@example.com', email_verified: true })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(`${server.url}/oidc`)
      .setAudience('sigstore')
      .setSubject('somebody')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
    await expect(signHere(server, forged)).rejects.toThrow(/There was an error processing the identity token/)
  })

  test('takes the time from its own clock: a token of yesterday is none', async () => {
    const token = await server.identityToken('dev@example.com')
    server.advance(24 * hour)
    try {
      await expect(signHere(server, token)).rejects.toThrow(/expired|identity token/)
      const fresh = await signHere(server, await server.identityToken('dev@example.com'))
      expect(() => verifierFor(server, 'dev@example.com').verify(fresh.bundle, artifact)).not.toThrow()
    } finally {
      server.advance(-24 * hour)
    }
  })

  test.each([
    ['/healthz', 200],
    ['/', 200],
    ['/search', 200],
    ['/ct/ct/v1/get-sth', 200],
    ['/ct/checkpoint', 200],
    ['/api/v1/log', 200],
    ['/api/v2/checkpoint', 200],
    ['/api/v2/trustBundle', 200],
    ['/api/v1/timestamp/certchain', 200],
    ['/tuf/timestamp.json', 200],
    ['/oidc/.well-known/openid-configuration', 200],
    ['/metrics', 200],
    ['/nothing', 404],
    ['/api/v3/log', 404],
  ])('answers %s with %i', async (path, status) => {
    expect((await fetch(`${server.url}${path}`)).status).toBe(status)
  })

  test('counts its answers by route, not by what strangers ask for', async () => {
    await fetch(`${server.url}/secret-path-of-mine`)
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).toMatch(/countersign_http_requests_total\{method="GET",route="none",status="404"\}/)
    expect(text).not.toContain('secret-path-of-mine')
    expect(text).toMatch(/countersign_log_size\{log="rekor-v2-1"\} [1-9]/)
  })

  test('lets itself be searched for what was signed', async () => {
    await signHere(server, await server.identityToken('searched@example.com'))
    await expect
      .poll(
        async () => ((await (await fetch(`${server.url}/api/search?email=searched@example.com`)).json()) as { entries: unknown[] }).entries,
      )
      .toHaveLength(1)
  })

  test('refuses what is too large before it has read it', async () => {
    const answer = await fetch(`${server.url}/api/v2/log/entries`, { method: 'POST', body: new Uint8Array(5 * 1024 * 1024) })
    expect(answer.status).toBe(413)
  })
})

test('a server of few services has no others', async () => {
  const small = await createServer({ services: ['tsa'] })
  try {
    expect((await fetch(`${small.url}/api/v1/timestamp/certchain`)).status).toBe(200)
    expect((await fetch(`${small.url}/api/v2/checkpoint`)).status).toBe(404)
    await expect(small.identityToken('dev@example.com')).rejects.toThrow(/no issuer/)
  } finally {
    await small.close()
  }
})
