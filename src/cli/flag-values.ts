/** The text of a flag's value, read and written as Go's pflag does for each kind. */
import { UsageError } from '../error.ts'
import { parseCommaValues } from './comma-values.ts'
import { formatDuration, parseDuration } from './duration.ts'
import type { Flag, FlagValue } from './flags.ts'
import { printable, quote, shorten } from './quote.ts'

/**
 * The value that a text means for a flag.
 * @param earlier the value from earlier occurrences of the same flag, to which a repeatable flag adds
 * @throws UsageError USAGE with the reason only, in the words of Go's standard library and of pflag
 */
export function parseFlagValue(flag: Flag, text: string, earlier: FlagValue | undefined): FlagValue {
  switch (flag.kind) {
    case 'string':
      return text
    case 'bool':
      return parseBool(text)
    case 'choice':
      if (!flag.choices.includes(text)) throw new UsageError('USAGE', `must be one of ${listChoices(flag.choices)}`)
      return text
    case 'int':
      return parseInteger(text)
    case 'duration':
      return parseDuration(text)
    case 'stringArray':
      return append(earlier, [text])
    case 'stringSlice':
      return append(earlier, text === '' ? [] : parseCommaValues(text))
    case 'stringToString':
      return new Map([...(isPairs(earlier) ? earlier : []), ...parsePairs(text)])
  }
}

/** Whether a variable that is on or off is on, as Go reads those. */
export function isTrue(value: string | undefined): boolean {
  return readBool(value ?? '') === true
}

/** The name of the kind, as pflag's `Type()` has it. */
export function kindName(flag: Flag): string {
  return flag.kind === 'choice' ? 'string' : flag.kind
}

/** The default as text, as pflag's `DefValue` has it: `3m0s`, `false`, `[]`, or nothing for the empty string. */
export function defaultText(flag: Flag): string {
  switch (flag.kind) {
    case 'duration':
      return formatDuration(flag.default)
    case 'stringArray':
    case 'stringSlice':
      return `[${flag.default.join(',')}]`
    case 'stringToString':
      return `[${[...flag.default].map(([key, value]) => `${key}=${value}`).join(',')}]`
    default:
      return String(flag.default)
  }
}

function parseBool(text: string): boolean {
  const value = readBool(text)
  if (value === undefined) {
    throw new UsageError('USAGE', `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`)
  }
  return value
}

function readBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : undefined
}

function parseInteger(text: string): number {
  // Go's integer literals with base 0: an underscore may follow a base prefix and stand between digits.
  const match = /^([+-]?)(?:0[xX]((?:_?[\da-fA-F])+)|0[bB]((?:_?[01])+)|0[oO]?((?:_?[0-7])+)|(0|[1-9](?:_?\d)*))$/.exec(text)
  if (match === null) throw new UsageError('USAGE', `strconv.ParseInt: parsing ${quote(text)}: invalid syntax`)
  const [, sign, hex, binary, octal, decimal] = match
  const magnitude =
    hex !== undefined
      ? digitsOf(hex, 16)
      : binary !== undefined
        ? digitsOf(binary, 2)
        : octal !== undefined
          ? digitsOf(octal, 8)
          : digitsOf(decimal ?? '', 10)
  // Go accepts up to 2^63; no count on a command line needs what a number cannot hold exactly.
  if (!Number.isSafeInteger(magnitude)) {
    throw new UsageError('USAGE', `strconv.ParseInt: parsing ${quote(text)}: value out of range`)
  }
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
}

function digitsOf(digits: string, base: number): number {
  return Number.parseInt(digits.replaceAll('_', ''), base)
}

function parsePairs(text: string): ReadonlyMap<string, string> {
  const equalSigns = text.split('=').length - 1
  const pairs = equalSigns > 1 ? parseCommaValues(text) : [equalSigns === 1 ? text.replace(/^"+|"+$/g, '') : text]
  const values = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 0) throw new UsageError('USAGE', `${printable(shorten(pair))} must be formatted as key=value`)
    values.set(pair.slice(0, at), pair.slice(at + 1))
  }
  return values
}

function append(earlier: FlagValue | undefined, more: readonly string[]): readonly string[] {
  return isList(earlier) ? [...earlier, ...more] : more
}

function isList(value: FlagValue | undefined): value is readonly string[] {
  return Array.isArray(value)
}

function isPairs(value: FlagValue | undefined): value is ReadonlyMap<string, string> {
  return value instanceof Map
}

function listChoices(choices: readonly string[]): string {
  const quoted = choices.map(quote)
  if (quoted.length < 3) return quoted.join(', ')
  return `${quoted.slice(0, -1).join(', ')}, or ${quoted[quoted.length - 1]}`
}
