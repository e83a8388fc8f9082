/** Where a redirected request goes next (RFC 9110 section 15.4), and what it must not take along. */
import { TransportError } from '../error.ts'

/** A request's line and headers, as far as a redirect changes them. */
export interface Hop {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

const credentialHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])
const bodyHeaders: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'content-language'])

/** Whether the status says that the answer is elsewhere. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

/**
 * The request that follows a redirect. Credentials stay with the origin they were meant for; https never becomes http.
 * @param location the answer's `Location` header
 * @throws TransportError NETWORK_FAILED when the redirect has no target or one that must not be followed
 */
export function followRedirect(hop: Hop, status: number, location: string | undefined): Hop {
  const from = hop.url
  if (location === undefined || !URL.canParse(location, from.href)) throw refused(from, status, 'to no usable address')
  const url = new URL(location, from)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(from, status, `to the scheme ${url.protocol.slice(0, 20)}`)
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refused(from, status, `from https to http at ${url.host}`)
  url.username = ''
  url.password = ''
  const { method, body } = nextMethod(hop, status)
  const keepsCredentials = url.origin === from.origin
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(hop.headers)) {
    if (!keepsCredentials && credentialHeaders.has(name)) continue
    if (body === undefined && bodyHeaders.has(name)) continue
    headers[name] = value
  }
  return { url, method, headers, body }
}

function nextMethod(hop: Hop, status: number): Pick<Hop, 'method' | 'body'> {
  if (hop.method === 'GET' || hop.method === 'HEAD' || status === 307 || status === 308) return hop
  if (status === 303) return { method: 'GET', body: undefined }
  // Clients differ on whether a 301 or 302 turns a POST into a GET, so it is followed as neither.
  throw refused(hop.url, status, `for a ${hop.method} request`)
}

function refused(from: URL, status: number, how: string): TransportError {
  return new TransportError('NETWORK_FAILED', `${from.host} answered with a redirect (${status}) ${how}, which is not followed`)
}
