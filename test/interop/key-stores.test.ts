/**
 * Keys that somebody else really holds: a PKCS#11 token (SoftHSM), AWS KMS (moto), and a plugin that the real cosign calls as well. What
 * is signed with them is verified by cosign with the public key alone, and with the same reference where cosign knows it.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { KeyKind } from '../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { createKey, openKey } from '../../src/keys/key-reference.ts'
import type { KeyStoreOptions } from '../../src/keys/key-store.ts'
import { verifySignature } from '../../src/crypto/signature.ts'
import { freePort } from '../support/free-port.ts'
import { azureStore } from '../support/key-stores/azure.ts'
import { pluginStore } from '../support/key-stores/plugin.ts'
import type { RunningStore } from '../support/key-stores/store.ts'
import { openBaoStore, vaultStore } from '../support/key-stores/vault.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import { selfSigned } from '../unit/http/test-server.ts'
import type { Ending } from './peer.ts'
import { findFile, findPeer, findPeerPackage, runPeerLive } from './peer.ts'

const cosign = findPeer('cosign') ?? ''
const pkcs11js = findPeerPackage('pkcs11js')
const softhsm = findFile(
  [
    '/usr/lib/softhsm/libsofthsm2.so',
    '/usr/lib64/pkcs11/libsofthsm2.so',
    '/usr/local/lib/softhsm/libsofthsm2.so',
    '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  ],
  'there is no SoftHSM: install softhsm2 (Debian) or softhsm (Homebrew)',
)
const moto = findPeer('moto_server')

vi.mock('pkcs11js', () => ({ default: createRequire(import.meta.url)(pkcs11js ?? 'pkcs11js') as unknown }))

const local = ['--tlog-upload=false', '--use-signing-config=false']
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-key-stores-'))
  writeFileSync(path.join(folder, 'artifact'), 'an artifact')
  writeFileSync(path.join(folder, 'other'), 'another artifact')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Surroundings = Readonly<Record<string, string>>

async function run(words: readonly string[], env: Surroundings): Promise<string> {
  const { exitCode, stdout, stderr } = await runCaptured(words, { cwd: folder, env: { HOME: folder, ...env } })
  expect(exitCode, stderr).toBe(0)
  return stdout
}

const refuseToRun = async (words: readonly string[], env: Surroundings): Promise<string> => {
  const { exitCode, stderr } = await runCaptured(words, { cwd: folder, env: { HOME: folder, ...env } })
  expect(exitCode).not.toBe(0)
  return stderr
}

/** cosign, without a network but for what the environment leads to: this process is some of that. */
function runCosign(words: readonly string[], env: Surroundings = {}): Promise<Ending> {
  const nowhere = 'http://127.0.0.1:9'
  return runPeerLive(cosign, words, folder, {
    HTTPS_PROXY: nowhere,
    HTTP_PROXY: nowhere,
    NO_PROXY: '127.0.0.1',
    COSIGN_PASSWORD: '',
    ...env,
  })
}

/** Signs with the key that a reference names, and has cosign verify it with the public key, and not for another file. */
async function expectCosignAgrees(reference: string, env: Surroundings, digest = 'sha256'): Promise<void> {
  await run(['public-key', '--key', reference, '--outfile', 'key.pub'], env)
  await run(['sign-blob', 'artifact', '--key', reference, ...local, '--bundle', 'b.json', '--yes'], env)
  await run(['verify-blob', 'artifact', '--key', reference, '--bundle', 'b.json', '--insecure-ignore-tlog'], env)
  // Without it, cosign 3.1.3 takes every ECDSA signature for one over SHA-256.
  const ofDigest = ['--signature-digest-algorithm', digest]
  const verify = (file: string) => ['verify-blob', file, '--key', 'key.pub', '--bundle', 'b.json', '--insecure-ignore-tlog', ...ofDigest]
  const verified = await runCosign(verify('artifact'))
  expect(verified.stderr).toContain('Verified OK')
  expect(verified.exitCode).toBe(0)
  expect((await runCosign(verify('other'))).exitCode).not.toBe(0)
}

const digestFor = (kind: string): string => (kind.endsWith('384') ? 'sha384' : kind.endsWith('521') ? 'sha512' : 'sha256')

