/** Where identity tokens come from without anybody signing in: the port that every such place implements. */
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { CountersignError, messageOf } from '../error.ts'
import { request, statusError } from '../http/fetch.ts'
import type { Environment, HttpResponse, RequestOptions } from '../http/fetch.ts'
import type { SystemFiles } from './system-files.ts'

/** The place in which a token is looked for. */
export interface Surroundings {
  readonly env: Environment
  readonly files: SystemFiles
}

export interface TokenRequest extends Surroundings {
  /** Whom the token is for: `sigstore` for Fulcio. */
  readonly audience: string
  /** How long a service may take. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface TokenSource {
  /** As `--oidc-provider` names it. */
  readonly name: string
  /** What messages call it. */
  readonly title: string
  /** Whether it is told whom the token is for. A token that was made in advance is for whomever it is for. */
  readonly takesAudience: boolean
  /** Whether this place offers tokens. Asks nobody, and does not fail. */
  isOffered(surroundings: Surroundings): boolean | Promise<boolean>
  /**
   * Gets a token.
   * @throws CountersignError SIGN_IN_FAILED, without the secrets that the request took
   */
  fetch(request: TokenRequest): Promise<string>
}

/** Of an answer: no token is longer by far. */
export const maxAnswerBytes = 256 * 1024

/** The error for a source that gives no token. */
export function noToken(reason: string, cause?: unknown): CountersignError {
  return new CountersignError('SIGN_IN_FAILED', reason, { cause })
}

/**
 * The address that a variable of the environment holds.
 * @throws CountersignError SIGN_IN_FAILED
 */
export function addressIn(variable: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  throw noToken(`${variable} should be an http:// or https:// address`)
}

/**
 * Asks an address for a token. Never follows a redirect: the request holds a secret.
 * @returns an answer of success
 * @throws CountersignError SIGN_IN_FAILED
 */
export async function askForToken(
  { title }: Pick<TokenSource, 'title'>,
  address: URL,
  asked: Pick<RequestOptions, 'method' | 'headers' | 'body'>,
  { env, timeoutMs, signal }: Pick<TokenRequest, 'env' | 'timeoutMs' | 'signal'>,
): Promise<HttpResponse> {
  try {
    const response = await request(address, {
      ...asked,
      env,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      redirect: 'error',
      idempotent: true,
      ...(signal === undefined ? {} : { signal }),
    })
    if (response.status < 200 || response.status > 299) throw statusError(response, asked.method)
    return response
  } catch (cause) {
    if (cause instanceof CountersignError && cause.code === 'ABORTED') throw cause
    throw noToken(`${title} gave no identity token: ${messageOf(cause)}`, cause)
  }
}

/**
 * The text at `member` of an answer in JSON.
 * @throws CountersignError SIGN_IN_FAILED, which shows nothing of the answer
 */
export function tokenIn({ title }: Pick<TokenSource, 'title'>, { body }: HttpResponse, member: string): string {
  try {
    const value = parseJson(body, 'the answer', { maxBytes: maxAnswerBytes, maxDepth: 16 })
    const token = isJsonObject(value) ? value[member] : undefined
    if (typeof token === 'string' && token !== '') return token
  } catch {
    // The reason may quote the answer, in which there may be a token.
  }
  throw noToken(`${title} gave no identity token: its answer has no ${member}`)
}
