/** The client credentials flow (RFC 6749 section 4.4), with an issuer that answers it with an identity token. */
import { explained } from './oidc-client.ts'
import type { SignInStep } from './sign-in-step.ts'
import { looksLikeToken } from './token.ts'

/**
 * OpenID Connect has no identity token in this flow, so issuers put it where they like: beside the access token, or in its place.
 * @returns undefined when there is neither
 */
export function signInWithClientCredentials({ client, issuer, signal }: SignInStep): Promise<string | undefined> {
  const { library, configuration } = client
  return explained(issuer, signal, async () => {
    const tokens = await library.clientCredentialsGrant(configuration, { scope: 'openid email' })
    return tokens.id_token ?? (looksLikeToken(tokens.access_token) ? tokens.access_token : undefined)
  })
}
