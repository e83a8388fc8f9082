/** People and machines sign in to the issuer of a private Sigstore with the clients that they have. Nobody needs a browser: forms are followed. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginSignIn, discover, redeem, signIn } from '../../support/issuer-client.ts'
import { openBrowser } from '../../support/issuer.ts'
import { cosign, sigstorePython } from './clients.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore, user } from './private-sigstore.ts'

let sigstore: StartedSigstore

beforeAll(async () => {
  sigstore = await startSigstore()
})

afterAll(async () => sigstore.stop())

/** Signs in where a program sends somebody's browser, and lets the browser go back to the program. */
async function visit(address: string): Promise<void> {
  const browser = openBrowser()
  const begin = await browser.open(address)
  // sigstore-python sends the browser to itself, and from there to us.
  const first = begin.location === undefined ? begin : await browser.open(begin.location)
  const form = first.text.includes('Does your device show') ? await browser.proceed(first) : first
  const end = await browser.proceed(form, user)
  if (end.location !== undefined) await fetch(end.location)
}

/** Whom a bundle is by: our command line says so, of one person only. */
async function expectSignedBy(email: string, bundle: string): Promise<void> {
  const trust = ['--trusted-root', sigstore.trust('trusted_root.json')]
  const verify = (identity: string): ReturnType<StartedSigstore['countersign']> =>
    sigstore.countersign([
      ...['verify-blob', 'artifact', '--bundle', bundle, ...trust],
      ...['--certificate-identity', identity, '--certificate-oidc-issuer', sigstore.issuer],
    ])
  expect(await verify(email)).toMatchObject({ exitCode: 0, stderr: 'Verified OK\n' })
  expect((await verify('somebody-else@example.com')).exitCode).toBe(1)
}

describe('openid-client', () => {
  it('signs a person in with a code, PKCE and a loopback redirect', async () => {
    const begun = await beginSignIn(sigstore.issuer)
    const claims = await redeem(begun, await signIn(begun.url, user))
    expect(claims).toMatchObject({ iss: sigstore.issuer, aud: 'sigstore', email: user.email, email_verified: true })
  })

  it('gets no token with a code that another program began to ask for', async () => {
    const begun = await beginSignIn(sigstore.issuer)
    const end = await signIn(begun.url, user)
    await expect(redeem({ ...begun, verifier: client.randomPKCECodeVerifier() }, end)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('is not sent anywhere with a wrong password', async () => {
    const begun = await beginSignIn(sigstore.issuer)
    const end = await signIn(begun.url, { ...user, password: 'a wrong password' })
    expect(end.location).toBeUndefined()
    expect(end.text).toContain('password')
  })

  it('signs a device in', async () => {
    const configuration = await discover(sigstore.issuer)
    const grant = await client.initiateDeviceAuthorization(configuration, { scope: 'openid email' })
    await visit(grant.verification_uri_complete ?? '')
    const tokens = await client.pollDeviceAuthorizationGrant(configuration, { ...grant, interval: 0 })
    expect(tokens.claims()).toMatchObject({ aud: 'sigstore', email: user.email })
  })

  it('gets a machine its token, and none with a wrong secret', async () => {
    const ask = async (secret: string): Promise<client.TokenEndpointResponse> =>
      client.clientCredentialsGrant(await discover(sigstore.issuer, 'release-bot', client.ClientSecretBasic(secret)))
    const { id_token: token = '' } = await ask(sigstore.machineSecret)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as unknown
    expect(claims).toMatchObject({ iss: sigstore.issuer, email: machineEmail, email_verified: true })
    await expect(ask('a wrong secret')).rejects.toMatchObject({ status: 401, cause: [{ parameters: { error: 'invalid_client' } }] })
  })
})

/** The address that a program opens in the browser, which is a script that writes it down. */
function scriptedBrowser(): { readonly env: Record<string, string>; readonly address: () => Promise<string> } {
  const file = sigstore.path('address')
  rmSync(file, { force: true })
  mkdirSync(sigstore.path('bin'), { recursive: true })
  const script = sigstore.path(
    sigstore.write('bin/xdg-open', `#!/bin/sh\nprintf %s "$1" > '${file}.part' && mv '${file}.part' '${file}'\n`),
  )
  chmodSync(script, 0o755)
  return {
    env: { PATH: `${path.dirname(script)}:${process.env['PATH'] ?? ''}`, BROWSER: script, DISPLAY: ':0' },
    address: async () => {
      for (let tries = 0; tries < 400 && !existsSync(file); tries++) await new Promise((resolve) => setTimeout(resolve, 50))
      return readFileSync(file, 'utf8')
    },
  }
}

describe.skipIf(cosign === undefined)('cosign', () => {
  const sign = (flags: readonly string[], options?: Parameters<StartedSigstore['run']>[2]): ReturnType<StartedSigstore['run']> => {
    sigstore.write('artifact', 'an artifact\n')
    const services = ['--signing-config', sigstore.trust('signing_config.v0.2.json'), '--trusted-root', sigstore.trust('trusted_root.json')]
    return sigstore.run(cosign ?? '', ['sign-blob', 'artifact', '--yes', '--bundle', 'cosign.json', ...services, ...flags], options)
  }

  it('signs a person in with the browser', async () => {
    const { env, address } = scriptedBrowser()
    const signed = sign(['--fulcio-auth-flow', 'normal'], { env })
    await visit(await address())
    expect(await signed).toMatchObject({ exitCode: 0 })
    await expectSignedBy(user.email, 'cosign.json')
  })

  it('signs a person in with a device', async () => {
    let isSent = false
    const onOutput = (output: string): void => {
      const [address] = /https?:\S+\?user_code=\S+/.exec(output) ?? []
      if (address === undefined || isSent) return
      isSent = true
      void visit(address)
    }
    expect(await sign(['--fulcio-auth-flow', 'device'], { onOutput })).toMatchObject({ exitCode: 0 })
    await expectSignedBy(user.email, 'cosign.json')
  })

  it('signs a machine in', async () => {
    const machine = ['--oidc-client-id', 'release-bot', '--oidc-client-secret-file', sigstore.write('secret', sigstore.machineSecret)]
    expect(await sign(['--fulcio-auth-flow', 'client_credentials', ...machine])).toMatchObject({ exitCode: 0 })
    await expectSignedBy(machineEmail, 'cosign.json')
  })

  it('takes a token on its command line, and from a file', async () => {
    const token = await sigstore.token()
    for (const given of [token, sigstore.write('token', token)]) {
      expect(await sign(['--identity-token', given])).toMatchObject({ exitCode: 0 })
      await expectSignedBy(machineEmail, 'cosign.json')
    }
  })

  it('is told that a token is not valid', async () => {
    const [head, claims = '', signature] = (await sigstore.token()).split('.')
    const other = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object
    const forged = Buffer.from(JSON.stringify({ ...other, email: 'somebody-else@example.com' })).toString('base64url')
    const refused = await sign(['--identity-token', `${head}.${forged}.${signature}`])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('There was an error processing the identity token')
  })
})

describe.skipIf(sigstorePython === undefined)('sigstore-python', () => {
  it('signs a person in with the browser', async () => {
    const { env, address } = scriptedBrowser()
    const trust = ['--trust-config', sigstore.trust('client_trust_config.json')]
    const words = ['sign', '--overwrite', '--bundle', 'python.json', sigstore.write('artifact', 'an artifact\n')]
    const signed = sigstore.run(sigstorePython ?? '', [...trust, ...words], { env })
    await visit(await address())
    expect(await signed).toMatchObject({ exitCode: 0 })
    await expectSignedBy(user.email, 'python.json')
  })
})
