/** Sign-in through GitHub, which speaks OAuth 2.0 but not OpenID: who it was is asked of its API. */
import * as client from 'openid-client'
import type { JsonValue } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { CountersignError, messageOf } from '../../error.ts'
import type { Connector, UpstreamUser } from './connector.ts'
import { configure } from './oidc-connector.ts'
import type { ConnectorOptions } from './oidc-connector.ts'
import type { ConnectorSettings } from './settings.ts'

/** A connector for github.com or a GitHub Enterprise server. */
export function createGitHubConnector(settings: Extract<ConnectorSettings, { type: 'github' }>, options: ConnectorOptions): Connector {
  const { id, name, url } = settings
  const metadata = {
    issuer: url,
    authorization_endpoint: `${url}/login/oauth/authorize`,
    token_endpoint: `${url}/login/oauth/access_token`,
  }
  const configuration = (): client.Configuration => configure(url, metadata, settings['client-id'], options)
  return {
    id,
    name,
    authorizationUrl: async ({ state, verifier }) =>
      client.buildAuthorizationUrl(configuration(), {
        redirect_uri: options.callbackUrl,
        scope: 'read:user user:email',
        state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }),
    identify: async (query, { state, verifier }) => {
      try {
        const configured = configuration()
        const { access_token: token } = await client.authorizationCodeGrant(
          configured,
          new URL(`${options.callbackUrl}?${query.toString()}`),
          {
            expectedState: state,
            pkceCodeVerifier: verifier,
          },
        )
        const ask = (path: string): Promise<JsonValue> => askApi(configured, new URL(`${settings['api-url']}${path}`), token)
        return readUser(await ask('/user'), await ask('/user/emails'))
      } catch (cause) {
        throw new CountersignError('SIGN_IN_FAILED', `${name} did not confirm the sign-in: ${messageOf(cause)}`, { cause })
      }
    },
  }
}

async function askApi(configuration: client.Configuration, url: URL, token: string): Promise<JsonValue> {
  const headers = new Headers({ accept: 'application/vnd.github+json', 'user-agent': 'countersign', 'x-github-api-version': '2022-11-28' })
  const answer = await client.fetchProtectedResource(configuration, token, url, 'GET', undefined, headers)
  if (answer.status !== 200) throw new CountersignError('SIGN_IN_FAILED', `${url.pathname} answered ${answer.status}`)
  return parseJson(new Uint8Array(await answer.arrayBuffer()), url.pathname)
}

/** The person behind the API's answers: by number, since names can be given to others, and with the primary address if verified. */
function readUser(user: JsonValue, emails: JsonValue): UpstreamUser {
  const id = isJsonObject(user) ? user['id'] : undefined
  if (!isJsonObject(user) || typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0) {
    throw new CountersignError('SIGN_IN_FAILED', 'its answer to /user has no id')
  }
  const primary = Array.isArray(emails)
    ? emails.find((entry): entry is JsonObjectEntry => isJsonObject(entry) && entry['primary'] === true && entry['verified'] === true)
    : undefined
  const email = primary?.['email']
  if (typeof email !== 'string') throw new CountersignError('SIGN_IN_FAILED', 'the account has no primary e-mail address that is verified')
  const name = user['name']
  return { userId: String(id), email, name: typeof name === 'string' && name !== '' ? name : undefined }
}

type JsonObjectEntry = Extract<JsonValue, { readonly [key: string]: JsonValue | undefined }>
