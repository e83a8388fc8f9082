/** One run of a program: bytes in, bytes out, never through a shell. */
import { spawn } from 'node:child_process'
import { messageOf, TransportError } from '../error.ts'
import { startDeadline } from '../http/deadline.ts'
import type { Environment } from '../http/environment.ts'

export interface ProgramRun {
  /** What it is called in messages. */
  readonly name: string
  /** Its absolute path. */
  readonly file: string
  readonly argv: readonly string[]
  /** For its standard input. */
  readonly input: Uint8Array
  readonly timeoutMs: number
  /** The program is ended when it prints more. */
  readonly maxOutputBytes: number
  readonly env: Environment
  readonly cwd: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a program to its end, whatever its exit status. Its standard error is that of this process.
 * @returns what it printed
 * @throws TransportError NETWORK_FAILED when it cannot be started, is ended by a signal or takes too long, TOO_LARGE, ABORTED
 */
export async function runProgram(run: ProgramRun): Promise<Uint8Array> {
  const deadline = startDeadline(`the run of ${run.name}`, run.timeoutMs, run.signal)
  try {
    return await collect(run, deadline.signal)
  } finally {
    deadline.stop()
  }
}

function collect({ name, file, argv, input, maxOutputBytes, env, cwd }: ProgramRun, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const child = spawn(file, argv, { env: { ...env }, cwd, stdio: ['pipe', 'pipe', 'inherit'], shell: false, windowsHide: true })
    const fail = (error: unknown): void => {
      child.kill('SIGKILL')
      reject(error)
    }
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const chunks: Uint8Array[] = []
    let size = 0
    child.stdout.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxOutputBytes) fail(new TransportError('TOO_LARGE', `${name} printed more than the limit of ${maxOutputBytes} bytes`))
      else chunks.push(chunk)
    })
    child.once('error', (cause) => fail(new TransportError('NETWORK_FAILED', `${name} cannot be run: ${messageOf(cause)}`, { cause })))
    child.once('close', (_code, killedBy) => {
      signal.removeEventListener('abort', abort)
      if (killedBy === null) resolve(Buffer.concat(chunks))
      else reject(new TransportError('NETWORK_FAILED', `${name} was ended by ${killedBy} before it answered`))
    })
    // A program that needs no input may be gone before all of it was written.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
