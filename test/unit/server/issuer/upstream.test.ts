import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { messageOf } from '../../../../src/error.ts'
import { beginSignIn, redeem } from '../../../support/issuer-client.ts'
import type { Browser, RunningIssuer, Visited } from '../../../support/issuer.ts'
import { openBrowser, runIssuer } from '../../../support/issuer.ts'

const carol = { email: 'carol@example.com', password: 'correct horse battery' }

let running: RunningIssuer[] = []
const run = async (options: Parameters<typeof runIssuer>[0]): Promise<RunningIssuer> => {
  const started = await runIssuer(options)
  running.push(started)
  return started
}
afterEach(async () => {
  for (const one of running) await one.stop()
  running = []
})

describe('sign-in through another OpenID provider', () => {
  let upstream: RunningIssuer
  let ours: RunningIssuer

  beforeEach(async () => {
    // The callback's port has to be known upstream before we run there: any loopback port is.
    upstream = await run({ settings: { 'redirect-uris': [] } })
    await upstream.issuer.users.add({ ...carol, name: 'Carol <script>' })
    ours = await run({ settings: { connectors: [connectorTo(upstream)] } })
    await registerCallback()
  })

  /** A connector's redirect URI is registered upstream, as an administrator does it. */
  async function registerCallback(): Promise<void> {
    const { port } = new URL(upstream.url)
    await upstream.stop()
    upstream = await run({
      documents: upstream.documents,
      secret: upstream.secret,
      port: Number(port),
      settings: { 'redirect-uris': [`${ours.url}/callback/corp`] },
    })
    await fetch(upstream.url).catch(() => {})
  }

  /** From our page through theirs, back to our callback. */
  async function throughUpstream(browser: Browser, page: Visited): Promise<Visited> {
    const away = await browser.get(`${page.url}/with/corp`)
    return browser.proceed(await browser.open(away.location ?? ''), carol)
  }

  test('gives a token about the person, and says through whom', async () => {
    const browser = openBrowser()
    const begun = await beginSignIn(ours.url)
    const page = await browser.open(begun.url)
    expect(page.text).toContain('Continue with Corp &amp; Sons')
    const back = await throughUpstream(browser, page)
    const claims = await redeem(begun, await browser.open(back.location ?? ''))
    const [{ subject } = { subject: '' }] = await upstream.issuer.users.list()
    expect(claims).toMatchObject({
      sub: `corp:${subject}`,
      email: carol.email,
      email_verified: true,
      federated_claims: { connector_id: 'corp', user_id: subject },
    })
  })

  test('asks with state, nonce and PKCE, each of them new', async () => {
    const browser = openBrowser()
    const page = await browser.open((await beginSignIn(ours.url)).url)
    const seen = new Set<string | null>()
    for (let time = 0; time < 2; time++) {
      const { searchParams } = new URL((await browser.get(`${page.url}/with/corp`)).location ?? '')
      expect(searchParams.get('code_challenge_method')).toBe('S256')
      for (const name of ['state', 'nonce', 'code_challenge']) seen.add(searchParams.get(name))
    }
    expect(seen.size).toBe(6)
    expect(seen).not.toContain(null)
  })

  test('lets nobody finish it in another browser', async () => {
    const attacker = openBrowser()
    const back = await throughUpstream(attacker, await attacker.open((await beginSignIn(ours.url)).url))
    const victim = openBrowser()
    await victim.open((await beginSignIn(ours.url)).url)
    const answer = await victim.open(back.location ?? '')
    expect([answer.status, answer.location]).toEqual([400, undefined])
    expect(victim.cookies.some(({ name }) => name.endsWith('_session'))).toBe(false)
  })

  test('takes an answer once', async () => {
    const browser = openBrowser()
    const page = await browser.open((await beginSignIn(ours.url)).url)
    const back = await throughUpstream(browser, page)
    const step = await browser.get(back.location ?? '')
    expect((await browser.get(step.location ?? '')).status).toBe(303)
    expect((await browser.get(step.location ?? '')).status).toBe(400)
  })

  test.each([
    ['another state', (url: URL) => url.searchParams.set('state', 'a'.repeat(43)), 400],
    ['no state', (url: URL) => url.searchParams.delete('state'), 400],
    ['another code', (url: URL) => url.searchParams.set('code', 'a'.repeat(43)), 502],
    ['another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example'), 502],
    ['an error', (url: URL) => (url.searchParams.delete('code'), url.searchParams.set('error', 'access_denied')), 502],
    ['the path of another connector', (url: URL) => (url.pathname = url.pathname.replace('/corp', '/other')), 400],
  ])('refuses an answer with %s', async (_, change, status) => {
    const browser = openBrowser()
    const back = await throughUpstream(browser, await browser.open((await beginSignIn(ours.url)).url))
    const url = new URL(back.location ?? '')
    change(url)
    const answer = await browser.open(url)
    expect([answer.status, answer.location]).toEqual([status, undefined])
    if (status === 502) expect(answer.text).toContain('Signing in with Corp &amp; Sons did not work')
  })

  test('does not redirect elsewhere, whatever the callback is told', async () => {
    const answer = await openBrowser().get(`${ours.url}/callback/corp?state=//evil.example&code=x&returnTo=//evil.example`)
    expect([answer.status, answer.location]).toEqual([400, undefined])
  })

  test('says that an issuer is down, and lets the person sign in otherwise', async () => {
    await ours.issuer.users.add(carol)
    const begun = await beginSignIn(ours.url)
    const browser = openBrowser()
    const page = await browser.open(begun.url)
    await upstream.stop()
    running = running.filter((one) => one !== upstream)
    const answer = await browser.get(`${page.url}/with/corp`)
    expect(answer.status).toBe(502)
    expect(answer.text).toContain('did not work')
    expect(messageOf(ours.reported[0])).toContain('cannot be reached')
    expect((await redeem(begun, await browser.proceed(await browser.get(page.url), carol)))['email']).toBe(carol.email)
  })

  test('lets in only addresses of the configured domains, today and for sessions of yesterday', async () => {
    const browser = openBrowser()
    const begun = await beginSignIn(ours.url)
    const back = await throughUpstream(browser, await browser.open(begun.url))
    await redeem(begun, await browser.open(back.location ?? ''))

    const { port } = new URL(ours.url)
    await ours.stop()
    running = running.filter((one) => one !== ours)
    ours = await run({
      documents: ours.documents,
      secret: ours.secret,
      port: Number(port),
      settings: { connectors: [{ ...connectorTo(upstream), 'email-domains': ['example.org'] }] },
    })
    await fetch(ours.url).catch(() => {})
    const page = await browser.open((await beginSignIn(ours.url)).url)
    expect(page.text).not.toContain('Continue as')
    const away = await browser.get(`${page.url}/with/corp`)
    const asked = await browser.open(away.location ?? '')
    const refused = await browser.open((await browser.proceed(asked, {}, '/account')).location ?? '')
    expect(refused.text).toContain('an e-mail address that may not sign in here')
  })
})

