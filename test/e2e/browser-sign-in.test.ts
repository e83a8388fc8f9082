/**
 * A person signs a file with the built program against a private Sigstore, in a real browser: every way to sign in that a person has, from
 * the command to a bundle that verifies, and what happens when the person does not go through with it. With
 * COUNTERSIGN_SCREENSHOTS=<folder> it leaves pictures of every page there.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { StartedSigstore } from '../interop/server/private-sigstore.ts'
import { startSigstore, user } from '../interop/server/private-sigstore.ts'
import { isBrowserMissing, launchBrowser } from '../support/chromium.ts'
import type { Session } from './person.ts'
import { enterPassword, opened, sessionOf } from './person.ts'

const program = path.resolve(import.meta.dirname, '../../dist/cli/main.cjs')
const screenshots = process.env['COUNTERSIGN_SCREENSHOTS']
const widths = { desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 640 } } as const

describe.skipIf(isBrowserMissing('signing in with a browser'))('signing in with a browser', () => {
  let sigstore: StartedSigstore
  let browser: Browser
  let folder = ''

  beforeAll(async () => {
    sigstore = await startSigstore()
    browser = await launchBrowser()
  })
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'countersign-person-'))
    writeFileSync(path.join(folder, 'artifact'), 'what is signed\n')
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  })
  afterAll(async () => {
    await browser?.close()
    await sigstore?.stop()
  })

  async function openPage(): Promise<Page> {
    const context = await browser.newContext({ viewport: widths.desktop })
    onTestFinished(() => context.close())
    return context.newPage()
  }

  /** Signs `artifact` into `bundle.json`: on a terminal, or as a script does. */
  function sign(
    more: readonly string[],
    { terminal, env = {} }: { readonly terminal: boolean; readonly env?: Record<string, string> },
  ): Session {
    const services = ['--signing-config', sigstore.trust('signing_config.v0.2.json'), '--trusted-root', sigstore.trust('trusted_root.json')]
    const words = [process.execPath, program, 'sign-blob', 'artifact', '--bundle', 'bundle.json', ...services, ...more]
    // `script` gives a program a terminal, and ends with its status.
    const [command, ...args] = terminal ? ['script', '--quiet', '--return', '--command', words.join(' '), '/dev/null'] : words
    const child = spawn(command ?? '', args, {
      cwd: folder,
      env: { HOME: folder, PATH: process.env['PATH'] ?? '', BROWSER: '/bin/true', ...env },
      stdio: 'pipe',
    })
    return sessionOf(child)
  }

  async function expectSigned(): Promise<void> {
    const trust = ['--bundle', 'bundle.json', '--trusted-root', sigstore.trust('trusted_root.json')]
    const who = ['--certificate-identity', user.email, '--certificate-oidc-issuer', sigstore.issuer]
    const verification = spawn(process.execPath, [program, 'verify-blob', 'artifact', ...trust, ...who], {
      cwd: folder,
      env: { HOME: folder, PATH: process.env['PATH'] ?? '' },
    })
    expect(await sessionOf(verification).ended).toEqual({ status: 0, output: 'Verified OK\n' })
  }

  /** Nothing is left of a signature that was not made. */
  function expectNothing(): void {
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual(['artifact'])
  }

  it('a person on a terminal agrees, signs in, and the bundle verifies', async () => {
    const session = sign([], { terminal: true })
    await session.sees(/Are you sure you would like to continue\? \[y\/N\] /)
    session.type('y\n')
    const [, address = ''] = await session.sees(opened)
    const page = await openPage()
    await page.goto(address)
    await look(page, 'sign-in')
    await enterPassword(page)
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
    await look(page, 'callback-signed-in')
    expect(await session.ended).toMatchObject({ status: 0 })
    await expectSigned()
  })

  it('a second look at the page that the browser came back to does no harm', async () => {
    const session = sign(['--yes', '--fulcio-auth-flow', 'normal'], { terminal: false })
    const [, address = ''] = await session.sees(opened)
    const page = await openPage()
    await page.goto(address)
    const foreign = await openPage()
    await foreign.goto(`${new URL(address).searchParams.get('redirect_uri') ?? ''}?code=stolen&state=guessed`)
    await foreign.getByRole('heading', { name: 'Not this sign-in' }).waitFor()
    await look(foreign, 'callback-foreign')
    await enterPassword(page)
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
    expect(await session.ended).toMatchObject({ status: 0 })
    await expect(page.reload()).rejects.toThrow(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE/)
    await expectSigned()
  })

  it('a person with a wrong password is asked again, and one who cancels signs nothing', async () => {
    const session = sign(['--yes', '--fulcio-auth-flow', 'normal'], { terminal: false })
    const [, address = ''] = await session.sees(opened)
    const page = await openPage()
    await page.goto(address)
    await enterPassword(page, 'a wrong password')
    expect(await page.getByRole('alert').textContent()).toBe('The e-mail address or the password is wrong.')
    await look(page, 'sign-in-wrong')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('heading', { name: 'The sign-in failed' }).waitFor()
    await look(page, 'callback-failed')
    const { status, output } = await session.ended
    expect(status).toBe(1)
    expect(output).toMatch(/^Error: .*"access_denied" \("the person stopped the sign-in"\)$/m)
    expectNothing()
  })

  it('a person who closes the window is waited for until the time is over', async () => {
    const session = sign(['--yes', '--fulcio-auth-flow', 'normal', '--timeout', '4s'], { terminal: false })
    const [, address = ''] = await session.sees(opened)
    const page = await openPage()
    await page.goto(address)
    await page.close()
    const { status, output } = await session.ended
    expect(status).toBe(1)
    expect(output).toContain('the command did not finish within 4s, which --timeout can extend')
    expectNothing()
  })

  it('a person whose browser is elsewhere carries a code over', async () => {
    const session = sign(['--yes'], { terminal: true, env: { BROWSER: '/bin/false' } })
    const [, address = ''] = await session.sees(/Go to the following link in a browser:\s+(http\S+)/)
    const page = await openPage()
    await page.goto(address)
    await enterPassword(page)
    await page.getByText('Give this code only to the program that you started yourself.').waitFor()
    await look(page, 'code')
    await session.sees(/Enter verification code: /)
    session.type(`${(await page.locator('#code').textContent()) ?? ''}\n`)
    expect(await session.ended).toMatchObject({ status: 0 })
    await expectSigned()
  })

  it('a code of somebody else signs nothing', async () => {
    const session = sign(['--yes'], { terminal: true, env: { BROWSER: '/bin/false' } })
    await session.sees(/Enter verification code: /)
    session.type('a-code-of-somebody-else\n')
    const { status, output } = await session.ended
    expect(status).toBe(1)
    expect(output).toMatch(/^Error: .*"invalid_grant"/m)
    expectNothing()
  })

  it('a person confirms the code of a script, and signs out afterwards', async () => {
    const session = sign(['--yes'], { terminal: false })
    const [, code = '', address = ''] = await session.sees(/Enter the verification code (\S+) in your browser at: (\S+)/)
    const page = await openPage()
    await page.goto(address)
    expect(await page.locator('.code').textContent()).toBe(code)
    await look(page, 'device-confirm')
    await page.getByRole('button', { name: 'Yes, sign it in' }).click()
    await enterPassword(page)
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
    await look(page, 'device-done')
    const { status, output } = await session.ended
    expect(status).toBe(0)
    expect(output).toContain('Token received!')
    await expectSigned()
    await page.getByRole('link', { name: 'Sign out of this server' }).click()
    await look(page, 'sign-out')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Nobody is signed in' }).waitFor()
    await look(page, 'signed-out')
  })

  it('a person who refuses the code of a script signs nothing', async () => {
    const session = sign(['--yes'], { terminal: false })
    const [, address = ''] = await session.sees(/in your browser at: (\S+)/)
    const page = await openPage()
    await page.goto(address)
    await page.getByRole('button', { name: 'No, stop' }).click()
    await page.getByRole('heading', { name: 'Nothing was allowed' }).waitFor()
    await look(page, 'device-stopped')
    const { status, output } = await session.ended
    expect(status).toBe(1)
    expect(output).toMatch(/^Error: .*"access_denied"/m)
    expectNothing()
  })

  describe('Ctrl-C', () => {
    const interrupt = '\u0003'
    it.each<[string, readonly string[], Record<string, string>, RegExp]>([
      ['while the browser is waited for', ['--yes'], {}, opened],
      ['while a code is waited for', ['--yes'], { BROWSER: '/bin/false' }, /Enter verification code: /],
      ['while a device is waited for', ['--yes', '--fulcio-auth-flow', 'device'], {}, /Code will be valid for [0-9]+ seconds/],
      ['while somebody is asked to agree', [], {}, /continue\? \[y\/N\] /],
    ])('%s ends the command with 130, and nothing is left', async (_, more, env, pattern) => {
      const session = sign(more, { terminal: true, env })
      const [, address] = await session.sees(pattern)
      session.type(interrupt)
      const { status, output } = await session.ended
      expect(status).toBe(130)
      expect(output).toContain('Error: interrupted by SIGINT')
      expectNothing()
      const redirect = address === undefined ? null : new URL(address).searchParams.get('redirect_uri')
      if (redirect !== null) await expect(fetch(redirect)).rejects.toThrow('fetch failed')
    })

    it('while a CI system does not answer ends the command with 130', async () => {
      const silent = createServer(() => undefined)
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => {
        silent.close()
        silent.closeAllConnections()
      })
      const asked = new Promise((resolve) => silent.once('request', resolve))
      const env = {
        ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/?x=y`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret',
      }
      const session = sign(['--yes'], { terminal: true, env })
      await asked
      session.type(interrupt)
      expect(await session.ended).toMatchObject({ status: 130 })
      expectNothing()
    })
  })

  /** Takes pictures, and holds the page to what every page must keep. */
  async function look(page: Page, name: string): Promise<void> {
    for (const [width, viewport] of Object.entries(widths)) {
      await page.setViewportSize(viewport)
      expect([name, await page.evaluate('document.documentElement.scrollWidth <= innerWidth')]).toEqual([name, true])
      if (screenshots === undefined) continue
      mkdirSync(screenshots, { recursive: true })
      await page.screenshot({ path: path.join(screenshots, `flow-${name}-${width}.png`), fullPage: true })
    }
    await page.setViewportSize(widths.desktop)
  }
})
