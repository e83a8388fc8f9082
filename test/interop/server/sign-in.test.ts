/** People, devices and machines sign in to the issuer of a private Sigstore as openid-client does it, and cosign uses what they get. */
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginSignIn, discover, redeem, signIn } from '../../support/issuer-client.ts'
import { openBrowser } from '../../support/issuer.ts'
import type { Ending } from '../peer.ts'
import { cosign } from './clients.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore, user } from './private-sigstore.ts'

let sigstore: StartedSigstore

beforeAll(async () => {
  sigstore = await startSigstore()
})

afterAll(async () => sigstore.stop())

/** Confirms the code of a device, and signs in. */
async function confirmDevice(address: string): Promise<void> {
  const browser = openBrowser()
  await browser.proceed(await browser.proceed(await browser.open(address)), user)
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
    await confirmDevice(grant.verification_uri_complete ?? '')
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

describe.skipIf(cosign === undefined)('cosign', () => {
  const sign = (token: string): Promise<Ending> => {
    const services = ['--signing-config', sigstore.trust('signing_config.v0.2.json'), '--trusted-root', sigstore.trust('trusted_root.json')]
    const words = ['sign-blob', sigstore.write('artifact', 'an artifact\n'), '--yes', '--bundle', 'bundle.json', ...services]
    return sigstore.run(cosign ?? '', [...words, '--identity-token', token])
  }

  it('takes a token on its command line, and in a file', async () => {
    const token = await sigstore.token()
    expect(await sign(token)).toMatchObject({ exitCode: 0 })
    expect(await sign(sigstore.write('token', token))).toMatchObject({ exitCode: 0 })
  })

  it('is told that a token is not valid', async () => {
    const [head, claims = '', signature] = (await sigstore.token()).split('.')
    const other = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object
    const forged = Buffer.from(JSON.stringify({ ...other, email: 'somebody-else@example.com' })).toString('base64url')
    const refused = await sign(`${head}.${forged}.${signature}`)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('There was an error processing the identity token')
  })
})
