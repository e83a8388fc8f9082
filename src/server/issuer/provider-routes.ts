/** The protocol's endpoints: the library's, with what Sigstore's clients need and it has not. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { Provider } from 'oidc-provider'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { CountersignError } from '../../error.ts'
import { readBody } from '../request/body.ts'
import { clientAddress, clientNetwork } from '../request/client-address.ts'
import type { AttemptLimit } from './attempt-limit.ts'
import type { DeviceGrants } from './device-grants.ts'
import { errorPage } from './pages/error.ts'
import { codePage, stoppedPage } from './pages/sign-in.ts'
import { signedOutPage } from './pages/sign-out.ts'
import { deviceCodeGrant, machineGrant, outOfBandRedirect, paths } from './provider.ts'
import type { ChangedRequest } from './provider-exchange.ts'
import { maxRequestBytes, openExchange } from './provider-exchange.ts'
import { givenCodeHeader, signedInHeader, wrongCodeHeader } from './provider-pages.ts'
import type { SigningKeys } from './signing-keys.ts'

export interface ProviderRoutesOptions {
  readonly issuer: string
  /** The path below which everything is, without a slash at its end. */
  readonly mount: string
  readonly style: string
  readonly provider: Provider
  readonly keys: SigningKeys
  readonly deviceGrants: DeviceGrants
  readonly attempts: AttemptLimit
  readonly behindProxy: boolean
}

type RouteContext = Context<{ Bindings: Partial<HttpBindings> }>
type AskProvider = (request: Request, changed?: ChangedRequest) => Promise<Response>

/** Announced keys sign no sooner than ten minutes after they were published: until then this copy is gone. */
const keysCacheSeconds = 300

/** The routes, by their full paths. */
export function createProviderRoutes(options: ProviderRoutesOptions): Hono<{ Bindings: Partial<HttpBindings> }> {
  const { issuer, mount, provider, keys, style } = options
  const callback = provider.callback()
  const askLibrary: AskProvider = async (request, changed) => {
    const exchange = await openExchange(request, issuer, changed)
    await callback(exchange.request, exchange.response)
    const answer = await exchange.answer
    // Browsers do not show what a redirect says, and nobody should read it.
    return answer.headers.has('location') ? new Response(null, { status: answer.status, headers: withoutType(answer.headers) }) : answer
  }
  // Its own pages send a form by a script, in a document that any site may frame. None of them is needed.
  const ask: AskProvider = async (request, changed) => {
    const answer = await askLibrary(request, changed)
    return isPage(answer) && !answer.headers.has('content-security-policy') ? errorPage({ style, error: 'invalid_request' }) : answer
  }
  const authorize = async (c: RouteContext): Promise<Response> => showOutOfBand(await ask(c.req.raw), options)
  const routes = new Hono<{ Bindings: Partial<HttpBindings> }>()
  routes.get(`${mount}${paths.discovery}`, async (c) => describe(await ask(c.req.raw), await keys.jwks()))
  routes.get(`${mount}${paths.jwks}`, async () => answerJson(await keys.jwks(), keysCacheSeconds))
  routes.get(`${mount}${paths.authorization}`, authorize)
  routes.get(`${mount}${paths.authorization}/:uid`, authorize)
  routes.post(`${mount}${paths.token}`, (c) => answerToken(options, ask, c.req.raw))
  routes.post(`${mount}${paths.deviceAuthorization}`, (c) => beginDevice(options, ask, c.req.raw))
  routes.get(`${mount}${paths.device}`, (c) => showDevice(ask, c.req.raw))
  routes.post(`${mount}${paths.device}`, (c) => inSession(options, c, () => enterDeviceCode(options, ask, c)))
  routes.get(`${mount}${paths.device}/:uid`, (c) => inSession(options, c, () => ask(c.req.raw)))
  routes.get(`${mount}${paths.signOut}`, (c) => showSignOut(askLibrary, c.req.raw, style))
  routes.post(`${mount}${paths.signOut}/confirm`, (c) => ask(c.req.raw, { target: `${paths.signOut}/confirm` }))
  routes.get(`${mount}${paths.signOut}/success`, (c) => ask(c.req.raw, { target: `${paths.signOut}/success` }))
  return routes
}

