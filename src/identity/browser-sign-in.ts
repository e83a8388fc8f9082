/**
 * The authorization code flow in the user's browser (RFC 8252): PKCE with S256, state and nonce, back to a port of this
 * machine. Without a browser here, the user takes the address to one and brings a code back ("out of band").
 */
import { CountersignError, UsageError } from '../error.ts'
import { listenForCallback } from '../http/loopback-callback.ts'
import { explained } from './oidc-client.ts'
import type { SignInStep } from './sign-in-step.ts'

const defaultRedirectUrl = 'http://localhost:0/auth/callback'
const outOfBand = 'urn:ietf:wg:oauth:2.0:oob'
const defaultTimeoutMs = 120_000

/** What only the one who began the sign-in knows. */
interface Secrets {
  readonly verifier: string
  readonly state: string
  readonly nonce: string
}

export function signInWithBrowser(step: SignInStep): Promise<string | undefined> {
  const { library, configuration } = step.client
  if (!configuration.serverMetadata().supportsPKCE()) {
    throw new CountersignError(
      'SIGN_IN_FAILED',
      `PKCE is not supported by OIDC provider ${JSON.stringify(step.issuer)}: it does not advertise the method S256`,
    )
  }
  const secrets = { verifier: library.randomPKCECodeVerifier(), state: library.randomState(), nonce: library.randomNonce() }
  return explained(step.issuer, step.signal, async () => {
    const back = await comeBackToPort(step, secrets)
    return back === undefined ? redeem(step, secrets, await bringCodeBack(step, secrets)) : back.token
  })
}

async function redeem({ client }: SignInStep, secrets: Secrets, redirected: URL): Promise<string | undefined> {
  const { library, configuration } = client
  const tokens = await library.authorizationCodeGrant(configuration, redirected, {
    pkceCodeVerifier: secrets.verifier,
    expectedState: secrets.state,
    expectedNonce: secrets.nonce,
    idTokenExpected: true,
  })
  return tokens.id_token
}

/** @returns what the browser's return was worth; undefined when there is no browser, or it did not come back in time */
async function comeBackToPort(step: SignInStep, secrets: Secrets): Promise<{ readonly token: string | undefined } | undefined> {
  const { terminal, signal, browserTimeoutMs = defaultTimeoutMs } = step
  const redirect = redirectUrl(step.redirectUrl)
  const callback = await listenForCallback({
    port: redirect.port === '' ? 80 : Number(redirect.port),
    path: redirect.pathname,
    state: secrets.state,
  })
  let ending: 'signedIn' | 'failed' = 'failed'
  try {
    redirect.port = String(callback.port)
    const address = await authorizationUrl(step, secrets, redirect.href)
    terminal.say(`Your browser will now be opened to:\n${address}`)
    if (!(await terminal.openBrowser(address))) return undefined
    const query = await firstOf(callback.query, browserTimeoutMs, signal)
    if (query === undefined) {
      terminal.say(`The browser did not come back within ${browserTimeoutMs / 1000} seconds.`)
      return undefined
    }
    const redirected = new URL(redirect)
    redirected.search = query.toString()
    const token = await redeem(step, secrets, redirected)
    if (token !== undefined) ending = 'signedIn'
    return { token }
  } finally {
    await callback.answer(ending)
    callback.close()
  }
}

async function bringCodeBack(step: SignInStep, secrets: Secrets): Promise<URL> {
  const { terminal } = step
  if (!terminal.isInteractive) {
    throw new CountersignError(
      'SIGN_IN_FAILED',
      'nobody signed in: no browser came back, and nobody can type a code here; use --fulcio-auth-flow device, or give --identity-token',
    )
  }
  terminal.say(`Go to the following link in a browser:\n\n\t ${await authorizationUrl(step, secrets, outOfBand)}`)
  const code = (await terminal.readLine('Enter verification code: '))?.trim() ?? ''
  if (code === '') throw new CountersignError('SIGN_IN_FAILED', 'nobody signed in: no verification code was entered')
  // What a redirect would have brought beside the code was never out of this process's hands.
  const { issuer } = step.client.configuration.serverMetadata()
  return new URL(`${outOfBand}?${new URLSearchParams({ code, state: secrets.state, iss: issuer }).toString()}`)
}

async function authorizationUrl({ client }: SignInStep, { verifier, state, nonce }: Secrets, redirect: string): Promise<string> {
  const { library, configuration } = client
  const url = library.buildAuthorizationUrl(configuration, {
    redirect_uri: redirect,
    scope: 'openid email',
    access_type: 'online',
    code_challenge: await library.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  // The order in which Go programs print it, by which people's documents show the address.
  url.searchParams.sort()
  return url.href
}

/** Only this machine may be come back to. */
function redirectUrl(text = defaultRedirectUrl): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname)) return url
  throw new UsageError(
    'USAGE',
    'the redirect URL (--oidc-redirect-url) should be an address of this machine such as http://localhost:8080/auth/callback',
  )
}

/** @returns undefined when the time is over or the caller stops */
async function firstOf<T>(promise: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T | undefined> {
  let stop: () => void = () => undefined
  const over = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs)
    const abort = (): void => resolve(undefined)
    signal?.addEventListener('abort', abort, { once: true })
    stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  })
  try {
    const first = await Promise.race([promise, over])
    signal?.throwIfAborted()
    return first
  } finally {
    stop()
  }
}