describe.skipIf(pkcs11js === undefined || softhsm === undefined)('SoftHSM', () => {
  const kinds = ['ec-256', 'ec-384', 'ec-521', 'rsa-2048', 'ed25519'] as const
  const env: Record<string, string> = { COSIGN_PKCS11_MODULE_PATH: softhsm ?? '', COSIGN_PKCS11_PIN: '1234' }

  beforeAll(() => {
    const tokens = path.join(folder, 'tokens')
    mkdirSync(tokens)
    const configuration = path.join(folder, 'softhsm2.conf')
    writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`)
    // The library reads it in this process.
    process.env['SOFTHSM2_CONF'] = configuration
    softhsmUtil('--init-token', '--free', '--label', 'release token', '--pin', '1234', '--so-pin', '5678')
    for (const [at, kind] of kinds.entries()) {
      const { privateKey } =
        kind === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : kind === 'rsa-2048'
            ? generateKeyPairSync('rsa', { modulusLength: 2048 })
            : generateKeyPairSync('ec', { namedCurve: kind.replace('ec', 'P') })
      const file = path.join(folder, `${kind}.pem`)
      writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
      softhsmUtil('--import', file, '--token', 'release token', '--label', kind, '--id', `0${at + 1}`, '--pin', '1234')
    }
  })

  function softhsmUtil(...words: readonly string[]): void {
    const { status, stderr } = spawnSync('softhsm2-util', words, { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
  }

  async function uriOf(kind: string): Promise<string> {
    const tokens = await run(['pkcs11-tool', 'list-tokens'], env)
    const [, slot = ''] = /Token in slot (\d+)\n\tLabel: release token\n/.exec(tokens) ?? []
    const keys = await run(['pkcs11-tool', 'list-keys-uris', '--slot-id', slot], env)
    return new RegExp(`\tLabel: ${kind}\n\tID: 0\\d\n\tURI: (pkcs11:.*)\n`).exec(keys)?.[1] ?? ''
  }

  it.each(kinds)('signs with %s, by the URI that is listed, and cosign verifies it', async (kind) => {
    const uri = await uriOf(kind)
    expect(uri).toContain('pkcs11:token=release%20token;slot-id=')
    await expectCosignAgrees(uri, env, digestFor(kind))
  })

  it('signs with RSA-PSS when asked to', async () => {
    const options: KeyStoreOptions = { env, cwd: folder, password: () => Promise.reject(new Error('nobody')) }
    const key = await openKey(await uriOf('rsa-2048'), options)
    const signer = key.createSigner('rsa-pss-sha384')
    const message = Buffer.from('a message')
    expect(verifySignature(key.publicKey, 'rsa-pss-sha384', message, await signer.sign(message))).toBe(true)
  })

  it('is not signed with under a wrong PIN, without one, or for a key that is not there', async () => {
    const sign = ['sign-blob', 'artifact', ...local, '--bundle', 'none.json', '--key']
    const uri = await uriOf('ec-256')
    expect(await refuseToRun([...sign, uri], { ...env, COSIGN_PKCS11_PIN: '9999' })).toContain(
      'the PKCS#11 token refused the PIN (CKR_PIN_INCORRECT)',
    )
    expect(await refuseToRun([...sign, uri], { ...env, COSIGN_PKCS11_PIN: '' })).toContain('set COSIGN_PKCS11_PIN')
    expect(await refuseToRun([...sign, uri.replace('id=%01', 'id=%0f')], env)).toContain('the token has no private key')
    expect(await refuseToRun([...sign, uri.replace('release%20token', 'other')], env)).toContain('could not find the token')
  })
})

describe.skipIf(moto === undefined)('AWS KMS (moto)', () => {
  let process: ChildProcess
  let host = ''
  let env: Surroundings = {}

  beforeAll(async () => {
    const { certificate, key } = selfSigned()
    writeFileSync(path.join(folder, 'moto.pem'), certificate)
    writeFileSync(path.join(folder, 'moto.key'), key)
    host = `127.0.0.1:${await freePort()}`
    const words = [
      '-H',
      '127.0.0.1',
      '-p',
      host.split(':')[1] ?? '',
      '-c',
      path.join(folder, 'moto.pem'),
      '-k',
      path.join(folder, 'moto.key'),
    ]
    // Python, in the environment that moto is in.
    const python = path.join(path.dirname(realpathSync(moto ?? '')), 'python')
    process = spawn(python, [path.resolve('test/interop/moto-with-digests.py'), ...words], { stdio: 'ignore' })
    env = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      SSL_CERT_FILE: path.join(folder, 'moto.pem'),
    }
    const { request } = await import('../../src/http/fetch.ts')
    await vi.waitFor(() => request(`https://${host}/moto-api/`, { env, retries: 0 }), { timeout: 60_000, interval: 250 })
  })
  afterAll(() => void process.kill())

  it('holds a key that was made here, and cosign signs and verifies with it, too', async () => {
    const reference = `awskms://${host}/alias/ours`
    await run(['generate-key-pair', '--kms', reference, '--output-key-prefix', 'ours'], env)
    await expectCosignAgrees(reference, env)
    expect(readFileSync(path.join(folder, 'ours.pub'), 'utf8')).toBe(readFileSync(path.join(folder, 'key.pub'), 'utf8'))
    const verify = ['verify-blob', 'artifact', '--key', reference, '--insecure-ignore-tlog']
    expect((await runCosign([...verify, '--bundle', 'b.json'], env)).stderr).toContain('Verified OK')
    const signed = await runCosign(['sign-blob', 'artifact', '--key', reference, ...local, '--bundle', 'theirs.json', '--yes'], env)
    expect(signed.exitCode, signed.stderr).toBe(0)
    await run([...verify, '--bundle', 'theirs.json'], env)
    await run(['verify-blob', 'artifact', '--key', 'ours.pub', '--bundle', 'theirs.json', '--insecure-ignore-tlog'], env)
  })

  it('holds a key that cosign made', async () => {
    const reference = `awskms://${host}/alias/theirs`
    const made = await runCosign(['generate-key-pair', '--kms', reference, '--output-key-prefix', 'theirs'], env)
    expect(made.exitCode, made.stderr).toBe(0)
    await expectCosignAgrees(reference, env)
    expect(readFileSync(path.join(folder, 'theirs.pub'), 'utf8')).toBe(readFileSync(path.join(folder, 'key.pub'), 'utf8'))
  })

  it.each<KeyKind>(['ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'rsa-3072'])('signs with %s, and cosign verifies it', async (kind) => {
    const reference = `awskms://${host}/alias/${kind}`
    const options = { env, cwd: folder, password: () => Promise.reject(new Error('nobody')), kind }
    const made = await createKey(reference, options)
    await expectCosignAgrees(reference, env, digestFor(kind))
    expect(readFileSync(path.join(folder, 'key.pub'), 'utf8')).toBe(encodePublicKeyPem(made))
  })

  it('has no key of another name', async () => {
    const reference = `awskms://${host}/alias/nothing`
    expect(await refuseToRun(['public-key', '--key', reference], env)).toContain('AWS KMS refused with status 400: "NotFoundException')
  })
})

