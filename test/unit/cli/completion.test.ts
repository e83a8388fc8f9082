import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import type { CommandEntry } from '../../../src/cli/command.ts'
import { defineCommand, defineGroup } from '../../../src/cli/command.ts'
import { completeWords } from '../../../src/cli/completion/answer.ts'
import { bashScript } from '../../../src/cli/completion/bash.ts'
import { boolFlag, choiceFlag, deprecated, intFlag, stringFlag } from '../../../src/cli/flags.ts'
import { exactly, oneOf } from '../../../src/cli/positional.ts'
import { runCaptured } from './captured-context.ts'

const entry = (name: string, command: ReturnType<typeof defineCommand>, more: Partial<CommandEntry> = {}): CommandEntry => ({
  name,
  short: `Do ${name}`,
  load: () => Promise.resolve({ command }),
  ...more,
})
const verify = defineCommand({
  flags: {
    key: stringFlag('public key', { shorthand: 'k' }),
    identity: stringFlag('who', { completion: 'none' }),
    folder: stringFlag('where', { completion: 'directory' }),
    slot: stringFlag('slot', { completion: ['signature', 'authentication'] }),
    output: choiceFlag(['text', 'json'], 'what is printed', { shorthand: 'o', default: 'text' }),
    sk: boolFlag('security key', { shorthand: 's' }),
    count: intFlag('how many'),
    secret: stringFlag('', { hidden: true }),
    old: deprecated('use --key', stringFlag('')),
  },
  positional: exactly(1),
  run: () => undefined,
})
const root = entry(
  'tool',
  defineGroup({
    subcommands: [
      entry('verify', verify),
      entry('version', defineCommand({ flags: {}, positional: { ...exactly(0) }, run: () => undefined })),
      entry('shell', defineCommand({ flags: {}, positional: oneOf(['bash', 'zsh']), run: () => undefined })),
      entry('help', defineCommand({ flags: {}, positional: { minimum: 0, maximum: 9, completion: 'command' }, run: () => undefined })),
      entry('raw', { flags: {}, positional: exactly(0), subcommands: [], raw: true, run: () => undefined }),
      entry('hidden', verify, { hidden: true }),
      entry('gone', verify, { deprecated: 'x' }),
      entry('bundle', defineGroup({ subcommands: [entry('inspect', verify)] })),
    ],
  }),
)

async function complete(line: string): Promise<{ readonly words: readonly string[]; readonly besides: string }> {
  const words = line.split(' ')
  const { candidates, besides } = await completeWords(root, words.slice(0, -1), words.at(-1) ?? '')
  return { words: candidates.map(({ word }) => word), besides }
}

describe('completion', () => {
  it.each([
    ['', ['bundle', 'help', 'raw', 'shell', 'verify', 'version'], 'none'],
    ['ver', ['verify', 'version'], 'none'],
    ['-d ver', ['verify', 'version'], 'none'],
    ['-t 5m ver', ['verify', 'version'], 'none'],
    ['bundle ', ['inspect'], 'none'],
    ['bundle inspect ', [], 'file'],
    ['nonsense ', [], 'none'],
    ['verify ', [], 'file'],
    ['verify file ', [], 'none'],
    ['verify -- --k', [], 'file'],
    [
      'verify --key -- -',
      ['--count', '--folder', '--help', '--identity', '--key', '--output', '--output-file', '--sk', '--slot', '--timeout', '--verbose'],
      'none',
    ],
    ['version ', [], 'none'],
    ['verify --o', ['--output', '--output-file'], 'none'],
    ['verify file --sl', ['--slot'], 'none'],
    ['verify --key ', [], 'file'],
    ['verify --key -', [], 'file'],
    ['verify -k ', [], 'file'],
    ['verify -sk ', [], 'file'],
    ['verify -sok ', [], 'file'],
    ['verify -so ', ['json', 'text'], 'none'],
    ['verify -key ', [], 'file'],
    ['verify --sk ', [], 'file'],
    ['verify --sk=', ['--sk=false', '--sk=true'], 'none'],
    ['verify --identity ', [], 'none'],
    ['verify --count ', [], 'none'],
    ['verify --folder ', [], 'directory'],
    ['verify --slot ', ['authentication', 'signature'], 'none'],
    ['verify --slot=s', ['--slot=signature'], 'none'],
    ['verify -o ', ['json', 'text'], 'none'],
    ['verify --o ', ['json', 'text'], 'none'],
    ['verify --output j', ['json'], 'none'],
    ['verify --output=', ['--output=json', '--output=text'], 'none'],
    ['verify --nonsense=', [], 'none'],
    ['--output-file ', [], 'file'],
    ['shell ', ['bash', 'zsh'], 'none'],
    ['shell b', ['bash'], 'none'],
    ['shell bash ', [], 'none'],
    ['help ver', ['verify', 'version'], 'none'],
    ['help verify ', [], 'none'],
    ['raw --', [], 'none'],
  ])('of %j', async (line, words, besides) => {
    expect(await complete(line)).toEqual({ words, besides })
  })

  it('answers any line', async () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('verify', '--key', '-k', '--', '-', '--o', '-sk', 'bundle', '--slot='))
    await fc.assert(
      fc.asyncProperty(fc.array(word), word, async (words, current) => {
        const { candidates } = await completeWords(root, words, current)
        for (const candidate of candidates) expect(candidate.word.startsWith(current)).toBe(true)
      }),
    )
  })
})

