/** Azure Key Vault (REST), and where its clients sign in. */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { keyStore } from '../../../src/keys/kms/azure.ts'
import { startInternet } from '../internet.ts'
import type { InternetAnswer, InternetRequest } from '../internet.ts'
import { rawSignature, signAsHolder, testKey } from './holder.ts'
import type { Digest, Scheme } from './holder.ts'
import type { Fault, StoreKind } from './store.ts'

const vault = 'testing.vault.azure.net'
const login = 'login.microsoftonline.com'
const version = '0123456789abcdef0123456789abcdef'

export const azureStore: StoreKind = {
  name: 'Azure Key Vault',
  kinds: ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048'],
  makes: ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048'],
  pss: 'asked',
  signsEd25519ph: false,
  faults: ['refuse', 'hang up', 'other key', 'garbage', 'nothing in it', 'too much'],
  unknown: `azurekms://${vault}/unknown`,
  fresh: `azurekms://${vault}/fresh`,
  malformed: [
    'azurekms://',
    `azurekms://${vault}`,
    `azurekms://${vault}/`,
    `azurekms://${vault}/a_b`,
    `azurekms://${vault}/key/version/more`,
    `azurekms://${vault}/key/VERSION`,
    `azurekms://me@${vault}/key`,
    `azurekms://${vault}/key?x`,
  ],
  secrets: ['the-azure-secret', 'the-azure-token'],
  source: { file: 'src/keys/kms/azure.ts', needs: '@azure/keyvault-keys' },
  async start() {
    const keys = new Map<string, KeyObject>()
    const running = { fault: 'none' as Fault }
    let asked = 0
    const internet = await startInternet([vault, login], (request) => {
      asked++
      return request.host === login ? signIn(request) : answer(request, keys, running.fault)
    })
    return Object.assign(running, {
      keyStore,
      env: { ...internet.env, AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'client', AZURE_CLIENT_SECRET: 'the-azure-secret' },
      asked: () => asked,
      hold(kind: KeyKind) {
        keys.set(kind, testKey(kind))
        return { reference: `azurekms://${vault}/${kind}`, native: testKey(kind) }
      },
      close: () => internet.close(),
    })
  },
}

function signIn({ path, body }: InternetRequest): InternetAnswer {
  const base = `https://${login}/tenant`
  if (path.includes('openid-configuration')) {
    return {
      body: JSON.stringify({
        issuer: `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${base}/keys`,
      }),
    }
  }
  if (path.includes('/discovery/instance')) {
    const metadata = [{ preferred_network: login, preferred_cache: 'login.windows.net', aliases: [login] }]
    return { body: JSON.stringify({ tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`, metadata }) }
  }
  const form = new URLSearchParams(Buffer.from(body).toString())
  if (form.get('client_secret') !== 'the-azure-secret' || form.get('scope')?.includes('https://vault.azure.net/.default') !== true)
    return { status: 401, body: JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret' }) }
  return { body: JSON.stringify({ token_type: 'Bearer', expires_in: 3600, access_token: 'the-azure-token' }) }
}

function answer({ method, path, headers, body }: InternetRequest, keys: Map<string, KeyObject>, fault: Fault): InternetAnswer | undefined {
  if (fault === 'hang up') return undefined
  if (headers.authorization !== 'Bearer the-azure-token') {
    const challenge = `Bearer authorization="https://${login}/tenant", resource="https://vault.azure.net"`
    return {
      ...refuse(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.'),
      headers: { 'www-authenticate': challenge },
    }
  }
  if (fault === 'refuse') return refuse(403, 'Forbidden', 'Caller is not authorized to perform action on resource.')
  if (fault === 'garbage') return { body: '{"key":' }
  if (fault === 'nothing in it') return { body: '{}' }
  if (fault === 'too much') return { body: JSON.stringify({ value: 'x'.repeat(1_000_000) }) }
  const [, , name = '', action] = new URL(path, `https://${vault}`).pathname.split('/')
  const asked = body.length === 0 ? {} : (JSON.parse(Buffer.from(body).toString()) as Record<string, string>)
  if (action === 'create') {
    const kind = asked['kty'] === 'RSA' ? `rsa-${asked['key_size']}` : `ecdsa-${(asked['crv'] ?? 'P-256').replace('P-', 'p')}`
    keys.set(name, testKey(kind as KeyKind, 'new'))
  }
  const key = keys.get(name)
  if (key === undefined) return refuse(404, 'KeyNotFound', `A key with (name/id) ${name} was not found in this key vault.`)
  if (!path.includes('/sign')) return { body: JSON.stringify(bundle(name, key)) }
  if (method !== 'POST' || ![version, 'sign'].includes(action ?? '')) return refuse(400, 'BadParameter', 'no version')
  return { body: JSON.stringify({ kid: bundle(name, key).key.kid, value: Buffer.from(sign(key, asked, fault)).toString('base64url') }) }
}

function sign(native: KeyObject, asked: Record<string, string>, fault: Fault): Uint8Array {
  const kinds: readonly KeyKind[] = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048']
  const kind = kinds.find((candidate) => [testKey(candidate), testKey(candidate, 'new')].includes(native)) ?? 'ecdsa-p256'
  const key = fault === 'other key' ? testKey(kind, 'other') : native
  const algorithm = asked['alg'] ?? ''
  const scheme = ({ ES: 'ecdsa', RS: 'pkcs1', PS: 'pss' } as Readonly<Record<string, Scheme>>)[algorithm.slice(0, 2)] ?? 'ecdsa'
  const signature = signAsHolder(key, scheme, `sha${algorithm.slice(2)}` as Digest, Buffer.from(asked['value'] ?? '', 'base64url'))
  return scheme === 'ecdsa' ? rawSignature(key, signature) : signature
}

function bundle(name: string, key: KeyObject): { key: Record<string, unknown>; attributes: object } {
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  // In hardware, as far as its name goes.
  const kty = jwk.kty === 'EC' ? 'EC-HSM' : jwk.kty
  const kid = `https://${vault}/keys/${name}/${version}`
  return { key: { ...jwk, kty, kid, key_ops: ['sign', 'verify'] }, attributes: { enabled: true, created: 1, updated: 1 } }
}

function refuse(status: number, code: string, message: string): InternetAnswer {
  return { status, body: JSON.stringify({ error: { code, message } }) }
}
