/** One run of a program: bytes in, bytes out, never through a shell. */
import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { messageOf, TransportError } from '../error.ts'
import { startDeadline } from '../http/deadline.ts'
import { variableOf } from '../http/environment.ts'
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
  /** Default that of this process. */
  readonly cwd?: string
  readonly signal?: AbortSignal | undefined
  /** Its standard error is kept, up to `maxOutputBytes`, instead of being that of this process. */
  readonly keepsErrors?: boolean
}

/** How a run ended. */
export interface ProgramEnding {
  readonly stdout: Uint8Array
  /** Empty unless it was kept. */
  readonly stderr: Uint8Array
  readonly exitCode: number
}

/** How long the output of a program that has ended is waited for. */
const lingerMs = 1_000

/**
 * Runs a program to its end, whatever its exit status.
 * @throws TransportError NETWORK_FAILED when it cannot be started, is ended by a signal or takes too long, TOO_LARGE, ABORTED
 */
export async function runProgram(run: ProgramRun): Promise<ProgramEnding> {
  const deadline = startDeadline(`the run of ${run.name}`, run.timeoutMs, run.signal)
  try {
    return await collect(run, deadline.signal)
  } finally {
    deadline.stop()
  }
}

function collect(run: ProgramRun, signal: AbortSignal): Promise<ProgramEnding> {
  const { name, file, argv, input, maxOutputBytes, env, cwd, keepsErrors = false } = run
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stdio = ['pipe', 'pipe', keepsErrors ? 'pipe' : 'inherit'] as const
    const child = spawn(file, argv, { env: { ...env }, cwd, stdio: [...stdio], shell: false, windowsHide: true })
    let lingering: NodeJS.Timeout | undefined
    // What it started in its turn may hold its output open for as long as it likes.
    const letGo = (): void => {
      clearTimeout(lingering)
      signal.removeEventListener('abort', abort)
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
    }
    const fail = (error: unknown): void => {
      child.kill('SIGKILL')
      letGo()
      reject(error)
    }
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    let size = 0
    const gather = (stream: Readable | null): Uint8Array[] => {
      const chunks: Uint8Array[] = []
      stream?.on('data', (chunk: Uint8Array) => {
        size += chunk.length
        if (size > maxOutputBytes) fail(new TransportError('TOO_LARGE', `${name} printed more than the limit of ${maxOutputBytes} bytes`))
        else chunks.push(chunk)
      })
      return chunks
    }
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)]
    child.once('error', (cause) => fail(new TransportError('NETWORK_FAILED', `${name} cannot be run: ${messageOf(cause)}`, { cause })))
    const finish = (exitCode: number | null, killedBy: NodeJS.Signals | null): void => {
      letGo()
      if (exitCode !== null) resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), exitCode })
      else reject(new TransportError('NETWORK_FAILED', `${name} was ended by ${killedBy ?? 'something'} before it answered`))
    }
    child.once('exit', (exitCode, killedBy) => {
      lingering = setTimeout(() => finish(exitCode, killedBy), lingerMs)
    })
    child.once('close', finish)
    // A program that needs no input may be gone before all of it was written.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** A program in the folders of PATH, but for relative ones: what lies where one works is not what one installed. */
export function findExecutable(name: string, env: Environment): string | undefined {
  const fileName = path.sep === '\\' ? `${name}.exe` : name
  for (const folder of (variableOf(env, 'PATH', 'Path') ?? '').split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue
    const file = path.join(folder, fileName)
    try {
      accessSync(file, constants.X_OK)
      if (statSync(file).isFile()) return file
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}