describe('__complete', () => {
  it('prints candidates with descriptions, and last what the shell may offer', async () => {
    expect(await runCaptured(['__complete', '=vers'])).toEqual({ exitCode: 0, stdout: 'version\tPrint the version\n:none\n', stderr: '' })
    expect((await runCaptured(['__complete', '=', 'completion'])).stdout).toBe('bash\nfish\npowershell\nzsh\n:none\n')
  })

  it('reads no flags and no environment of its own', async () => {
    const { exitCode, stdout } = await runCaptured(['__complete', '=--ver', 'version', '--json'], { env: { COSIGN_TIMEOUT: 'x' } })
    expect(exitCode).toBe(0)
    expect(stdout).toBe('--verbose\tprint on standard error what is being done\n:none\n')
  })

  it.each([[[]], [['version']]])('is refused without the marked word: %j', async (words) => {
    const { exitCode, stderr } = await runCaptured(['__complete', ...words])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Error: the word under the cursor is expected first, with = before it\n')
  })
})

describe('the scripts', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('for %s asks the program', async (shell) => {
    const { exitCode, stdout } = await runCaptured(['completion', shell])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('countersign __complete "=$')
    expect(stdout).not.toContain('undefined')
  })

  it('exist for no other shell', async () => {
    expect((await runCaptured(['completion', 'tcsh'])).stderr).toContain(
      'Error: invalid argument "tcsh" for "countersign completion": expected one of bash, zsh, fish, powershell\n',
    )
    expect((await runCaptured(['completion'])).stderr).toContain('Error: accepts 1 arg(s), received 0\n')
    expect((await runCaptured(['completion', 'bash', 'zsh'])).stderr).toContain('Error: accepts 1 arg(s), received 2\n')
  })
})

const hasBash = spawnSync('bash', ['--version']).status === 0
if (!hasBash) process.stderr.write('the completion script for bash is not run: there is no bash\n')

describe.skipIf(!hasBash)('the script for bash', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-completion-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const program = path.join(folder, 'countersign')
  writeFileSync(path.join(folder, 'file one.txt'), '')
  writeFileSync(path.join(folder, 'file-two.txt'), '')

  /** What bash offers, given the words as bash splits them; the program is replaced by one that answers as told. */
  function offered(words: readonly string[], answer: string): { readonly asked: string; readonly replies: readonly string[] } {
    writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" > asked\ncat <<'END'\n${answer}\nEND\n`)
    chmodSync(program, 0o755)
    const script = `${bashScript}
COMP_WORDS=(${['countersign', ...words].map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
__countersign_complete
printf '%s\\n' "\${COMPREPLY[@]}"
printf '\\n--\\n'
cat asked`
    const output = execFileSync('bash', ['-u', '-c', script], {
      cwd: folder,
      env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [replies = '', asked = ''] = output.split('\n--\n')
    return { asked, replies: replies.split('\n').filter((reply) => reply !== '') }
  }

  it('offers what the program answers, without descriptions', () => {
    expect(offered(['ver'], 'verify\tVerify a file\nversion\tPrint the version\n:none')).toEqual({
      asked: '__complete|=ver|',
      replies: ['verify', 'version'],
    })
  })

  it('asks about an empty word', () => {
    expect(offered(['env', ''], ':none')).toEqual({ asked: '__complete|=|env|', replies: [] })
  })

  it('puts words together that bash has split', () => {
    expect(offered(['v', '--output', '=', 'js'], '--output=json\n:none')).toEqual({
      asked: '__complete|=--output=js|v|',
      replies: ['json'],
    })
    expect(offered(['v', '--output', '='], '--output=json\n--output=text\n:none')).toEqual({
      asked: '__complete|=--output=|v|',
      replies: ['json', 'text'],
    })
    expect(offered(['v', 'sha256', ':', 'ab', '-'], ':none').asked).toBe('__complete|=-|v|sha256:ab|')
  })

  it('offers files and directories when told so', () => {
    expect([...offered(['v', 'file'], ':file').replies].sort()).toEqual(['file one.txt', 'file-two.txt'])
    expect(offered(['v', 'file'], ':directory').replies).toEqual([])
  })
})
