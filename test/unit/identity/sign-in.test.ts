/** Signing in with a real issuer: in the browser, out of band, on another device, as a machine; and what must not work. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMachineSecret } from '../../../src/server/issuer/machine-clients.ts'
import { signIn } from '../../../src/identity/sign-in.ts'
import type { SignInOptions, SignInTerminal } from '../../../src/identity/sign-in-step.ts'
import { parseIdentityToken } from '../../../src/identity/token.ts'
import type { RunningIssuer } from '../../support/issuer.ts'
import { openBrowser, runIssuer } from '../../support/issuer.ts'
import { signIn as walkThroughPages } from '../../support/issuer-client.ts'
import { startServer } from '../http/test-server.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const machine = createMachineSecret()

let running: RunningIssuer
beforeAll(async () => {
  running = await runIssuer({
    settings: { machines: [{ id: 'releaser', 'secret-hash': machine.secretHash, subject: 'https://ci.example.com/releaser' }] },
  })
  await running.issuer.users.add(alice)
})
afterAll(() => running.stop())

interface TestTerminal extends SignInTerminal {
  readonly said: string[]
  readonly printed: string[]
}

/** A terminal, with a user who does this when a browser opens, and types that. */
function terminal(browse: (address: string) => Promise<boolean>, typed?: (said: string) => Promise<string | undefined>): TestTerminal {
  const said: string[] = []
  const printed: string[] = []
  return {
    said,
    printed,
    isInteractive: typed !== undefined,
    say: (line) => void said.push(line),
    print: (line) => void printed.push(line),
    readLine: async (question) => {
      said.push(question)
      return typed?.(said.join('\n'))
    },
    openBrowser: browse,
  }
}

const options = (more: Partial<SignInOptions> & Pick<SignInOptions, 'terminal'>): SignInOptions => ({
  issuer: running.url,
  clientId: 'sigstore',
  flow: 'normal',
  env: {},
  ...more,
})

/** What a person does: signs in, and lets the browser go back. */
async function comeBack(address: string): Promise<boolean> {
  const end = await walkThroughPages(new URL(address), alice)
  const page = await fetch(end.location ?? '')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await page.text()).toContain('You are signed in')
  return true
}

const nobody = (): Promise<boolean> => Promise.resolve(false)
const emailOf = (token: string): string | undefined => parseIdentityToken(token, Date.now()).email

