/** The flags that every verb accepts, before the verb or after it. */
import type { FlagValue } from './flags.ts'
import { boolFlag, durationFlag, stringFlag } from './flags.ts'

/** The time that a command gets when `--timeout` is not given, in milliseconds. */
const DEFAULT_TIMEOUT = 180_000

/** `--output-file`, `--timeout`, `--verbose`. */
export const globalFlags = {
  'output-file': stringFlag('write what the command prints on standard output to this file', { completion: 'file' }),
  timeout: durationFlag('stop the command, as failed, after this time', { shorthand: 't', default: DEFAULT_TIMEOUT }),
  verbose: boolFlag('print on standard error what is being done', { shorthand: 'd' }),
}

/** `--help`, which every command has of its own. */
export function helpFlag(commandName: string): { readonly help: ReturnType<typeof boolFlag> } {
  return { help: boolFlag(`help for ${commandName}`, { shorthand: 'h', environment: false }) }
}

/** The values of the global flags. */
export interface GlobalValues {
  readonly outputFile: string
  /** In milliseconds. */
  readonly timeout: number
  readonly verbose: boolean
}

/** Reads the global flags out of the given values. */
export function readGlobals(values: ReadonlyMap<string, FlagValue>): GlobalValues {
  const outputFile = values.get('output-file')
  const timeout = values.get('timeout')
  return {
    outputFile: typeof outputFile === 'string' ? outputFile : '',
    timeout: typeof timeout === 'number' ? timeout : DEFAULT_TIMEOUT,
    verbose: values.get('verbose') === true,
  }
}
