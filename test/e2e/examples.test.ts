/** The programs of `examples/`, run by somebody who has chosen an instance of their own. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodePublicKeyPem, generateSigner, openRepository, sign, signImage } from '../../src/index.ts'
import type { PrivateSigstore } from '../../src/server/index.ts'
import { createServer } from '../../src/server/index.ts'
import { pushImage } from '../support/images.ts'
import { startFakeRegistry } from '../support/registry-fake.ts'

const project = path.resolve(import.meta.dirname, '../..')
const artifact = 'what is released\n'
let sigstore: PrivateSigstore
let folder = ''
let env: Record<string, string>

beforeAll(async () => {
  sigstore = await createServer()
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-examples-'))
  write('app.tar.gz', artifact)
  write('tampered.tar.gz', `${artifact}and more\n`)
  write('root.json', sigstore.tuf?.root ?? '')
  env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TUF_ROOT: path.join(folder, 'tuf'),
    TUF_MIRROR: sigstore.tuf?.url ?? '',
    TUF_ROOT_JSON: path.join(folder, 'root.json'),
    SIGSTORE_ID_TOKEN: await sigstore.identityToken('dev@example.com'),
  }
})
afterAll(async () => {
  await sigstore.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, contents: string | Uint8Array): void {
  writeFileSync(path.join(folder, name), contents)
}

interface Ending {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(example: string, words: readonly string[] = [], more: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const program = [path.join(project, 'scripts/run.mjs'), path.join(project, 'examples', `${example}.ts`), ...words]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, program, { cwd: folder, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}

describe('a file that sign-file has signed', () => {
  const signer = (email = 'dev@example.com'): string[] => [email, `${sigstore.url}/oidc`]

  beforeAll(async () => {
    const signed = await run('sign-file', ['app.tar.gz'])
    expect(signed.exitCode, signed.stderr).toBe(0)
    expect(signed.stdout).toContain(`signed as dev@example.com, says ${sigstore.url}/oidc\nentry 0 of ${sigstore.url}\n`)
  })

  it('is verified by verify-file', async () => {
    const { exitCode, stdout, stderr } = await run('verify-file', ['app.tar.gz', ...signer()])
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toMatch(/^signed at \S+Z, says the timestamp-authority\nentry 0 of /)
  })

  it('is refused as that of somebody else', async () => {
    const { exitCode, stdout, stderr } = await run('verify-file', ['app.tar.gz', ...signer('eve@example.com')])
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain("code: 'IDENTITY_MISMATCH'")
  })

  it('is refused by verify-many, which looks for attestations of a builder and goes on with the next file', async () => {
    const { exitCode, stdout } = await run('verify-many', ['app.tar.gz', 'app.tar.gz'])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^(?:app\.tar\.gz: refused, [A-Z_]+: .+\n){2}$/)
  })
})

it('verify-image prints the digest of what somebody has signed, and refuses what somebody else has', async () => {
  const registry = await startFakeRegistry()
  try {
    const name = `${registry.host}/app`
    const repository = openRepository(name, { env: {} })
    const { digest } = await pushImage(repository, 'v1')
    const { trustedRoot, signingConfig, url } = sigstore
    await signImage(repository, 'v1', { identityToken: env['SIGSTORE_ID_TOKEN'] ?? '', trustedRoot, signingConfig })
    const verified = await run('verify-image', [name, 'v1', 'dev@example.com', `${url}/oidc`])
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stdout).toMatch(`${name}@${digest}\nentry `)
    const refused = await run('verify-image', [name, 'v1', 'eve@example.com', `${url}/oidc`])
    expect([refused.exitCode, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain("code: 'IDENTITY_MISMATCH'")
  } finally {
    await registry.stop()
  }
})

describe('a key of your own', () => {
  it('signs and verifies in sign-with-key without a network', async () => {
    expect(await run('sign-with-key', [], { TUF_MIRROR: 'http://127.0.0.1:1' })).toEqual({ exitCode: 0, stdout: 'verified\n', stderr: '' })
  })

  it.each([
    ['app.tar.gz', 0],
    ['tampered.tar.gz', 1],
  ])('is trusted by offline-trust for %s with exit code %i, without a network', async (file, expected) => {
    const signer = generateSigner('ecdsa-p256')
    const { trustedRoot, signingConfig, url } = sigstore
    const { bundle, evidence } = await sign(Buffer.from(artifact), { signer, trustedRoot, signingConfig })
    write('trusted_root.json', trustedRoot)
    write('release.pub', encodePublicKeyPem(signer.publicKey))
    write('app.sigstore.json', bundle)
    const { exitCode, stdout } = await run('offline-trust', ['app.sigstore.json', file, 'release.pub'], {
      TUF_MIRROR: 'http://127.0.0.1:1',
    })
    const entry = `${url} ${evidence.logEntries[0]?.logIndex}`
    expect({ exitCode, stdout }).toEqual({ exitCode: expected, stdout: expected === 0 ? `key [ '${entry}' ]\n` : '' })
  })
})
