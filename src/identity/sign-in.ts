/** Signing in with an OIDC issuer: in the browser, with a code on another device, or with the credentials of a client. */
import { CountersignError, UsageError } from '../error.ts'
import { signInWithBrowser } from './browser-sign-in.ts'
import { signInWithClientCredentials } from './client-credentials.ts'
import { signInWithDevice } from './device-sign-in.ts'
import { discoverIssuer } from './oidc-client.ts'
import type { OidcClient, OidcClientOptions } from './oidc-client.ts'

/** What a sign-in needs of the terminal. */
export interface SignInTerminal {
  /** For the user to read, on standard error. */
  say(line: string): void
  /** What cosign prints on standard output: the device flow's lines. */
  print(line: string): void
  /** A line that the user types; undefined when nobody can. */
  readLine(question: string): Promise<string | undefined>
  /** Opens the address in a browser. Whether there is one. */
  openBrowser(address: string): Promise<boolean>
  /** Whether somebody can type an answer. */
  readonly isInteractive: boolean
}

export type SignInFlow = 'normal' | 'device' | 'client_credentials'

export interface SignInOptions extends OidcClientOptions {
  readonly flow: SignInFlow
  /** Where the browser comes back to; default `http://localhost:0/auth/callback`, on any free port. */
  readonly redirectUrl?: string | undefined
  /** How long to wait for the browser; default 120 s. */
  readonly browserTimeoutMs?: number
  readonly terminal: SignInTerminal
}

/** A sign-in under way. */
export interface SignInStep extends SignInOptions {
  readonly client: OidcClient
}

/**
 * Signs in.
 * @returns the identity token
 * @throws CountersignError SIGN_IN_FAILED, ABORTED; UsageError USAGE
 */
export async function signIn(options: SignInOptions): Promise<string> {
  if (options.flow === 'client_credentials' && options.clientSecret === undefined) {
    throw new UsageError('USAGE', 'the client_credentials flow needs --oidc-client-secret-file')
  }
  const step = { ...options, client: await discoverIssuer(options) }
  const token = await start(step)
  if (token === undefined)
    throw new CountersignError('SIGN_IN_FAILED', `the issuer ${options.issuer} answered without an identity token (id_token)`)
  return token
}

function start(step: SignInStep): Promise<string | undefined> {
  switch (step.flow) {
    case 'normal':
      return signInWithBrowser(step)
    case 'device':
      return signInWithDevice(step)
    case 'client_credentials':
      return signInWithClientCredentials(step)
  }
}
