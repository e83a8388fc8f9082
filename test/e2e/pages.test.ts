/**
 * The pages in a real browser, which alone knows whether a content security policy lets a form through to the program that waits on a
 * loopback port. With COUNTERSIGN_SCREENSHOTS=<folder> it leaves pictures of every page there.
 */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createWeb } from '../../src/server/web/web.ts'
import { firstSteps } from '../../src/server/web/start-page.ts'
import { isBrowserMissing, launchBrowser } from '../support/chromium.ts'
import { beginSignIn, redeem } from '../support/issuer-client.ts'
import type { RunningIssuer } from '../support/issuer.ts'
import { runIssuer } from '../support/issuer.ts'
import { answerWith, foundEntry } from '../support/search-answers.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const screenshots = process.env['COUNTERSIGN_SCREENSHOTS']
const looks = [
  { name: 'desktop-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'desktop-dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: 'phone-light', viewport: { width: 375, height: 720 }, colorScheme: 'light' },
  { name: 'phone-dark', viewport: { width: 375, height: 720 }, colorScheme: 'dark' },
] as const

describe.skipIf(isBrowserMissing('pages in a browser'))('pages in a browser', () => {
  let browser: Browser
  let running: RunningIssuer
  let program: { readonly server: Server; readonly redirectUri: string; readonly seen: string[] }
  const contexts: BrowserContext[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    program = await startProgram()
    running = await runIssuer({
      settings: {
        connectors: [
          { id: 'github', name: 'GitHub', type: 'github', 'client-id': 'app', 'email-domains': 'any' },
          {
            id: 'corp',
            name: 'Example Corp',
            type: 'oidc',
            issuer: 'https://login.example.com',
            'client-id': 'app',
            'email-domains': ['example.com'],
          },
        ],
      },
      others: [web()],
    })
    await running.issuer.users.add({ ...alice, name: 'Alice' })
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
    expect(complaints.splice(0)).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await running?.stop()
    program?.server.close()
  })

  async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext(options)
    contexts.push(context)
    const page = await context.newPage()
    page.on('console', (message) => {
      // Chromium notes every status of 400 and above; anything else would be the content security policy.
      if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    return page
  }

  const begin = (): ReturnType<typeof beginSignIn> => beginSignIn(running.url, { redirect_uri: program.redirectUri })
  const origin = (): string => new URL(running.url).origin

  async function enterPassword(page: Page, password = alice.password): Promise<void> {
    await page.getByLabel('E-mail address').fill(alice.email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  test.each([true, false])('a person signs in and the program gets its code; scripts: %s', async (javaScriptEnabled) => {
    const page = await open({ javaScriptEnabled })
    const begun = await begin()
    await page.goto(begun.url.href)
    await enterPassword(page, 'wrong password')
    expect(await page.getByRole('alert').textContent()).toBe('The e-mail address or the password is wrong.')
    await page.getByLabel('Password').fill(alice.password)
    await page.keyboard.press('Enter')
    await page.getByText('The program has its code').waitFor()
    const claims = await redeem(begun, { url: '', status: 303, headers: new Headers(), text: '', location: page.url() })
    expect(claims['email']).toBe(alice.email)
  })

  test('a person who is signed in continues with one press of a key', async () => {
    const page = await open()
    await page.goto((await begin()).url.href)
    await enterPassword(page)
    await page.getByText('The program has its code').waitFor()
    await page.goto((await begin()).url.href)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(`Continue as ${alice.email}?`)
    await page.getByRole('button', { name: 'Continue' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('The program has its code').waitFor()
    await page.goto((await begin()).url.href)
    await page.getByRole('link', { name: 'Use another account' }).click()
    await page.getByLabel('Password').waitFor()
  })

  test('a person who cancels is sent back to the program', async () => {
    const page = await open()
    await page.goto((await begin()).url.href)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('The program was told: access_denied').waitFor()
  })

  test('the cookies are hidden from scripts and bound to the path of the issuer', async () => {
    const page = await open()
    await page.goto((await begin()).url.href)
    await enterPassword(page)
    await page.getByText('The program has its code').waitFor()
    const cookies = await page.context().cookies(running.url)
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies)
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: expect.stringMatching(/^\/oidc/) as string })
    await page.goto(origin())
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  test('a device is signed in by its link', async () => {
    const page = await open({ javaScriptEnabled: false })
    const device = await beginDevice()
    await page.goto(device.verification_uri_complete)
    expect(await page.locator('.code').textContent()).toBe(device.user_code)
    await page.getByRole('button', { name: 'Yes, sign it in' }).click()
    await enterPassword(page)
    await page.getByText('You may close this window.').waitFor()
  })

  test('a device is signed in by its code, typed with the keyboard alone', async () => {
    const page = await open()
    const device = await beginDevice()
    await page.goto(device.verification_uri)
    // The field has the focus by itself, though not at once.
    await page.locator('input:focus').waitFor()
    await page.keyboard.type(device.user_code.toLowerCase().replace('-', ''))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Yes, sign it in' }).waitFor()
    await page.getByRole('button', { name: 'No, stop' }).click()
    await page.getByText('The sign-in was stopped.').waitFor()
  })

  test('the search shows an entry and leads to others by its key', async () => {
    const page = await open({ javaScriptEnabled: false })
    await page.goto(origin())
    await page.getByRole('link', { name: 'Search' }).click()
    await page.getByLabel('Look for').fill(alice.email)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: '2 entries' }).waitFor()
    await page.getByText('The proof that it is in the log').first().click()
    await page.getByText('leaf 41207 of a tree of 41300').first().waitFor()
    await page
      .getByRole('link', { name: foundEntry.signers[0]?.keyHash ?? '' })
      .first()
      .click()
    await page.getByText('There is no entry of the public key').waitFor()
  })

  test('a hostile entry runs nothing', async () => {
    const page = await open()
    await page.goto(`${origin()}/search?q=evil@example.com`)
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor()
    expect(await page.locator('main img, main script').count()).toBe(0)
  })

  test.each(looks)('every page can be read and has room: $name', async ({ name, viewport, colorScheme }) => {
    const page = await open({ viewport, colorScheme })
    for (const [title, visit] of pagesToSee()) {
      await visit(page)
      if (screenshots !== undefined) {
        mkdirSync(screenshots, { recursive: true })
        await page.screenshot({ path: path.join(screenshots, `${title}-${name}.png`), fullPage: true })
      }
      expect([title, await page.evaluate(overflowing)]).toEqual([title, []])
      expect([title, await page.evaluate(faintTexts)]).toEqual([title, []])
      expect([title, await page.evaluate(unlabelled)]).toEqual([title, []])
      expect(await page.title()).toMatch(/ · Countersign$/)
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
    }
  })

  /** Every page, with how to come to it. */
  function pagesToSee(): [string, (page: Page) => Promise<unknown>][] {
    const signIn = async (page: Page): Promise<void> => {
      await page.goto((await begin()).url.href)
      await enterPassword(page)
      await page.getByText('The program has its code').waitFor()
    }
    return [
      ['start', (page) => page.goto(origin())],
      ['search', (page) => page.goto(`${origin()}/search`)],
      ['search-found', (page) => page.goto(`${origin()}/search?q=alice@example.com`)],
      ['search-entry', (page) => page.goto(`${origin()}/search?by=index&q=41207`)],
      ['search-unknown', (page) => page.goto(`${origin()}/search?by=index&q=99`)],
      ['search-problem', (page) => page.goto(`${origin()}/search?q=`)],
      ['sign-in', async (page) => page.goto((await begin()).url.href)],
      ['sign-in-wrong', async (page) => (await page.goto((await begin()).url.href), enterPassword(page, 'wrong password'))],
      ['device', async (page) => page.goto((await beginDevice()).verification_uri)],
      ['device-confirm', async (page) => page.goto((await beginDevice()).verification_uri_complete)],
      ['continue', async (page) => (await signIn(page), page.goto((await begin()).url.href))],
      [
        'device-done',
        async (page) => {
          await page.goto((await beginDevice()).verification_uri_complete)
          await page.getByRole('button', { name: 'Yes, sign it in' }).click()
          await page.getByRole('button', { name: 'Continue' }).click()
        },
      ],
      [
        'code',
        async (page) => {
          await page.goto((await beginSignIn(running.url, { redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' })).url.href)
          await page.getByRole('button', { name: 'Continue' }).click()
        },
      ],
      ['sign-out', (page) => page.goto(`${running.url}/sign-out`)],
      [
        'signed-out',
        async (page) => {
          await page.goto(`${running.url}/sign-out`)
          await page.getByRole('button', { name: 'Sign out' }).click()
        },
      ],
      ['error', (page) => page.goto(`${running.url}/auth?client_id=somebody`)],
    ]
  }

  async function beginDevice(): Promise<{ verification_uri: string; verification_uri_complete: string; user_code: string }> {
    const body = new URLSearchParams({ client_id: 'sigstore', scope: 'openid email' })
    const answer = await fetch(`${running.url}/device/code`, { method: 'POST', body })
    return (await answer.json()) as Awaited<ReturnType<typeof beginDevice>>
  }
})

function web(): ReturnType<typeof createWeb> {
  const evil = '<img src=x onerror=alert(1)>'
  const hostile = {
    ...foundEntry,
    kind: evil,
    signers: foundEntry.signers.map((signer) => ({ ...signer, subjects: [{ kind: 'email', value: evil }] })),
  }
  return createWeb({
    server: {
      origin: 'https://sigstore.example.com',
      endpoints: [
        {
          name: 'Certificate authority',
          url: 'https://sigstore.example.com',
          purpose: 'Gives certificates for ten minutes to who is signed in',
        },
        { name: 'Transparency log', url: 'https://log.sigstore.example.com', purpose: 'Keeps every signature, in public and for ever' },
        { name: 'OpenID issuer', url: 'https://sigstore.example.com/oidc', purpose: 'Knows who is who' },
      ],
      steps: firstSteps({
        tufUrl: 'https://sigstore.example.com/tuf',
        rootChecksum: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        issuerUrl: 'https://sigstore.example.com/oidc',
      }),
    },
    search: async ({ field, value }) => {
      if (value.startsWith('evil')) return answerWith([hostile])
      if (field === 'email') return answerWith([foundEntry, { ...foundEntry, api: 'rekor-v2', index: '41206' }])
      return answerWith(value === foundEntry.index ? [foundEntry] : [])
    },
  })
}

/** What waits for the browser on a loopback port, as cosign does. */
function startProgram(): Promise<{ server: Server; redirectUri: string; seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    seen.push(request.url ?? '')
    const said = searchParams.get('code') === null ? `The program was told: ${searchParams.get('error') ?? ''}` : 'The program has its code'
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html><title>program</title><link rel="icon" href="data:,">${said}`)
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, redirectUri: `http://localhost:${(server.address() as AddressInfo).port}/auth/callback`, seen })
    })
  })
}

/** In the page: elements that stand out of the window. */
const overflowing = `[...document.querySelectorAll('body *')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('pre') && !element.closest('.skip'))
  .map((element) => element.outerHTML.slice(0, 80))`

/** In the page: inputs that have no label. */
const unlabelled = `[...document.querySelectorAll('input:not([type=hidden]), select')].filter((field) => field.labels.length === 0).map((field) => field.outerHTML)`

/** In the page: texts whose contrast with what is behind them is less than WCAG 2 asks for (level AA). */
const faintTexts = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number)
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0)
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color.length === 3 || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  return [...document.querySelectorAll('body *')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
    .map((element) => {
      const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(background(element))].sort((x, y) => y - x)
      return { text: element.textContent.trim().slice(0, 40), ratio: (a + 0.05) / (b + 0.05) }
    })
    .filter(({ ratio }) => ratio < 4.5)
})()`