describe.skipIf(cosign === '')('a plugin', () => {
  let running: RunningStore
  beforeAll(async () => {
    running = await pluginStore.start()
  })
  afterAll(() => running.close())

  it.each<KeyKind>(['ecdsa-p256', 'rsa-2048'])(
    'signs with %s for us and for cosign, and each verifies what the other signed',
    async (kind) => {
      const { reference } = running.hold(kind)
      const env = { ...running.env, PATH: `${running.env['PATH']}:${path.dirname(process.execPath)}` }
      await expectCosignAgrees(reference, env)
      const signed = await runCosign(['sign-blob', 'artifact', '--key', reference, ...local, '--bundle', 'theirs.json', '--yes'], env)
      expect(signed.exitCode, signed.stderr).toBe(0)
      await run(['verify-blob', 'artifact', '--key', reference, '--bundle', 'theirs.json', '--insecure-ignore-tlog'], env)
    },
  )

  it('makes a key for cosign, which is the one that it makes for us', async () => {
    const env = { ...running.env, PATH: `${running.env['PATH']}:${path.dirname(process.execPath)}` }
    const made = await runCosign(['generate-key-pair', '--kms', 'test-hsm://made', '--output-key-prefix', 'made'], env)
    expect(made.exitCode, made.stderr).toBe(0)
    await run(['generate-key-pair', '--kms', 'test-hsm://made', '--output-key-prefix', 'again'], env)
    expect(readFileSync(path.join(folder, 'again.pub'), 'utf8')).toBe(readFileSync(path.join(folder, 'made.pub'), 'utf8'))
  })
})

describe.skipIf(cosign === '').each([vaultStore, openBaoStore, azureStore])('the stand-in for $name of the contract suite', (store) => {
  let running: RunningStore
  let env: Surroundings = {}
  beforeAll(async () => {
    running = await store.start()
    // cosign knows the namespace by Vault's name only.
    env = { ...running.env, VAULT_NAMESPACE: 'team/a' }
  })
  afterAll(() => running.close())

  it('is taken by cosign for what it stands for: each verifies what the other signed', async () => {
    const { reference } = running.hold('ecdsa-p256')
    await expectCosignAgrees(reference, env)
    const signed = await runCosign(['sign-blob', 'artifact', '--key', reference, ...local, '--bundle', 'theirs.json', '--yes'], env)
    expect(signed.exitCode, signed.stderr).toBe(0)
    await run(['verify-blob', 'artifact', '--key', reference, '--bundle', 'theirs.json', '--insecure-ignore-tlog'], env)
  })

  it('makes a key for cosign, which is the one that it makes for us', async () => {
    const reference = `${store.fresh}-shared`
    const made = await runCosign(['generate-key-pair', '--kms', reference, '--output-key-prefix', 'made'], env)
    expect(made.exitCode, made.stderr).toBe(0)
    await run(['generate-key-pair', '--kms', reference, '--output-key-prefix', 'again'], env)
    expect(readFileSync(path.join(folder, 'again.pub'), 'utf8')).toBe(readFileSync(path.join(folder, 'made.pub'), 'utf8'))
  })
})
