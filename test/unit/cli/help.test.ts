import { describe, expect, it } from 'vitest'
import type { CommandEntry } from '../../../src/cli/command.ts'
import { defineCommand, defineGroup } from '../../../src/cli/command.ts'
import {
  boolFlag,
  choiceFlag,
  deprecated,
  durationFlag,
  intFlag,
  stringArrayFlag,
  stringFlag,
  stringSliceFlag,
} from '../../../src/cli/flags.ts'
import { renderHelp } from '../../../src/cli/help.ts'
import { runCaptured } from './captured-context.ts'

const command = defineCommand({
  synopsis: 'FILE',
  long: 'Look at a file.',
  examples: '  tool look a.txt',
  flags: {
    zeal: intFlag('how hard to look', { shorthand: 'z', default: 3 }),
    key: stringFlag('public key', { placeholder: 'file' }),
    url: stringFlag('where to ask', { default: 'https://example.com' }),
    output: choiceFlag(['text', 'json'], 'what is printed', { shorthand: 'o', default: 'text' }),
    wait: durationFlag('how long'),
    part: stringSliceFlag('parts'),
    item: stringArrayFlag('items'),
    check: boolFlag('check it', { default: true }),
    secret: stringFlag('not shown', { hidden: true }),
    old: deprecated('use --key', stringFlag('not shown either')),
  },
  run: () => undefined,
})
const look: CommandEntry = { name: 'look', aliases: ['see'], short: 'Look', load: () => Promise.resolve({ command }) }
const group = defineGroup({
  subcommands: [look, { ...look, name: 'ahead' }, { ...look, name: 'hidden', hidden: true }, { ...look, name: 'gone', deprecated: 'x' }],
})

describe('the help of a command', () => {
  it('has usage, aliases, examples, its flags and the global flags, sorted, without what is hidden or deprecated', () => {
    expect(renderHelp({ path: 'tool look', entry: look, command })).toBe(`Look at a file.

Usage:
  tool look FILE [flags]

Aliases:
  look, see

Examples:
  tool look a.txt

Flags:
      --check              check it (default true)
  -h, --help               help for look
      --item stringArray   items
      --key file           public key
  -o, --output text|json   what is printed (default text)
      --part strings       parts
      --url string         where to ask (default "https://example.com")
      --wait duration      how long
  -z, --zeal int           how hard to look (default 3)

Global Flags:
      --output-file string   write what the command prints on standard output to this file
  -t, --timeout duration     stop the command, as failed, after this time (default 3m0s)
  -d, --verbose              print on standard error what is being done
`)
  })

  it('is wrapped under the flag column in a terminal', () => {
    const help = renderHelp({ path: 'tool look', entry: look, command }, 60)
    expect(help).toContain(
      '  -t, --timeout duration     stop the command, as failed,\n                             after this time (default 3m0s)\n',
    )
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(60)
  })

  it('is not wrapped in a terminal that is too narrow', () => {
    expect(renderHelp({ path: 'tool look', entry: look, command }, 30)).toBe(renderHelp({ path: 'tool look', entry: look, command }))
  })
})

describe('the help of a group', () => {
  it('lists its commands, sorted, without what is hidden or deprecated', () => {
    expect(renderHelp({ path: 'tool', entry: { ...look, name: 'tool', aliases: [] }, command: group })).toBe(`Look

Usage:
  tool [command]

Available Commands:
  ahead Look
  look  Look

Flags:
  -h, --help                 help for tool
      --output-file string   write what the command prints on standard output to this file
  -t, --timeout duration     stop the command, as failed, after this time (default 3m0s)
  -d, --verbose              print on standard error what is being done

Use "tool [command] --help" for more information about a command.
`)
  })
})

describe('help as a verb', () => {
  it('says the same as --help', async () => {
    for (const verb of ['env', 'version', 'completion', 'help']) {
      const help = await runCaptured(['help', verb])
      expect(help.exitCode).toBe(0)
      expect(help.stdout).toBe((await runCaptured([verb, '--help'])).stdout)
      expect(help.stdout).toContain(`\n  countersign ${verb}`)
    }
    expect((await runCaptured(['help'])).stdout).toBe((await runCaptured([])).stdout)
  })

  it('does not know every topic', async () => {
    const { exitCode, stdout, stderr } = await runCaptured(['help', 'nonsense'])
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain('Error: unknown help topic "nonsense"\nRun \'countersign --help\' for usage.\n')
  })

  it('lists the verbs but not the one that completion asks', async () => {
    const { stdout } = await runCaptured(['--help'])
    expect(stdout).toContain('  version')
    expect(stdout).not.toContain('__complete')
  })
})
