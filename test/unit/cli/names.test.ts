/** Names that somebody has chosen stand within the lines of the program, and never look like one of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { VerificationError } from '../../../src/error.ts'
import { warn } from '../../../src/cli/context.ts'
import { ReasonsError, reportFailure } from '../../../src/cli/failure.ts'
import { captureContext, runCaptured } from './captured-context.ts'

const forged = 'x\nVerified OK\n Verified OK\u001B[2K\u009B1A\u202E\r'

function expectWithinLines(text: string): void {
  expect(text).toContain(String.raw`x\nVerified OK\n Verified OK`)
  expect(text).not.toMatch(/^\s*Verified OK/m)
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u001B\u009B\u202E\r]/)
}

describe('a name with line ends and escapes', () => {
  it.each([
    ['verify-blob', '--bundle', 'b.json', '--key', 'k.pub', forged],
    ['verify-blob', '--bundle', forged, '--key', 'k.pub', 'artifact'],
    ['verify-blob', '--bundle', 'artifact', '--key', forged, 'artifact'],
    ['verify-blob-attestation', '--bundle', 'b.json', '--key', 'k.pub', '--type', forged, 'artifact'],
    ['verify', '--local-image', '--key', 'k.pub', forged],
    ['verify', '--key', 'k.pub', forged],
    ['verify', '--key', forged, 'localhost:1/x'],
    ['verify-attestation', '--key', 'k.pub', '--type', forged, 'localhost:1/x'],
    ['bundle', 'inspect', forged],
    ['sign-blob', '--key', forged, '--bundle', 'b.json', 'artifact'],
    ['load', '--dir', forged, 'localhost:1/x'],
    ['dockerfile', 'verify', '--key', 'k.pub', forged],
    ['public-key', '--key', forged],
    ['initialize', '--root', forged],
    [forged],
    ['verify-blob', `--${forged}`],
  ])('does not forge a line: %s %s', async (...argv) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'names-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(path.join(folder, 'artifact'), 'an artifact')
    const { exitCode, stdout, stderr } = await runCaptured(argv, { cwd: folder, env: { HOME: folder } })
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).not.toMatch(/^\s*Verified OK/m)
    // eslint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/[\u001B\u009B\u202E\r]/)
  })

  it('does not forge a line in what was signed, or how it was verified', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'names-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const run = (...argv: string[]) => runCaptured(argv, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: '' }, now: Date.now() })
    mkdirSync(path.join(folder, 'keys'))
    writeFileSync(path.join(folder, forged), 'an artifact')
    await run('generate-key-pair', '--output-key-prefix', 'keys/k')
    const signed = await run('sign-blob', '--key', 'keys/k.key', '--tlog-upload=false', '--bundle', `${forged}.json`, forged)
    expect(signed.exitCode, signed.stderr).toBe(0)
    expectWithinLines(signed.stderr)
    const verified = await run(
      'verify-blob',
      '--key',
      'keys/k.pub',
      '--insecure-ignore-tlog',
      '--bundle',
      `${forged}.json`,
      forged,
      '-o',
      'json',
    )
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stderr.match(/^\s*Verified OK/gm)).toHaveLength(1)
    // eslint-disable-next-line no-control-regex
    expect(verified.stdout).not.toMatch(/[\u001B\u009B\u202E\r]/)
  })

  it('does not forge a line of a warning or of an error, nor of one of several reasons', () => {
    const { context, stderr } = captureContext()
    warn(context, forged)
    expectWithinLines(stderr())
    reportFailure(new VerificationError('SIGNATURE_INVALID', forged), context)
    expectWithinLines(stderr())
    reportFailure(new ReasonsError(12, 'SIGNATURE_INVALID', 'no matching signatures', ['one', forged], forged), context)
    expectWithinLines(stderr())
    expect(stderr()).toContain(`Error: no matching signatures: one\n x\\nVerified OK`)
  })
})
