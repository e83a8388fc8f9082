/** What can be told from outside: the running server as its clients see it, and the issuers whose tokens it takes. */
import { encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { parseJson } from '../../encoding/json.ts'
import { messageOf, TransportError } from '../../error.ts'
import type { Environment } from '../../http/environment.ts'
import type { HttpResponse } from '../../http/fetch.ts'
import { fetchBytes, request } from '../../http/fetch.ts'
import { fetchTarget, targetName } from '../../tuf/trusted-root.ts'
import type { Administration } from '../administration.ts'
import type { TrustedIssuer } from '../ca/issuer-configuration.ts'
import type { Clock } from '../clock.ts'
import { parseIssuerSettings } from '../issuer/settings.ts'
import { countIssuerKeys } from '../request/foreign-token.ts'
import { servicePaths } from '../server-trust.ts'
import type { Diagnosis } from './diagnosis.ts'
import { examine, failure, ok, warning } from './diagnosis.ts'
import { readTrustedIssuers } from './files.ts'
import { trustedRootText } from './stored.ts'

export interface NetworkOptions {
  /** Epoch milliseconds. */
  readonly now: Clock
  /** Where proxies and certificate authorities are read from. */
  readonly env: Environment
  readonly signal: AbortSignal
}

const timeoutMs = 10_000
const maxAnswerBytes = 64 * 1024
/** The `Date` of an answer has whole seconds, and the answer took a while. */
const clockNoticeMs = 5_000
const clockFailureMs = 60_000

/** The server at its own address, if it runs. */
export async function examineRunning(administration: Administration, options: NetworkOptions): Promise<Diagnosis[]> {
  const { url } = administration.configuration
  const check = 'server'
  let answer: HttpResponse
  try {
    answer = await request(`${url}/readyz`, requestOptions(options))
  } catch (error) {
    if (!(error instanceof TransportError) || options.signal.aborted) throw error
    const advice = 'start it; if it runs, look at the proxy in front, the name and the TLS certificate'
    return [warning(check, `${url} does not answer: ${messageOf(error)}`, advice)]
  }
  const readiness = await examine(check, () => [readinessOf(url, answer)])
  return [...readiness, ...clockOf(answer, options.now()), ...(await examineServedTrust(administration, options))]
}

/**
 * The other issuers, each asked for its keys as for a token, and those that people sign in with. Families of issuers cannot be asked: nobody
 * knows their names.
 */
export async function examineIssuers({ folder, configuration }: Administration, options: NetworkOptions): Promise<Diagnosis[]> {
  const { issuers } = await readTrustedIssuers(folder, configuration)
  const { connectors } = parseIssuerSettings(configuration.issuer.settings)
  const own = `${configuration.url}${servicePaths.issuer}`
  return Promise.all([
    ...issuers.filter(({ url, pattern }) => pattern === undefined && url !== own).map((issuer) => examineIssuer(issuer, options)),
    ...connectors.flatMap((connector) => (connector.type === 'oidc' ? [examineUpstream(connector.issuer, options)] : [])),
  ])
}

async function examineIssuer({ url, keyHosts, clientId, caCertificate }: TrustedIssuer, options: NetworkOptions): Promise<Diagnosis> {
  try {
    const keys = await countIssuerKeys(
      { url, hosts: keyHosts, audience: clientId, caCertificate },
      { clock: options.now, send: (address, wanted) => request(address, { ...requestOptions(options), ...wanted, timeoutMs }) },
    )
    return ok('issuers', `${url} answers, with ${keys} keys`)
  } catch (error) {
    const reason = messageOf(error).replace(/^the token cannot be accepted: /, '')
    return warning('issuers', `${url}: ${reason}`, 'until this is over its tokens get no certificates; those of other issuers do')
  }
}

async function examineUpstream(url: string, options: NetworkOptions): Promise<Diagnosis> {
  try {
    await fetchBytes(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`, requestOptions(options))
    return ok('issuers', `${url}, for signing in, answers`)
  } catch (error) {
    return warning('issuers', `${url}, for signing in: ${messageOf(error)}`, 'until this is over nobody can sign in with it')
  }
}

function readinessOf(url: string, { status, body }: HttpResponse): Diagnosis {
  if (status === 200) return ok('server', `${url} is ready`)
  if (status !== 503)
    return failure('server', `${url}/readyz answered ${status}: another program answers there, or a proxy that does not pass it on`)
  const answer = new JsonFields(parseJson(body, 'the answer of /readyz', { maxBytes: maxAnswerBytes }), 'readyz', 'REQUEST_INVALID')
  const reasons = answer.objects('reasons', 100).map((reason) => `${reason.string('name')}: ${reason.string('reason')}`)
  return failure('server', `${url} is not ready: ${reasons.join('; ')}`)
}

function clockOf({ headers }: HttpResponse, now: number): Diagnosis[] {
  const served = Date.parse(headers['date'] ?? '')
  if (Number.isNaN(served)) return []
  const apart = Math.abs(now - served)
  if (apart <= clockNoticeMs) return [ok('clock', 'that of the server is the one here')]
  const message = `that of the server and the one here are ${Math.round(apart / 1000)} s apart`
  const advice = 'set both, and keep them with NTP'
  return [apart > clockFailureMs ? failure('clock', message, advice) : warning('clock', message, advice)]
}

/** Fetches the trusted root as a client would that begins with the first root. */
async function examineServedTrust(administration: Administration, options: NetworkOptions): Promise<Diagnosis[]> {
  const { configuration, tuf } = administration
  if (!configuration.services.includes('tuf')) return []
  return examine('trust', async () => {
    const initialRoot = await tuf.file('1.root.json')
    if (initialRoot === undefined) return [warning('trust', 'there is no TUF root yet that clients could begin with')]
    const { env, signal } = options
    // Without a home there is no cache: what is served now is what counts.
    const { bytes } = await fetchTarget(targetName.trustedRoot, {
      mirror: `${configuration.url}${servicePaths.tuf}`,
      initialRoot,
      env: { ...env, HOME: '', USERPROFILE: '', TUF_ROOT: '', TUF_ROOT_JSON: '' },
      now: options.now(),
      timeoutMs,
      signal,
    })
    if (equalBytes(bytes, encodeUtf8(trustedRootText(administration))))
      return [ok('trust', 'the trusted root that is served is that of this folder')]
    const advice = 'restart the server if its configuration was changed; otherwise another server answers there'
    return [failure('trust', 'the trusted root that is served is another than that of this folder', advice)]
  })
}

function requestOptions({ env, signal }: NetworkOptions) {
  return { timeoutMs, retries: 0, maxBytes: maxAnswerBytes, redirect: 'error', env, signal } as const
}
