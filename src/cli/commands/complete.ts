/**
 * `__complete =CURRENT [WORD…]`: answers the completion scripts. One candidate a line, with a tab before its description, and a
 * last line `:file`, `:directory` or `:none` for what the shell may offer besides. The word under the cursor is marked with
 * `=` because some shells drop an empty argument.
 */
import type { Command } from '../command.ts'
import { completeWords } from '../completion/answer.ts'
import { CommandLineError } from '../failure.ts'
import { anyArguments } from '../positional.ts'

export const command: Command = {
  flags: {},
  positional: anyArguments,
  subcommands: [],
  raw: true,
  async run(context, { args, program }) {
    const [marked, ...words] = args
    if (marked?.startsWith('=') !== true) {
      throw new CommandLineError('the word under the cursor is expected first, with = before it')
    }
    const { candidates, besides } = await completeWords(program, words, marked.slice(1))
    const lines = candidates.map(({ word, description }) => (description === '' ? word : `${word}\t${description}`))
    context.stdout.write(`${[...lines, `:${besides}`].join('\n')}\n`)
  },
}
