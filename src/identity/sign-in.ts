/** Signing in with an OIDC issuer: in the browser, with a code on another device, or with the credentials of a client. */
import { CountersignError, UsageError } from '../error.ts'
import { signInWithBrowser } from './browser-sign-in.ts'
import { signInWithClientCredentials } from './client-credentials.ts'
import { signInWithDevice } from './device-sign-in.ts'
import { discoverIssuer } from './oidc-client.ts'
import type { SignInOptions, SignInStep } from './sign-in-step.ts'

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
