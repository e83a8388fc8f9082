/** Answers of a log: JSON when it went well, plain text when it did not, as clients of RFC 6962 expect. */
import { randomInt } from 'node:crypto'
import { CountersignError } from '../../error.ts'

/** What never changes may be kept by every cache. */
export const immutable = 'public, max-age=31536000, immutable'

/** An answer that may be another one the next time. */
export function answerJson(json: string): Response {
  return new Response(json, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
}

export function answerBytes(bytes: Uint8Array, headers: Readonly<Record<string, string>>): Response {
  return new Response(bytes, { headers })
}

/** A refusal, or what is no JSON. */
export function answerText(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}

/** A request that a read cannot be answered for. */
export function badRequest(message: string): CountersignError {
  return new CountersignError('REQUEST_INVALID', message)
}

/** What is not there. */
export function notFound(message: string): CountersignError {
  return new CountersignError('NOT_FOUND', message)
}

/** Makes an answer of what the client can be told, and throws everything else. */
export function answerFailure(error: unknown): Response {
  if (!(error instanceof CountersignError)) throw error
  switch (error.code) {
    case 'TOO_LARGE':
      return answerText(413, error.message)
    case 'NOT_FOUND':
      return answerText(404, error.message)
    case 'REQUEST_INVALID':
      return answerText(400, error.message)
    case 'LOG_OVERLOADED':
      // Spread out, so that those who are sent away do not come back together.
      return answerText(503, error.message, { 'retry-after': String(randomInt(30, 91)) })
    case 'LOG_FROZEN':
      return answerText(410, error.message)
    default:
      throw error
  }
}
