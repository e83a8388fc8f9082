/** Answers of the Rekor v1 API: statuses, headers and error bodies. */
import { encodeRekorV1Error } from '../../api/rekor-error.ts'
import type { RekorV1Entry } from '../../api/rekor-v1.ts'
import { encodeRekorV1Entry } from '../../api/rekor-v1.ts'
import { CountersignError, DecodingError, VerificationError } from '../../error.ts'

/** One entry, or that there is none. */
export function answerEntry(entry: RekorV1Entry | undefined): Response {
  if (entry === undefined) return new Response(null, { status: 404, headers: readHeaders })
  return json(200, JSON.stringify(encodeRekorV1Entry(entry)), { etag: entry.entryId })
}

/** What is wrong with the request is the client's to know; what is wrong with us is not. */
export function answerFailure(error: unknown, onError?: (error: unknown) => void): Response {
  if (error instanceof CountersignError) {
    switch (error.code) {
      case 'LOG_OVERLOADED':
        return failure(503, 'the transparency log is overloaded, try again', { 'retry-after': '1' })
      case 'LOG_FROZEN':
        return failure(405, 'This log has been frozen, please switch to the latest log.')
      case 'TOO_LARGE':
        return failure(413, `error processing entry: ${error.message}`)
      case 'REQUEST_INVALID':
      case 'SIGNATURE_INVALID':
        return failure(400, `error processing entry: ${error.message}`)
      default:
        if (error instanceof DecodingError || error instanceof VerificationError)
          return failure(400, `error processing entry: ${error.message}`)
    }
  }
  onError?.(error)
  return failure(500, 'unexpected result from transparency log')
}

/** Nothing is cached: the next proof is another. */
export const readHeaders = {
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  'access-control-allow-origin': '*',
} as const

/** An error. */
export function failure(status: number, message: string, headers: Record<string, string> = {}): Response {
  return json(status, encodeRekorV1Error({ code: status, message }), headers)
}

/** JSON text. */
export function json(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { ...readHeaders, 'content-type': 'application/json', ...headers } })
}
