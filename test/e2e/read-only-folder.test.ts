/** A server's data folder that the operator may not write to: every verb says so, in one sentence that is not the database's. */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = path.resolve(import.meta.dirname, '../../dist/cli/main.cjs')
/** Root may write everywhere. */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined
let parent = ''
let data = ''

function run(...argv: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(process.execPath, [program, 'server', ...argv, '--data', data], {
    cwd: parent,
    encoding: 'utf8',
    input: 'a long password\n',
    env: { PATH: process.env['PATH'] ?? '', HOME: parent },
    ...(nobody === undefined ? {} : { uid: nobody, gid: nobody }),
  })
}

beforeAll(() => {
  if (!existsSync(program)) throw new Error('the program is not built: run npm run build')
  parent = mkdtempSync(path.join(tmpdir(), 'countersign-read-only-'))
  data = path.join(parent, 'data')
  if (nobody !== undefined) chownSync(parent, nobody, nobody)
  expect(run('init')).toMatchObject({ status: 0 })
  // The database is made by what opens it first.
  expect(run('user', 'list')).toMatchObject({ status: 0 })
})
afterAll(() => {
  for (const name of ['', ...readdirSync(data)]) chmodSync(path.join(data, name), 0o700)
  rmSync(parent, { recursive: true, force: true })
})

const verbs = ['user list', 'user add you@example.com', 'fsck', 'rotate ca', 'export-trust', 'tuf status', 'start --listen 127.0.0.1:0']

describe.skipIf(process.platform === 'win32')('a data folder that may not be written to', () => {
  it.each(verbs)('is what %s says, and what to do', (verb) => {
    chmodSync(path.join(data, 'countersign.sqlite'), 0o400)
    chmodSync(data, 0o500)
    const { status, stderr } = run(...verb.split(' '))
    expect(status).toBe(1)
    expect(stderr.split('\n')[0]).toMatch(
      /^Error: (?:the database )?\S+ cannot be (?:used|written): you may not write there: change the owner of the folder, or name another one with --data$/,
    )
  })

  it('is as it was, once it may be written to again', () => {
    chmodSync(data, 0o700)
    chmodSync(path.join(data, 'countersign.sqlite'), 0o600)
    for (const argv of [['user', 'list'], ['fsck'], ['export-trust']]) expect([argv, run(...argv).status]).toEqual([argv, 0])
  })
})
