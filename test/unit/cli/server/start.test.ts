/** `server start`: a new server is written only once its address is its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

let parent: string
let folder: string
let taken: Server
let port: number

beforeEach(async () => {
  parent = mkdtempSync(path.join(tmpdir(), 'countersign-start-'))
  folder = path.join(parent, 'data')
  taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  port = (taken.address() as AddressInfo).port
})
afterEach(() => {
  taken.close()
  rmSync(parent, { recursive: true })
})

/** Starts a server, which is told to end before it has begun. */
const start = (...argv: readonly string[]): Promise<Outcome> =>
  runCaptured(['server', 'start', '--data', folder, ...argv], { cwd: parent, now: Date.now(), signal: AbortSignal.abort() })

describe('server start in an empty folder', () => {
  test('on a port that is taken writes nothing', async () => {
    const refused = await start('--listen', `127.0.0.1:${port}`)
    expect([refused.exitCode, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain(`another program listens on 127.0.0.1:${port}: stop it, or choose another address with --listen`)
    expect(existsSync(folder)).toBe(false)
  })

  test('makes a server for the next address that is tried', async () => {
    await start('--listen', `127.0.0.1:${port}`)
    expect(await start('--listen', '127.0.0.1:0')).toMatchObject({ exitCode: 0 })
    expect(readFileSync(path.join(folder, 'server.yaml'), 'utf8')).not.toContain(`:${port}`)
  })

  test('makes one for the port that it was given, where any would do', async () => {
    const { stdout } = await start('--listen', '127.0.0.1:0')
    const [, chosen] = /Listening on port (\d+)/.exec(stdout) ?? []
    expect(readFileSync(path.join(folder, 'server.yaml'), 'utf8')).toContain(`\nurl: http://localhost:${chosen}\n`)
  })

  test.each([
    ['on every address without TLS', ['--listen', ':0'], 'without TLS'],
    ['with TLS files that are missing', ['--listen', '127.0.0.1:0', '--tls-cert', 'c', '--tls-key', 'k'], 'the TLS files cannot be read'],
    ['with TLS files that are none', ['--listen', '127.0.0.1:0', '--tls-cert', 'bad', '--tls-key', 'bad'], 'cannot be used: '],
    ['for an address that is none', ['--listen', '127.0.0.1:0', '--url', 'sigstore.example'], '--url takes scheme, host and port'],
    ['with a configuration that is missing', ['--listen', '127.0.0.1:0', '--config', 'none.yaml'], 'none.yaml is missing'],
  ])('%s writes nothing', async (_, argv, message) => {
    writeFileSync(path.join(parent, 'bad'), 'no certificate')
    const { exitCode, stderr } = await start(...argv)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(existsSync(folder)).toBe(false)
  })
})
