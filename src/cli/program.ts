/** The life of the process around one command: signals, output, exit code. */
import type { CommandEntry } from './command.ts'
import { EXIT_CODE, ExitError, reportFailure } from './failure.ts'
import { runCli } from './run.ts'
import { createProcessContext } from './standard-streams.ts'

/**
 * Runs the process's command line and sets its exit code. Until the command has succeeded the code is that of a failure, so
 * that a process which ends early, for whatever reason, never looks like a successful verification.
 */
export async function runProgram(root: CommandEntry): Promise<void> {
  process.exitCode = 1
  const interruption = createInterruption()
  const context = createProcessContext(interruption)
  let finished = false
  process.on('exit', () => {
    if (!finished && !interruption.occurred) reportFailure(new Error('the command ended without a result'), context)
  })
  process.on('uncaughtException', (error) => {
    finished = true
    process.exit(reportFailure(error, context))
  })

  const exitCode = await runCli(process.argv.slice(2), context, root)
  await context.stdout.flush()
  await context.stderr.flush()
  finished = true
  // Everything is written. Leaving at once spares the user the dismantling of the heap, and an interrupted command may have
  // left a connection open.
  process.exit(exitCode)
}

/** What the user's signals do to the command. */
interface Interruption {
  readonly occurred: boolean
  /**
   * Aborted by the first signal, so that the command can clean up; the second ends the process. Signals are caught from when
   * this is first asked for: a command that does not wait could not be told of one, so it had better be ended.
   */
  readonly signal: AbortSignal
}

function createInterruption(): Interruption {
  let controller: AbortController | undefined
  return {
    get occurred() {
      return controller?.signal.aborted === true
    },
    get signal() {
      controller ??= catchSignals()
      return controller.signal
    },
  }
}

function catchSignals(): AbortController {
  const interruption = new AbortController()
  const handle = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const exitCode = signal === 'SIGINT' ? EXIT_CODE.interrupted : EXIT_CODE.terminated
    if (interruption.signal.aborted) process.exit(exitCode)
    interruption.abort(new ExitError(exitCode, 'ABORTED', `interrupted by ${signal}`))
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return interruption
}
