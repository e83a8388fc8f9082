import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CommandEntry } from '../../../src/cli/command.ts'
import { defineCommand, defineGroup } from '../../../src/cli/command.ts'
import { warn } from '../../../src/cli/context.ts'
import { EXIT_CODE, ExitError } from '../../../src/cli/failure.ts'
import { boolFlag, deprecated, stringFlag } from '../../../src/cli/flags.ts'
import { exactly } from '../../../src/cli/positional.ts'
import { TransportError, VerificationError } from '../../../src/error.ts'
import type { Outcome, Surroundings } from './captured-context.ts'
import { runCaptured } from './captured-context.ts'

const verify = defineCommand({
  synopsis: 'FILE',
  long: 'Verifies.',
  flags: { key: stringFlag('key'), sk: boolFlag('security key'), old: deprecated('use --key', stringFlag('old')) },
  positional: exactly(1),
  run(context, flags, args) {
    context.stdout.write(`${JSON.stringify({ ...flags, args, verbose: context.verbose })}\n`)
  },
})

const failures: Readonly<Record<string, () => unknown>> = {
  verification: () => new VerificationError('SIGNATURE_INVALID', 'the signature does not fit the key'),
  exit: () => new ExitError(EXIT_CODE.noSignatures, 'SIGNATURE_INVALID', 'no signatures found'),
  wrapped: () => new VerificationError('SIGNATURE_INVALID', 'image: none fits', { cause: new ExitError(12, 'SIGNATURE_INVALID', 'x') }),
  bug: () => new TypeError('x is not a function'),
  text: () => 'a string',
  nothing: () => undefined,
  hostile: () => new VerificationError('SIGNATURE_INVALID', 'found \u001b[2J\u202e\nError: all is well\u0007'),
  loop: () => {
    const error = new Error('turns')
    error.cause = error
    return error
  },
}

const fail = defineCommand({
  flags: {},
  run(_context, _flags, [kind = '']) {
    throw failures[kind]?.()
  },
})

const wait = defineCommand({
  flags: { deaf: boolFlag('does not listen') },
  async run(context, flags) {
    await new Promise((_, reject) => {
      if (!flags.deaf) context.signal.addEventListener('abort', () => reject(new DOMException('This operation was aborted', 'AbortError')))
    })
  },
})

/** Hears of the end of its time only because it asks in the middle of its work. */
const listen = defineCommand({
  flags: {},
  listens: true,
  async run(context) {
    await Promise.resolve()
    const { signal } = context
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  },
})

const readFails = defineCommand({
  flags: {},
  run: () => void readFileSync('/nonexistent/file'),
})

const entry = (
  name: string,
  command: CommandEntry['load'] extends () => Promise<infer M> ? M : never,
  more: Partial<CommandEntry> = {},
): CommandEntry => ({
  name,
  short: `Do ${name}`,
  load: () => Promise.resolve(command),
  ...more,
})

const root = entry('tool', {
  command: defineGroup({
    long: 'A tool.',
    subcommands: [
      entry('verify', { command: verify }, { aliases: ['check'] }),
      entry('verify-file', { command: verify }),
      entry('version', { command: defineCommand({ flags: {}, run: (context) => context.stdout.write('1\n') }) }),
      entry('fail', { command: fail }),
      entry('wait', { command: wait }),
      entry('listen', { command: listen }),
      entry('serve', { command: { ...wait, untimed: true } }),
      entry('transfer', { command: { ...wait, untimed: 'unless-given' } }),
      entry('read', { command: readFails }),
      entry('secret', { command: verify }, { hidden: true }),
      entry('copy', { command: verify }, { deprecated: 'use oras' }),
      entry('bundle', {
        command: defineGroup({ subcommands: [entry('inspect', { command: verify }), entry('create', { command: verify })] }),
      }),
      entry('warn', { command: defineCommand({ flags: {}, run: (context) => warn(context, 'careful') }) }),
    ],
  }),
})

const run = (argv: readonly string[], surroundings?: Surroundings): Promise<Outcome> => runCaptured(argv, surroundings, root)

