/** What a call throws, so that a test can look at its code and its message. */
import { CountersignError } from '../../../src/error.ts'

/** The error that a call throws, as `Class CODE: message`; fails when nothing or something else is thrown. */
export function failureOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return describe(error)
  }
  throw new Error('expected an error, nothing was thrown')
}

/** As `failureOf`, for what a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return describe(error)
  }
  throw new Error('expected a rejection, the promise was fulfilled')
}

function describe(error: unknown): string {
  if (!(error instanceof CountersignError)) throw error
  return `${error.name} ${error.code}: ${error.message}`
}
