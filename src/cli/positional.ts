/** How many arguments a command takes, and cobra's words when there are more or fewer. */
import { CommandLineError } from './failure.ts'
import { quote } from './quote.ts'

/** The arguments that a command takes. */
export interface Positional {
  readonly minimum: number
  /** `Infinity` for any number. */
  readonly maximum: number
  /** The only texts that are accepted. Completion offers them. */
  readonly values?: readonly string[]
  /** What completion offers when there are no `values`; files unless said otherwise. */
  readonly completion?: 'file' | 'directory' | 'command' | 'none'
}

/** No argument. */
export const noArguments: Positional = { minimum: 0, maximum: 0 }
/** Any arguments. */
export const anyArguments: Positional = { minimum: 0, maximum: Number.POSITIVE_INFINITY }

/** Exactly `count` arguments. */
export function exactly(count: number): Positional {
  return { minimum: count, maximum: count }
}

/** At least `count` arguments. */
export function atLeast(count: number): Positional {
  return { minimum: count, maximum: Number.POSITIVE_INFINITY }
}

/** At most `count` arguments. */
export function atMost(count: number): Positional {
  return { minimum: 0, maximum: count }
}

/** One argument, out of a few. */
export function oneOf(values: readonly string[]): Positional {
  return { minimum: 1, maximum: 1, values }
}

/**
 * Checks the arguments of the command that `path` names.
 * @throws CommandLineError in cobra's words
 */
export function checkPositional(positional: Positional, path: string, args: readonly string[]): void {
  const { minimum, maximum, values } = positional
  const found = args.length
  if (found < minimum || found > maximum) throw new CommandLineError(miscounted(positional, path, args))
  for (const argument of values === undefined ? [] : args) {
    if (values?.includes(argument) !== true) {
      throw new CommandLineError(`invalid argument ${quote(argument)} for "${path}": expected one of ${values?.join(', ')}`)
    }
  }
}

function miscounted({ minimum, maximum }: Positional, path: string, args: readonly string[]): string {
  const found = args.length
  if (maximum === 0) return `unknown command ${quote(args[0] ?? '')} for "${path}"`
  if (minimum === maximum) return `accepts ${minimum} arg(s), received ${found}`
  if (maximum === Number.POSITIVE_INFINITY) return `requires at least ${minimum} arg(s), only received ${found}`
  if (minimum === 0) return `accepts at most ${maximum} arg(s), received ${found}`
  return `accepts between ${minimum} and ${maximum} arg(s), received ${found}`
}