const received = async (...argv: readonly string[]): Promise<unknown> => {
  const { exitCode, stdout, stderr } = await run(argv)
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
  return JSON.parse(stdout)
}

describe('the verb', () => {
  const expected = { key: 'k', sk: false, old: '', args: ['f'], verbose: false }
  it.each([
    ['verify --key k f'],
    ['verify f --key k'],
    ['--key k verify f'],
    ['--key=k verify f'],
    ['-t 5m verify --key k f'],
    ['--timeout 5m verify f --key k'],
    ['check f --key=k'],
    ['bundle inspect --key k f'],
    ['bundle --key k inspect f'],
    ['--key k bundle inspect f'],
  ])('is found in: %s', async (line) => {
    expect(await received(...line.split(' '))).toEqual(expected)
  })

  it('is found after global flags without a value', async () => {
    expect(await received('-d', 'verify', '--key', 'k', 'f')).toEqual({ ...expected, verbose: true })
    expect(await received('verify', '--key=k', 'f', '--verbose')).toEqual({ ...expected, verbose: true })
  })

  it('may be its own argument', async () => {
    expect(await received('verify', 'verify', '--key', 'k')).toEqual({ ...expected, args: ['verify'] })
    expect(await received('--key', 'verify', 'verify', 'f')).toEqual({ ...expected, key: 'verify' })
  })

  it('is not taken from the value of a flag or from behind --', async () => {
    expect((await run(['--key', 'verify'])).stderr).toContain('Error: unknown flag: --key\n')
    expect((await run(['-t', 'verify'])).stderr).toContain('Error: invalid argument "verify" for "-t, --timeout" flag')
    expect((await run(['--', 'verify'])).stdout).toContain('A tool.')
    expect((await run(['--', 'x', 'verify', 'f'])).stdout).toContain('A tool.')
  })

  it('takes flags that are not global before it for flags with a value, as cobra does', async () => {
    const { exitCode, stderr } = await run(['--sk', 'verify', 'f'])
    expect(exitCode).toBe(1)
    expect(stderr).toBe(
      'Error: unknown command "f" for "tool"\nRun \'tool --help\' for usage.\nerror during command execution: unknown command "f" for "tool"\n',
    )
  })

  it('is version when it is written -version', async () => {
    expect(await run(['-version'])).toEqual({
      exitCode: 0,
      stdout: '1\n',
      stderr:
        'WARNING: the -version flag is deprecated and will be removed in a future release. Please use the version subcommand instead.\n',
    })
  })

  it('is not version after another verb', async () => {
    expect((await run(['verify', '-version'])).stderr).toContain("unknown shorthand flag: 'v' in -version")
  })

  it('is suggested when it is mistyped', async () => {
    expect(await run(['verfy', '--key', 'k'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'Error: unknown command "verfy" for "tool"\n\nDid you mean this?\n\tverify\n\nRun \'tool --help\' for usage.\nerror during command execution: unknown command "verfy" for "tool"\n',
    })
    expect((await run(['verify-fil'])).stderr).toContain('\tverify-file\n')
  })

  it('is not suggested when it is hidden or deprecated', async () => {
    expect((await run(['secre'])).stderr).not.toContain('\tsecret')
    expect((await run(['copi'])).stderr).not.toContain('Did you mean')
  })

  it('of a group must exist: a group that verifies nothing never succeeds on an argument', async () => {
    const { exitCode, stdout, stderr } = await run(['bundle', 'inspct', 'f'])
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain('Error: unknown command "inspct" for "tool bundle"\n\nDid you mean this?\n\tinspect\n')
  })

  it('that is deprecated says so and runs', async () => {
    const { exitCode, stderr, stdout } = await run(['copy', 'f'])
    expect(exitCode).toBe(0)
    expect(stderr).toBe('Command "copy" is deprecated, use oras\n')
    expect(stdout).toContain('"args":["f"]')
  })
})

describe('help', () => {
  it.each([
    ['tool', []],
    ['tool', ['--help']],
    ['tool', ['-h']],
    ['tool bundle', ['bundle']],
    ['tool bundle', ['bundle', '-h']],
    ['tool verify', ['--help', 'verify']],
    ['tool verify', ['verify', '--help', 'f']],
  ])('of %s is printed for %j', async (name, argv) => {
    const { exitCode, stdout, stderr } = await run(argv)
    expect(exitCode).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).toContain(`Usage:\n  ${name}`)
  })

  it('is not printed when the command line is wrong, nor for --help=false', async () => {
    expect((await run(['verify', '--help', '--bogus'])).stderr).toContain('Error: unknown flag: --bogus\n')
    expect((await run(['verify', '--help=false'])).stderr).toContain('Error: accepts 1 arg(s), received 0\n')
    expect((await run(['--help=x'])).stderr).toContain('invalid argument "x" for "-h, --help" flag')
  })
})

