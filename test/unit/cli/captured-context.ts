/** A context for commands under test: nothing of the process, everything printed is kept. */
import type { CommandEntry } from '../../../src/cli/command.ts'
import type { CommandContext, Writer } from '../../../src/cli/context.ts'
import { rootEntry } from '../../../src/cli/root.ts'
import { runCli } from '../../../src/cli/run.ts'

/** What a test may say about the surroundings of a command. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** What is piped into the command, or typed. */
  readonly stdin?: Uint8Array
  /** Whether a person types it. */
  readonly typed?: boolean
  readonly signal?: AbortSignal
  /** The width of the terminal; without it the command does not run in one. */
  readonly columns?: number
  /** Epoch milliseconds. */
  readonly now?: number
}

/** A context, and what has been printed in it so far. */
export interface CapturedContext {
  readonly context: CommandContext
  readonly stdout: () => string
  readonly stderr: () => string
}

/** A context whose output can be read. */
export function captureContext(surroundings: Surroundings = {}): CapturedContext {
  const stdout = captureWriter(surroundings.columns)
  const stderr = captureWriter(surroundings.columns)
  const given = Buffer.from(surroundings.stdin ?? []).toString('utf8')
  const lines = given === '' ? [] : given.replace(/\n$/, '').split('\n')
  let unread = surroundings.stdin
  const context: CommandContext = {
    stdin: {
      isTTY: surroundings.typed === true,
      isNothing: surroundings.typed !== true && surroundings.stdin === undefined,
      async *read() {
        await Promise.resolve()
        // Read once, it is at its end.
        const contents = unread ?? new Uint8Array(0)
        unread = undefined
        yield contents
      },
      readLine: () => Promise.resolve(lines.shift()),
      readHidden: (ask) => {
        ask()
        return Promise.resolve(lines.length === 0 ? undefined : Buffer.from(lines.shift() ?? ''))
      },
    },
    stdout,
    stderr,
    env: surroundings.env ?? {},
    cwd: surroundings.cwd ?? '/nonexistent',
    signal: surroundings.signal ?? new AbortController().signal,
    verbose: false,
    now: () => surroundings.now ?? 0,
  }
  return { context, stdout: stdout.text, stderr: stderr.text }
}

/** How a command line ended. */
export interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line in-process. */
export async function runCaptured(
  argv: readonly string[],
  surroundings: Surroundings = {},
  root: CommandEntry = rootEntry,
): Promise<Outcome> {
  const { context, stdout, stderr } = captureContext(surroundings)
  const exitCode = await runCli(argv, context, root)
  return { exitCode, stdout: stdout(), stderr: stderr() }
}

function captureWriter(columns: number | undefined): Writer & { readonly text: () => string } {
  const chunks: Uint8Array[] = []
  return {
    write: (chunk) => void chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
    flush: () => Promise.resolve(),
    isTTY: columns !== undefined,
    columns,
    text: () => Buffer.concat(chunks).toString('utf8'),
  }
}
