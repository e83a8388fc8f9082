/** `help [command]`: the same text as `--help`. */
import { defineCommand } from '../command.ts'
import { findCommand, unmatchedVerb } from '../command-search.ts'
import { CommandLineError } from '../failure.ts'
import { renderHelp } from '../help.ts'
import { anyArguments } from '../positional.ts'
import { quote } from '../quote.ts'

export const command = defineCommand({
  synopsis: '[command]',
  long: 'Explains a command: what it does, its flags and examples.',
  flags: {},
  positional: { ...anyArguments, completion: 'command' },
  async run(context, _flags, args, { program }) {
    const found = await findCommand(program, args, () => undefined)
    const unmatched = unmatchedVerb(found)
    if (unmatched !== undefined) {
      throw new CommandLineError(`unknown help topic ${quote(unmatched)}`, [`Run '${found.path} --help' for usage.`])
    }
    context.stdout.write(renderHelp(found, context.stdout.columns))
  },
})