describe('the order of complaints', () => {
  it('is flags, arguments, environment, rules', async () => {
    expect((await run(['verify', '--bogus'], { env: { COSIGN_SK: 'x' } })).stderr).toContain('unknown flag')
    expect((await run(['verify'], { env: { COSIGN_SK: 'x' } })).stderr).toContain('accepts 1 arg(s)')
    expect((await run(['verify', 'f'], { env: { COSIGN_SK: 'x' } })).stderr).toContain('(from COSIGN_SK)')
  })

  it('leaves out deprecations when a flag is wrong', async () => {
    expect((await run(['verify', '--old', 'x', '--bogus'])).stderr).not.toContain('has been deprecated')
    expect((await run(['verify', '--old', 'x'])).stderr).toContain('Flag --old has been deprecated, use --key\n')
  })
})

describe('a failure', () => {
  it('is two lines on stderr and exit code 1', async () => {
    expect(await run(['fail', 'verification'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Error: the signature does not fit the key\nerror during command execution: the signature does not fit the key\n',
    })
  })

  it('may carry an exit code, also in its cause', async () => {
    expect((await run(['fail', 'exit'])).exitCode).toBe(10)
    const { exitCode, stderr } = await run(['fail', 'wrapped'])
    expect(exitCode).toBe(12)
    expect(stderr).toContain('Error: image: none fits\n')
  })

  it.each(['bug', 'text', 'nothing', 'loop'])('that nobody foresaw (%s) is called a bug in one line, without a stack', async (kind) => {
    const { exitCode, stderr } = await run(['fail', kind])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^Error: this is a bug in countersign, please report it \(COUNTERSIGN_DEBUG=1 shows where\): [^\n]*\nerror during command execution: [^\n]*\n$/,
    )
  })

  it('of the operating system is not a bug', async () => {
    expect((await run(['read'])).stderr).toContain("Error: ENOENT: no such file or directory, open '/nonexistent/file'\n")
  })

  it('shows its stack and its causes with COUNTERSIGN_DEBUG=1', async () => {
    const { stderr } = await run(['fail', 'wrapped'], { env: { COUNTERSIGN_DEBUG: '1' } })
    expect(stderr).toMatch(/VerificationError: image: none fits\n\s+at /)
    expect(stderr).toMatch(/caused by:\nExitError: x\n\s+at /)
    expect((await run(['fail', 'wrapped'], { env: { COUNTERSIGN_DEBUG: '0' } })).stderr).not.toContain(' at ')
  })

  it('cannot drive the terminal', async () => {
    const { stderr } = await run(['fail', 'hostile'])
    expect(stderr).toContain('found \\x1b[2J\\u202e\\nError: all is well\\x07\n')
    for (const character of ['\u001b', '\u202e', '\u0007']) expect(stderr).not.toContain(character)
  })
})

