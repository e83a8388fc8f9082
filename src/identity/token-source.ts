/** Where identity tokens come from without anybody signing in: the port that every such place implements. */
import { isJsonObject, parseJson } from '../encoding/json.ts'
import { CountersignError, messageOf } from '../error.ts'
import { request, statusError } from '../http/fetch.ts'
import type { Environment, RequestOptions } from '../http/fetch.ts'

/** The place in which a token is looked for. */
export interface Surroundings {
  readonly env: Environment
  /** The contents of a file of the system, undefined when there is none or it cannot be read. */
  readonly readFile: (path: string) => Promise<string | undefined>
}

export interface TokenRequest extends Surroundings {
  /** Whom the token is for: `sigstore` for Fulcio. */
  readonly audience: string
  readonly signal?: AbortSignal | undefined
}

export interface TokenSource {
  /** As `--oidc-provider` names it. */
  readonly name: string
  /** What messages call it. */
  readonly title: string
  /** Whether this place offers tokens. Asks nobody. */
  isOffered(surroundings: Surroundings): boolean | Promise<boolean>
  /**
   * Gets a token.
   * @throws CountersignError SIGN_IN_FAILED, without the secrets that the request took
   */
  fetch(request: TokenRequest): Promise<string>
}

const timeoutMs = 15_000
const maxAnswerBytes = 256 * 1024

/** The error for a source that gives no token. */
export function noToken(reason: string, cause?: unknown): CountersignError {
  return new CountersignError('SIGN_IN_FAILED', reason, { cause })
}

/**
 * Asks an address for a token. Never follows a redirect: the request holds a secret.
 * @throws CountersignError SIGN_IN_FAILED
 */
export async function askForToken(
  { title }: Pick<TokenSource, 'title'>,
  address: string | URL,
  asked: Pick<RequestOptions, 'method' | 'headers' | 'body'>,
  { env, signal }: TokenRequest,
): Promise<Uint8Array> {
  let body: Uint8Array
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
    body = response.body
  } catch (cause) {
    if (cause instanceof CountersignError && cause.code === 'ABORTED') throw cause
    throw noToken(`${title} gave no identity token: ${messageOf(cause)}`, cause)
  }
  return body
}

/**
 * The text at `member` of an answer in JSON.
 * @throws CountersignError SIGN_IN_FAILED, which shows nothing of the answer
 */
export function tokenIn({ title }: Pick<TokenSource, 'title'>, answer: Uint8Array, member: string): string {
  try {
    const value = parseJson(answer, 'the answer', { maxBytes: maxAnswerBytes, maxDepth: 16 })
    const token = isJsonObject(value) ? value[member] : undefined
    if (typeof token === 'string' && token !== '') return token
  } catch {
    // The reason may quote the answer, in which there may be a token.
  }
  throw noToken(`${title} gave no identity token: its answer has no ${member}`)
}
