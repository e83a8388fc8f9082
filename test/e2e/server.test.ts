/** The built server, as an operator meets it first: made, started, looked at. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const program = path.resolve(import.meta.dirname, '../../dist/cli/main.cjs')
let folder = ''
const options = () => ({ cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder } })
const run = (...argv: readonly string[]) => spawnSync(process.execPath, [program, ...argv], { ...options(), encoding: 'utf8' })

beforeAll(() => {
  if (!existsSync(program)) throw new Error('the program is not built: run npm run build')
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-server-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('is made by its first start, trusted by a client as it says, and found sound by doctor and fsck', async () => {
  const server = spawn(process.execPath, [program, 'server', 'start', '--data', 'data', '--listen', '127.0.0.1:0'], options())
  try {
    let said = ''
    server.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await expect.poll(() => said).toMatch(/countersign initialize .*\n/)
    const [, words = ''] = /countersign (initialize .*)/.exec(said) ?? []
    expect(run(...words.split(' '))).toMatchObject({ status: 0 })
    const doctor = run('server', 'doctor', '--data', 'data')
    expect([doctor.status, doctor.stdout.split('\n').filter((line) => !line.startsWith('ok '))]).toEqual([0, ['']])
    expect(run('server', 'fsck', '--data', 'data')).toMatchObject({ status: 0 })
    expect(run('server', 'export-trust', '--data', 'data')).toMatchObject({ status: 0 })
  } finally {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
})
