/** How a command says that it failed: the message on stderr, and the exit code of the process. */
import type { ErrorCode } from '../error.ts'
import { CountersignError, UsageError, messageOf } from '../error.ts'
import type { CommandContext } from './context.ts'
import { printable, printableLine } from './quote.ts'

/** The exit codes that mean more than success (0) and failure (1), as cosign has them for `verify` of an image. */
export const EXIT_CODE = {
  noSignatures: 10,
  tagNotFound: 11,
  noMatchingSignatures: 12,
  noCertificate: 13,
  interrupted: 130,
  terminated: 143,
} as const

/** A failure that ends the process with a code of its own. It may also be the cause of another error. */
export class ExitError extends CountersignError {
  override name = 'ExitError'
  readonly exitCode: number

  constructor(exitCode: number, code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options)
    this.exitCode = exitCode
  }
}

/** A failure for several reasons, a line each. Each is shown on its line, whatever it holds. */
export class ReasonsError extends ExitError {
  override name = 'ReasonsError'
  /** The same on one line, for what is a part of another sentence. */
  readonly oneLine: string

  /** @param first what they are the reasons of @param rest what stands behind the last */
  constructor(exitCode: number, code: ErrorCode, first: string, reasons: readonly string[], rest = '') {
    const lines = reasons.map(printableLine)
    const end = printableLine(rest)
    super(exitCode, code, `${first}: ${lines.join('\n ')}${end}`)
    this.oneLine = `${first}: ${lines.join('; ')}${end}`
  }
}

/** A command line that cannot be carried out, with lines of advice that are printed once, after the message. */
export class CommandLineError extends UsageError {
  override name = 'CommandLineError'
  readonly advice: readonly string[]

  constructor(message: string, advice: readonly string[] = []) {
    super('USAGE', message)
    this.advice = advice
  }
}

/** The advice that lists names which may have been meant. */
export function didYouMean(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : ['', 'Did you mean this?', ...names.map((name) => `\t${name}`), '']
}

/**
 * Prints why a command failed and returns the exit code. The two lines are cosign's, and scripts read them. A stack
 * trace appears only with `COUNTERSIGN_DEBUG=1`.
 */
export function reportFailure(error: unknown, context: CommandContext): number {
  // A line end in any other message is one in a name that somebody has chosen.
  const message = error instanceof ReasonsError ? describe(error) : printableLine(describe(error))
  const lines = [`Error: ${message}`]
  if (error instanceof CommandLineError) lines.push(...error.advice.map(printable))
  lines.push(`error during command execution: ${message}`)
  if (context.env['COUNTERSIGN_DEBUG'] === '1') lines.push(...stackLines(error))
  context.stderr.write(`${lines.join('\n')}\n`)
  return exitCodeOf(error)
}

/** The exit code that the error, or the nearest of its causes that has one, asks for; otherwise 1. */
function exitCodeOf(error: unknown): number {
  for (const link of causesOf(error)) {
    if (link instanceof ExitError) return link.exitCode
  }
  return 1
}

function describe(error: unknown): string {
  const message = messageOf(error)
  return error instanceof CountersignError || isSystemError(error)
    ? message
    : `this is a bug in countersign, please report it (COUNTERSIGN_DEBUG=1 shows where): ${message}`
}

/** Whether the operating system refused: the message then says what, and no code of ours is at fault. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error
}

function stackLines(error: unknown): string[] {
  const lines: string[] = []
  for (const link of causesOf(error)) {
    if (lines.length > 0) lines.push('caused by:')
    lines.push(printable(link instanceof Error ? (link.stack ?? link.message) : String(link)))
  }
  return lines
}

/** The error and its causes, outermost first; a chain that bites its tail ends. */
export function* causesOf(error: unknown): Generator {
  const seen = new Set<unknown>()
  for (let link = error; link !== undefined && !seen.has(link); link = link instanceof Error ? link.cause : undefined) {
    seen.add(link)
    yield link
  }
}
