/** Issuers that do not do as they should: no token of theirs is taken, and one sentence says why. */
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { CountersignError } from '../../../src/error.ts'
import { signIn } from '../../../src/identity/sign-in.ts'
import type { SignInOptions } from '../../../src/identity/sign-in-step.ts'
import { signToken } from '../../support/foreign-issuer.ts'
import type { ScriptedIssuer, TokenAnswer } from '../../support/scripted-issuer.ts'
import { startScriptedIssuer } from '../../support/scripted-issuer.ts'
import { namedKey } from '../../support/universe/keys.ts'
import { startServer } from '../http/test-server.ts'

const code = 'a-code-that-nobody-else-may-see'

interface Person {
  readonly printed: string[]
  /** The page that the browser showed in the end. */
  page?: Response
}

interface Ended {
  readonly person: Person
  readonly outcome: unknown
}

/** Signs in; the browser comes back at once, with these changes to what it brings. */
async function signInAt(
  issuer: ScriptedIssuer,
  flow: SignInOptions['flow'],
  brings: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const person: Person = { printed: [] }
  let back: Promise<unknown> = Promise.resolve()
  const openBrowser = (address: string): Promise<boolean> => {
    const { searchParams } = new URL(address)
    nonce = searchParams.get('nonce') ?? ''
    const brought = { code, state: searchParams.get('state') ?? '', iss: issuer.url, ...brings }
    redirect = `${searchParams.get('redirect_uri') ?? ''}?${new URLSearchParams(brought).toString()}`
    back = fetch(redirect).then((page) => (person.page = page))
    return Promise.resolve(true)
  }
  const terminal = {
    isInteractive: false,
    say: () => undefined,
    print: (line: string) => void person.printed.push(line),
    readLine: () => Promise.resolve(undefined),
    openBrowser,
  }
  const outcome = await signIn({
    issuer: issuer.url,
    clientId: 'sigstore',
    clientSecret: flow === 'client_credentials' ? 'a-client-secret' : undefined,
    flow,
    env: {},
    terminal,
  }).catch((error: unknown) => error)
  await back
  return { person, outcome }
}

/** Of the sign-in under way. */
let nonce = ''
let redirect = ''

function sentenceOf({ outcome }: Ended): string {
  if (!(outcome instanceof CountersignError)) throw new Error(`it did not fail: ${String(outcome)}`)
  expect(outcome.code).toBe('SIGN_IN_FAILED')
  expect(outcome.message).toMatch(/^[a-z][^\n]{10,500}$/)
  for (const secret of [code, 'a-client-secret']) expect(outcome.message).not.toContain(secret)
  return outcome.message
}

const response = (idToken: string): TokenAnswer => ({ access_token: 'opaque', token_type: 'Bearer', id_token: idToken })

