import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { beginSignIn, signIn } from '../../../support/issuer-client.ts'
import type { Browser, RunningIssuer, Visited } from '../../../support/issuer.ts'
import { openBrowser, runIssuer } from '../../../support/issuer.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }

let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer()
  await running.issuer.users.add(alice)
})
afterAll(() => running.stop())

async function signedIn(): Promise<Browser> {
  const browser = openBrowser()
  expect((await signIn((await beginSignIn(running.url)).url, alice, browser)).location).toContain('code=')
  return browser
}

/** Whether the browser is known: then a program is allowed with one press, without a password. */
async function isKnown(browser: Browser): Promise<boolean> {
  return (await browser.open((await beginSignIn(running.url)).url)).text.includes(`Continue as`)
}

const openSignOut = (browser: Browser, query = ''): Promise<Visited> => browser.open(`${running.url}/sign-out${query}`)

describe('signing out', () => {
  test('ends the session of this browser, and of no other', async () => {
    const [browser, other] = [await signedIn(), await signedIn()]
    const page = await openSignOut(browser)
    expect(page.text).toContain(alice.email)
    expect((await browser.proceed(page, { logout: 'yes' })).text).toContain('Nobody is signed in')
    expect(await isKnown(browser)).toBe(false)
    expect(await isKnown(other)).toBe(true)
  })

  test('takes a press of the button: who is only sent there stays signed in', async () => {
    const browser = await signedIn()
    await openSignOut(browser)
    for (const forged of [{ logout: 'yes' }, { logout: 'yes', xsrf: 'guessed' }]) {
      expect((await browser.post(`${running.url}/sign-out/confirm`, forged)).status).toBe(400)
    }
    expect(await isKnown(browser)).toBe(true)
  })

  test('leads nowhere else, whatever a program asks for', async () => {
    const browser = await signedIn()
    const page = await openSignOut(browser, '?client_id=sigstore&post_logout_redirect_uri=https://evil.example&state=x&id_token_hint=y')
    expect(page.status).toBe(200)
    const end = await browser.proceed(page, { logout: 'yes' })
    expect(new URL(end.url).pathname).toBe('/oidc/sign-out/success')
    expect(end.location).toBeUndefined()
  })

  test('is over for somebody who is not signed in', async () => {
    const page = await openSignOut(openBrowser())
    expect([page.status, page.text.includes('Nobody is signed in'), page.text.includes('<script')]).toEqual([200, true, false])
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('its pages keep what marks them inside', async () => {
    for (const [name] of (await openSignOut(await signedIn())).headers) expect(name).not.toMatch(/^x-countersign/)
  })
})

test('the page with a code warns of those who ask for it', async () => {
  const begun = await beginSignIn(running.url, { redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' })
  const page = await signIn(begun.url, alice)
  expect(page.text).toContain('Give this code only to the program that you started yourself.')
  expect(page.text).toContain('href="/oidc/sign-out"')
})
