/** The client credentials flow (RFC 6749 section 4.4), with an issuer that answers it with an identity token. */
import { explained } from './oidc-client.ts'
import type { SignInStep } from './sign-in.ts'

/** @returns undefined when the issuer gives an access token only */
export function signInWithClientCredentials({ client, issuer, signal }: SignInStep): Promise<string | undefined> {
  const { library, configuration } = client
  return explained(issuer, signal, async () => {
    const tokens = await library.clientCredentialsGrant(configuration, { scope: 'openid email' })
    return tokens.id_token
  })
}
