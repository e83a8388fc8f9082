import * as client from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askForToken, beginSignIn, discover, signIn } from '../../../support/issuer-client.ts'
import type { RunningIssuer } from '../../../support/issuer.ts'
import { formOf, openBrowser, runIssuer } from '../../../support/issuer.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'

let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer()
  await running.issuer.users.add(alice)
})
beforeEach(() => running.advance(16 * 60_000))
afterAll(() => running.stop())

interface Device {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

/** What cosign sends. */
async function beginDevice(fields: Readonly<Record<string, string>> = {}): Promise<{ status: number; device: Device }> {
  const body = new URLSearchParams({ client_id: 'sigstore', scope: 'openid email', ...fields })
  const answer = await fetch(`${running.url}/device/code`, { method: 'POST', body })
  return { status: answer.status, device: (await answer.json()) as Device }
}

const poll = (deviceCode: string, fields: Readonly<Record<string, string>> = {}): ReturnType<typeof askForToken> =>
  askForToken(running.url, { grant_type: deviceCodeGrant, client_id: 'sigstore', device_code: deviceCode, ...fields })

const pause = (): void => running.advance(6_000)

describe('the device flow', () => {
  test('signs a program in that shows a link with its code', async () => {
    const { status, device } = await beginDevice()
    expect(status).toBe(200)
    expect(device).toMatchObject({
      verification_uri: `${running.url}/device`,
      verification_uri_complete: `${running.url}/device?user_code=${device.user_code}`,
      expires_in: 600,
      interval: 5,
    })
    expect(device.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/)
    expect((await poll(device.device_code)).body['error']).toBe('authorization_pending')
    pause()

    const browser = openBrowser()
    const confirmation = await browser.open(device.verification_uri_complete)
    expect(confirmation.text).toContain('Does your device show this code?')
    expect(confirmation.text).toContain(`>${device.user_code}</p>`)
    const page = await browser.proceed(confirmation)
    expect((await poll(device.device_code)).body['error']).toBe('authorization_pending')
    const done = await browser.proceed(page, alice)
    expect(done.text).toContain('You are signed in')

    pause()
    const { body } = await poll(device.device_code)
    const [, payload = ''] = String(body['id_token']).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    expect(claims).toMatchObject({ iss: running.url, aud: 'sigstore', email: alice.email, email_verified: true })
    expect(running.reported).toEqual([])
  })

  test('signs in a program of openid-client whose code is typed in, with blanks and in lower case', async () => {
    const configuration = await discover(running.url)
    const grant = await client.initiateDeviceAuthorization(configuration, { scope: 'openid email' })
    const browser = openBrowser()
    const typed = ` ${grant.user_code.toLowerCase().replace('-', ' ')} `
    const confirmation = await browser.proceed(await browser.open(grant.verification_uri), { user_code: typed })
    expect(confirmation.text).toContain(grant.user_code)
    await browser.proceed(await browser.proceed(confirmation), alice)
    const tokens = await client.pollDeviceAuthorizationGrant(configuration, { ...grant, interval: 0 })
    expect(tokens.claims()).toMatchObject({ email: alice.email })
  })

  test('asks who is signed in already whether to go on', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    const { device } = await beginDevice()
    const page = await browser.proceed(await browser.open(device.verification_uri_complete))
    expect(page.text).toContain('Continue as')
    const done = await browser.proceed(page, {}, '/account')
    expect(done.text).toContain('You are signed in')
    expect((await poll(device.device_code)).status).toBe(200)
  })

  test('gives the token once', async () => {
    const { device } = await beginDevice()
    await allow(device)
    const answers = await Promise.all(Array.from({ length: 4 }, () => poll(device.device_code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    pause()
    running.advance(30_000)
    expect((await poll(device.device_code)).body['error']).toBe('invalid_grant')
  })

  test('tells the program that the person said no', async () => {
    const { device } = await beginDevice()
    const browser = openBrowser()
    const stopped = await browser.proceed(await browser.open(device.verification_uri_complete), { abort: 'yes' })
    expect(stopped.text).toContain('The sign-in was stopped')
    expect((await poll(device.device_code)).body['error']).toBe('access_denied')
  })

  test('tells the program that the person stopped at the sign-in page', async () => {
    const { device } = await beginDevice()
    const browser = openBrowser()
    const stopped = await browser.proceed(await browser.proceed(await browser.open(device.verification_uri_complete)), {}, '/cancel')
    expect(stopped.text).toContain('The sign-in was stopped')
    expect((await poll(device.device_code)).body['error']).toBe('access_denied')
  })

  test('tells a program that polls too fast to slow down, and more so each time', async () => {
    const { device } = await beginDevice()
    expect((await poll(device.device_code)).body['error']).toBe('authorization_pending')
    expect((await poll(device.device_code)).body['error']).toBe('slow_down')
    running.advance(6_000)
    expect((await poll(device.device_code)).body['error']).toBe('slow_down')
    running.advance(15_000)
    expect((await poll(device.device_code)).body['error']).toBe('authorization_pending')
  })

  test('forgets codes after ten minutes', async () => {
    const { device } = await beginDevice()
    running.advance(601_000)
    expect((await poll(device.device_code)).status).toBe(400)
    const browser = openBrowser()
    const page = await browser.proceed(await browser.open(device.verification_uri), { user_code: device.user_code })
    expect(page.text).toContain('There is no such code')
  })

  test('does not take a code twice', async () => {
    const { device } = await beginDevice()
    await allow(device)
    const browser = openBrowser()
    const page = await browser.proceed(await browser.open(device.verification_uri), { user_code: device.user_code })
    expect(page.text).toContain('This code was used already')
  })

  test('demands the verifier of the challenge that the code was asked for with', async () => {
    const verifier = client.randomPKCECodeVerifier()
    const challenge = await client.calculatePKCECodeChallenge(verifier)
    const { device } = await beginDevice({ code_challenge: challenge, code_challenge_method: 'S256' })
    await allow(device)
    expect((await poll(device.device_code)).body['error']).toBe('invalid_grant')
    expect((await poll(device.device_code, { code_verifier: client.randomPKCECodeVerifier() })).body['error']).toBe('invalid_grant')
    expect((await poll(device.device_code, { code_verifier: verifier })).status).toBe(200)
  })

  test.each([
    ['whose form begins with a question mark', (form: string) => `?device_code=none&${form}`, 'application/x-www-form-urlencoded'],
    ['whose form is in UTF-16', (form: string) => Buffer.from(form, 'utf16le'), 'application/x-www-form-urlencoded; charset=utf-16le'],
  ])('demands it from a program %s', async (_, encode, type) => {
    const challenge = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier())
    const { device } = await beginDevice({ code_challenge: challenge, code_challenge_method: 'S256' })
    await allow(device)
    const fields = { grant_type: deviceCodeGrant, client_id: 'sigstore', device_code: device.device_code }
    const body = encode(new URLSearchParams(fields).toString())
    const answer = await fetch(`${running.url}/token`, { method: 'POST', body, headers: { 'content-type': type } })
    expect(answer.status).toBe(400)
    expect(await answer.json()).not.toHaveProperty('id_token')
  })

  test('refuses a plain challenge, and clients that it does not know', async () => {
    expect((await beginDevice({ code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' })).status).toBe(400)
    expect((await beginDevice({ client_id: 'somebody' })).status).toBe(401)
  })
})

describe('the page for device codes', () => {
  test('takes no code without its token', async () => {
    const { device } = await beginDevice()
    const browser = openBrowser()
    const page = await browser.open(device.verification_uri)
    const { action } = formOf(page)
    for (const xsrf of ['', 'a'.repeat(48)]) {
      const answer = await browser.post(action, { xsrf, user_code: device.user_code, confirm: 'yes' })
      expect(answer.text).not.toContain('Sign in')
      expect(answer.location).toBeUndefined()
    }
    expect((await poll(device.device_code)).body['error']).toBe('authorization_pending')
  })

  test('says that it has expired to a browser that lost its cookie, or never had it', async () => {
    const { device } = await beginDevice()
    const page = await openBrowser().open(device.verification_uri)
    const elsewhere = openBrowser()
    for (const answer of [await elsewhere.submit(page, { user_code: device.user_code }), await elsewhere.open(`${running.url}/device/x`)]) {
      expect(answer.status).toBe(400)
      expect(answer.text).toContain('This sign-in has expired, or it was begun in another browser.')
    }
    expect(running.reported).toEqual([])
  })

  test('is remembered for half an hour with who opened it, while nobody has signed in', async () => {
    const asked = Date.now()
    const answer = await fetch(`${running.url}/device`)
    const [, expires = ''] = /_session=.*expires=([^;]+)/.exec(answer.headers.getSetCookie().join('\n')) ?? []
    expect(Math.round((Date.parse(expires) - asked) / 600_000)).toBe(3)
  })

  test('stops an address that guesses codes', async () => {
    const { device } = await beginDevice()
    const browser = openBrowser()
    for (let guess = 0; guess < 20; guess++) {
      const page = await browser.proceed(await browser.open(device.verification_uri), { user_code: 'BBBBBBBB' })
      expect(page.text).toContain('There is no such code')
    }
    const stopped = await browser.proceed(await browser.open(device.verification_uri), { user_code: device.user_code })
    expect(stopped.status).toBe(429)
  })

  test('shows hostile codes as text, and only what could be one', async () => {
    const browser = openBrowser()
    const hostile = '"><script>alert(1)</script>'
    const link = await browser.open(`${running.url}/device?user_code=${encodeURIComponent(hostile)}`)
    const typed = await browser.proceed(link, { user_code: hostile })
    for (const { text, headers } of [link, typed]) {
      expect(text).not.toMatch(/alert\(|<script/)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('x-countersign-wrong-code')).toBeNull()
    }
  })

  test('does not take the code that a client puts into a header', async () => {
    const answer = await fetch(`${running.url}/device`, { headers: { 'x-countersign-given-code': 'EVIL-CODE' } })
    expect(await answer.text()).not.toContain('EVIL-CODE')
  })
})

async function allow(device: Device): Promise<void> {
  const browser = openBrowser()
  const page = await browser.proceed(await browser.proceed(await browser.open(device.verification_uri_complete)), alice)
  if (!page.text.includes('You are signed in')) throw new Error(page.text)
}
