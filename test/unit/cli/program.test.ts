/** The process around a command, seen from outside: bundled as it is shipped, started as a user starts it. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(path.join(tmpdir(), 'countersign-program-'))
const program = path.join(folder, 'main.cjs')
/** The same, with its output going the way it goes on Windows. */
const windowsProgram = path.join(folder, 'windows.cjs')

const source = `
import { defineCommand, defineGroup } from './command.ts'
import { runProgram } from './program.ts'
const verb = (name, run) => ({ name, short: name, load: async () => ({ command: defineCommand({ flags: {}, run }) }) })
const subcommands = [
  verb('ok', (context) => context.stderr.write('Verified OK\\n')),
  verb('print', (context, _, [size]) => { context.stdout.write('x'.repeat(Number(size))); context.stderr.write('done\\n') }),
  verb('echo', async (context) => { for await (const chunk of context.stdin.read()) context.stdout.write(chunk) }),
  verb('wait', (context) => new Promise((_, reject) => {
    const alive = setInterval(() => undefined, 1000)
    context.signal.addEventListener('abort', () => { clearInterval(alive); reject(context.signal.reason) })
    context.stdout.write('waiting\\n')
  })),
  verb('deaf', (context) => new Promise(() => { setInterval(() => undefined, 1000); context.stdout.write('waiting\\n') })),
  verb('never', () => new Promise(() => undefined)),
  verb('stray', () => new Promise(() => { setTimeout(() => { throw new Error('out of the blue') }, 5) })),
  verb('rejected', async () => { void Promise.reject(new Error('nobody waits')); await new Promise((resolve) => setTimeout(resolve, 500)) }),
  verb('busy', (context) => { setInterval(() => undefined, 1000); context.stdout.write('ok\\n') }),
  verb('tty', (context) => context.stdout.write(JSON.stringify([context.stdin.isTTY, context.stdout.isTTY, context.stderr.isTTY, context.stdout.columns ?? null]))),
  verb('now', (context) => context.stdout.write(String(Math.abs(context.now() - Date.now()) < 1000) + ' ' + context.cwd)),
]
void runProgram({ name: 'tool', short: 'test', load: async () => ({ command: defineGroup({ subcommands }) }) })
`

beforeAll(async () => {
  await Promise.all([bundle(program), bundle(windowsProgram, { 'process.platform': '"win32"' })])
})
afterAll(() => rmSync(folder, { recursive: true }))

async function bundle(outfile: string, define: Readonly<Record<string, string>> = {}): Promise<void> {
  await build({
    stdin: { contents: source, resolveDir: 'src/cli', loader: 'ts', sourcefile: 'program-under-test.ts' },
    outfile,
    define,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'error',
  })
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], input = '', file = program): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
    maxBuffer: 2 ** 26,
    timeout: 20_000,
  })
  return { status, stdout, stderr }
}

/** Starts a verb, does something once it has printed its first line, and waits for the end. */
function runUntilReady(args: readonly string[], ready: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env['PATH'] } })
  let stdout = ''
  let stderr = ''
  child.stdout.once('data', () => ready(child))
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })))
}

describe('the process', () => {
  it('ends with 0 after a success', () => {
    expect(run(['ok'])).toEqual({ status: 0, stdout: '', stderr: 'Verified OK\n' })
  })

  it('ends with 1 after a failure', () => {
    expect(run(['nonsense']).status).toBe(1)
  })

  it('passes standard input through unchanged', () => {
    expect(run(['echo'], 'a\u0000é\n').stdout).toBe('a\u0000é\n')
  })

  it('knows that it does not talk to a person', () => {
    expect(run(['tty']).stdout).toBe('[false,false,false,null]')
  })

  it('knows the time and the directory', () => {
    expect(run(['now']).stdout).toBe(`true ${process.cwd()}`)
  })

  it.skipIf(process.platform !== 'linux')('fails when its output cannot be written', () => {
    const { stderr, status } = spawnSync('sh', ['-c', '"$0" "$1" print 10 > /dev/full', process.execPath, program], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain('Error: standard output cannot be written: ')
    expect(stderr).not.toContain('done')
  })

  it('works with its output thrown away', () => {
    expect(spawnSync('sh', ['-c', `"$0" "$1" ok > ${devNull} 2>&1`, process.execPath, program]).status).toBe(0)
  })

  it('does not wait for what a finished command has left behind', () => {
    expect(run(['busy'])).toEqual({ status: 0, stdout: 'ok\n', stderr: '' })
  })

  it('never succeeds by accident: a command that waits for nothing is a failure', () => {
    const { status, stderr } = run(['never'])
    expect(status).toBe(1)
    expect(stderr).toContain('this is a bug in countersign')
    expect(stderr).toContain('the command ended without a result\n')
  })

  it.each([
    ['stray', 'out of the blue'],
    ['rejected', 'nobody waits'],
  ])('reports an error that escapes (%s) without a stack trace', (verb, message) => {
    const { status, stderr } = run([verb])
    expect(status).toBe(1)
    expect(stderr).toMatch(new RegExp(`^Error: this is a bug in countersign[^\\n]*: ${message}\\n[^\\n]*\\n$`))
  })

  it('ends a command that takes too long, even one that does not listen', () => {
    const { status, stderr } = run(['deaf', '--timeout', '50ms'])
    expect(status).toBe(1)
    expect(stderr).toContain('Error: the command did not finish within 50ms')
  })

  it.each([
    ['wait', 'SIGINT', 130],
    ['wait', 'SIGTERM', 143],
    ['deaf', 'SIGINT', 130],
    ['deaf', 'SIGTERM', 143],
  ] as const)('ends %s at %s with %d', async (verb, signal, code) => {
    const { status, stdout, stderr } = await runUntilReady([verb], (child) => child.kill(signal))
    expect(status).toBe(code)
    expect(stdout).toBe('waiting\n')
    expect(stderr).toBe(`Error: interrupted by ${signal}\nerror during command execution: interrupted by ${signal}\n`)
  })
})

describe.each([
  ['by the descriptor', () => program],
  ['by the stream, as on Windows', () => windowsProgram],
] as const)('printing %s', (_, file) => {
  it('prints everything before it ends, however much', () => {
    const { status, stdout } = run(['print', '5000000'], '', file())
    expect(status).toBe(0)
    expect(stdout.length).toBe(5_000_000)
  })

  it('prints everything to a slow reader', () => {
    const script = '"$0" "$1" print 3000000 | { sleep 0.3; wc -c; }'
    const { stdout } = spawnSync('sh', ['-c', script, process.execPath, file()], { encoding: 'utf8' })
    expect(stdout.trim()).toBe('3000000')
  })

  it('is not bothered by a reader that has seen enough, and keeps its exit code', () => {
    const script = '{ "$0" "$1" print 3000000; echo "status $?" >&2; } | head -c 1'
    const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, file()], { encoding: 'utf8' })
    expect(stdout).toBe('x')
    expect(stderr).toBe('done\nstatus 0\n')
  })
})