describe('in the browser', () => {
  it('a right token is taken, and the browser shows it', async () => {
    const issuer = await startScriptedIssuer({ tokens: ({ token }) => response(token({ sub: 'me', nonce })) })
    const { person, outcome } = await signInAt(issuer, 'normal')
    expect(String(outcome).split('.')).toHaveLength(3)
    expect(person.page?.status).toBe(200)
    expect(await person.page?.text()).toContain('You are signed in')
    expect(issuer.forms[0]?.get('code')).toBe(code)
    expect(issuer.forms[0]?.get('code_verifier')).toMatch(/^[A-Za-z0-9_-]{43,}$/)
  })

  const now = Math.floor(Date.now() / 1000)
  it.each<[string, Parameters<typeof startScriptedIssuer>[0]['tokens'], RegExp]>([
    ['of another sign-in', ({ token }) => response(token({ sub: 'me', nonce: 'another' })), /unexpected ID Token "nonce" claim value$/],
    ['without a nonce', ({ token }) => response(token({ sub: 'me' })), /"nonce" \(nonce\) claim missing$/],
    [
      'for another audience',
      ({ token }) => response(token({ sub: 'me', nonce, aud: 'another-program' })),
      /\(audience\) claim value: expected "sigstore", found "another-program"$/,
    ],
    [
      'of another issuer',
      ({ token }) => response(token({ sub: 'me', nonce, iss: 'https://accounts.example.com' })),
      /\(issuer\) claim value: expected "http:[^"]+", found "https:\/\/accounts\.example\.com"$/,
    ],
    ['that has expired', ({ token }) => response(token({ sub: 'me', nonce, exp: now - 60 })), /"exp" \(expiration time\) claim value/],
    [
      'of tomorrow',
      ({ token }) => response(token({ sub: 'me', nonce, nbf: now + 86_400, exp: now + 90_000 })),
      /"nbf" \(not before\) claim value/,
    ],
    [
      'signed with a key that it does not publish',
      (issuer) =>
        response(
          signToken(
            { alg: 'ES256', kid: issuer.keyId },
            { iss: issuer.url, aud: 'sigstore', sub: 'me', nonce, iat: now, exp: now + 60 },
            namedKey('x'),
          ),
        ),
      /JWT signature verification failed$/,
    ],
    [
      'signed by nobody',
      (issuer) =>
        response(signToken({ alg: 'none' }, { iss: issuer.url, aud: 'sigstore', sub: 'me', nonce, iat: now, exp: now + 60 }, issuer.key)),
      /unexpected JWT "alg" header parameter$/,
    ],
    ['that is none', () => response('nonsense'), /Invalid JWT$/],
    [
      'that is not there',
      () => ({ access_token: 'opaque', token_type: 'Bearer' }),
      /"response" body "id_token" property must be a string$/,
    ],
    [
      'that it refuses',
      () => ({ error: 'invalid_grant' }),
      /failed: "invalid_grant" \(the code was used before, has expired, or is of another sign-in\)$/,
    ],
    [
      'that it refuses with a reason',
      () => ({ error: 'invalid_grant', error_description: 'so\nthere' }),
      /failed: "invalid_grant" \("so\\nthere"\)$/,
    ],
    [
      'in a page',
      () => (answer) => void answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      /unexpected response content-type$/,
    ],
    [
      'in two megabytes',
      () => (answer) => void answer.writeHead(200, { 'content-type': 'application/json' }).end(`"${'x'.repeat(2 ** 21)}"`),
      /answered with (?:at least )?[0-9]+ bytes, more than the limit of 1048576$/,
    ],
    ['that the server cannot give', () => (answer) => void answer.writeHead(500).end(), /unexpected HTTP response status code$/],
  ])('a token %s is not', async (_, tokens, reason) => {
    const issuer = await startScriptedIssuer({ tokens })
    const ended = await signInAt(issuer, 'normal')
    expect(sentenceOf(ended)).toMatch(reason)
    // The browser does not say that somebody is signed in who is not.
    expect(ended.person.page?.status).toBe(400)
    expect(await ended.person.page?.text()).toContain('The sign-in failed')
  })

  it('a code is not taken to where a redirect leads', async () => {
    const elsewhere = await startServer((_, answer) => answer.end('{}'))
    const issuer = await startScriptedIssuer({
      tokens: () => (answer) => void answer.writeHead(307, { location: `${elsewhere.origin}/token` }).end(),
    })
    sentenceOf(await signInAt(issuer, 'normal'))
    expect(elsewhere.requests).toEqual([])
  })

  it.each([
    ['another issuer, as in a mix-up', { iss: 'https://evil.example' }, /unexpected "iss" \(issuer\) response parameter value$/],
    ['an error', { error: 'access_denied' }, /failed: "access_denied" \(the sign-in was refused, or stopped in the browser\)$/],
  ])('a redirect with %s ends it, and no code is redeemed', async (_, brings, reason) => {
    const issuer = await startScriptedIssuer({ tokens: ({ token }) => response(token({ sub: 'me', nonce })) })
    const ended = await signInAt(issuer, 'normal', brings)
    expect(sentenceOf(ended)).toMatch(reason)
    expect(issuer.forms).toEqual([])
    expect(ended.person.page?.status).toBe(400)
  })

  it('a second answer changes nothing', async () => {
    let second: Response | undefined
    const answerAfterIt = async (answer: ServerResponse, idToken: string): Promise<void> => {
      second = await fetch(redirect.replace(code, 'another-code'))
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response(idToken)))
    }
    const issuer = await startScriptedIssuer({
      tokens:
        ({ token }) =>
        (answer) =>
          void answerAfterIt(answer, token({ sub: 'me', nonce })),
    })
    expect(String((await signInAt(issuer, 'normal')).outcome).split('.')).toHaveLength(3)
    expect(second?.status).toBe(409)
    expect(issuer.forms.map((form) => form.get('code'))).toEqual([code])
  })
})

