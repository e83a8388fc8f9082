/** The helper programs that Docker's configuration names, which keep credentials elsewhere: `docker-credential-<name>`. */
import { encodeUtf8, excerpt } from '../encoding/bytes.ts'
import { CountersignError, messageOf } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { findExecutable, runProgram } from '../keys/program-run.ts'

export interface HelperOptions {
  readonly env: Environment
  readonly signal?: AbortSignal | undefined
}

const maxAnswerBytes = 256 * 1024
const timeoutMs = 60_000

/**
 * Runs a helper. It is found on PATH only, and what it needs to know is on its standard input.
 * @param helper its name without `docker-credential-`
 * @throws CountersignError SERVICE_REFUSED when it cannot be run, or does not come to an end, TransportError ABORTED
 */
export async function runHelper(
  helper: string,
  action: 'get' | 'store',
  input: string,
  { env, signal }: HelperOptions,
): Promise<{ readonly code: number; readonly stdout: string }> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) throw helperFailure(helper, 'that is not the name of a helper')
  const name = `docker-credential-${helper}`
  const file = findExecutable(name, env)
  if (file === undefined) throw helperFailure(helper, 'it is not on PATH')
  const run = { name, file, argv: [action], input: encodeUtf8(input), timeoutMs, maxOutputBytes: maxAnswerBytes, env, signal }
  try {
    const { exitCode, stdout } = await runProgram({ ...run, keepsErrors: true })
    return { code: exitCode, stdout: Buffer.from(stdout).toString('utf8') }
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    throw helperFailure(helper, messageOf(cause))
  }
}

/** The error for a helper that does not do what it is for. @param reason holds nothing of what the helper answered */
export function helperFailure(helper: string, reason: string): CountersignError {
  return new CountersignError(
    'SERVICE_REFUSED',
    `the credential helper docker-credential-${excerpt(helper, 40).slice(1, -1)} that Docker's configuration names cannot be used: ${reason}`,
  )
}
