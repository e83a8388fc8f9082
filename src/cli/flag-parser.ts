/**
 * Splits a command line into flags and arguments by pflag's rules, which POSIX's follow: `--flag value`, `--flag=value`,
 * `-f value`, `-fvalue`, `-f=value`, `-abc` for three flags without a value, flags after arguments, `--` ends the flags.
 *
 * Before POSIX style, cosign took `-key value` and `--o value`, and old scripts still write so. cosign rewrites the whole
 * argument list blindly, which breaks `-a=b`, `-fvalue` and any value that begins with a dash; here only an argument in
 * flag position is rewritten, and only when its name is that of a flag.
 */
import { CommandLineError, didYouMean } from './failure.ts'
import { FlagAssignments } from './flag-assignments.ts'
import type { FlagIndex, NamedFlag } from './flag-index.ts'
import { findLong, isOldLong, isOldShort, nameOf } from './flag-index.ts'
import { isShown } from './flags.ts'
import { printable, quoteCharacter, shorten } from './quote.ts'
import { suggestNames } from './suggestions.ts'

/** What a command line held. */
export interface ParsedArguments {
  /** The flags that were given. The environment may add to them. */
  readonly flags: FlagAssignments
  /** What is not a flag, in order. */
  readonly args: readonly string[]
  /** One line for each use of a deprecated flag. */
  readonly notices: readonly string[]
}

/**
 * Parses the arguments that follow the verb.
 * @param warn receives a sentence for each argument in the style before POSIX
 * @throws CommandLineError in pflag's words
 */
export function parseArguments(argv: readonly string[], index: FlagIndex, warn: (message: string) => void): ParsedArguments {
  const flags = new FlagAssignments(index)
  const args: string[] = []
  const notices: string[] = []
  let next = 0
  const assign = (named: NamedFlag, text: string): void => {
    flags.assign(named, text)
    const message = named.flag.deprecated
    if (message !== undefined) notices.push(`Flag --${named.name} has been deprecated, ${message}`)
  }
  // The value of a flag is the next argument whatever it looks like: a key may begin with a dash.
  const takeNext = (): string | undefined => argv[next++]

  while (next < argv.length) {
    const argument = argv[next++] ?? ''
    if (argument === '--') {
      args.push(...argv.slice(next))
      break
    }
    if (!argument.startsWith('-') || argument === '-') args.push(argument)
    else {
      const written = modernize(argument, index, warn)
      if (written.startsWith('--')) parseLong(written, index, assign, takeNext)
      else parseShort(written, index, assign, takeNext)
    }
  }
  return { flags, args, notices }
}

/** The argument as POSIX style has it: `--key` for `-key` and `-o` for `--o`, where such a flag exists. */
function modernize(argument: string, index: FlagIndex, warn: (message: string) => void): string {
  if (isOldShort(argument, index)) {
    const modern = argument.slice(1)
    warn(`the flag ${argument} is deprecated and will be removed in a future release. Please use the flag ${modern}.`)
    return modern
  }
  if (isOldLong(argument, index)) {
    // The name only: the value may be a password.
    const name = nameOf(argument.slice(1))
    warn(`the -${name} flag is deprecated and will be removed in a future release. Please use the --${name} flag instead.`)
    return `-${argument}`
  }
  return argument
}

type Assign = (named: NamedFlag, text: string) => void
type TakeNext = () => string | undefined

function parseLong(argument: string, index: FlagIndex, assign: Assign, takeNext: TakeNext): void {
  const body = argument.slice(2)
  const name = nameOf(body)
  if (name === '' || name.startsWith('-')) {
    throw new CommandLineError(`bad flag syntax: ${printable(shorten(argument))}`)
  }
  const named = findLong(index, name)
  if (named === undefined) {
    const suggested = suggestFlags(name, index)
    throw new CommandLineError(`unknown flag: --${printable(shorten(name))}`, didYouMean(suggested))
  }
  if (name.length < body.length) assign(named, body.slice(name.length + 1))
  else if (named.flag.kind === 'bool') assign(named, 'true')
  else {
    const value = takeNext()
    if (value === undefined) throw new CommandLineError(`flag needs an argument: --${name}`)
    assign(named, value)
  }
}

function parseShort(argument: string, index: FlagIndex, assign: Assign, takeNext: TakeNext): void {
  let letters = argument.slice(1)
  while (letters !== '') {
    const letter = String.fromCodePoint(letters.codePointAt(0) ?? 0)
    const rest = letters.slice(letter.length)
    const named = index.short(letter)
    if (named === undefined) {
      throw new CommandLineError(
        `unknown shorthand flag: ${quoteCharacter(letter)} in -${printable(shorten(letters))}`,
        didYouMean(suggestFlags(nameOf(argument.slice(1)), index)),
      )
    }
    // pflag: `-f=` alone is the value "=", because an empty value cannot be written this way.
    if (rest.length > 1 && rest.startsWith('=')) {
      assign(named, rest.slice(1))
      return
    }
    if (named.flag.kind === 'bool') {
      assign(named, 'true')
      letters = rest
      continue
    }
    const value = rest === '' ? takeNext() : rest
    if (value === undefined) {
      throw new CommandLineError(`flag needs an argument: ${quoteCharacter(letter)} in -${printable(letters)}`)
    }
    assign(named, value)
    return
  }
}

function suggestFlags(name: string, index: FlagIndex): readonly string[] {
  const shown = index.all().filter(({ flag }) => isShown(flag))
  return suggestNames(
    name,
    shown.map((named) => named.name),
  ).map((suggestion) => `--${suggestion}`)
}
