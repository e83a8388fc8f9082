/** What the doctor says of one thing. */
import { messageOf } from '../../error.ts'

export type Verdict = 'ok' | 'warn' | 'fail'

/** One line of what the doctor says. */
export interface Diagnosis {
  /** What was looked at, such as `certificates`. */
  readonly check: string
  readonly verdict: Verdict
  /** A sentence: what was found. */
  readonly message: string
  /** What to do; undefined where the message says it, or nothing is to be done. */
  readonly advice?: string | undefined
}

export function ok(check: string, message: string): Diagnosis {
  return { check, verdict: 'ok', message }
}

export function warning(check: string, message: string, advice?: string): Diagnosis {
  return { check, verdict: 'warn', message, advice }
}

export function failure(check: string, message: string, advice?: string): Diagnosis {
  return { check, verdict: 'fail', message, advice }
}

/** What the examination says; what it throws is a failure like those that it finds. */
export async function examine(check: string, examination: () => Diagnosis[] | Promise<Diagnosis[]>): Promise<Diagnosis[]> {
  try {
    return await examination()
  } catch (error) {
    return [failure(check, messageOf(error))]
  }
}
