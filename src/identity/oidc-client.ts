/** The OpenID Connect client: `openid-client` over Countersign's own HTTP client, loaded when somebody signs in. */
import type * as library from 'openid-client'
import type { ClientMetadata, Configuration, CustomFetch } from 'openid-client'
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError, messageOf, UsageError } from '../error.ts'
import { withoutSecrets } from '../http/address.ts'
import type { Environment } from '../http/environment.ts'
import { request } from '../http/fetch.ts'

export type OidcLibrary = typeof library

export interface OidcClientOptions {
  /** The issuer, such as `https://oauth2.sigstore.dev/auth`. */
  readonly issuer: string
  readonly clientId: string
  /** Public clients, such as `sigstore`, have none. */
  readonly clientSecret?: string | undefined
  readonly env: Environment
  readonly signal?: AbortSignal | undefined
}

/** An issuer as it describes itself, and the library to talk to it with. */
export interface OidcClient {
  readonly library: OidcLibrary
  readonly configuration: Configuration
}

const timeoutMs = 30_000
const maxAnswerBytes = 1024 * 1024

/**
 * Reads an issuer's discovery document.
 * @throws CountersignError SIGN_IN_FAILED; UsageError USAGE for an address that no token should be sent to
 */
export async function discoverIssuer(options: OidcClientOptions): Promise<OidcClient> {
  const { issuer, clientId, clientSecret } = options
  const server = issuerUrl(issuer)
  const library = await import('openid-client')
  const metadata: Partial<ClientMetadata> = clientSecret === undefined ? {} : { client_secret: clientSecret }
  return explained(issuer, options.signal, async () => {
    const configuration = await library.discovery(server, clientId, metadata, undefined, {
      [library.customFetch]: fetchThrough(options),
      execute: [library.enableNonRepudiationChecks, ...(server.protocol === 'http:' ? [library.allowInsecureRequests] : [])],
    })
    return { library, configuration }
  })
}

/**
 * Runs a step of a sign-in, and turns what goes wrong in it into one sentence.
 * @throws CountersignError SIGN_IN_FAILED, ABORTED
 */
export async function explained<T>(issuer: string, signal: AbortSignal | undefined, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (cause) {
    if (signal?.aborted === true) throw new CountersignError('ABORTED', 'the sign-in was aborted', { cause: signal.reason })
    // What we ourselves have to say is a sentence already, unless it is about the connection.
    if (cause instanceof CountersignError && cause.code !== 'NETWORK_FAILED') throw cause
    throw new CountersignError('SIGN_IN_FAILED', `signing in with ${excerpt(issuer, 120)} failed: ${reasonOf(cause)}`, { cause })
  }
}

function issuerUrl(issuer: string): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  const isLocal = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol === 'https:' || (url !== undefined && isLocal)) return url
  throw new UsageError(
    'USAGE',
    `the OIDC issuer should be an https:// address (http:// on this machine only), found ${excerpt(withoutSecrets(issuer), 120)}`,
  )
}

/** The library's requests get the proxies, authorities and limits of all others. Only a GET is repeated. */
function fetchThrough({ env, signal }: OidcClientOptions): CustomFetch {
  return async (url, options) => {
    const answer = await request(url, {
      method: options.method,
      headers: options.headers,
      ...bodyOf(options.body),
      env,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      redirect: 'manual',
      ...(signal === undefined ? {} : { signal }),
    })
    const hasBody = answer.status !== 204 && answer.status !== 304
    return new Response(hasBody ? Buffer.from(answer.body) : null, { status: answer.status, headers: answer.headers })
  }
}

function bodyOf(body: unknown): { readonly body?: Uint8Array } {
  if (body === undefined || body === null) return {}
  if (body instanceof Uint8Array) return { body }
  if (typeof body === 'string' || body instanceof URLSearchParams) return { body: Buffer.from(body.toString()) }
  throw new TypeError('the OpenID Connect client sends a body of a kind that is not expected')
}

/** What the codes of OAuth mean to somebody who signs in (RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5). */
const meanings: Readonly<Record<string, string>> = {
  access_denied: 'the sign-in was refused, or stopped in the browser',
  expired_token: 'nobody entered the verification code before it expired',
  invalid_client: 'the issuer does not know the client of --oidc-client-id, or its secret is another',
  invalid_grant: 'the code was used before, has expired, or is of another sign-in',
  unauthorized_client: 'the client of --oidc-client-id may not sign in in this way',
  unsupported_grant_type: 'the issuer cannot sign anybody in in this way',
}

/** What an error of the library says: the issuer's own `error` and its description, otherwise the innermost reason. */
function reasonOf(error: unknown): string {
  let innermost = messageOf(error)
  let link: unknown = error
  for (let depth = 0; link instanceof Error && depth < 5; link = link.cause, depth++) {
    if (link instanceof CountersignError) return link.message
    innermost = link.message
    const { error: code, error_description: description } = link as { error?: unknown; error_description?: unknown }
    if (typeof code !== 'string') continue
    const meaning = typeof description === 'string' ? excerpt(description, 200) : meanings[code]
    return `${excerpt(code)}${meaning === undefined ? '' : ` (${meaning})`}`
  }
  return `${innermost.slice(0, 200)}${comparisonIn(link)}`
}

/** Of a claim that the library compared: whom it should name, and whom it names. */
function comparisonIn(cause: unknown): string {
  const { claim, claims, expected } = (cause ?? {}) as { claim?: unknown; claims?: Readonly<Record<string, unknown>>; expected?: unknown }
  if ((claim !== 'aud' && claim !== 'iss') || claims === undefined) return ''
  const shown = (value: unknown): string => excerpt(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'), 120)
  return `: expected ${shown(expected)}, found ${shown(claims[claim])}`
}
