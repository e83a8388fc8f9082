/** The transit engine of Vault and of OpenBao. */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { keyStore } from '../../../src/keys/kms/vault.ts'
import { startInternet } from '../internet.ts'
import type { InternetAnswer, InternetRequest } from '../internet.ts'
import { pemOf, signAsHolder, testKey } from './holder.ts'
import type { Digest, Scheme } from './holder.ts'
import type { Fault, StoreKind } from './store.ts'

export const vaultStore = createVaultStore('Vault', 'hashivault', 'VAULT')
export const openBaoStore = createVaultStore('OpenBao', 'openbao', 'BAO')

function createVaultStore(name: string, scheme: string, prefix: string): StoreKind {
  const kinds: readonly KeyKind[] = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519']
  return {
    name,
    kinds,
    makes: kinds,
    pss: 'asked',
    signsEd25519ph: true,
    faults: ['refuse', 'hang up', 'other key', 'garbage', 'nothing in it', 'too much'],
    unknown: `${scheme}://unknown`,
    fresh: `${scheme}://fresh`,
    malformed: [
      `${scheme}://`,
      `${scheme}://a/b`,
      `${scheme}://-a`,
      `${scheme}://a.`,
      `${scheme}://../sys`,
      `${scheme}://a?b`,
      `${scheme}://a b`,
    ],
    secrets: ['the-vault-token'],
    source: { file: 'src/keys/kms/vault.ts' },
    async start() {
      const keys = new Map<string, { kind: KeyKind; native: KeyObject }>()
      const running = { fault: 'none' as Fault }
      let asked = 0
      const internet = await startInternet(['vault.example'], (request) => {
        asked++
        return answer(request, keys, running.fault)
      })
      return Object.assign(running, {
        keyStore,
        env: {
          ...internet.env,
          [`${prefix}_ADDR`]: 'https://vault.example:8200/',
          [`${prefix}_TOKEN`]: 'the-vault-token',
          [`${prefix}_NAMESPACE`]: 'team/a',
          TRANSIT_SECRET_ENGINE_PATH: '/a/transit/',
        },
        asked: () => asked,
        hold(kind: KeyKind) {
          keys.set(kind, { kind, native: testKey(kind) })
          return { reference: `${scheme}://${kind}`, native: testKey(kind) }
        },
        close: () => internet.close(),
      })
    },
  }
}

function answer(
  { method, path, headers, body }: InternetRequest,
  keys: Map<string, { kind: KeyKind; native: KeyObject }>,
  fault: Fault,
): InternetAnswer | undefined {
  if (fault === 'hang up') return undefined
  if (headers['x-vault-token'] !== 'the-vault-token' || headers['x-vault-namespace'] !== 'team/a' || headers['x-vault-request'] !== 'true')
    return refuse(403, 'permission denied')
  if (fault === 'refuse') return refuse(403, '1 error occurred:\n\t* permission denied\n\n')
  if (fault === 'garbage') return { body: '{"data":' }
  if (fault === 'nothing in it') return { body: '{"data":{}}' }
  if (fault === 'too much') return { body: JSON.stringify({ data: 'x'.repeat(2_000_000) }) }
  const [, action, name = '', hash] = /^\/v1\/a\/transit\/(keys|sign)\/([\w.-]+)(?:\/(sha2-\d+))?$/.exec(path) ?? []
  const asked = body.length === 0 ? {} : (JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>)
  // Vault takes either, and cosign's client the other.
  if (action === 'keys' && (method === 'POST' || method === 'PUT')) {
    const kind = asked['type'] as KeyKind
    keys.set(name, { kind, native: testKey(kind, 'new') })
    return { status: 204, body: '' }
  }
  const key = keys.get(name)
  if (action === undefined || key === undefined) return { status: 404, body: '{"errors":[]}' }
  const { kind, native } = key
  if (action === 'keys') {
    const point = Buffer.from(createPublicKey(native).export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
    const current = { name: kind.replace('ecdsa-p', 'P-'), public_key: pemOf(native), creation_time: '2026-01-01T00:00:00Z' }
    const old = { ...current, public_key: pemOf(testKey(kind, 'old')) }
    const versions = { 1: old, 2: kind === 'ed25519' ? { ...current, name: 'ed25519', public_key: point } : current }
    return { body: JSON.stringify({ data: { type: kind, latest_version: 2, keys: versions } }) }
  }
  // cosign asks for 0, which is the newest.
  if (!['0', 2].includes(asked['key_version'] as string | number) || asked['prehashed'] !== (hash !== undefined))
    return refuse(400, 'wrong version, or not what was said')
  const scheme: Scheme =
    kind === 'ed25519' ? 'ed25519' : kind.startsWith('ecdsa') ? 'ecdsa' : asked['signature_algorithm'] === 'pss' ? 'pss' : 'pkcs1'
  const signer = fault === 'other key' ? testKey(kind, 'other') : native
  const digest = hash?.replace('sha2-', 'sha') as Digest | undefined
  const signature = signAsHolder(signer, scheme, digest, Buffer.from(String(asked['input']), 'base64'))
  return { body: JSON.stringify({ data: { signature: `vault:v2:${Buffer.from(signature).toString('base64')}`, key_version: 2 } }) }
}

function refuse(status: number, error: string): InternetAnswer {
  return { status, body: JSON.stringify({ errors: [error] }) }
}
