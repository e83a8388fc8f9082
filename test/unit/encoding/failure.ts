/** What a call is refused with, in one line: class, code and message. */
import { CountersignError } from '../../../src/error.ts'

/** Gives `DecodingError JSON_INVALID: …`. What is not an error of the project is thrown on, and so is no error at all. */
export function failureOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof CountersignError) return `${error.name} ${error.code}: ${error.message}`
    throw error
  }
  throw new Error('the call did not fail')
}
