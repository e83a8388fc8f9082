/** `initialize`, `sign-blob` and `verify-blob` against a whole private Sigstore in this process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PrivateSigstore } from '../../../../src/server/index.ts'
import { createServer } from '../../../../src/server/index.ts'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const email = 'dev@example.com'

describe.each(['v1', 'v2'] as const)('with Rekor %s', (rekor) => {
  let server: PrivateSigstore
  let folder: string
  const run = (...argv: readonly string[]): Promise<Outcome> => runCaptured(argv, { cwd: folder, env: { HOME: folder }, now: server.now() })
  const write = (name: string, contents: string | Uint8Array): void => writeFileSync(path.join(folder, name), contents)
  const identity = () => ['--certificate-identity', email, '--certificate-oidc-issuer', `${server.url}/oidc`]

  beforeAll(async () => {
    server = await createServer({ rekor })
    folder = mkdtempSync(path.join(tmpdir(), 'countersign-private-'))
    write('artifact', 'an artifact')
    write('token', await server.identityToken(email))
    write('root.json', server.tuf?.root ?? '')
    write('trusted_root.json', server.trustedRoot)
    write('signing_config.json', server.signingConfig)
    const key = generatePrivateKey('ecdsa-p256')
    write('signer.key', key.encodePem())
    write('signer.pub', encodePublicKeyPem(key.publicKey))
  })

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.close()
  })

  it('signs keyless with the trust files of the server', async () => {
    const files = ['--signing-config', 'signing_config.json', '--trusted-root', 'trusted_root.json']
    expect(await run('sign-blob', 'artifact', '--bundle', 'b.json', '--identity-token', 'token', ...files)).toMatchObject({ exitCode: 0 })
    expect(await run('verify-blob', 'artifact', '--bundle', 'b.json', '--trusted-root', 'trusted_root.json', ...identity())).toMatchObject({
      exitCode: 0,
    })
    const other = await run('verify-blob', 'token', '--bundle', 'b.json', '--trusted-root', 'trusted_root.json', ...identity())
    expect(other.exitCode).toBe(1)
  })

  it('signs and verifies without any file once it was initialised, keyless and with a key', async () => {
    expect(await run('initialize', '--mirror', server.tuf?.url ?? '', '--root', 'root.json')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
    expect(await run('sign-blob', 'artifact', '--bundle', 'c.json', '--identity-token', 'token')).toMatchObject({ exitCode: 0 })
    expect(await run('verify-blob', 'artifact', '--bundle', 'c.json', ...identity())).toMatchObject({ exitCode: 0 })
    expect(await run('sign-blob', 'artifact', '--bundle', 'd.json', '--key', 'signer.key')).toMatchObject({ exitCode: 0 })
    expect(await run('verify-blob', 'artifact', '--bundle', 'd.json', '--key', 'signer.pub')).toMatchObject({ exitCode: 0 })
  })

  it('signs again what it has signed: the same entry is as good', async () => {
    const files = ['--signing-config', 'signing_config.json', '--trusted-root', 'trusted_root.json']
    // RSA signatures are the same each time, so the log has the entry already.
    write('rsa.key', generatePrivateKey('rsa-2048').encodePem())
    const sign = (bundle: string) => run('sign-blob', 'artifact', '--key', 'rsa.key', '--bundle', bundle, ...files, '-o', 'json')
    const [first, second] = [await sign('first.json'), await sign('second.json')]
    expect(first.exitCode + second.exitCode).toBe(0)
    const indexOf = ({ stdout }: Outcome) => (JSON.parse(stdout) as { logEntries: { logIndex: string }[] }).logEntries[0]?.logIndex
    expect(indexOf(second)).toBe(indexOf(first))
  })

  it('writes the old files of a signature that the log can be searched for', async () => {
    const urls = [
      '--fulcio-url',
      server.url,
      '--rekor-url',
      server.url,
      '--oidc-issuer',
      `${server.url}/oidc`,
      '--trusted-root',
      'trusted_root.json',
    ]
    const words = ['--output-signature', 'a.sig', '--output-certificate', 'a.pem', '--identity-token', 'token', '--yes', ...urls]
    expect(await run('sign-blob', 'artifact', ...words)).toMatchObject({ exitCode: 0 })
    expect(readFileSync(path.join(folder, 'a.sig'), 'utf8')).toMatch(/^[A-Za-z0-9+/]+=*$/)
  })

  it('is told in one sentence that a token is not for it', async () => {
    const files = ['--signing-config', 'signing_config.json', '--trusted-root', 'trusted_root.json']
    const [head, claims = '', signature] = readFileSync(path.join(folder, 'token'), 'utf8').split('.')
    const forged = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object
    const other = Buffer.from(JSON.stringify({ ...forged, aud: 'other' })).toString('base64url')
    write('forged', `${head}.${other}.${signature}`)
    const refused = await run('sign-blob', 'artifact', '--bundle', 'e.json', '--identity-token', 'forged', ...files)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(
      'refused with status 400: "There was an error processing the identity token"; it was given a token of the issuer',
    )
    expect(refused.stderr).toContain('for the audience "other"')
  })

  it('does not accept the root of another instance', async () => {
    const other = await createServer({ services: ['tuf'] })
    write('other.json', other.tuf?.root ?? '')
    await other.close()
    const refused = await runCaptured(['initialize', '--mirror', server.tuf?.url ?? '', '--root', 'other.json'], {
      cwd: folder,
      env: { HOME: folder, TUF_ROOT: path.join(folder, 'tuf') },
      now: server.now(),
    })
    expect(refused.exitCode).toBe(1)
  })
})
