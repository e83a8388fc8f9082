/** `sign-bundle` of the conformance suite's command line, against a whole private Sigstore. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runConformance } from '../../../../src/cli/conformance.ts'
import type { PrivateSigstore } from '../../../../src/server/index.ts'
import { createServer } from '../../../../src/server/index.ts'
import { captureContext } from '../captured-context.ts'

const email = 'dev@example.com'
let server: PrivateSigstore
let folder = ''
let token = ''

beforeAll(async () => {
  server = await createServer()
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-conformance-'))
  token = await server.identityToken(email)
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
  write('a.txt', 'DO NOT MODIFY ME!\n')
  write('root.json', server.trustedRoot)
  write('config.json', server.signingConfig)
  const digest = { sha256: 'a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf' }
  write(
    'statement.json',
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'a.txt', digest }],
      predicateType: 'https://example.com/p',
      predicate: {},
    }),
  )
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close()
})

async function run(...argv: readonly string[]): Promise<{ exitCode: number; stderr: string }> {
  const { context, stderr } = captureContext({ cwd: folder, env: {}, now: server.now() })
  return { exitCode: await runConformance(argv, context), stderr: stderr() }
}

const trust = ['--trusted-root', 'root.json', '--signing-config', 'config.json']
const verify = (bundle: string) =>
  run(
    'verify-bundle',
    '--bundle',
    bundle,
    '--certificate-identity',
    email,
    '--certificate-oidc-issuer',
    `${server.url}/oidc`,
    '--trusted-root',
    'root.json',
    'a.txt',
  )

it('signs a file', async () => {
  expect(await run('sign-bundle', '--identity-token', token, '--bundle', 'a.txt.sigstore.json', ...trust, 'a.txt')).toEqual({
    exitCode: 0,
    stderr: '',
  })
  expect(await verify('a.txt.sigstore.json')).toEqual({ exitCode: 0, stderr: '' })
})

it('signs a statement, as it is to the byte', async () => {
  expect(
    await run(
      'sign-bundle',
      '--in-toto',
      '--identity-token',
      token,
      '--bundle',
      'statement.json.sigstore.json',
      ...trust,
      'statement.json',
    ),
  ).toMatchObject({ exitCode: 0 })
  const { dsseEnvelope, messageSignature } = JSON.parse(readFileSync(path.join(folder, 'statement.json.sigstore.json'), 'utf8')) as {
    dsseEnvelope: { payload: string }
    messageSignature?: unknown
  }
  expect(messageSignature).toBeUndefined()
  expect(Buffer.from(dsseEnvelope.payload, 'base64').toString()).toBe(readFileSync(path.join(folder, 'statement.json'), 'utf8'))
})

it('writes nothing when it is refused', async () => {
  const refused = await run('sign-bundle', '--identity-token', 'nonsense', '--bundle', 'b.json', ...trust, 'a.txt')
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('the identity token cannot be used')
  expect(existsSync(path.join(folder, 'b.json'))).toBe(false)
  expect((await run('sign-bundle', '--bundle', 'b.json', ...trust, 'a.txt')).stderr).toContain('--identity-token is missing')
})
