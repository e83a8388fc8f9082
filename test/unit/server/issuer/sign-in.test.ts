import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askForToken, beginSignIn, codeOf, redeem, redirectUri, signIn } from '../../../support/issuer-client.ts'
import type { RunningIssuer } from '../../../support/issuer.ts'
import { formOf, openBrowser, runIssuer } from '../../../support/issuer.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const bob = { email: 'bob@example.com', password: 'staple of the battery' }

let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer()
  await running.issuer.users.add({ ...alice, name: 'Alice' })
  await running.issuer.users.add(bob)
})
// The window of all limits.
beforeEach(() => running.advance(16 * 60_000))
afterAll(() => running.stop())

describe('the sign-in page', () => {
  test('tells a wrong password and an unknown account in the same words', async () => {
    const pages = []
    for (const credentials of [
      { ...alice, password: 'wrong password' },
      { email: 'nobody@example.com', password: alice.password },
    ]) {
      const page = await signIn((await beginSignIn(running.url)).url, credentials)
      expect([page.status, page.location]).toEqual([401, undefined])
      pages.push(page.text.replaceAll(/value="[^"]*"|sign-in\/[\w-]+/g, ''))
    }
    expect(pages[0]).toContain('The e-mail address or the password is wrong.')
    expect(pages[1]).toBe(pages[0])
  })

  test('lets somebody in who first got it wrong, in whatever case the address is', async () => {
    const browser = openBrowser()
    const begun = await beginSignIn(running.url)
    const again = await browser.proceed(await browser.open(begun.url), { ...alice, password: 'mistyped' })
    const claims = await redeem(begun, await browser.proceed(again, { ...alice, email: ' ALICE@Example.com ' }))
    expect(claims['email']).toBe('alice@example.com')
  })

  test('locks an account after ten failures, for the right password too and from any browser, for a quarter of an hour', async () => {
    for (let failure = 0; failure < 10; failure++) {
      expect((await signIn((await beginSignIn(running.url)).url, { ...alice, password: 'wrong password' })).status).toBe(401)
    }
    const locked = await signIn((await beginSignIn(running.url)).url, alice)
    expect([locked.status, locked.location]).toEqual([429, undefined])
    expect(locked.text).toContain('There were too many attempts. Try again in 15 minutes.')
    expect((await signIn((await beginSignIn(running.url)).url, bob)).location).toContain('code=')
    running.advance(15 * 60_000)
    expect((await signIn((await beginSignIn(running.url)).url, alice)).location).toContain('code=')
  })

  test('locks an account that there is not just the same', async () => {
    const statuses = []
    for (let failure = 0; failure < 11; failure++) {
      statuses.push((await signIn((await beginSignIn(running.url)).url, { email: 'ghost@example.com', password: 'wrong password' })).status)
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429])
  })

  test('counts attempts at the same time one by one', async () => {
    const browsers = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const browser = openBrowser()
        return { browser, page: await browser.open((await beginSignIn(running.url)).url) }
      }),
    )
    const answers = await Promise.all(browsers.map(({ browser, page }) => browser.submit(page, { ...alice, password: 'wrong password' })))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(6)
  })

  test('stops an address that tries many accounts', async () => {
    const statuses = new Set<number>()
    for (let account = 0; account < 51; account++) {
      const page = await signIn((await beginSignIn(running.url)).url, { email: `user${account}@example.com`, password: 'wrong password' })
      statuses.add(page.status)
    }
    expect([...statuses]).toEqual([401, 429])
  })

  describe('behind a proxy', () => {
    let behind: RunningIssuer

    beforeAll(async () => {
      behind = await runIssuer({ behindProxy: true })
      await behind.issuer.users.add(alice)
    })
    beforeEach(() => behind.advance(16 * 60_000))
    afterAll(() => behind.stop())

    const from = async (address: string, email: string, password: string): Promise<number> => {
      const browser = openBrowser({ 'x-forwarded-for': address })
      const page = await browser.open((await beginSignIn(behind.url)).url)
      return (await browser.submit(page, { email, password })).status
    }

    test('lets somebody in whose account another address has locked for itself, or tried after it was stopped', async () => {
      for (let failure = 0; failure < 10; failure++) expect(await from('192.0.2.1', alice.email, 'wrong password')).toBe(401)
      expect(await from('192.0.2.1', alice.email, alice.password)).toBe(429)
      expect(await from('192.0.2.2', alice.email, alice.password)).toBe(303)

      // Fifty attempts stop an address; what it tries then counts for no account.
      for (let account = 0; account < 50; account++) await from('192.0.2.3', `user${account}@example.com`, 'wrong password')
      for (let failure = 0; failure < 120; failure++) expect(await from('192.0.2.3', alice.email, 'wrong password')).toBe(429)
      expect(await from('192.0.2.2', alice.email, alice.password)).toBe(303)
    })

    test('takes the addresses of one IPv6 network for one client', async () => {
      for (let failure = 0; failure < 10; failure++) {
        expect(await from(`2001:db8:1:2::${failure}`, alice.email, 'wrong password')).toBe(401)
      }
      expect(await from('2001:db8:1:2:ffff::', alice.email, alice.password)).toBe(429)
      expect(await from('2001:db8:1:3::1', alice.email, alice.password)).toBe(303)
    })

    test('locks an account that a hundred attempts from many addresses were made on', async () => {
      for (let failure = 0; failure < 100; failure++) {
        expect(await from(`192.0.2.${failure % 20}`, alice.email, 'wrong password')).toBe(401)
      }
      expect(await from('198.51.100.1', alice.email, alice.password)).toBe(429)
    })
  })

  test.each([
    ['without a token', { csrf: '' }],
    ['with a token of another sign-in', undefined],
  ])('takes no form %s', async (_, changed) => {
    const browser = openBrowser()
    const page = await browser.open((await beginSignIn(running.url)).url)
    const { hidden } = formOf(await openBrowser().open((await beginSignIn(running.url)).url))
    const answer = await browser.submit(page, { ...alice, ...(changed ?? hidden) })
    expect([answer.status, answer.location]).toEqual([403, undefined])
  })

  test('takes no form of another site, and none of another type', async () => {
    const browser = openBrowser()
    const page = await browser.open((await beginSignIn(running.url)).url)
    const { action, hidden } = formOf(page)
    expect((await browser.post(action, { ...hidden, ...alice }, { origin: 'http://evil.example' })).status).toBe(403)
    expect((await browser.post(action, { ...hidden, ...alice }, { origin: 'null' })).status).toBe(403)
    expect((await browser.post(action, { ...hidden, ...alice }, { 'content-type': 'text/plain' })).status).toBe(403)
    expect((await browser.post(action, { ...hidden, ...alice })).status).toBe(303)
  })

  test('is only for the browser that it was opened in', async () => {
    const page = await openBrowser().open((await beginSignIn(running.url)).url)
    const stranger = openBrowser()
    for (const answer of [await stranger.get(page.url), await stranger.submit(page, alice)]) {
      expect([answer.status, answer.location]).toEqual([400, undefined])
      expect(answer.text).toContain('was begun in another browser')
    }
  })

  test('expires', async () => {
    const browser = openBrowser()
    const page = await browser.open((await beginSignIn(running.url)).url)
    running.advance(31 * 60_000)
    expect((await browser.submit(page, alice)).status).toBe(400)
  })

  test('has headers that keep it from being framed, scripted and cached, and lets its form lead to the program alone', async () => {
    const { headers, text } = await openBrowser().open((await beginSignIn(running.url)).url)
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://localhost:43123; frame-ancestors 'none'; base-uri 'none'",
    )
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(text).not.toMatch(/<script|<style|style=|onclick|onfocus/)
  })

  test('sets cookies that scripts and other sites do not see, below the path of the issuer', async () => {
    const browser = openBrowser()
    const lines: string[] = []
    const { url } = await beginSignIn(running.url)
    const first = await browser.get(url)
    lines.push(...first.headers.getSetCookie())
    const done = await browser.submit(await browser.get(first.location ?? ''), alice)
    lines.push(...(await browser.get(done.location ?? '')).headers.getSetCookie())
    expect(lines.some((line) => /^countersign_[0-9a-f]{8}_session=/.test(line))).toBe(true)
    for (const line of lines) {
      expect(line).toMatch(/; path=\/oidc/)
      expect(line).toMatch(/; httponly/)
      expect(line).toMatch(/; samesite=lax/)
      expect(line).not.toMatch(/domain=/)
    }
  })

  test('marks cookies as secure where the issuer is at https', async () => {
    const { routes } = await secureIssuer()
    const query = `client_id=sigstore&response_type=code&scope=openid&redirect_uri=${encodeURIComponent(redirectUri)}&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`
    const answer = await routes.request(`http://10.0.0.1/oidc/auth?${query}`, {}, {})
    const lines = answer.headers.getSetCookie()
    expect(lines).not.toHaveLength(0)
    for (const line of lines) expect(line).toMatch(/^__Secure-countersign_[0-9a-f]{8}_\w+=.*; secure; httponly/)
  })

  test.each(['form_post', 'form_post.jwt', 'web_message', 'fragment'])(
    'gives way to no page with a script for the response mode %s',
    async (mode) => {
      const answer = await openBrowser().open((await beginSignIn(running.url, { response_mode: mode })).url)
      expect(answer.text).not.toContain('<script')
      expect(answer.status === 400 || answer.location?.includes('error=') === true).toBe(true)
      if (answer.status === 400) expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    },
  )

  test('shows hostile text as text', async () => {
    const hostile = '"><script>alert(1)</script>\u202Egnp.exe'
    const typed = await signIn((await beginSignIn(running.url)).url, { email: hostile, password: 'x' })
    const asked = await openBrowser().get(
      `${running.url}/auth?client_id=${encodeURIComponent(hostile)}&redirect_uri=${encodeURIComponent(hostile)}`,
    )
    const described = await openBrowser().get(
      `${running.url}/auth?client_id=sigstore&redirect_uri=${encodeURIComponent(redirectUri)}&response_type=${encodeURIComponent(hostile)}`,
    )
    for (const { text } of [typed, asked, described]) {
      expect(text).not.toContain('<script>')
      expect(text).not.toContain('\u202E')
    }
    expect(typed.text).toContain('&quot;&gt;&lt;script&gt;')
  })
})

