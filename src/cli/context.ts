/** Everything outside the program that a command may touch. Tests pass their own and run whole commands in-process. */
import { printableLine } from './quote.ts'

/** Where a command prints. */
export interface Writer {
  /** Prints the text or bytes after what was printed before. Never throws because the reader has gone away. */
  write(chunk: string | Uint8Array): void
  /** Resolves when everything that was written has left the process. Wait for it between the parts of a long output. */
  flush(): Promise<void>
  /** Whether a person looks at it. */
  readonly isTTY: boolean
  /** The width of the terminal in characters, when there is one. */
  readonly columns: number | undefined
}

/** Where a command reads what is piped into it. */
export interface Input {
  /** Whether a person types it. */
  readonly isTTY: boolean
  /** Whether nothing will ever come: there is a device such as /dev/null in its place, as where a job has no input. */
  readonly isNothing: boolean
  /** The bytes until the end of input. To be called once. */
  read(): AsyncIterable<Uint8Array>
  /** The next line without its end; undefined when the input is over. */
  readLine(): Promise<string | undefined>
  /**
   * As `readLine`, without showing what is typed.
   * @param ask asks for it, as soon as nothing is shown any more
   */
  readHidden(ask: () => void): Promise<Uint8Array | undefined>
}

/** What a command runs in. */
export interface CommandContext {
  readonly stdin: Input
  /** Results. `--output-file` redirects it. */
  readonly stdout: Writer
  /** Warnings, progress and errors. */
  readonly stderr: Writer
  readonly env: Readonly<Record<string, string | undefined>>
  /** The directory that relative paths start from. */
  readonly cwd: string
  /** Aborted when the time given by `--timeout` is over and when the user interrupts. */
  readonly signal: AbortSignal
  /** Whether `--verbose` was given. */
  readonly verbose: boolean
  /** The present instant in epoch milliseconds. */
  now(): number
}

/** Prints a warning as cosign does, on one line, whatever files and registries have put into it. */
export function warn(context: CommandContext, message: string): void {
  context.stderr.write(`WARNING: ${printableLine(message)}\n`)
}

/** Prints a line on stderr when `--verbose` was given. */
export function logVerbose(context: CommandContext, message: string): void {
  if (context.verbose) context.stderr.write(`${printableLine(message)}\n`)
}
