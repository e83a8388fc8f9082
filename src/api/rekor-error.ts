/** Error bodies of Rekor v1 (`{code, message}` with an HTTP status) and of Rekor v2 (a gRPC status in JSON). */
import { isJsonObject, parseJson } from '../encoding/json.ts'

/** The gRPC codes that Rekor v2 answers with. */
export const grpcCode = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  internal: 13,
  unavailable: 14,
} as const

/** What a log says went wrong: `code` is an HTTP status (v1) or a gRPC code (v2). */
export interface RekorError {
  readonly code: number
  readonly message: string
}

const maxBytes = 64 * 1024

/** The body of a Rekor v1 error. */
export function encodeRekorV1Error({ code, message }: RekorError): string {
  return JSON.stringify({ code, message })
}

/** The body of a Rekor v2 error. */
export function encodeRekorV2Error({ code, message }: RekorError): string {
  return JSON.stringify({ code, message, details: [] })
}

/** What an error body of either log says; undefined when it is something else, such as the page of a proxy. */
export function parseRekorError(body: Uint8Array | string): RekorError | undefined {
  try {
    const value = parseJson(body, 'the error', { maxBytes, maxDepth: 8 })
    if (!isJsonObject(value)) return undefined
    const { code, message } = value
    return typeof code === 'number' && typeof message === 'string' ? { code, message } : undefined
  } catch {
    // Whoever asks has failed already, and says so with the HTTP status alone.
    return undefined
  }
}
