import { describe, expect, it } from 'vitest'
import { defineCommand } from '../../../src/cli/command.ts'
import { boolFlag, deprecated, stringFlag, stringSliceFlag } from '../../../src/cli/flags.ts'
import type { Outcome } from './captured-context.ts'
import { runCaptured } from './captured-context.ts'

async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome & { readonly flags?: object; readonly given?: readonly string[] }> {
  let received = {}
  const command = defineCommand({
    flags: {
      'trusted-root': stringFlag(''),
      key: stringFlag(''),
      yes: boolFlag('', { default: false }),
      part: stringSliceFlag(''),
      digestAlg: stringFlag(''),
      dir: stringFlag('', { required: true }),
      other: stringFlag(''),
      old: deprecated('gone', stringFlag('')),
      password: stringFlag('', { environment: false }),
    },
    exclusive: [['key', 'other']],
    run(_context, flags, _args, { values }) {
      received = { flags, given: [...values.keys()].sort() }
    },
  })
  const outcome = await runCaptured(
    argv,
    { env: { COSIGN_DIR: 'd', ...env } },
    {
      name: 'tool',
      short: 'Test',
      load: () => Promise.resolve({ command }),
    },
  )
  return { ...outcome, ...received }
}

describe('flags from the environment', () => {
  it('are named in upper case with underscores', async () => {
    const { flags } = await run([], { COSIGN_TRUSTED_ROOT: 'root.json', COSIGN_YES: '1', COSIGN_DIGESTALG: 'sha256' })
    expect(flags).toMatchObject({ 'trusted-root': 'root.json', yes: true, digestAlg: 'sha256' })
  })

  it('may carry our own prefix, which comes first', async () => {
    expect((await run([], { COUNTERSIGN_KEY: 'ours', COSIGN_KEY: 'theirs' })).flags).toMatchObject({ key: 'ours' })
    expect((await run([], { COUNTERSIGN_KEY: '', COSIGN_KEY: 'theirs' })).flags).toMatchObject({ key: 'theirs' })
  })

  it('give way to the command line, even to an empty value there', async () => {
    const env = { COSIGN_KEY: 'env', COSIGN_YES: 'true' }
    expect((await run(['--key=cli', '--yes=false'], env)).flags).toMatchObject({ key: 'cli', yes: false })
    expect((await run(['--key='], env)).flags).toMatchObject({ key: '' })
  })

  it('count as not set when the variable is empty', async () => {
    const { exitCode, stderr } = await run([], { COSIGN_DIR: '' })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Error: required flag(s) "dir" not set\n')
  })

  it('count as given, for required flags, exclusions and the command', async () => {
    expect((await run([], { COSIGN_KEY: 'k' })).given).toEqual(['dir', 'key'])
    const { exitCode, stderr } = await run(['--other', 'x'], { COSIGN_KEY: 'k' })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('if any flags in the group [key other] are set none of the others can be; [key other] were all set')
  })

  it('are one line of values for a repeatable flag', async () => {
    expect((await run([], { COSIGN_PART: 'a,b' })).flags).toMatchObject({ part: ['a', 'b'] })
  })

  it('are an error that names the variable when the value is none', async () => {
    const { exitCode, stderr, flags } = await run([], { COSIGN_YES: 'maybe' })
    expect(exitCode).toBe(1)
    expect(flags).toBeUndefined()
    expect(stderr).toContain(
      'Error: invalid argument "maybe" for "--yes" flag (from COSIGN_YES): strconv.ParseBool: parsing "maybe": invalid syntax\n',
    )
  })

  it('say nothing about deprecation, as in cosign', async () => {
    expect(await run([], { COSIGN_OLD: 'x' })).toMatchObject({ stderr: '', flags: { old: 'x' } })
  })

  it('are told with --verbose, without their values', async () => {
    const { stderr } = await run(['--verbose'], { COSIGN_KEY: 'hunter2' })
    expect(stderr).toContain('--key is set by COSIGN_KEY\n')
    expect(stderr).not.toContain('hunter2')
  })

  it('reach the global flags', async () => {
    expect((await run([], { COSIGN_VERBOSE: 'true' })).stderr).toContain('--verbose is set by COSIGN_VERBOSE')
    expect((await run([], { COSIGN_TIMEOUT: 'x' })).stderr).toContain(
      'for "-t, --timeout" flag (from COSIGN_TIMEOUT): time: invalid duration "x"',
    )
  })

  it('do not reach --help and flags that opt out', async () => {
    const { flags, stdout } = await run([], { COSIGN_HELP: 'true', COSIGN_PASSWORD: 'of the key' })
    expect(stdout).toBe('')
    expect(flags).toMatchObject({ password: '' })
  })
})
