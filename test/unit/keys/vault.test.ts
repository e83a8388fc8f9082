/** What is particular about Vault and OpenBao: where the server, the token and the authority are found, and versions of keys. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { KeyStoreOptions } from '../../../src/keys/key-store.ts'
import { keyStore } from '../../../src/keys/kms/vault.ts'
import type { InternetAnswer, InternetRequest } from '../../support/internet.ts'
import { startInternet } from '../../support/internet.ts'
import { pemOf, signAsHolder, testKey } from '../../support/key-stores/holder.ts'

const home = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-vault-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const native = testKey('ecdsa-p256')
const keyAnswer = { data: { latest_version: 3, keys: { 3: { name: 'P-256', public_key: pemOf(native) } } } }

interface World {
  readonly options: KeyStoreOptions
  readonly requests: InternetRequest[]
}

async function world(env: Record<string, string>, answer: (request: InternetRequest) => InternetAnswer): Promise<World> {
  const requests: InternetRequest[] = []
  const internet = await startInternet(['vault.example', 'bao.example'], (request) => {
    requests.push(request)
    return answer(request)
  })
  onTestFinished(() => internet.close())
  return { options: { env: { ...internet.env, ...env }, cwd: '/', password: () => Promise.reject(new Error('nobody')) }, requests }
}

const found = (): InternetAnswer => ({ body: JSON.stringify(keyAnswer) })

describe('the server', () => {
  it.each([
    [
      'hashivault://k',
      { VAULT_ADDR: 'https://vault.example', BAO_ADDR: 'https://bao.example', VAULT_TOKEN: 'v', BAO_TOKEN: 'b' },
      'vault.example',
      'v',
    ],
    [
      'openbao://k',
      { VAULT_ADDR: 'https://vault.example', BAO_ADDR: 'https://bao.example', VAULT_TOKEN: 'v', BAO_TOKEN: 'b' },
      'bao.example',
      'b',
    ],
    ['hashivault://k', { BAO_ADDR: 'https://bao.example', BAO_TOKEN: 'b' }, 'bao.example', 'b'],
    ['openbao://k', { VAULT_ADDR: 'https://vault.example', VAULT_TOKEN: 'v' }, 'vault.example', 'v'],
  ])('of %s with %j is %s', async (reference, env, host, token) => {
    const { options, requests } = await world(env, found)
    await keyStore.fetchPublicKey(reference, options)
    expect(requests.map((request) => [request.host, request.path, request.headers['x-vault-token']])).toEqual([
      [host, '/v1/transit/keys/k', token],
    ])
  })

  it('is not asked without an address or a token', async () => {
    const { options, requests } = await world({ HOME: home() }, found)
    await expect(keyStore.openKey('openbao://k', options)).rejects.toThrow('openbao://k: BAO_ADDR is not set')
    const addressed = { ...options, env: { ...options.env, BAO_ADDR: 'https://bao.example' } }
    await expect(keyStore.openKey('openbao://k', addressed)).rejects.toThrow('no token, set BAO_TOKEN or sign in')
    expect(requests).toEqual([])
  })

  it('gets the token that signing in left behind', async () => {
    const HOME = home()
    writeFileSync(path.join(HOME, '.vault-token'), 's.fromfile\n')
    const { options, requests } = await world({ HOME, VAULT_ADDR: 'https://vault.example' }, found)
    await keyStore.fetchPublicKey('hashivault://k', options)
    expect(requests[0]?.headers['x-vault-token']).toBe('s.fromfile')
  })

  it('gets no token with a line break, and nobody else sees it', async () => {
    const { options, requests } = await world({ VAULT_ADDR: 'https://vault.example', VAULT_TOKEN: 'secret\r\nx-other: 1' }, found)
    await expect(keyStore.openKey('hashivault://k', options)).rejects.toThrow(
      /^hashivault:\/\/k: the token has characters that no token has$/,
    )
    expect(requests).toEqual([])
  })

  it('is known by the authority of VAULT_CACERT alone', async () => {
    const { options } = await world({ VAULT_ADDR: 'https://vault.example', VAULT_TOKEN: 'v' }, found)
    const { SSL_CERT_FILE: authority = '', SSL_CERT_DIR: _, ...env } = options.env as Record<string, string>
    await expect(keyStore.fetchPublicKey('hashivault://k', { ...options, env })).rejects.toThrow(/TLS certificate/)
    await expect(keyStore.fetchPublicKey('hashivault://k', { ...options, env: { ...env, VAULT_CACERT: authority } })).resolves.toBeDefined()
    await expect(
      keyStore.fetchPublicKey('hashivault://k', { ...options, env: { ...env, VAULT_CACERT: '/nothing' } }),
    ).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    })
  })

  it('that sends elsewhere is not followed with the token', async () => {
    const elsewhere = () => ({ status: 307, headers: { location: 'https://bao.example/v1/transit/keys/k' }, body: '' })
    const { options, requests } = await world({ VAULT_ADDR: 'https://vault.example', VAULT_TOKEN: 'v' }, elsewhere)
    await expect(keyStore.openKey('hashivault://k', options)).rejects.toThrow('the Vault server vault.example cannot be used')
    expect(requests.every(({ host }) => host === 'vault.example')).toBe(true)
  })
})

describe('a key', () => {
  const env = { VAULT_ADDR: 'https://vault.example', VAULT_TOKEN: 'v' }

  it.each([
    ['an encryption key', { latest_version: 1, keys: { 1: 1_700_000_000 } }, /should be an object/],
    ['a symmetric key', { latest_version: 1, keys: { 1: { name: 'hmac' } } }, /has no public half, so it is not one for signatures/],
    ['without its newest version', { latest_version: 2, keys: { 1: { public_key: pemOf(native) } } }, /keys\.2 is missing/],
    [
      'a private key',
      { latest_version: 1, keys: { 1: { public_key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----' } } },
      /expected a PUBLIC KEY/,
    ],
    ['half of an Ed25519 key', { latest_version: 1, keys: { 1: { name: 'ed25519', public_key: 'AAAA' } } }, /has 3 bytes, expected 32/],
  ])('that is %s is refused', async (_, data, reason) => {
    const { options } = await world(env, () => ({ body: JSON.stringify({ data }) }))
    await expect(keyStore.openKey('hashivault://k', options)).rejects.toThrow(reason)
  })

  it('that was rotated in between signs with the version whose public key was shown', async () => {
    const { options, requests } = await world(env, ({ path, body }) => {
      if (path.includes('/keys/')) return found()
      const { input, key_version: version } = JSON.parse(Buffer.from(body).toString()) as { input: string; key_version: number }
      const signature = Buffer.from(signAsHolder(native, 'ecdsa', 'sha256', Buffer.from(input, 'base64'))).toString('base64')
      return { body: JSON.stringify({ data: { signature: `vault:v${version === 3 ? 3 : 4}:${signature}` } }) }
    })
    const signer = (await keyStore.openKey('hashivault://k', options)).createSigner()
    await expect(Promise.resolve(signer.sign(Buffer.from('x')))).resolves.toBeDefined()
    expect(requests.at(-1)?.path).toBe('/v1/transit/sign/k/sha2-256')
  })

  it.each(['vault:v4:AAAA', 'AAAA', 'vault:v3:', 'vault:v3:not base64', 'vault:v3:AAAA:AAAA'])('has no signature %s', async (signature) => {
    const { options } = await world(env, ({ path }) =>
      path.includes('/keys/') ? found() : { body: JSON.stringify({ data: { signature } }) },
    )
    const signer = (await keyStore.openKey('hashivault://k', options)).createSigner()
    await expect(Promise.resolve(signer.sign(Buffer.from('x')))).rejects.toThrow(/cannot be used|not of its public key/)
  })
})
