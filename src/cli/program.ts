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
  catchSignals(interruption)
  let finished = false
  process.once('exit', () => {
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
  /** Made when it is asked for: that costs half a millisecond, for which most verifications have no use. */
  readonly signal: AbortSignal
  interrupt(reason: ExitError): void
}

function createInterruption(): Interruption {
  let controller: AbortController | undefined
  let occurred: ExitError | undefined
  return {
    get occurred() {
      return occurred !== undefined
    },
    get signal() {
      controller ??= new AbortController()
      if (occurred !== undefined) controller.abort(occurred)
      return controller.signal
    },
    interrupt(reason) {
      occurred = reason
      controller?.abort(reason)
    },
  }
}

/** The first signal lets the command clean up; the second ends the process. */
function catchSignals(interruption: Interruption): void {
  const handle = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const exitCode = signal === 'SIGINT' ? EXIT_CODE.interrupted : EXIT_CODE.terminated
    if (interruption.occurred) process.exit(exitCode)
    interruption.interrupt(new ExitError(exitCode, 'ABORTED', `interrupted by ${signal}`))
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
}
