/** Requests that get no certificate, and what Fulcio's API says of them. */
import { fulcioRefusals } from '../../api/fulcio.ts'
import type { FulcioRefusal } from '../../api/fulcio.ts'
import { CountersignError, messageOf } from '../../error.ts'

/** No certificate. The message and its cause are for the administrator; `refusal` is all that the client hears. */
export class RefusalError extends CountersignError {
  override name = 'RefusalError'
  readonly refusal: FulcioRefusal

  constructor(refusal: FulcioRefusal, message: string, options?: { readonly cause?: unknown }) {
    super('REQUEST_REFUSED', message, options)
    this.refusal = refusal
  }
}

/**
 * Takes a step of issuance whose failures all are one refusal: who guesses learns nothing from which of its checks failed.
 * @throws RefusalError for every CountersignError but those that say nothing about the request; what else is thrown is a bug, and passes
 */
export async function refuseAs<Result>(refusal: FulcioRefusal, step: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause instanceof RefusalError || isOurs(cause)) throw cause
    throw new RefusalError(refusal, cause.message, { cause })
  }
}

/** Whether a failure is this server's, whatever the request was: it is never said to be the request's. */
export function isOurs(error: CountersignError): boolean {
  return error.code === 'LOG_OVERLOADED' || error.code === 'STORAGE_FAILED'
}

/** What the API says of an error. */
export function refusalOf(error: unknown): FulcioRefusal {
  if (error instanceof RefusalError) return error.refusal
  if (error instanceof CountersignError && error.code === 'LOG_OVERLOADED') return fulcioRefusals.overloaded
  if (error instanceof CountersignError && error.code === 'CLOCK_SUSPECT') return { code: 14, message: error.message }
  return fulcioRefusals.backend
}

/** A failure of the log, whatever it is: the request may succeed later. */
export function logFailure(cause: unknown): RefusalError {
  const isOverloaded = cause instanceof CountersignError && cause.code === 'LOG_OVERLOADED'
  const refusal = isOverloaded ? { ...fulcioRefusals.log, code: fulcioRefusals.overloaded.code } : fulcioRefusals.log
  return new RefusalError(refusal, `the certificate could not be logged: ${messageOf(cause)}`, { cause })
}
