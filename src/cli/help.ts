/** The help text of a command, in cobra's layout. */
import type { FoundCommand } from './command-search.ts'
import { isListed } from './command-search.ts'
import { defaultText, kindName } from './flag-values.ts'
import type { Flag, FlagTable } from './flags.ts'
import { isShown } from './flags.ts'
import { globalFlags, helpFlag } from './global-flags.ts'

/** What help is written about. */
export type HelpSubject = Pick<FoundCommand, 'path' | 'entry' | 'command'>

/**
 * The help text.
 * @param width where lines are wrapped; without it every description is one line, which is easier to search
 */
export function renderHelp(subject: HelpSubject, width?: number): string {
  const { path, entry, command } = subject
  const isRoot = !path.includes(' ')
  const sections = [command.long ?? entry.short, `Usage:\n${usageLines(subject)}`]
  if (entry.aliases !== undefined && entry.aliases.length > 0) {
    sections.push(`Aliases:\n  ${[entry.name, ...entry.aliases].join(', ')}`)
  }
  if (command.examples !== undefined) sections.push(`Examples:\n${command.examples}`)
  const listed = command.subcommands.filter(isListed)
  if (listed.length > 0) sections.push(`Available Commands:\n${commandLines(subject)}`)
  const own = { ...command.flags, ...helpFlag(entry.name) }
  sections.push(`Flags:\n${renderFlags(isRoot ? { ...own, ...globalFlags } : own, width)}`)
  if (!isRoot) sections.push(`Global Flags:\n${renderFlags(notIn(globalFlags, own), width)}`)
  if (listed.length > 0) sections.push(`Use "${path} [command] --help" for more information about a command.`)
  return `${sections.join('\n\n')}\n`
}

/** The flags that are shown, sorted, one a line unless they are wrapped. */
function renderFlags(table: FlagTable, width?: number): string {
  const rows = Object.entries(table)
    .filter(([, flag]) => isShown(flag))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({ left: flagColumn(name, flag), right: flag.usage + defaultNote(flag) }))
  const indent = Math.max(0, ...rows.map((row) => row.left.length)) + 3
  return rows.map(({ left, right }) => left.padEnd(indent) + wrap(right, indent, width)).join('\n')
}

/** The usage lines, each indented by two spaces. */
function usageLines({ path, command }: HelpSubject): string {
  const lines: string[] = []
  if (command.run !== undefined) {
    const synopsis = command.synopsis === undefined ? '' : ` ${command.synopsis}`
    lines.push(`  ${path}${synopsis} [flags]`)
  }
  if (command.subcommands.some(isListed)) lines.push(`  ${path} [command]`)
  return lines.join('\n')
}

function commandLines({ command }: HelpSubject): string {
  const listed = command.subcommands.filter(isListed).sort((a, b) => (a.name < b.name ? -1 : 1))
  const longest = Math.max(...listed.map(({ name }) => name.length))
  return listed.map(({ name, short }) => `  ${name.padEnd(longest)} ${short}`).join('\n')
}

function flagColumn(name: string, flag: Flag): string {
  const shorthand = flag.shorthand === undefined ? '      ' : `  -${flag.shorthand}, `
  const value = valueName(flag)
  return `${shorthand}--${name}${value === '' ? '' : ` ${value}`}`
}

/** What stands for the value of the flag; nothing for a flag without one. */
function valueName(flag: Flag): string {
  if (flag.placeholder !== undefined) return flag.placeholder
  if (flag.kind === 'choice') return flag.choices.filter((choice) => choice !== '').join('|')
  if (flag.kind === 'stringSlice') return 'strings'
  return flag.kind === 'bool' ? '' : kindName(flag)
}

/** pflag says nothing about a default that is the kind's zero value. */
function defaultNote(flag: Flag): string {
  const text = defaultText(flag)
  if (['', 'false', '0', '0s', '[]'].includes(text)) return ''
  return flag.kind === 'string' ? ` (default ${JSON.stringify(text)})` : ` (default ${text})`
}

function wrap(text: string, indent: number, width: number | undefined): string {
  // A column that is too narrow to read is worse than what the terminal does by itself.
  if (width === undefined || width - indent < 24) return text
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width - indent) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.join(`\n${' '.repeat(indent)}`)
}

function notIn(table: FlagTable, other: FlagTable): FlagTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !Object.hasOwn(other, name)))
}
