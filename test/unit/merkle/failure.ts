/** What a call fails with, for assertions on an error's class, code and message. */
import { CountersignError } from '../../../src/error.ts'

export interface Failure {
  readonly type: string
  readonly code: string
  readonly message: string
}

/** The error that the call throws, which must be one of the project's own. */
export function failureOf(call: () => unknown): Failure {
  let error: unknown
  try {
    call()
  } catch (thrown) {
    error = thrown
  }
  return describeFailure(error)
}

/** The same for a call that gives a promise. */
export async function rejectionOf(call: () => Promise<unknown>): Promise<Failure> {
  let error: unknown
  try {
    await call()
  } catch (thrown) {
    error = thrown
  }
  return describeFailure(error)
}

function describeFailure(error: unknown): Failure {
  if (!(error instanceof CountersignError)) throw new Error('the call did not fail with an error of the project', { cause: error })
  return { type: error.name, code: error.code, message: error.message }
}
