/** The helper programs that Docker's configuration names, which keep credentials elsewhere: `docker-credential-<name>`. */
import { spawn } from 'node:child_process'
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError, TransportError, messageOf } from '../error.ts'
import type { Environment } from '../http/environment.ts'

export interface HelperOptions {
  readonly env: Environment
  readonly signal?: AbortSignal | undefined
}

const maxAnswerBytes = 256 * 1024
const timeoutMs = 60_000

/**
 * Runs a helper. It is found on PATH only, and what it needs to know is on its standard input.
 * @param helper its name without `docker-credential-`
 * @throws CountersignError SERVICE_REFUSED when it cannot be run, TransportError ABORTED
 */
export function runHelper(
  helper: string,
  action: 'get' | 'store',
  input: string,
  { env, signal }: HelperOptions,
): Promise<{ readonly code: number | null; readonly stdout: string }> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) return Promise.reject(helperFailure(helper, 'that is not the name of a helper'))
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, [action], {
      // Windows would look into the current folder first.
      env: { ...env, NoDefaultCurrentDirectoryInExePath: '1' },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: timeoutMs,
      signal,
    })
    const chunks: Buffer[] = []
    let length = 0
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxAnswerBytes) child.kill('SIGKILL')
      else chunks.push(chunk)
    })
    child.once('error', (cause) => {
      if (signal?.aborted === true) reject(new TransportError('ABORTED', `docker-credential-${helper} was stopped`, { cause }))
      else reject(helperFailure(helper, messageOf(cause)))
    })
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(chunks).toString('utf8') }))
    // A helper that ends without reading is judged by its status.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** The error for a helper that does not do what it is for. @param reason holds nothing of what the helper answered */
export function helperFailure(helper: string, reason: string): CountersignError {
  return new CountersignError(
    'SERVICE_REFUSED',
    `the credential helper docker-credential-${excerpt(helper, 40).slice(1, -1)} that Docker's configuration names cannot be used: ${reason}`,
  )
}
