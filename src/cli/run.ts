/** Runs one command line from its text to its exit code. */
import type { CommandEntry, Invocation } from './command.ts'
import { commandFlags, findCommand, unknownCommand, unmatchedVerb } from './command-search.ts'
import type { FoundCommand } from './command-search.ts'
import type { CommandContext, Writer } from './context.ts'
import { warn } from './context.ts'
import { reasonFor, startDeadline } from './deadline.ts'
import { reportFailure } from './failure.ts'
import { assignFromEnvironment } from './flag-environment.ts'
import { parseArguments } from './flag-parser.ts'
import { checkFlagRules } from './flag-rules.ts'
import type { GlobalValues } from './global-flags.ts'
import { readGlobals } from './global-flags.ts'
import { checkPositional } from './positional.ts'

/**
 * Runs a command line in a context and returns the exit code. Errors are printed, not thrown.
 * @param argv the arguments after the program's name
 * @param root the program, with the verbs that it has
 */
export async function runCli(argv: readonly string[], context: CommandContext, root: CommandEntry): Promise<number> {
  try {
    await execute(argv, context, root)
    return 0
  } catch (error) {
    return reportFailure(error, context)
  }
}

// The order of the steps is cobra's, so that of several mistakes the same one is reported.
async function execute(argv: readonly string[], context: CommandContext, root: CommandEntry): Promise<void> {
  const printWarning = (message: string): void => warn(context, message)
  const found = await findCommand(root, argv, printWarning)
  const { entry, command, path } = found
  if (command.raw === true) {
    await command.run?.(context, { values: new Map(), args: found.argv, program: root })
    return
  }
  const unmatched = command.run === undefined ? unmatchedVerb(found) : undefined
  if (unmatched !== undefined) throw unknownCommand(found, unmatched)
  if (entry.deprecated !== undefined) {
    context.stderr.write(`Command "${entry.name}" is deprecated, ${entry.deprecated}\n`)
  }

  const index = commandFlags(found)
  const { flags, args, notices } = parseArguments(found.argv, index, printWarning)
  for (const notice of notices) context.stderr.write(`${notice}\n`)
  if (flags.values.get('help') === true || command.run === undefined) {
    const { renderHelp } = await import('./help.ts')
    context.stdout.write(renderHelp(found, context.stdout.columns))
    return
  }
  checkPositional(command.positional, path, args)
  const taken: string[] = []
  assignFromEnvironment(index, flags, context.env, (name, variable) => taken.push(`--${name} is set by ${variable}`))
  checkFlagRules(command.flags, command, flags.given)

  const globals = readGlobals(flags.values)
  if (globals.verbose) for (const line of taken) context.stderr.write(`${line}\n`)
  await runRedirected(found, context, globals, { values: flags.values, args, program: root })
}

async function runRedirected(found: FoundCommand, context: CommandContext, globals: GlobalValues, invocation: Invocation): Promise<void> {
  if (globals.outputFile === '') return runInTime(found, context, context.stdout, globals, invocation)
  const { openOutputFile } = await import('./output-file.ts')
  const stdout = openOutputFile(globals.outputFile, context.cwd)
  try {
    await runInTime(found, context, stdout, globals, invocation)
  } finally {
    stdout.close()
  }
}

async function runInTime(
  { command }: FoundCommand,
  context: CommandContext,
  stdout: Writer,
  { timeout, verbose }: GlobalValues,
  invocation: Invocation,
): Promise<void> {
  const { stdin, stderr, env, cwd } = context
  const beginning = command.listens === true ? 'when-asked' : 'at-once'
  // Zero is no limit: cosign 1 has none then, and cosign 2 and 3 for some verbs.
  const isUntimed = timeout === 0 || command.untimed === true || (command.untimed === 'unless-given' && !invocation.values.has('timeout'))
  const deadline = startDeadline(context, isUntimed ? undefined : timeout, beginning)
  const own: CommandContext = {
    stdin,
    stdout,
    stderr,
    env,
    cwd,
    get signal() {
      return deadline.signal
    },
    verbose,
    now: () => context.now(),
  }
  try {
    const run = command.run?.(own, invocation)
    // The command hears of the abort through its signal; the race is for one that does not listen. A server does, and takes its
    // time; so does a copy, which puts away what is half done.
    await (command.untimed !== undefined ? run : Promise.race([run, deadline.expired]))
  } catch (error) {
    throw reasonFor(error, deadline.signal)
  } finally {
    deadline.stop()
  }
}
