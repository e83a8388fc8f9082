/** ID tokens (OpenID Connect Core section 2), the product of the issuer. */
import { SignJWT } from 'jose'
import type { Clock } from '../clock.ts'
import type { SigningKeys } from './signing-keys.ts'

/** Who a token is about. One with an e-mail address has had it verified: by an upstream issuer, or by the administrator. */
export interface Identity {
  /** Never of another person. */
  readonly subject: string
  readonly email?: string
  readonly name?: string
  /** Where the person signed in, as Dex has it: Fulcio can put it in place of the issuer. */
  readonly federatedClaims?: { readonly connectorId: string; readonly userId: string }
}

export interface TokenOptions {
  /** Default `sigstore`, the audience that certificate authorities ask for. */
  readonly audience?: string
  /** Beyond what the identity says: `nonce`, `auth_time`. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface TokenSettings {
  readonly issuer: string
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly lifetimeSeconds: number
}

/** The client of every Sigstore signer, and the audience of its tokens. */
export const sigstoreClient = 'sigstore'

/** The claims of an identity. */
export function claimsOf({ subject, email, name, federatedClaims }: Identity): Record<string, unknown> & { sub: string } {
  return {
    sub: subject,
    ...(email === undefined ? {} : { email, email_verified: true }),
    ...(name === undefined ? {} : { name }),
    ...(federatedClaims === undefined
      ? {}
      : { federated_claims: { connector_id: federatedClaims.connectorId, user_id: federatedClaims.userId } }),
  }
}

/** Signs a token with these claims, valid from now on. */
export async function signIdToken(
  { issuer, keys, clock, lifetimeSeconds }: TokenSettings,
  claims: Readonly<Record<string, unknown>>,
  audience: string | string[],
): Promise<string> {
  const { kid, algorithm, privateKey } = await keys.current()
  const now = Math.floor(clock() / 1000)
  return new SignJWT({ ...claims, iss: issuer, aud: audience, iat: now, exp: now + lifetimeSeconds })
    .setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' })
    .sign(privateKey)
}
