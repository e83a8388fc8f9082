/** The issuer on each storage, as two front ends have it: what one begins the other ends, and what may happen once happens once. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { createIssuer } from '../../src/server/issuer/issuer.ts'
import type { Issuer } from '../../src/server/issuer/issuer.ts'
import { parseIssuerSettings } from '../../src/server/issuer/settings.ts'
import type { StorageLocation } from '../../src/server/storage/storage.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import { describeEachStorage } from '../support/each-storage.ts'
import { askForToken, beginSignIn, codeOf, redeem, redirectUri, signIn } from '../support/issuer-client.ts'
import { cheapScrypt, openBrowser } from '../support/issuer.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const dayMs = 86_400_000

interface FrontEnds {
  readonly url: string
  readonly one: Issuer
  readonly two: Issuer
  /** Moves the clock of both. */
  advance(ms: number): void
  readonly now: () => number
}

/** Two issuers behind one address; each request goes to the one whose turn it is. */
async function withFrontEnds(locations: readonly StorageLocation[], use: (frontEnds: FrontEnds) => Promise<void>): Promise<void> {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const secret = randomBytes(32)
  const listeners: ReturnType<typeof getRequestListener>[] = []
  let turn = 0
  const server = createServer((incoming, outgoing) => void listeners[turn++ % listeners.length]?.(incoming, outgoing))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oidc`
  // What forgets everything when it is closed is shared as it is.
  const storages = await Promise.all(locations.map((location) => openStorage(location, { clock: now })))
  const issuers: Issuer[] = []
  try {
    for (const at of [0, 1]) {
      const storage = storages[at] ?? storages[0]
      if (storage === undefined) throw new Error('there is no storage')
      const settings = parseIssuerSettings({ algorithm: 'ES256', 'key-rotation-days': 30 })
      const issuer = await createIssuer({ url, documents: storage.documents, secret, clock: now, settings, scrypt: cheapScrypt })
      issuers.push(issuer)
      listeners.push(getRequestListener(new Hono().route('/', issuer.routes).fetch))
    }
    const [one, two] = issuers
    if (one === undefined || two === undefined) throw new Error('there are two')
    await use({ url, one, two, now, advance: (ms) => void (ahead += ms) })
  } finally {
    for (const issuer of issuers) await issuer.close?.()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    for (const storage of storages) await storage.close()
  }
}

describeEachStorage((kind) => {
  const frontEnds = async (use: (both: FrontEnds) => Promise<void>): Promise<void> => {
    const location = await kind.newLocation()
    await withFrontEnds(kind.isLasting ? [location, location] : [location], use)
  }

  test('a sign-in goes on at the other front end with each of its requests', () =>
    frontEnds(async ({ url, one }) => {
      await one.users.add(alice)
      const browser = openBrowser()
      // An odd number of requests between them, so that each step is somebody else's in one of the two.
      for (const skip of [0, 1]) {
        const begun = await beginSignIn(url)
        for (let at = 0; at < skip; at++) await fetch(`${url}/keys`)
        const claims = await redeem(begun, await signIn(begun.url, alice, openBrowser()))
        expect(claims).toMatchObject({ iss: url, email: alice.email, nonce: begun.nonce })
      }
      // Who is signed in at one is signed in at the other: no password is asked for again.
      const first = await beginSignIn(url)
      await redeem(first, await signIn(first.url, alice, browser))
      const again = await beginSignIn(url)
      const page = await browser.open(again.url)
      expect(page.text).toContain(alice.email)
      expect(page.text).not.toContain('name="password"')
    }))

  test('a code is good once, also when both front ends are asked at the same time', () =>
    frontEnds(async ({ url, two }) => {
      await two.users.add(alice)
      const begun = await beginSignIn(url)
      const end = await signIn(begun.url, alice)
      const fields = { grant_type: 'authorization_code', client_id: 'sigstore', redirect_uri: redirectUri, code: codeOf(end) }
      const answers = await Promise.all(Array.from({ length: 6 }, () => askForToken(url, { ...fields, code_verifier: begun.verifier })))
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400, 400, 400])
    }))

  test('a device is signed in at either front end, once', () =>
    frontEnds(async ({ url, one, advance }) => {
      await one.users.add(alice)
      const body = new URLSearchParams({ client_id: 'sigstore', scope: 'openid email' })
      const begun = (await (await fetch(`${url}/device/code`, { method: 'POST', body })).json()) as Record<string, string>
      const poll = () => askForToken(url, { grant_type: deviceCodeGrant, client_id: 'sigstore', device_code: begun['device_code'] ?? '' })
      expect((await poll()).body['error']).toBe('authorization_pending')
      advance(6_000)
      const browser = openBrowser()
      const form = await browser.proceed(await browser.open(begun['verification_uri_complete'] ?? ''))
      await browser.proceed(form, alice)
      const answers = await Promise.all([poll(), poll()])
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    }))

  test('users that one front end adds, changes and removes are those of the other', () =>
    frontEnds(async ({ one, two }) => {
      await one.users.add(alice)
      expect(await two.users.list()).toMatchObject([{ email: alice.email }])
      await expect(two.users.add({ ...alice, email: 'ALICE@example.com' })).rejects.toMatchObject({ code: 'CONFLICT' })
      const added = await Promise.allSettled([one, two].map(({ users }) => users.add({ ...alice, email: 'bob@example.com' })))
      expect(added.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      await two.users.setPassword(alice.email, 'another password')
      expect(await one.users.authenticate(alice.email, alice.password)).toBeUndefined()
      expect(await one.users.authenticate(alice.email, 'another password')).toBeDefined()
      await one.users.remove(alice.email)
      expect(await two.users.authenticate(alice.email, 'another password')).toBeUndefined()
    }))

  test('a user who is removed is signed out at both', () =>
    frontEnds(async ({ url, one, two }) => {
      await one.users.add(alice)
      const browser = openBrowser()
      const begun = await beginSignIn(url)
      await redeem(begun, await signIn(begun.url, alice, browser))
      await two.users.remove(alice.email)
      for (let at = 0; at < 2; at++) expect((await browser.open((await beginSignIn(url)).url)).text).toContain('name="password"')
    }))

  test('both sign with the same keys, when both change them at once too', () =>
    frontEnds(async ({ one, two, advance, now }) => {
      const kids = async (issuer: Issuer) => (await issuer.jwks()).keys.map(({ kid }) => kid)
      expect(await kids(one)).toHaveLength(1)
      expect(await kids(two)).toEqual(await kids(one))
      for (let round = 0; round < 3; round++) {
        advance(29 * dayMs)
        await Promise.all([one.jwks(), two.jwks(), one.jwks(), two.jwks()])
        expect(await kids(two)).toEqual(await kids(one))
        advance(dayMs)
        const token = await one.issueToken({ subject: 'a' })
        await jwtVerify(token, createLocalJWKSet(await two.jwks()), { currentDate: new Date(now()) })
      }
    }))

  test('attempts to guess a password are counted by both together', () =>
    frontEnds(async ({ url, one }) => {
      await one.users.add(alice)
      const statuses = new Set<number>()
      for (let attempt = 0; attempt < 12; attempt++) {
        const browser = openBrowser()
        const page = await browser.submit(await browser.open((await beginSignIn(url)).url), { ...alice, password: `guess ${attempt}` })
        statuses.add(page.status)
      }
      expect([...statuses]).toEqual([401, 429])
    }))
})