function isPage({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/html') === true
}

/**
 * The library's page to sign out on, without what a program may say there: no token as a hint, no address to go on to. Nobody but the
 * person at the browser signs out.
 */
async function showSignOut(ask: AskProvider, request: Request, style: string): Promise<Response> {
  const answer = await ask(request, { target: paths.signOut })
  // To somebody who is not signed in the library would send a form that a script sends on.
  if (answer.status === 200 && !answer.headers.has(signedInHeader)) return signedOutPage({ style })
  answer.headers.delete(signedInHeader)
  return answer
}

/** The library's metadata, with the algorithms of our keys and without response modes that no client has. */
async function describe(answer: Response, jwks: Awaited<ReturnType<SigningKeys['jwks']>>): Promise<Response> {
  const metadata = parseJson(await answer.text(), 'the metadata')
  if (!isJsonObject(metadata)) throw new CountersignError('REQUEST_REFUSED', 'the OIDC library gave no metadata')
  // It is for people: a program that sent somebody there would not get them back.
  const { end_session_endpoint: _, ...described } = metadata
  const algorithms = [...new Set(jwks.keys.map(({ alg }) => alg))]
  return answerJson(
    { ...described, id_token_signing_alg_values_supported: algorithms, response_modes_supported: ['query'] },
    keysCacheSeconds,
  )
}

function answerJson(value: object, maxAgeSeconds: number): Response {
  // Public, and for programs in browsers too; no other route of the issuer is.
  return Response.json(value, { headers: { 'cache-control': `public, max-age=${maxAgeSeconds}`, 'access-control-allow-origin': '*' } })
}

/** A redirect to nowhere becomes a page with the code, for the person to carry over. */
async function showOutOfBand(answer: Response, { style, mount }: Pick<ProviderRoutesOptions, 'style' | 'mount'>): Promise<Response> {
  const location = answer.headers.get('location')
  if (location?.startsWith(`${outOfBandRedirect}?`) !== true) return answer
  const query = new URLSearchParams(location.slice(outOfBandRedirect.length + 1))
  const code = query.get('code')
  const error = query.get('error')
  const page =
    code !== null
      ? codePage({ style, code, signOut: `${mount}${paths.signOut}` })
      : error === 'access_denied'
        ? stoppedPage({ style })
        : errorPage({ style, error: error ?? 'server_error', description: query.get('error_description') ?? undefined })
  for (const cookie of answer.headers.getSetCookie()) page.headers.append('set-cookie', cookie)
  return page
}

async function answerToken({ deviceGrants }: ProviderRoutesOptions, ask: AskProvider, request: Request): Promise<Response> {
  const { sent, form, body } = await readClientRequest(request)
  const grantType = form.get('grant_type')
  if (grantType === deviceCodeGrant) {
    const verdict = await deviceGrants.check(form.get('device_code') ?? '', form.get('code_verifier') ?? undefined)
    if (verdict !== 'fine') return Response.json({ error: verdict }, { status: 400, headers: { 'cache-control': 'no-store' } })
  }
  const answer = await ask(sent, { body })
  return grantType === machineGrant ? answer : withUsefulAccessToken(answer)
}

/**
 * The access token of a person opens nothing here: there is no userinfo. As with Dex it is an ID token, since sigstore-python takes that for the
 * identity token.
 */
async function withUsefulAccessToken(answer: Response): Promise<Response> {
  const tokens = parseJson(await answer.text(), 'the answer of the token endpoint')
  if (!isJsonObject(tokens)) throw new CountersignError('REQUEST_REFUSED', 'the OIDC library gave no tokens')
  const body = tokens['id_token'] === undefined ? tokens : { ...tokens, access_token: tokens['id_token'] }
  return Response.json(body, { status: answer.status, headers: answer.headers })
}

async function beginDevice({ deviceGrants }: ProviderRoutesOptions, ask: AskProvider, request: Request): Promise<Response> {
  const { sent, form, body } = await readClientRequest(request)
  const challenge = form.get('code_challenge') ?? undefined
  if (challenge !== undefined && (form.get('code_challenge_method') !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(challenge))) {
    return Response.json({ error: 'invalid_request', error_description: 'code_challenge should be of the method S256' }, { status: 400 })
  }
  const answer = await ask(sent, { body })
  if (answer.status !== 200) return answer
  const text = await answer.text()
  const grant = parseJson(text, 'the answer to a device')
  if (isJsonObject(grant) && typeof grant['device_code'] === 'string') {
    await deviceGrants.begin(grant['device_code'], challenge, Number(grant['expires_in']))
  }
  return new Response(text, { status: answer.status, headers: answer.headers })
}

/**
 * A request of a client: as it is to be sent to the library, its form, and that form's bytes. They are written anew, since the library
 * reads some forms otherwise (a question mark before the first name, other charsets): what is checked here has to be what it takes.
 */
async function readClientRequest(
  request: Request,
): Promise<{ readonly sent: Request; readonly form: URLSearchParams; readonly body: Uint8Array }> {
  const form = new URLSearchParams(Buffer.from(await readBody(request, maxRequestBytes)).toString('utf8'))
  const headers = new Headers(request.headers)
  if (headers.get('content-type')?.toLowerCase().startsWith(formType) === true) headers.set('content-type', formType)
  const client = clientWithoutSecret(request.headers.get('authorization'))
  if (client !== undefined) {
    // sigstore-python names a public client by HTTP Basic with an empty secret; the library knows it by its form (RFC 6749 section 3.2.1).
    if (!form.has('client_id')) form.set('client_id', client)
    headers.delete('authorization')
  }
  return { sent: new Request(request.url, { method: request.method, headers }), form, body: encodeUtf8(form.toString()) }
}

const formType = 'application/x-www-form-urlencoded'

/** The name in HTTP Basic credentials whose secret is empty. */
function clientWithoutSecret(authorization: string | null): string | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]{1,200}={0,2})$/i.exec(authorization ?? '') ?? []
  const [, name] = /^([A-Za-z0-9._-]{1,64}):$/.exec(Buffer.from(encoded ?? '', 'base64').toString('latin1')) ?? []
  return name
}

