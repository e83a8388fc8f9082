/** The reference of all commands and flags in Markdown, from the same tables that the program runs on. */
import type { CommandEntry } from './command.ts'
import { isListed } from './command-search.ts'
import { environmentNames } from './flag-environment.ts'
import { defaultText } from './flag-values.ts'
import type { Flag, FlagTable } from './flags.ts'
import { isReceived, isShown } from './flags.ts'
import { globalFlags } from './global-flags.ts'
import { usageLines, valueName } from './help.ts'

/** One section for each command that is listed, parents before their subcommands, and one for the global flags. */
export async function renderReference(program: CommandEntry): Promise<string> {
  const sections = await commandSections(program, program.name)
  const globals = `## Flags of every command\n\n${flagRows(globalFlags, isShown)}`
  return `${[...sections, globals].join('\n\n')}\n`
}

async function commandSections(entry: CommandEntry, path: string): Promise<string[]> {
  const { command } = await entry.load()
  const parts = [`## ${path}`, command.long ?? entry.short, codeBlock(usageLines({ path, entry, command }))]
  if (entry.aliases !== undefined) parts.push(`Other names: ${entry.aliases.map(code).join(', ')}`)
  if (command.examples !== undefined) parts.push(codeBlock(command.examples))
  const shown = flagRows(command.flags, isShown)
  if (shown !== '') parts.push(shown)
  const old = flagRows(command.flags, (flag) => flag.deprecated !== undefined)
  if (old !== '') parts.push(`Deprecated flags, which still work:\n\n${old}`)
  const sections = [parts.join('\n\n')]
  for (const subcommand of command.subcommands.filter(isListed)) {
    sections.push(...(await commandSections(subcommand, `${path} ${subcommand.name}`)))
  }
  return sections
}

function flagRows(table: FlagTable, included: (flag: Flag) => boolean): string {
  const rows = Object.entries(table)
    .filter(([, flag]) => included(flag))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => flagRow(name, flag))
  return rows.length === 0 ? '' : ['| flag | meaning | default | environment |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function flagRow(name: string, flag: Flag): string {
  const value = valueName(flag)
  const long = `--${name}${value === '' ? '' : ` ${value}`}`
  const names = flag.shorthand === undefined ? code(long) : `${code(`-${flag.shorthand}`)}, ${code(long)}`
  const note = flag.deprecated === undefined ? '' : `. Deprecated: ${flag.deprecated}`
  const text = defaultText(flag)
  const [variable = ''] = flag.environment === false ? [] : environmentNames(name)
  const cells = [names, flag.usage + note, text === '' || !isReceived(flag) ? '' : code(text), variable === '' ? '' : code(variable)]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function code(text: string): string {
  return `\`${text}\``
}

function codeBlock(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``
}
