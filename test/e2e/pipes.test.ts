/** Inputs and outputs that are pipes: read and written as files are, waited for, and no longer than the user likes. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = path.resolve(import.meta.dirname, '../../dist/cli/main.cjs')
let folder = ''
const env = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', HOME: folder, COSIGN_PASSWORD: 'secret' })

beforeAll(() => {
  if (!existsSync(program)) throw new Error('the program is not built: run npm run build')
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-pipes-'))
  for (const name of ['pipe', 'other']) execFileSync('mkfifo', [path.join(folder, name)])
  writeFileSync(path.join(folder, 'blob'), 'a blob')
  execFileSync(process.execPath, [program, 'generate-key-pair'], { cwd: folder, env: env() })
  execFileSync(process.execPath, [program, ...sign, 'blob', '--bundle', 'blob.json'], { cwd: folder, env: env(), stdio: 'pipe' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const offline = ['--tlog-upload=false', '--use-signing-config=false', '--yes']
const sign = ['sign-blob', '--key', 'cosign.key', ...offline]
const verify = ['verify-blob', 'blob', '--key', 'cosign.pub', '--insecure-ignore-tlog']

const isLinux = process.platform === 'linux'
if (!isLinux) console.warn('skipped: pipes that nobody writes to: these tests are made for Linux')

describe.skipIf(!isLinux)('a pipe that nobody writes to', () => {
  it.each<readonly [string, readonly string[]]>([
    ['the key of a signature', ['sign-blob', 'blob', '--key', 'pipe', ...offline]],
    ['a blob to sign', [...sign, 'pipe']],
    ['two blobs to sign', [...sign, 'pipe', 'other']],
    ['a predicate', ['attest-blob', 'blob', '--key', 'cosign.key', '--predicate', 'pipe', '--type', 'custom', ...offline]],
    ['the blob to verify', [...verify, '--bundle', 'blob.json'].with(1, 'pipe')],
    ['the key to verify with', [...verify, '--bundle', 'blob.json'].with(3, 'pipe')],
    ['a bundle', [...verify, '--bundle', 'pipe']],
    ['the trusted root', [...verify, '--bundle', 'blob.json', '--trusted-root', 'pipe']],
    ['a passphrase', ['server', 'init', '--data', 'server', '--passphrase-file', 'pipe']],
    [
      'the bundle of an attestation',
      ['verify-blob-attestation', 'blob', '--key', 'cosign.pub', '--bundle', 'pipe', '--insecure-ignore-tlog'],
    ],
  ])('as %s is waited for until the user ends it', async (_, argv) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const child = spawn(process.execPath, [program, ...argv], { cwd: folder, env: env(), stdio: 'ignore' })
      const ended = once(child, 'exit')
      expect(await untilItWaits(child.pid ?? 0)).toBe(true)
      child.kill(signal)
      expect(await ended).toEqual([null, signal])
    }
  })
})

describe.skipIf(process.platform !== 'linux')('a pipe that nobody reads', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('is waited for until %s, and leaves nothing beside it', async (signal) => {
    const words = [...sign, 'blob', '--output-signature', 'blob.sig', '--bundle', 'pipe']
    const child = spawn(process.execPath, [program, ...words], { cwd: folder, env: env(), stdio: 'ignore' })
    const ended = once(child, 'exit')
    expect(await untilItWaits(child.pid ?? 0)).toBe(true)
    child.kill(signal)
    expect(await ended).toEqual([null, signal])
    expect(readdirSync(folder).filter((name) => name.includes('blob.sig'))).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  const shell = (command: string) =>
    spawnSync('bash', ['-c', command], { cwd: folder, env: { ...env(), NODE: process.execPath, PROGRAM: program }, encoding: 'utf8' })

  it.each([
    [
      'process substitution as key and bundle',
      '"$NODE" "$PROGRAM" verify-blob blob --key <(cat cosign.pub) --bundle <(cat blob.json) --insecure-ignore-tlog',
    ],
    [
      'standard input as a file',
      '"$NODE" "$PROGRAM" verify-blob blob --key /dev/stdin --bundle blob.json --insecure-ignore-tlog < <(cat cosign.pub)',
    ],
    [
      'standard input of a pipeline',
      'cat blob | "$NODE" "$PROGRAM" verify-blob /dev/stdin --key cosign.pub --bundle blob.json --insecure-ignore-tlog',
    ],
    [
      'a named pipe whose writer comes late',
      '(sleep 1; cat cosign.pub > pipe) & "$NODE" "$PROGRAM" verify-blob blob --key pipe --bundle blob.json --insecure-ignore-tlog',
    ],
  ])('works: %s', (_, command) => {
    expect(shell(command)).toMatchObject({ status: 0, stderr: expect.stringContaining('Verified OK') as string })
  })

  it.each([
    ['standard output of a pipeline', '--bundle /dev/stdout | cat > out.json'],
    ['standard output that is a file', '--bundle /dev/stdout > out.json'],
    ['process substitution', '--bundle >(cat > out.json); sleep 1'],
    ['a named pipe whose reader comes late', '--bundle pipe & sleep 1; cat pipe > out.json; wait'],
  ])('is what is written to: %s', (_, rest) => {
    expect(shell(`"$NODE" "$PROGRAM" ${sign.join(' ')} blob ${rest}`)).toMatchObject({ status: 0 })
    expect(shell('"$NODE" "$PROGRAM" verify-blob blob --key cosign.pub --bundle out.json --insecure-ignore-tlog')).toMatchObject({
      status: 0,
    })
    rmSync(path.join(folder, 'out.json'))
  })

  it('is a key to sign with and a blob to sign, both from other programs', () => {
    const argv = `sign-blob <(head -c 6000000 /dev/zero) --key <(sleep 1; cat cosign.key) --bundle piped.json ${offline.join(' ')}`
    expect(shell(`"$NODE" "$PROGRAM" ${argv}`)).toMatchObject({ status: 0 })
    expect(readFileSync(path.join(folder, 'piped.json'), 'utf8')).toContain('messageSignature')
    const verified = shell(
      '"$NODE" "$PROGRAM" verify-blob <(head -c 6000000 /dev/zero) --key cosign.pub --bundle piped.json --insecure-ignore-tlog',
    )
    expect(verified).toMatchObject({ status: 0 })
  })
})

/** Until one of the process's threads waits for the other end of a pipe. @returns false when none did */
async function untilItWaits(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { stdout } = spawnSync('sh', ['-c', `cat /proc/${pid}/task/*/wchan`], { encoding: 'utf8' })
    if (/wait_for_partner|fifo_open/.test(stdout)) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}
