/**
 * Finds the verb on a command line, as cobra does: the first argument that is not a flag and not the value of one. Flags may
 * stand before the verb. A flag that is not known yet, because it belongs to the verb, is taken to have a value.
 */
import type { Command, CommandEntry } from './command.ts'
import { CommandLineError, didYouMean } from './failure.ts'
import { FlagIndex, findLong, isOldLong, isOldShort } from './flag-index.ts'
import { globalFlags, helpFlag } from './global-flags.ts'
import { quote } from './quote.ts'
import { suggestNames } from './suggestions.ts'

/** The verb that a command line names. */
export interface FoundCommand {
  /** The program and the verbs, such as `countersign bundle inspect`. */
  readonly path: string
  readonly entry: CommandEntry
  readonly command: Command
  /** The command line without the verbs. */
  readonly argv: readonly string[]
}

/**
 * Follows the verbs on the command line as far as there are commands of that name.
 * @param warn receives a sentence for `-version`, which is the verb of that name
 */
export async function findCommand(root: CommandEntry, argv: readonly string[], warn: (message: string) => void): Promise<FoundCommand> {
  let found: FoundCommand = { path: root.name, entry: root, command: (await root.load()).command, argv }
  while (found.command.subcommands.length > 0) {
    const at = verbPosition(found)
    const written = found.argv[at]
    if (written === undefined) return found
    const verb = written === '-version' ? 'version' : written
    const entry = found.command.subcommands.find(({ name, aliases }) => name === verb || aliases?.includes(verb) === true)
    if (entry === undefined) return found
    if (verb !== written) {
      warn(`the ${written} flag is deprecated and will be removed in a future release. Please use the ${verb} subcommand instead.`)
    }
    found = {
      path: `${found.path} ${entry.name}`,
      entry,
      command: (await entry.load()).command,
      argv: found.argv.toSpliced(at, 1),
    }
  }
  return found
}

/** The error about an argument that names none of the commands of a group. */
export function unknownCommand({ path, command }: FoundCommand, verb: string): CommandLineError {
  const names = command.subcommands.filter(isListed).map((entry) => entry.name)
  const advice = didYouMean(suggestNames(verb, names))
  return new CommandLineError(`unknown command ${quote(verb)} for "${path}"`, [...advice, `Run '${path} --help' for usage.`])
}

/** The argument that should have been the name of a subcommand, when there is one. */
export function unmatchedVerb(found: FoundCommand): string | undefined {
  return found.command.subcommands.length === 0 ? undefined : found.argv[verbPosition(found)]
}

/** Whether help, completion and suggestions show the command. */
export function isListed(entry: CommandEntry): boolean {
  return entry.hidden !== true && entry.deprecated === undefined
}

/** The flags that a command line of the command may hold. */
export function commandFlags({ entry, command }: Pick<FoundCommand, 'entry' | 'command'>): FlagIndex {
  return new FlagIndex(command.flags, globalFlags, helpFlag(entry.name))
}

/** The position of the first argument that is neither a flag nor the value of a flag, or -1. */
function verbPosition({ argv, entry, command }: FoundCommand): number {
  let index: FlagIndex | undefined
  const isRoot = command.subcommands.some(({ name }) => name === 'version')
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? ''
    if (argument === '--') return -1
    if (isRoot && argument === '-version') return at
    if (argument.startsWith('-')) {
      index ??= commandFlags({ entry, command })
      if (takesNext(argument, index)) at++
    } else if (argument !== '') return at
  }
  return -1
}

/** Whether the argument after a flag is its value. */
export function takesNext(argument: string, index: FlagIndex): boolean {
  if (argument === '-' || argument.includes('=')) return false
  if (isOldShort(argument, index)) return takesNext(argument.slice(1), index)
  if (argument.startsWith('--')) return findLong(index, argument.slice(2))?.flag.kind !== 'bool'
  if (isOldLong(argument, index)) return takesNext(`-${argument}`, index)
  // Short flags in one argument: the value of the first that takes one is the rest of the argument, if there is a rest.
  const letters = argument.slice(1)
  for (let position = 0; position < letters.length; position++) {
    const named = index.short(letters.charAt(position))
    if (named?.flag.kind !== 'bool') return named === undefined || position === letters.length - 1
  }
  return false
}