describe('on another device', () => {
  it('waits as long as it is told to, then takes the token', async () => {
    const answers: TokenAnswer[] = [{ error: 'authorization_pending' }, { error: 'authorization_pending' }]
    const issuer = await startScriptedIssuer({ tokens: ({ token }) => answers.shift() ?? response(token({ sub: 'me' })) })
    const { person, outcome } = await signInAt(issuer, 'device')
    expect(String(outcome).split('.')).toHaveLength(3)
    expect(person.printed).toEqual([
      `Enter the verification code ABCD-EFGH in your browser at: ${issuer.url}/activate?user_code=ABCD-EFGH`,
      'Code will be valid for 60 seconds',
      'Token received!',
    ])
    expect(issuer.forms).toHaveLength(3)
  })

  it('asks less often when it is told to slow down', async () => {
    const answers: TokenAnswer[] = [{ error: 'slow_down' }]
    const issuer = await startScriptedIssuer({
      tokens: () => answers.shift() ?? { error: 'authorization_pending' },
      device: { expires_in: 4 },
    })
    expect(sentenceOf(await signInAt(issuer, 'device'))).toBe('nobody entered the verification code before it expired')
    // Once a second would have been four times.
    expect(issuer.forms).toHaveLength(1)
  })

  it.each([
    [
      'is not entered in time',
      { error: 'expired_token' },
      /failed: "expired_token" \(nobody entered the verification code before it expired\)$/,
    ],
    ['is refused', { error: 'access_denied' }, /failed: "access_denied" \(the sign-in was refused, or stopped in the browser\)$/],
    ['is of another client', { error: 'invalid_client' }, /the issuer does not know the client of --oidc-client-id/],
  ])('says so when the code %s', async (_, answer, reason) => {
    const issuer = await startScriptedIssuer({ tokens: () => answer })
    expect(sentenceOf(await signInAt(issuer, 'device'))).toMatch(reason)
    expect(issuer.forms).toHaveLength(1)
  })

  it('asks no more than once a second, and not after the end, whatever the issuer wants', async () => {
    const issuer = await startScriptedIssuer({
      tokens: () => ({ error: 'authorization_pending' }),
      device: { interval: 0.001, expires_in: 2 },
    })
    expect(sentenceOf(await signInAt(issuer, 'device'))).toBe('nobody entered the verification code before it expired')
    expect(issuer.forms.length).toBeLessThanOrEqual(2)
  })

  it('gives the terminal nothing to act on', async () => {
    const issuer = await startScriptedIssuer({
      tokens: () => ({ error: 'access_denied' }),
      device: { user_code: 'A\u001B[2J', verification_uri: '\u001B]0;x', verification_uri_complete: undefined },
    })
    const { person } = await signInAt(issuer, 'device')
    expect(person.printed.join('\n')).toMatch(/^[\x20-\x7E\n]+$/)
  })

  it('takes no token for another audience', async () => {
    const issuer = await startScriptedIssuer({ tokens: ({ token }) => response(token({ sub: 'me', aud: 'x' })) })
    expect(sentenceOf(await signInAt(issuer, 'device'))).toContain('expected "sigstore", found "x"')
  })
})

describe('as a machine', () => {
  it('takes an access token that is an identity token, and says when there is none', async () => {
    const good = await startScriptedIssuer({ tokens: ({ token }) => ({ access_token: token({ sub: 'ci' }), token_type: 'Bearer' }) })
    expect(String((await signInAt(good, 'client_credentials')).outcome).split('.')).toHaveLength(3)
    const none = await startScriptedIssuer({ tokens: () => ({ access_token: 'opaque', token_type: 'Bearer' }) })
    expect(sentenceOf(await signInAt(none, 'client_credentials'))).toMatch(/answered without an identity token \(id_token\)$/)
  })

  it('says that a secret is wrong without showing it', async () => {
    const issuer = await startScriptedIssuer({ tokens: () => ({ error: 'invalid_client' }) })
    expect(sentenceOf(await signInAt(issuer, 'client_credentials'))).toContain('its secret is another')
  })
})
