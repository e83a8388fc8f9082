/** Which proxy a request goes through, by the variables and the rules that Go programs have (golang.org/x/net/http/httpproxy). */
import { isIP } from 'node:net'
import { UsageError } from '../error.ts'
import { variableOf } from './environment.ts'
import type { Environment } from './environment.ts'
import { bareHost, isInRange, isLoopbackHost, isSameAddress } from './host.ts'

/**
 * The proxy for a URL, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY (or their lower-case names). Loopback addresses and
 * `localhost` never go through a proxy. NO_PROXY is a comma-separated list of `*`, addresses, CIDR ranges and domains,
 * each address or domain with an optional port; a domain covers its subdomains, and only them with a leading dot.
 * @returns undefined when the request goes straight to its host
 * @throws UsageError USAGE when the variable is not the URL of an http or https proxy, or a CGI program's client could have set it
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = variableOf(env, name, name.toLowerCase())
  if (value === undefined || isExempt(url, variableOf(env, 'NO_PROXY', 'no_proxy') ?? '')) return undefined
  // CGI gives programs the header `Proxy` of a request in this variable (CVE-2016-5386).
  if (name === 'HTTP_PROXY' && variableOf(env, 'REQUEST_METHOD') !== undefined)
    throw new UsageError(
      'USAGE',
      'HTTP_PROXY is not used where REQUEST_METHOD is set, since clients of a CGI program could set it: unset one',
    )
  const proxy = parseProxy(value)
  if (proxy !== undefined && (proxy.protocol === 'http:' || proxy.protocol === 'https:')) return proxy
  // The value may hold a password, so it is not repeated.
  const found = proxy === undefined ? 'something that is not a URL' : `the scheme ${proxy.protocol.slice(0, -1)}`
  throw new UsageError('USAGE', `${name} should be the http:// or https:// URL of a proxy, found ${found}`)
}

/** The value of a `Proxy-Authorization` header for the credentials in a proxy's URL (RFC 7617), if it has any. */
export function proxyAuthorization(proxy: URL): string | undefined {
  return basicAuthorization(proxy)
}

/** HTTP Basic credentials (RFC 7617) from the user information of a URL, if it has any. */
export function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  const credentials = `${decodePercent(url.username)}:${decodePercent(url.password)}`
  return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`
}

/** A stray percent sign stands for itself. */
function decodePercent(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'))
}

function parseProxy(value: string): URL | undefined {
  // `proxy.example:3128` without a scheme is an http proxy.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  return URL.canParse(text) ? new URL(text) : undefined
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = bareHost(url.hostname)
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  if (isLoopbackHost(host)) return true
  for (const entry of noProxy.split(',')) {
    const pattern = entry.trim().toLowerCase()
    if (pattern === '*') return true
    if (pattern !== '' && matches(pattern, host, port)) return true
  }
  return false
}

function matches(pattern: string, host: string, port: string): boolean {
  if (pattern.includes('/')) return isInRange(host, pattern)
  const { name, onlyPort } = splitPort(pattern)
  if (onlyPort !== undefined && onlyPort !== port) return false
  if (isIP(name) !== 0 || isIP(host) !== 0) return isSameAddress(name, host)
  const domain = name.startsWith('*.') ? name.slice(1) : name
  if (domain.startsWith('.')) return domain.length > 1 && host.endsWith(domain)
  return host === domain || host.endsWith(`.${domain}`)
}

function splitPort(pattern: string): { readonly name: string; readonly onlyPort?: string } {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+):([0-9]+)$/.exec(pattern)
  const [, name, onlyPort] = match ?? []
  return name === undefined || onlyPort === undefined ? { name: bareHost(pattern) } : { name: bareHost(name), onlyPort }
}
