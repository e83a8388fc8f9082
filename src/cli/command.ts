/** What a verb is: how it is listed, what it accepts, and what it does. */
import type { CommandContext } from './context.ts'
import type { FlagRules } from './flag-rules.ts'
import type { FlagTable, FlagValue, FlagValues } from './flags.ts'
import { isReceived } from './flags.ts'
import { anyArguments } from './positional.ts'
import type { Positional } from './positional.ts'

/** A verb as its parent lists it. The command itself is loaded when it is wanted. */
export interface CommandEntry {
  readonly name: string
  /** Other names of the verb. */
  readonly aliases?: readonly string[]
  /** One line for the parent's help. */
  readonly short: string
  /** Left out of help, completion and suggestions. */
  readonly hidden?: boolean
  /** Left out too; announced with this text when it is used. */
  readonly deprecated?: string
  readonly load: () => Promise<CommandModule>
}

/** What the file of a verb exports. */
export interface CommandModule {
  readonly command: Command
}

/** A command line, taken apart. */
export interface Invocation {
  /** The values that were given, on the command line or by the environment, by the name of the flag. */
  readonly values: ReadonlyMap<string, FlagValue>
  readonly args: readonly string[]
  /** The program that the command is a verb of. */
  readonly program: CommandEntry
}

/** A verb, or a group of verbs when it cannot be run itself. */
export interface Command extends FlagRules {
  /** The arguments as the usage line shows them: `BLOB`. */
  readonly synopsis?: string
  /** What help says above the usage; the parent's one line when there is none. */
  readonly long?: string
  /** Lines for help, each indented by two spaces. */
  readonly examples?: string
  readonly flags: FlagTable
  readonly positional: Positional
  readonly subcommands: readonly CommandEntry[]
  /** Receives the command line as it is: neither flags nor environment are read. */
  readonly raw?: boolean
  /**
   * Ends by itself when its signal is aborted, and is not bounded by `--timeout`: for servers. `unless-given`: bounded only by a time
   * that the user chose, for what takes as long as it is large.
   */
  readonly untimed?: true | 'unless-given'
  /** Asks for the signal of its context before it waits for anything, so that until then nothing need watch over it. */
  readonly listens?: boolean
  readonly run?: (context: CommandContext, invocation: Invocation) => Promise<void> | void
}

/** A verb whose `run` receives the values of its flags with their types. */
export interface CommandSpec<Table extends FlagTable> extends Omit<Command, 'flags' | 'positional' | 'subcommands' | 'run'> {
  readonly flags: Table
  readonly positional?: Positional
  readonly subcommands?: readonly CommandEntry[]
  /**
   * Does the work: resolves on success, throws on failure.
   * @param flags the value of every flag of the table, its default when it was not given
   * @param invocation the rest of what is known, such as which flags were given (`invocation.values.has(name)`)
   */
  readonly run: (context: CommandContext, flags: FlagValues<Table>, args: readonly string[], invocation: Invocation) => Promise<void> | void
}

/** Declares a verb. */
export function defineCommand<const Table extends FlagTable>(spec: CommandSpec<Table>): Command {
  const { positional = anyArguments, subcommands = [], run, ...rest } = spec
  return {
    ...rest,
    positional,
    subcommands,
    run: (context, invocation) => run(context, readValues(spec.flags, invocation.values), invocation.args, invocation),
  }
}

/** Declares a group of verbs. */
export function defineGroup(spec: { readonly long?: string; readonly subcommands: readonly CommandEntry[] }): Command {
  return { ...spec, flags: {}, positional: anyArguments }
}

/** The values of all flags of the table, with defaults for those that were not given. */
function readValues<Table extends FlagTable>(table: Table, given: ReadonlyMap<string, FlagValue>): FlagValues<Table> {
  const values: Record<string, FlagValue> = {}
  for (const [name, flag] of Object.entries(table)) {
    if (!isReceived(flag)) continue
    const value = given.get(name) ?? flag.default
    if (typeof value !== typeof flag.default) throw new TypeError(`the value of --${name} is not of the kind that the flag has`)
    values[name] = value
  }
  return values as FlagValues<Table>
}
