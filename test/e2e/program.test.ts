/** The built program, as its users start it: exit codes, output, and the connections it does not open. */
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { loadEd25519ph } from '../../src/crypto/signature.ts'
import { artifactBytes, identity, issuer, signBlob, universeOf } from '../support/universe/universe.ts'
import { conformanceCases, hasPublicData } from '../support/public-data.ts'

const project = path.resolve(import.meta.dirname, '../..')
const program = path.join(project, 'dist/cli/main.cjs')
let folder = ''

beforeAll(() => {
  if (!existsSync(program)) throw new Error('the program is not built: run npm run build')
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-e2e-'))
  const signed = signBlob({ timestamps: [{}] })
  const put = (name: string, contents: string | Uint8Array): void => writeFileSync(path.join(folder, name), contents)
  put('app', artifactBytes)
  put('other', 'other')
  put('app.sigstore.json', signed.json)
  put('root.json', universeOf().trustedRoot())
  // Loaded before the program: any attempt to open a connection or look up a name is written down, and fails.
  put(
    'no-network.cjs',
    `const { appendFileSync } = require('node:fs')
     const refuse = (what) => function () { appendFileSync(${JSON.stringify(path.join(folder, 'connections'))}, what + '\\n'); throw new Error(what) }
     require('node:net').Socket.prototype.connect = refuse('connect')
     require('node:dns').lookup = refuse('lookup')`,
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(
  words: readonly string[],
  options: { readonly node?: readonly string[]; readonly env?: Record<string, string> } = {},
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...(options.node ?? []), program, ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: path.join(folder, 'home'), ...options.env },
  })
}

const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]

describe('the program', () => {
  it('verifies, and opens no connection with --trusted-root', () => {
    const { status, stdout, stderr } = run(['verify-blob', 'app', '--trusted-root', 'root.json', ...who], {
      node: ['-r', './no-network.cjs'],
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: 'Verified OK\n' })
    expect(existsSync(path.join(folder, 'connections'))).toBe(false)
    expect(existsSync(path.join(folder, 'home'))).toBe(false)
  })
  it('does open one without, which proves that the test would see it, and fails in one sentence', () => {
    const { status, stderr } = run(['verify-blob', 'app', ...who], { node: ['-r', './no-network.cjs'] })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^Error: setting trusted material: .*\nerror during command execution: .*\n$/)
    expect(existsSync(path.join(folder, 'connections'))).toBe(true)
  })
  it('refuses with exit status 1 and the reason twice, as cosign prints it', () => {
    const { status, stdout, stderr } = run(['verify-blob', 'other', '--bundle', 'app.sigstore.json', '--trusted-root', 'root.json', ...who])
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^Error: (.*)\nerror during command execution: \1\n$/)
  })
  it('runs without a code cache, or with one of another program', () => {
    expect(existsSync(path.join(project, 'dist/cli/verify-blob-program.cjs.cache'))).toBe(true)
    const { status } = run(['verify-blob', 'app', '--trusted-root', 'root.json', ...who], { node: ['--no-opt'] })
    expect(status).toBe(0)
  })
  it('finds what verify-blob rarely needs in files beside it, and knows their errors', () => {
    expect(run(['verify-blob', '--help']).stdout).toContain('--certificate-identity-regexp')
    const pattern = ['--certificate-identity-regexp', '(', '--certificate-oidc-issuer', 'x']
    expect(run(['verify-blob', 'app', '--trusted-root', 'root.json', ...pattern]).stderr).toMatch(
      /^Error: "\(" is not a regular expression in RE2 syntax\n/,
    )
    const output = ['--output', 'json', '--output-file', 'evidence.json']
    expect(run(['verify-blob', 'app', '--trusted-root', 'root.json', ...who, ...output]).status).toBe(0)
    expect(JSON.parse(readFileSync(path.join(folder, 'evidence.json'), 'utf8'))).toMatchObject({ verified: true })
  })
  it('verifies Ed25519ph in those files, too', async () => {
    const key = generatePrivateKey('ed25519')
    await loadEd25519ph()
    const signature = key.createSigner('ed25519ph').sign(artifactBytes)
    writeFileSync(path.join(folder, 'ed25519.pub'), encodePublicKeyPem(key.publicKey))
    writeFileSync(path.join(folder, 'ph.sig'), Buffer.from(signature).toString('base64'))
    const words = ['verify-blob', 'app', '--signature', 'ph.sig', '--key', 'ed25519.pub', '--trusted-root', 'root.json']
    // The search for the log entry begins when the signature was found to be right.
    expect(run([...words, '--rekor-url', 'http://127.0.0.1:9']).stderr).toContain(
      'searching log query: the transparency log 127.0.0.1:9 cannot be used',
    )
  })
  it('knows its version', () => {
    expect(JSON.parse(run(['version', '--json']).stdout)).toMatchObject({ gitVersion: expect.stringMatching(/^v?\d+\.\d+\.\d+/) })
  })
})

describe.skipIf(!hasPublicData)('bin/conformance', () => {
  const client = path.join(project, 'bin/conformance')
  for (const testCase of conformanceCases().filter(({ name }) => /happy|managed|wrong|missing/.test(name))) {
    it(`${testCase.mustFail ? 'refuses' : 'verifies'} ${testCase.name}`, () => {
      const signer =
        testCase.key === undefined
          ? ['--certificate-identity', testCase.identity, '--certificate-oidc-issuer', testCase.issuer]
          : ['--key', testCase.key]
      const { status } = spawnSync(
        client,
        ['verify-bundle', '--bundle', testCase.bundle, ...signer, '--trusted-root', testCase.trustedRoot, testCase.artifact],
        { cwd: folder },
      )
      expect(status).toBe(testCase.mustFail ? 1 : 0)
    })
  }
  it('refuses wrong usage', () => {
    for (const words of [
      [],
      ['sign-bundle'],
      ['verify-bundle'],
      ['verify-bundle', '--bundle', 'x'],
      ['verify-bundle', '--bundle=app.sigstore.json', 'app'],
    ]) {
      expect(spawnSync(client, words, { cwd: folder }).status).toBe(1)
    }
  })
})
