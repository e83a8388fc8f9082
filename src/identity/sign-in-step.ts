/** What the ways to sign in are given. */
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
