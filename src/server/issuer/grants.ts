/** The grant types of the token endpoint that the library does not have: machine clients and token exchange. */
import type { Provider } from 'oidc-provider'
import { CountersignError } from '../../error.ts'
import type { Identity, TokenSettings } from './id-token.ts'
import { claimsOf, signIdToken, sigstoreClient } from './id-token.ts'
import { identityOfMachine } from './machine-clients.ts'
import { machineGrant, tokenExchangeGrant } from './provider.ts'
import { InvalidClient, InvalidRequest } from './provider-library.ts'
import type { IssuerSettings } from './settings.ts'
import type { TokenExchange } from './token-exchange.ts'
import { idTokenType } from './token-exchange.ts'

export interface GrantOptions {
  readonly tokens: TokenSettings
  readonly settings: IssuerSettings
  readonly exchange: TokenExchange | undefined
  readonly reportError: (error: unknown) => void
}

/** Adds the grant types that the settings ask for. */
export function registerGrants(provider: Provider, options: GrantOptions): void {
  const { tokens, settings, exchange } = options
  if (settings.machines.length > 0) {
    provider.registerGrantType(
      machineGrant,
      async (ctx) => {
        const machine = settings.machines.find(({ id }) => id === ctx.oidc.client.clientId)
        if (machine === undefined) throw new InvalidClient('the client is no machine')
        const identity = identityOfMachine(machine)
        ctx.body = {
          access_token: await issueFor(tokens, identity),
          // For clients that want an ID token of their own, as cosign does: two audiences need `azp` (OpenID Connect Core section 2).
          id_token: await signIdToken(tokens, { ...claimsOf(identity), azp: machine.id }, [sigstoreClient, machine.id]),
          token_type: 'Bearer',
          expires_in: tokens.lifetimeSeconds,
          scope: 'openid email',
        }
      },
      ['scope'],
    )
  }
  if (exchange !== undefined) {
    provider.registerGrantType(
      tokenExchangeGrant,
      async (ctx) => {
        const idToken = await issueFor(tokens, await identify(exchange, ctx.oidc.params, options))
        ctx.body = { access_token: idToken, issued_token_type: idTokenType, token_type: 'N_A', expires_in: tokens.lifetimeSeconds }
      },
      ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope', 'actor_token', 'resource'],
    )
  }
}

async function identify(
  exchange: TokenExchange,
  params: Readonly<Record<string, unknown>>,
  { reportError }: GrantOptions,
): Promise<Identity> {
  const { subject_token: token, subject_token_type: type, requested_token_type: requested, audience } = params
  if (typeof token !== 'string' || typeof type !== 'string') throw new InvalidRequest('subject_token and subject_token_type are needed')
  if (requested !== undefined && requested !== idTokenType) throw new InvalidRequest(`requested_token_type can be ${idTokenType} only`)
  if (audience !== undefined && audience !== sigstoreClient) throw new InvalidRequest(`audience can be ${sigstoreClient} only`)
  if (params['actor_token'] !== undefined || params['resource'] !== undefined)
    throw new InvalidRequest('actor_token and resource are not supported')
  try {
    return await exchange.identify(token, type)
  } catch (error) {
    // The reason is for the administrator who writes the rules; to the client it could tell them.
    reportError(error)
    if (error instanceof CountersignError) throw new InvalidRequest('the subject token is not accepted')
    throw error
  }
}

function issueFor(tokens: TokenSettings, identity: Identity): Promise<string> {
  return signIdToken(tokens, claimsOf(identity), sigstoreClient)
}