describe('in the browser', () => {
  it('gets a token, by way of a port of this machine', async () => {
    const user = terminal(async (address) => {
      void comeBack(address)
      return Promise.resolve(true)
    })
    expect(emailOf(await signIn(options({ terminal: user })))).toBe(alice.email)
    expect(user.said[0]).toMatch(/^Your browser will now be opened to:\nhttp:\/\/127\.0\.0\.1:[0-9]+\/oidc\//)
  })

  it('asks with PKCE, state and nonce, for an address and an identity', async () => {
    let query = new URLSearchParams()
    const user = terminal((address) => {
      query = new URL(address).searchParams
      void comeBack(address)
      return Promise.resolve(true)
    })
    await signIn(options({ terminal: user }))
    expect(query.get('code_challenge_method')).toBe('S256')
    expect(query.get('code_challenge')).toMatch(/^[A-Za-z0-9_-]{43}$/)
    for (const name of ['state', 'nonce']) expect(query.get(name)?.length).toBeGreaterThan(20)
    expect(query.get('scope')).toBe('openid email')
    expect([...query.keys()].slice(0, 3)).toEqual(['access_type', 'client_id', 'code_challenge'])
    expect(query.get('redirect_uri')).toMatch(/^http:\/\/localhost:[0-9]+\/auth\/callback$/)
  })

  it('takes no notice of a page that makes the browser come back with another state', async () => {
    const user = terminal(async (address) => {
      const redirect = new URL(new URL(address).searchParams.get('redirect_uri') ?? '')
      for (const query of ['code=stolen&state=guessed', 'code=stolen', 'error=access_denied&state=']) {
        expect((await fetch(`${redirect.href}?${query}`)).status).toBe(400)
      }
      expect((await fetch(new URL('/elsewhere', redirect))).status).toBe(404)
      expect((await fetch(redirect, { method: 'POST' })).status).toBe(404)
      void comeBack(address)
      return true
    })
    expect(emailOf(await signIn(options({ terminal: user })))).toBe(alice.email)
  })

  it('fails with the reason of the issuer', async () => {
    const user = terminal((address) => {
      const { searchParams } = new URL(address)
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.search = new URLSearchParams({
        error: 'access_denied',
        error_description: 'not\u001B[31m you',
        state: searchParams.get('state') ?? '',
        iss: running.url,
      }).toString()
      void fetch(back)
      return Promise.resolve(true)
    })
    await expect(signIn(options({ terminal: user }))).rejects.toMatchObject({
      code: 'SIGN_IN_FAILED',
      message: expect.stringMatching(/^signing in with "http:.*" failed: "access_denied" \("not\\u001b\[31m you"\)$/),
    })
  })

  it('ends when the command does', async () => {
    const stop = new AbortController()
    const user = terminal(() => {
      setTimeout(() => stop.abort(), 20)
      return Promise.resolve(true)
    })
    await expect(signIn(options({ terminal: user, signal: stop.signal }))).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('goes out of band when there is no browser, or it does not come back', async () => {
    for (const browse of [nobody, () => Promise.resolve(true)]) {
      const user = terminal(browse, async (said) => {
        const address = /Go to the following link in a browser:\n\n\t (\S+)/.exec(said)?.[1] ?? ''
        const end = await walkThroughPages(new URL(address), alice)
        // The page shows the code, or the redirect to the URN holds it.
        const shown =
          end.location === undefined
            ? /[A-Za-z0-9_-]{20,}/.exec(end.text.replace(/[\s\S]*<body>/, ''))?.[0]
            : new URL(end.location).searchParams.get('code')
        return shown ?? undefined
      })
      expect(emailOf(await signIn(options({ terminal: user, browserTimeoutMs: 100 })))).toBe(alice.email)
      expect(user.said.join('\n')).toContain('Go to the following link in a browser:')
    }
  })

  it('says what else can be done when nobody can type', async () => {
    await expect(signIn(options({ terminal: terminal(nobody) }))).rejects.toMatchObject({
      message: expect.stringContaining('use --fulcio-auth-flow device, or give --identity-token'),
    })
  })

  it.each(['https://evil.example/auth/callback', 'http://192.0.2.1:80/callback', 'nonsense'])(
    'comes back to this machine only, not to %s',
    async (redirectUrl) => {
      await expect(signIn(options({ terminal: terminal(nobody), redirectUrl }))).rejects.toMatchObject({ code: 'USAGE' })
    },
  )

  it('says when the port that was asked for is taken', async () => {
    const taken = await startServer((_, response) => response.end())
    const redirectUrl = `http://localhost:${taken.port}/auth/callback`
    await expect(signIn(options({ terminal: terminal(nobody), redirectUrl }))).rejects.toMatchObject({
      message: expect.stringContaining('cannot listen on 127.0.0.1'),
    })
  })
})

describe('on another device', () => {
  it('prints a code and waits until it was entered', async () => {
    const user = terminal(nobody)
    const signedIn = signIn(options({ flow: 'device', terminal: user }))
    while (user.printed.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    const [, code, address] = /^Enter the verification code (\S+) in your browser at: (\S+)$/.exec(user.printed[0] ?? '') ?? []
    expect(user.printed[1]).toMatch(/^Code will be valid for [0-9]+ seconds$/)
    const browser = openBrowser()
    const confirmation = await browser.open(address ?? '')
    expect(confirmation.text).toContain(code)
    await browser.proceed(await browser.proceed(confirmation), alice)
    running.advance(10_000)
    expect(emailOf(await signedIn)).toBe(alice.email)
    expect(user.printed[2]).toBe('Token received!')
  })

  it('needs an issuer that knows how', async () => {
    const bare = await startServer((request, response) => {
      response.setHeader('content-type', 'application/json')
      const issuer = `http://127.0.0.1:${request.socket.localPort}`
      response.end(
        JSON.stringify({ issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t`, jwks_uri: `${issuer}/k` }),
      )
    })
    const bareOptions = options({ issuer: bare.origin, flow: 'device', terminal: terminal(nobody) })
    await expect(signIn(bareOptions)).rejects.toMatchObject({ message: expect.stringContaining('has no device flow') })
    await expect(signIn({ ...bareOptions, flow: 'normal' })).rejects.toMatchObject({
      message: expect.stringContaining('PKCE is not supported by OIDC provider'),
    })
  })
})

describe('as a machine', () => {
  it('needs a secret', async () => {
    await expect(signIn(options({ flow: 'client_credentials', terminal: terminal(nobody) }))).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('gets a token for its secret, and none for another', async () => {
    const asMachine = options({
      flow: 'client_credentials',
      clientId: 'releaser',
      clientSecret: machine.secret,
      terminal: terminal(nobody),
    })
    const { issuer, principal } = parseIdentityToken(await signIn(asMachine), Date.now())
    expect({ issuer, principal }).toEqual({ issuer: running.url, principal: 'https://ci.example.com/releaser' })
    const refused = await signIn({ ...asMachine, clientSecret: 'wrong' }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'SIGN_IN_FAILED' })
    expect(String(refused)).not.toContain(machine.secret)
  })
})

describe('an issuer', () => {
  it.each(['http://issuer.example', 'ftp://issuer.example', 'nonsense'])(
    'that a token must not travel to is refused: %s',
    async (issuer) => {
      await expect(signIn(options({ issuer, terminal: terminal(nobody) }))).rejects.toMatchObject({ code: 'USAGE' })
    },
  )

  it('that calls itself otherwise is refused', async () => {
    const liar = await startServer((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          issuer: 'https://accounts.example.com',
          authorization_endpoint: 'https://x.example/a',
          token_endpoint: 'https://x.example/t',
          code_challenge_methods_supported: ['S256'],
        }),
      )
    })
    await expect(signIn(options({ issuer: liar.origin, terminal: terminal(nobody) }))).rejects.toMatchObject({ code: 'SIGN_IN_FAILED' })
  })

  it('that is down is named', async () => {
    await expect(signIn(options({ issuer: 'http://127.0.0.1:9', terminal: terminal(nobody) }))).rejects.toMatchObject({
      message: expect.stringContaining('signing in with "http://127.0.0.1:9" failed: could not reach 127.0.0.1:9'),
    })
  })
})