describe('--timeout', () => {
  const message = 'Error: the command did not finish within 20ms, which --timeout can extend\n'
  it.each([['wait'], ['wait --deaf'], ['listen']])('ends a command that takes longer: %s', async (line) => {
    const { exitCode, stderr } = await run([...line.split(' '), '--timeout', '20ms'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
  })

  it('is over at once when it is negative', async () => {
    expect((await run(['wait', '--timeout=-1s'])).stderr).toContain('did not finish within -1s')
    expect((await run(['listen', '--timeout=-1s'])).stderr).toContain('did not finish within -1s')
  })

  it.each(['wait', 'wait --deaf', 'listen'])('is no limit when it is zero, as with cosign 1: %s', async (line) => {
    const interruption = new AbortController()
    const outcome = run([...line.split(' '), '-t', '0'], { signal: interruption.signal })
    // Over at once, it would have failed by now.
    await new Promise((resolve) => setTimeout(resolve, 5))
    interruption.abort(new ExitError(EXIT_CODE.interrupted, 'ABORTED', 'interrupted by SIGINT'))
    expect((await outcome).exitCode).toBe(130)
  })

  it('leaves a command alone that finishes in time, however long the time is', async () => {
    expect((await run(['version', '--timeout', '2000000h'])).exitCode).toBe(0)
  })

  it.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ['on the command line', ['--timeout', '20ms'], {}],
    ['in the environment', [], { COSIGN_TIMEOUT: '20ms' }],
  ])('bounds what takes as long as it is large where it is given, %s', async (_, words, env) => {
    expect((await run(['transfer', ...words], { env })).stderr).toContain(message)
  })

  it.each(['serve', 'transfer'])('that is the default does not bound %s', async (verb) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const interruption = new AbortController()
    const outcome = run([verb], { signal: interruption.signal })
    const bounded = run(['wait'])
    await vi.advanceTimersByTimeAsync(200_000)
    expect((await bounded).stderr).toContain('did not finish within 3m0s')
    interruption.abort(new ExitError(EXIT_CODE.interrupted, 'ABORTED', 'interrupted by SIGINT'))
    expect((await outcome).exitCode).toBe(130)
  })

  it('does not bound a server', async () => {
    const interruption = new AbortController()
    const outcome = run(['serve', '--timeout', '1ms'], { signal: interruption.signal })
    await new Promise((resolve) => setTimeout(resolve, 20))
    interruption.abort(new ExitError(EXIT_CODE.interrupted, 'ABORTED', 'interrupted by SIGINT'))
    expect(await outcome).toMatchObject({
      exitCode: 130,
      stderr: 'Error: interrupted by SIGINT\nerror during command execution: interrupted by SIGINT\n',
    })
  })
})

describe('an interruption', () => {
  it.each([['wait'], ['wait --deaf'], ['listen']])('ends the command with the code of the signal: %s', async (line) => {
    const interruption = new AbortController()
    setTimeout(() => interruption.abort(new ExitError(EXIT_CODE.terminated, 'ABORTED', 'interrupted by SIGTERM')), 5)
    const { exitCode, stderr } = await run(line.split(' '), { signal: interruption.signal })
    expect(exitCode).toBe(143)
    expect(stderr).toContain('Error: interrupted by SIGTERM\n')
  })

  it('before the start ends it at once', async () => {
    const signal = AbortSignal.abort(new TransportError('ABORTED', 'interrupted'))
    expect((await run(['wait'], { signal })).stderr).toContain('Error: interrupted\n')
  })
})

describe('--output-file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-output-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('receives what the command prints', async () => {
    const { exitCode, stdout } = await run(['version', '--output-file', 'out.txt'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(stdout).toBe('')
    expect(readFileSync(path.join(folder, 'out.txt'), 'utf8')).toBe('1\n')
  })

  it('is emptied first, works before the verb and from the environment', async () => {
    const file = path.join(folder, 'twice.txt')
    await run(['--output-file', file, 'verify', 'a-long-argument'])
    await run(['version'], { env: { COSIGN_OUTPUT_FILE: file } })
    expect(readFileSync(file, 'utf8')).toBe('1\n')
  })

  it('does not receive warnings', async () => {
    const { stderr } = await run(['warn', '--output-file', 'warn.txt'], { cwd: folder })
    expect(stderr).toBe('WARNING: careful\n')
    expect(readFileSync(path.join(folder, 'warn.txt'), 'utf8')).toBe('')
  })

  it('that cannot be created fails the command before it starts', async () => {
    const { exitCode, stderr } = await run(['version', '--output-file', 'missing/out.txt'], { cwd: folder })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Error: error creating output file missing/out.txt: no such file or directory\n')
  })
})
