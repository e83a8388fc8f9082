/** A shell in which `cosign` is the built program, pointed at a private Sigstore once, as a machine is. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { StartedSigstore } from '../../interop/server/private-sigstore.ts'
import type { Session } from '../person.ts'
import { sessionOf } from '../person.ts'

const lineTimeoutMs = 60_000
const program = path.resolve(import.meta.dirname, '../../../dist/cli/main.cjs')

export interface ShellEnding {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ShellOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What somebody types. In a terminal each line is typed when its question has been asked. */
  readonly typed?: readonly (readonly [question: string, answer: string])[]
  /** Whether there is a terminal. Both outputs are one then. */
  readonly terminal?: boolean
}

export interface Shell {
  readonly folder: string
  /** What every line finds in its environment. */
  readonly env: Readonly<Record<string, string>>
  write(name: string, contents: string | Uint8Array): void
  read(name: string): string
  /** Runs a command line of sh. */
  run(line: string, options?: ShellOptions): Promise<ShellEnding>
  /** Runs one in a terminal, with somebody in front of it. */
  start(line: string, env?: Readonly<Record<string, string>>): Session
  /** Puts another program beside `cosign`. */
  install(name: string, program: string): void
}

/** `script` of util-linux gives a program a terminal. */
export const hasTerminal: boolean = spawnSync('sh', ['-c', 'script --version'], { encoding: 'utf8' }).stdout.includes('util-linux')

if (!hasTerminal) {
  const advice = 'rows that are typed in a terminal need the program script of util-linux: install it'
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: ${advice}`)
}

/** Makes the shell, in a folder of the server's. @param internet leads to what there is beside the server */
export async function openShell(sigstore: StartedSigstore, internet: Readonly<Record<string, string>>): Promise<Shell> {
  const folder = sigstore.path('shell')
  const bin = sigstore.path('bin')
  const home = sigstore.path('home')
  for (const made of [folder, bin, home]) mkdirSync(made)
  const shim = path.join(bin, 'cosign')
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`)
  chmodSync(shim, 0o755)
  const base = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: home, TZ: 'UTC', ...internet }
  const run: Shell['run'] = (line, options = {}) => runLine(line, folder, base, options)
  const root = sigstore.trust('root.json')
  const checksum = createHash('sha256').update(readFileSync(root)).digest('hex')
  const initialised = await run(`cosign initialize --mirror ${sigstore.url}/tuf --root ${root} --root-checksum ${checksum}`)
  if (initialised.exitCode !== 0) throw new Error(`cosign initialize: ${initialised.stderr}`)
  return {
    folder,
    env: base,
    write: (name, contents) => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      writeFileSync(path.join(folder, name), contents)
    },
    read: (name) => readFileSync(path.join(folder, name), 'utf8'),
    run,
    start: (line, env = {}) => sessionOf(inTerminal(line, folder, { ...base, ...env })),
    install: (name, installed) => symlinkSync(installed, path.join(bin, name)),
  }
}

/** Both outputs are the terminal, and the status is that of the line. */
function inTerminal(line: string, cwd: string, env: Readonly<Record<string, string>>): ChildProcessWithoutNullStreams {
  return spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], { cwd, env, timeout: lineTimeoutMs })
}

function runLine(
  line: string,
  cwd: string,
  base: Readonly<Record<string, string>>,
  { env = {}, typed = [], terminal = false }: ShellOptions,
): Promise<ShellEnding> {
  const all = { ...base, ...env }
  return new Promise((resolve, reject) => {
    const child = terminal ? inTerminal(line, cwd, all) : spawn('sh', ['-c', line], { cwd, env: all, timeout: lineTimeoutMs })
    let [stdout, stderr] = ['', '']
    const questions = [...typed]
    const listen = (): void => {
      const [question, answer] = questions[0] ?? []
      if (question === undefined || !(stdout + stderr).includes(question)) return
      questions.shift()
      child.stdin.write(`${answer}\n`)
    }
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      listen()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      listen()
    })
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout: stdout.replaceAll('\r\n', '\n'), stderr }))
    child.stdin.on('error', () => undefined)
    if (typed.length === 0) child.stdin.end()
  })
}
