/** The password prompt of the built program on a real terminal: `script` of util-linux makes one. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const program = path.resolve(import.meta.dirname, '../../dist/cli/main.cjs')
const hasScript = spawnSync('script', ['--version']).status === 0
if (!hasScript) {
  const advice = 'there is no script program to make a terminal with: install util-linux (Debian: bsdutils)'
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: ${advice}`)
}

let folder = ''
beforeEach(() => {
  if (!existsSync(program)) throw new Error('the program is not built: run npm run build')
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-terminal-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/**
 * Runs `generate-key-pair` on a terminal and then looks at its settings.
 * @param answers what is typed when a text appears
 * @returns everything that the terminal showed
 */
function onTerminal(answers: readonly (readonly [prompt: string, typed: string])[], more = ''): Promise<string> {
  const command = `'${process.execPath}' '${program}' generate-key-pair ${more}; echo "status=$?"; stty -a`
  const { COSIGN_PASSWORD: _, ...env } = process.env
  const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd: folder, env: { ...env, SHELL: '/bin/sh' }, stdio: 'pipe' })
  let shown = ''
  let seen = 0
  let answered = 0
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(shown.replaceAll('\r', '')))
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString()
      const next = answers[answered]
      const at = next === undefined ? -1 : shown.indexOf(next[0], seen)
      if (next === undefined || at < 0) return
      seen = at + next[0].length
      answered++
      child.stdin.write(next[1])
    })
  })
}

const [first, again] = ['Enter password for private key: ', 'Enter password for private key again: ']

describe.skipIf(!hasScript)('generate-key-pair on a terminal', () => {
  it('does not show the password, and shows what is typed afterwards', async () => {
    const shown = await onTerminal([
      [first, 'gehéim\r'],
      [again, 'gehéim\r'],
    ])
    expect(shown).toContain(`${first}\n${again}\nPrivate key written to cosign.key\nPublic key written to cosign.pub\nstatus=0\n`)
    expect(shown).not.toContain('geh')
    expect(shown).toMatch(/ echo /)
    const opened = spawnSync(process.execPath, [program, 'public-key', '--key', 'cosign.key'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, COSIGN_PASSWORD: 'gehéim' },
    })
    expect(opened.stdout).toBe(readFileSync(path.join(folder, 'cosign.pub'), 'utf8'))
  })

  it.each([
    ['at the first prompt', [[first, 'gehe\u0003']]],
    [
      'at the second prompt',
      [
        [first, 'geheim\r'],
        [again, '\u0003'],
      ],
    ],
  ] as const)('ends at Ctrl-C %s: nothing is written, and the terminal shows again what is typed', async (_, answers) => {
    const shown = await onTerminal(answers)
    expect(shown).toContain('status=130\n')
    expect(shown).toMatch(/ icanon /)
    expect(shown).toMatch(/ echo /)
    expect(shown).not.toContain('geh')
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses passwords that differ', async () => {
    const shown = await onTerminal([
      [first, 'a\r'],
      [again, 'b\r'],
    ])
    expect(shown).toContain('Error: passwords do not match\n')
    expect(shown).toContain('status=1\n')
    expect(readdirSync(folder)).toEqual([])
  })

  it('asks before it overwrites, after the password', async () => {
    for (const answer of ['y', 'n']) {
      await onTerminal([
        [first, 'a\r'],
        [again, 'a\r'],
      ])
      const before = readFileSync(path.join(folder, 'cosign.key'), 'utf8')
      const shown = await onTerminal([
        [first, 'b\r'],
        [again, 'b\r'],
        ['[y/N] ', `${answer}\r`],
      ])
      expect(shown).toContain(
        `WARNING: File cosign.key already exists. Overwrite?\nAre you sure you would like to continue? [y/N] ${answer}\n`,
      )
      expect(readFileSync(path.join(folder, 'cosign.key'), 'utf8') === before).toBe(answer === 'n')
      rmSync(path.join(folder, 'cosign.key'))
    }
  })
})

describe('generate-key-pair without a terminal', () => {
  const { COSIGN_PASSWORD: _, ...env } = process.env

  it('makes no key where there is no input to read a password from', () => {
    const { status, stderr } = spawnSync(process.execPath, [program, 'generate-key-pair'], {
      cwd: folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect(status).toBe(1)
    expect(stderr).toContain('Error: no password was given: set COSIGN_PASSWORD')
    expect(readdirSync(folder)).toEqual([])
  })

  it('takes the password from a pipe', () => {
    const { status } = spawnSync(process.execPath, [program, 'generate-key-pair'], { cwd: folder, env, input: 'secret' })
    expect(status).toBe(0)
    const words = [program, 'public-key', '--key', 'cosign.key']
    const { stdout } = spawnSync(process.execPath, words, { cwd: folder, env: { ...env, COSIGN_PASSWORD: 'secret' }, encoding: 'utf8' })
    expect(stdout).toBe(readFileSync(path.join(folder, 'cosign.pub'), 'utf8'))
  })
})