describe('a session', () => {
  test('asks who is signed in already before it gives a program a token', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    const begun = await beginSignIn(running.url)
    const page = await browser.open(begun.url)
    expect(page.text).toContain('Continue as <span class="who">alice@example.com</span>?')
    expect((await redeem(begun, await browser.proceed(page, {}, '/account')))['email']).toBe(alice.email)
  })

  test('gives nothing without asking, even when told to', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    const { location = '' } = await browser.open((await beginSignIn(running.url, { prompt: 'none' })).url)
    expect(location).toContain('error=account_selection_required')
  })

  test('becomes that of another account', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    const begun = await beginSignIn(running.url)
    const page = await browser.open(begun.url)
    const other = await browser.get(`${page.url}?other=1`)
    expect((await redeem(begun, await browser.proceed(other, bob)))['email']).toBe(bob.email)
    const next = await browser.open((await beginSignIn(running.url)).url)
    expect(next.text).toContain('bob@example.com')
    expect(next.text).not.toContain('alice@example.com')
  })

  test('becomes that of who signs in last, in pages that were opened before', async () => {
    const browser = openBrowser()
    const [first, second] = [await beginSignIn(running.url), await beginSignIn(running.url)]
    const [firstPage, secondPage] = [await browser.open(first.url), await browser.open(second.url)]
    expect((await redeem(first, await browser.proceed(firstPage, alice)))['email']).toBe(alice.email)
    expect((await redeem(second, await browser.proceed(secondPage, bob)))['email']).toBe(bob.email)
    expect((await browser.open((await beginSignIn(running.url)).url)).text).toContain('bob@example.com')
  })

  test('gives no token of another person than the page has named', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    const page = await browser.open((await beginSignIn(running.url)).url)
    const other = await browser.open((await beginSignIn(running.url)).url)
    await browser.proceed(await browser.get(`${other.url}?other=1`), bob)
    expect(page.text).toContain('Continue as <span class="who">alice@example.com</span>?')
    const end = await browser.proceed(page, {}, '/account')
    expect([end.status, end.location]).toEqual([400, undefined])
    expect(end.text).toContain('This sign-in has expired')
  })

  test('is asked for the password when the program wants that', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    const page = await browser.open((await beginSignIn(running.url, { prompt: 'login' })).url)
    expect(page.text).toContain('type="password"')
  })

  test('ends after eight hours', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    running.advance(8 * 3_600_000 + 1_000)
    expect((await browser.open((await beginSignIn(running.url)).url)).text).toContain('type="password"')
  })

  test('ends after eight hours however often it is used: who has its cookie does not keep it', async () => {
    const browser = openBrowser()
    await signIn((await beginSignIn(running.url)).url, alice, browser)
    for (const hours of [3, 3]) {
      running.advance(hours * 3_600_000 - 60_000)
      const begun = await beginSignIn(running.url)
      expect((await redeem(begun, await browser.proceed(await browser.open(begun.url), {}, '/account')))['email']).toBe(alice.email)
    }
    running.advance(2 * 3_600_000 + 180_000)
    expect((await browser.open((await beginSignIn(running.url)).url)).text).toContain('type="password"')
  })

  test.each([
    ['the user is removed', (email: string) => running.issuer.users.remove(email)],
    ['the password is changed', (email: string) => running.issuer.users.setPassword(email, 'something quite new')],
  ])('ends when %s, and codes with it', async (_, change) => {
    const carol = { email: 'carol@example.com', password: 'carol has a password' }
    await running.issuer.users.add(carol)
    const browser = openBrowser()
    const begun = await beginSignIn(running.url)
    const code = codeOf(await signIn(begun.url, carol, browser))
    await change(carol.email)
    const { status } = await askForToken(running.url, {
      grant_type: 'authorization_code',
      client_id: 'sigstore',
      redirect_uri: redirectUri,
      code,
      code_verifier: begun.verifier,
    })
    expect(status).toBe(400)
    expect((await browser.open((await beginSignIn(running.url)).url)).text).toContain('type="password"')
    await running.issuer.users.remove(carol.email).catch(() => {})
  })

  test('is not to be had any more for a sign-in that was begun with the password of before', async () => {
    const carol = { email: 'carol@example.com', password: 'carol has a password' }
    await running.issuer.users.add(carol)
    const browser = openBrowser()
    const page = await browser.open((await beginSignIn(running.url)).url)
    // The password is right, but the browser does not go on to where it is sent.
    const { location = '' } = await browser.submit(page, carol)
    await running.issuer.users.setPassword(carol.email, 'something quite new')
    const end = await browser.open(location)
    expect(end.location).toBeUndefined()
    expect((await browser.open((await beginSignIn(running.url)).url)).text).toContain('type="password"')
    await running.issuer.users.remove(carol.email)
  })

  test('is not to be had with a password that was changed while it was checked', async () => {
    const carol = { email: 'carol@example.com', password: 'carol has a password' }
    const { documents } = running
    let change: (() => Promise<void>) | undefined
    const watched = await runIssuer({
      secret: running.secret,
      clock: running.clock,
      documents: {
        get: documents.get.bind(documents),
        find: documents.find.bind(documents),
        list: documents.list.bind(documents),
        delete: documents.delete.bind(documents),
        deleteAll: documents.deleteAll.bind(documents),
        put: async (collection, ...rest) => {
          const changeNow = collection === 'issuer-Interaction' ? change : undefined
          if (changeNow !== undefined) change = undefined
          await changeNow?.()
          return documents.put(collection, ...rest)
        },
      },
    })
    await watched.issuer.users.add(carol)
    const browser = openBrowser()
    const begun = await beginSignIn(watched.url)
    const page = await browser.open(begun.url)
    change = () => watched.issuer.users.setPassword(carol.email, 'something quite new')
    const answer = await browser.submit(page, carol)
    expect([answer.status, answer.location, change]).toEqual([400, undefined, undefined])
    const uid = new URL(page.url).pathname.split('/').at(-1) ?? ''
    expect((await browser.open(`${watched.url}/auth/${uid}`)).location).toBeUndefined()
    expect((await browser.open((await beginSignIn(watched.url)).url)).text).toContain('type="password"')
    await watched.issuer.users.remove(carol.email)
    await watched.stop()
  })

  test('survives a restart, as do keys and sign-ins under way', async () => {
    const first = await runIssuer({ documents: running.documents, secret: running.secret, clock: running.clock })
    const { port } = new URL(first.url)
    const browser = openBrowser()
    await signIn((await beginSignIn(first.url)).url, alice, browser)
    const begun = await beginSignIn(first.url)
    const page = await browser.open(begun.url)
    const keys = await first.issuer.jwks()
    await first.stop()
    const second = await runIssuer({ documents: running.documents, secret: first.secret, port: Number(port), clock: first.clock })
    expect(await second.issuer.jwks()).toEqual(keys)
    // The connection that was kept alive is gone.
    await fetch(second.url).catch(() => {})
    expect(page.text).toContain('Continue as')
    expect((await redeem(begun, await browser.proceed(page, {}, '/account')))['email']).toBe(alice.email)
    await second.stop()
  })
})

test('what is stored tells neither cookies nor codes', async () => {
  const written: string[] = []
  const documents = new Proxy(running.documents, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (name !== 'put' || typeof method !== 'function') return method
      return (...words: unknown[]) => {
        written.push(JSON.stringify(words))
        return Reflect.apply(method, target, words) as unknown
      }
    },
  })
  const watched = await runIssuer({ documents, secret: running.secret, clock: running.clock })
  const browser = openBrowser()
  const begun = await beginSignIn(watched.url)
  const code = codeOf(await signIn(begun.url, alice, browser))
  const secrets = [code, alice.password, ...browser.cookies.map(({ value }) => value)]
  expect(written.length).toBeGreaterThan(3)
  for (const text of written) for (const secret of secrets) expect(text).not.toContain(secret)
  await watched.stop()
})

async function secureIssuer() {
  const { createIssuer } = await import('../../../../src/server/issuer/issuer.ts')
  const { parseIssuerSettings } = await import('../../../../src/server/issuer/settings.ts')
  const { documents, secret, clock } = running
  return createIssuer({ url: 'https://sigstore.example.com/oidc', documents, secret, clock, settings: parseIssuerSettings({}) })
}