/** `verification_uri_complete` leads to the page that asks whether the code is right, without a script in between. */
function showDevice(ask: AskProvider, request: Request): Promise<Response> {
  const code = new URL(request.url).searchParams.get('user_code') ?? ''
  const letters = code.toUpperCase().replaceAll(/[^A-Z]/g, '')
  if (letters.length !== 8) return ask(request, { target: paths.device })
  return ask(request, { target: paths.device, headers: { [givenCodeHeader]: `${letters.slice(0, 4)}-${letters.slice(4)}` } })
}

/** Without the cookie of the page that it comes from there is nothing to go on with, and the library fails to say so. */
async function inSession({ provider, style }: ProviderRoutesOptions, c: RouteContext, answer: () => Promise<Response>): Promise<Response> {
  const cookies = c.req.header('cookie')?.split(/; */) ?? []
  const isOpen = cookies.some((cookie) => cookie.startsWith(`${provider.cookieName('session')}=`))
  return isOpen ? answer() : errorPage({ style, error: 'expired' })
}

async function enterDeviceCode(
  { attempts, behindProxy, style }: ProviderRoutesOptions,
  ask: AskProvider,
  c: RouteContext,
): Promise<Response> {
  const address = clientNetwork(clientAddress(c.env.incoming?.socket.remoteAddress, c.req.header('x-forwarded-for'), behindProxy))
  if ((await attempts.begin('code', address)) > 0) return errorPage({ style, status: 429, error: 'slow_down' })
  const body = await readBody(c.req.raw, maxRequestBytes)
  const answer = await ask(c.req.raw, { body: encodeUtf8(normalizeUserCode(Buffer.from(body).toString('utf8'))) })
  if (answer.headers.has(wrongCodeHeader)) answer.headers.delete(wrongCodeHeader)
  else await attempts.succeed('code', address)
  return answer
}

/** As people type codes: with blanks, in lower case, without the hyphen. */
function normalizeUserCode(body: string): string {
  const form = new URLSearchParams(body)
  const code = form.get('user_code')
  if (code !== null)
    form.set(
      'user_code',
      code
        .toUpperCase()
        .replaceAll(/[^A-Z]/g, '')
        .slice(0, 20),
    )
  return form.toString()
}

function withoutType(headers: Headers): Headers {
  const kept = new Headers(headers)
  kept.delete('content-type')
  return kept
}