test('a connector that is not there is nowhere to go', async () => {
  const ours = await run({})
  const browser = openBrowser()
  const page = await browser.open((await beginSignIn(ours.url)).url)
  expect((await browser.get(`${page.url}/with/corp`)).status).toBe(400)
})

describe('sign-in through GitHub', () => {
  let github: { readonly url: string; readonly server: Server; user: unknown; emails: unknown; readonly asked: string[] }
  let ours: RunningIssuer

  beforeEach(async () => {
    github = await startGitHub()
    ours = await run({
      settings: {
        connectors: [
          {
            id: 'github',
            name: 'GitHub',
            type: 'github',
            'client-id': 'app',
            'client-secret': 'github.secret',
            url: github.url,
            'api-url': `${github.url}/api`,
            'email-domains': 'any',
          },
        ],
      },
      readSecret: async (file) => `secret of ${file}\n`,
    })
  })
  afterEach(() => github.server.close())

  async function signIn(): Promise<{ readonly answer: Visited; readonly claims: () => ReturnType<typeof redeem> }> {
    const browser = openBrowser()
    const begun = await beginSignIn(ours.url)
    const page = await browser.open(begun.url)
    const away = new URL((await browser.get(`${page.url}/with/github`)).location ?? '')
    const answer = await browser.open(`${away.searchParams.get('redirect_uri')}?code=good&state=${away.searchParams.get('state')}`)
    return { answer, claims: () => redeem(begun, answer) }
  }

  test('gives a token about the number of the account and its primary, verified address', async () => {
    const { claims } = await signIn()
    expect(await claims()).toMatchObject({
      sub: 'github:583231',
      email: 'octo@example.com',
      email_verified: true,
      federated_claims: { connector_id: 'github', user_id: '583231' },
    })
    const [token] = github.asked
    expect(token).toContain('client_secret=secret+of+github.secret')
    expect(token).toMatch(/code_verifier=[\w-]{43}/)
  })

  test.each([
    ['no address', []],
    ['an address that is not verified', [{ email: 'octo@example.com', primary: true, verified: false }]],
    ['an address that is not the primary one', [{ email: 'octo@example.com', primary: false, verified: true }]],
    ['something else than addresses', { message: 'rate limited' }],
    ['an address that fits no certificate', [{ email: '"a b"@example.com', primary: true, verified: true }]],
  ])('refuses an account with %s', async (_, emails) => {
    github.emails = emails
    const { answer } = await signIn()
    expect([answer.status, answer.location]).toEqual([502, undefined])
  })

  test.each([
    ['no id', { login: 'octo' }],
    ['an id that is text', { id: '1' }],
    ['an id that is negative', { id: -1 }],
    ['nothing', null],
  ])('refuses an account with %s', async (_, user) => {
    github.user = user
    expect((await signIn()).answer.status).toBe(502)
  })
})

function connectorTo({ url }: RunningIssuer): object {
  return { id: 'corp', name: 'Corp & Sons', type: 'oidc', issuer: url, 'client-id': 'sigstore', 'email-domains': 'any' }
}

async function startGitHub(): Promise<{ url: string; server: Server; user: unknown; emails: unknown; asked: string[] }> {
  const state = {
    url: '',
    user: { id: 583_231, login: 'octo', name: 'Octo' } as unknown,
    emails: [
      { email: 'other@example.com', primary: false, verified: true },
      { email: 'octo@example.com', primary: true, verified: true },
    ] as unknown,
    asked: [] as string[],
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const answers: Record<string, unknown> = {
        '/login/oauth/access_token': { access_token: 'gho_token', token_type: 'bearer', scope: 'read:user,user:email' },
        '/api/user': state.user,
        '/api/user/emails': state.emails,
      }
      if (request.method === 'POST') state.asked.push(body)
      const isAllowed = request.method === 'POST' || request.headers.authorization === 'Bearer gho_token'
      response
        .writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' })
        .end(JSON.stringify(answers[request.url ?? ''] ?? null))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(state, { server })
}
