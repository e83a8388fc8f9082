/** What is wrong with a Dockerfile, and where. */
import { UsageError } from '../error.ts'

/** The error for a line. @param reason what was expected there, and what was found */
export function dockerfileError(line: number, reason: string): UsageError {
  return new UsageError('USAGE', `line ${line} of the Dockerfile: ${reason}`)
}
