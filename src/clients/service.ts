/** What the clients of the signing services have in common: how a service is reached, and one sentence for a refusal. */
import { excerpt } from '../encoding/bytes.ts'
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { CountersignError, TransportError } from '../error.ts'
import { withoutSecrets } from '../http/address.ts'
import { request } from '../http/fetch.ts'
import type { Environment, HttpResponse, RequestOptions, TlsSettings } from '../http/fetch.ts'

/** How services are reached. */
export interface ServiceOptions {
  /** Where proxies and authorities are read from; default the process's environment. */
  readonly env?: Environment
  /** The caller's deadline: when it is aborted, so is the request. */
  readonly signal?: AbortSignal
  /** For a request with all its repetitions; each client has a default of its own. */
  readonly timeoutMs?: number
  /** How many times a request is sent again; default 2. */
  readonly retries?: number
  readonly tls?: TlsSettings
}

/** A service as messages name it. */
export interface ServiceName {
  /** What it is: `transparency log`. */
  readonly kind: string
  readonly url: string
}

/** What is asked of a service, beside the options that its caller has. */
export type ServiceRequest = Pick<RequestOptions, 'method' | 'headers' | 'body' | 'maxBytes' | 'idempotent'> & {
  readonly timeoutMs: number
}

const maxErrorBytes = 64 * 1024
const maxMessageLength = 300

/** The address of an endpoint below a base URL, which may end with a slash. */
export function endpoint(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}${path}`
}

/**
 * Asks a service and returns its answer, whatever the status. Everything that the signing services are asked may be asked twice,
 * so failed attempts are repeated unless the request says otherwise. Redirects are refused: the request may hold a token, which is not for another host.
 * @throws TransportError NETWORK_FAILED with the service's name, ABORTED, TOO_LARGE
 */
export async function ask(service: ServiceName, address: string, asked: ServiceRequest, options: ServiceOptions): Promise<HttpResponse> {
  try {
    return await request(address, {
      ...asked,
      ...options,
      timeoutMs: options.timeoutMs ?? asked.timeoutMs,
      redirect: 'error',
      idempotent: asked.idempotent ?? true,
    })
  } catch (cause) {
    if (!(cause instanceof TransportError) || cause.code !== 'NETWORK_FAILED') throw cause
    throw new TransportError('NETWORK_FAILED', `the ${service.kind} ${hostOf(service.url)} cannot be used: ${cause.message}`, { cause })
  }
}

/** A POST of JSON. */
export function jsonRequest(body: string, timeoutMs: number, headers: Readonly<Record<string, string>> = {}): ServiceRequest {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: Buffer.from(body),
    timeoutMs,
  }
}

/**
 * The error for an answer that is a refusal: the service, the status and what the service says about it.
 * @param hint what the caller knows about the reason
 */
export function refusal(service: ServiceName, response: HttpResponse, hint = ''): CountersignError {
  const message = messageIn(response.body)
  const said = message === undefined ? '' : `: ${excerpt(message, maxMessageLength)}`
  return new CountersignError(
    'SERVICE_REFUSED',
    `the ${service.kind} ${hostOf(service.url)} refused with status ${response.status}${said}${hint}`,
  )
}

/**
 * Reads an answer with the parser of its format.
 * @throws CountersignError in the parser's code, with the service's name in front
 */
export function readAnswer<T>(service: ServiceName, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `the ${service.kind} ${hostOf(service.url)} answered what cannot be used: ${cause.message}`, {
      cause,
    })
  }
}

/**
 * What an error body says: the signing services answer an object with a `message`, others have some of the same, or OAuth's members (RFC 6749
 * section 5.2). The page of a proxy says nothing worth repeating.
 */
export function messageIn(body: Uint8Array): string | undefined {
  try {
    const value = parseJson(body, 'the error', { maxBytes: maxErrorBytes, maxDepth: 8 })
    if (!isJsonObject(value)) return undefined
    const { message, error_description: description, error } = value
    const said = [message, description, error].find((member) => member !== undefined && member !== null && member !== '')
    if (typeof said === 'string') return said
    return isJsonObject(said) || Array.isArray(said) ? JSON.stringify(said) : undefined
  } catch {
    return undefined
  }
}

/** The host and path of a service, for messages. Its query, if it has one, may hold a secret. */
function hostOf(url: string): string {
  if (!URL.canParse(url)) return excerpt(withoutSecrets(url))
  const { host, pathname } = new URL(url)
  return `${host}${pathname === '/' ? '' : pathname}`
}
