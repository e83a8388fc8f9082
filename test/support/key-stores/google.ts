/** Google Cloud KMS (REST), with a service account that signs its own tokens. */
import { createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { keyStore } from '../../../src/keys/kms/google.ts'
import { startInternet } from '../internet.ts'
import type { InternetAnswer, InternetRequest } from '../internet.ts'
import { pemOf, signAsHolder, testKey } from './holder.ts'
import type { Digest } from './holder.ts'
import type { Fault, StoreKind } from './store.ts'

const ring = 'projects/p/locations/global/keyRings/r'
const algorithms: Readonly<Partial<Record<KeyKind, string>>> = {
  'ecdsa-p256': 'EC_SIGN_P256_SHA256',
  'ecdsa-p384': 'EC_SIGN_P384_SHA384',
  'rsa-2048': 'RSA_SIGN_PKCS1_2048_SHA256',
  'rsa-3072': 'RSA_SIGN_PKCS1_3072_SHA256',
  ed25519: 'EC_SIGN_ED25519',
}

/** Enumerations are asked for as numbers, and so they are answered. */
const numbers: Readonly<Record<string, number>> = {
  EC_SIGN_P256_SHA256: 12,
  EC_SIGN_P384_SHA384: 13,
  EC_SIGN_ED25519: 40,
  RSA_SIGN_PSS_2048_SHA256: 2,
  RSA_SIGN_PKCS1_2048_SHA256: 5,
  RSA_SIGN_PKCS1_3072_SHA256: 6,
}
const asymmetricSign = 5

interface Version {
  readonly algorithm: string
  readonly native: KeyObject
  /** How often it is asked for before it was generated. */
  pending: number
}

interface World {
  readonly versions: Map<string, Version>
  readonly rings: Set<string>
  readonly account: KeyObject
}

/** How an answer of KMS is changed on its way: for what the checksums are there for. */
export type Corruption = (answer: Record<string, unknown>) => void

export const googleStore = createGoogleStore(() => {})

export function createGoogleStore(corrupt: Corruption): StoreKind {
  return {
    name: 'Google Cloud KMS',
    kinds: ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'],
    makes: ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'],
    pss: 'bound',
    signsEd25519ph: false,
    faults: ['refuse', 'hang up', 'other key', 'garbage', 'nothing in it', 'too much'],
    unknown: `gcpkms://${ring}/cryptoKeys/unknown/cryptoKeyVersions/1`,
    fresh: 'gcpkms://projects/p/locations/global/keyRings/new/cryptoKeys/fresh',
    malformed: [
      'gcpkms://',
      `gcpkms://${ring}`,
      `gcpkms://${ring}/cryptoKeys/`,
      `gcpkms://${ring}/cryptoKeys/k/cryptoKeyVersions/`,
      `gcpkms://${ring}/cryptoKeys/k/cryptoKeyVersions/latest`,
      `gcpkms://${ring}/cryptoKeys/k/other/1`,
      `gcpkms://${ring}/cryptoKeys/k?alt=media`,
      'gcpkms://projects/p/../keyRings/r/cryptoKeys/k',
    ],
    secrets: ['PRIVATE KEY'],
    source: { file: 'src/keys/kms/google.ts', needs: '@google-cloud/kms' },
    async start() {
      const account = testKey('rsa-2048', 'account')
      const world: World = { versions: new Map(), rings: new Set([ring]), account: createPublicKey(account) }
      const running = { fault: 'none' as Fault }
      let asked = 0
      const internet = await startInternet(['cloudkms.googleapis.com', 'oauth2.googleapis.com'], (request) => {
        asked++
        return answer(request, world, running.fault, corrupt)
      })
      const folder = mkdtempSync(path.join(tmpdir(), 'countersign-google-'))
      const file = path.join(folder, 'account.json')
      const credentials = {
        type: 'service_account',
        project_id: 'p',
        private_key_id: 'k',
        private_key: account.export({ type: 'pkcs8', format: 'pem' }),
        client_email: 'signer@p.iam.gserviceaccount.com',
        client_id: '1',
        token_uri: 'https://oauth2.googleapis.com/token',
      }
      writeFileSync(file, JSON.stringify(credentials))
      return Object.assign(running, {
        keyStore,
        env: { ...internet.env, GOOGLE_APPLICATION_CREDENTIALS: file },
        asked: () => asked,
        hold(kind: KeyKind, isPss = false) {
          const native = testKey(kind)
          const algorithm = isPss ? 'RSA_SIGN_PSS_2048_SHA256' : (algorithms[kind] ?? '')
          const name = `${ring}/cryptoKeys/${kind}${isPss ? '-pss' : ''}`
          world.versions.set(`${name}/cryptoKeyVersions/9`, {
            algorithm: 'EC_SIGN_P256_SHA256',
            native: testKey('ecdsa-p256', 'old'),
            pending: 0,
          })
          world.versions.set(`${name}/cryptoKeyVersions/10`, { algorithm, native, pending: 0 })
          return { reference: `gcpkms://${name}`, native }
        },
        async close() {
          await internet.close()
          rmSync(folder, { recursive: true })
        },
      })
    },
  }
}

function answer(
  { host, method, path, headers, body }: InternetRequest,
  world: World,
  fault: Fault,
  corrupt: Corruption,
): InternetAnswer | undefined {
  if (!host.startsWith('cloudkms')) return refuse(500, 'INTERNAL', `nobody should have asked ${host}`)
  if (fault === 'hang up') return undefined
  if (fault === 'garbage') return { body: '{"name":' }
  if (fault === 'nothing in it') return { body: '{}' }
  if (fault === 'too much') return { body: JSON.stringify({ name: 'x'.repeat(1_000_000) }) }
  if (!isSignedIn(String(headers.authorization), world.account)) return refuse(401, 'UNAUTHENTICATED', 'no token')
  if (fault === 'refuse') return refuse(403, 'PERMISSION_DENIED', "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied")
  const url = new URL(path, 'https://cloudkms.googleapis.com')
  const resource = url.pathname.slice('/v1/'.length)
  const asked = body.length === 0 ? {} : (JSON.parse(Buffer.from(body).toString()) as Record<string, Record<string, string>>)
  const result = method === 'POST' ? change(resource, url, asked, world, fault) : read(resource, world)
  if (result === undefined) return refuse(404, 'NOT_FOUND', `${resource} not found.`)
  corrupt(result)
  return { body: JSON.stringify(result) }
}

function read(resource: string, { versions, rings }: World): Record<string, unknown> | undefined {
  if (rings.has(resource)) return { name: resource }
  if (resource.endsWith('/cryptoKeyVersions')) {
    const found = [...versions].filter(([name, version]) => name.startsWith(`${resource}/`) && version.pending-- <= 0)
    // As text, "9" comes after "10".
    const names = found
      .map(([name]) => name)
      .sort()
      .toReversed()
    return { cryptoKeyVersions: names.map((name) => ({ name, state: 'ENABLED' })), totalSize: names.length }
  }
  if (resource.endsWith('/publicKey')) {
    const name = resource.slice(0, -'/publicKey'.length)
    const version = versions.get(name)
    if (version === undefined) return undefined
    const pem = pemOf(version.native)
    return { pem, algorithm: numbers[version.algorithm], pemCrc32c: checksum(Buffer.from(pem)), name, protectionLevel: 'SOFTWARE' }
  }
  return [...versions.keys()].some((name) => name.startsWith(`${resource}/`)) ? { name: resource, purpose: asymmetricSign } : undefined
}

function change(
  resource: string,
  url: URL,
  asked: Record<string, Record<string, string>>,
  { versions, rings }: World,
  fault: Fault,
): Record<string, unknown> | undefined {
  if (resource.endsWith('/keyRings')) {
    const name = `${resource}/${url.searchParams.get('keyRingId')}`
    rings.add(name)
    return { name }
  }
  if (resource.endsWith('/cryptoKeys')) {
    const name = `${resource}/${url.searchParams.get('cryptoKeyId')}`
    if (!rings.has(resource.slice(0, -'/cryptoKeys'.length))) return undefined
    const number = Number((asked['versionTemplate'] as { algorithm?: number } | undefined)?.algorithm)
    const [algorithm = ''] = Object.entries(numbers).find(([, value]) => value === number) ?? []
    const kind = kindOf(algorithm)
    if (kind === undefined || Number(asked['purpose']) !== asymmetricSign) return undefined
    versions.set(`${name}/cryptoKeyVersions/1`, { algorithm, native: testKey(kind, 'new'), pending: 1 })
    return { name, purpose: asymmetricSign }
  }
  const name = resource.replace(/:asymmetricSign$/, '')
  const version = versions.get(name)
  if (version === undefined || name === resource) return undefined
  const { native, algorithm } = version
  const isPure = algorithm === 'EC_SIGN_ED25519'
  const [digest, text] = isPure ? [undefined, textOf(asked['data'])] : (Object.entries(asked['digest'] ?? {})[0] ?? ['', ''])
  if (!isPure && !algorithm.toLowerCase().endsWith(String(digest))) return undefined
  const input = Buffer.from(text, 'base64')
  const stated = textOf(asked[isPure ? 'dataCrc32c' : 'digestCrc32c'])
  const scheme = isPure ? 'ed25519' : algorithm.startsWith('EC') ? 'ecdsa' : algorithm.includes('PSS') ? 'pss' : 'pkcs1'
  const signer = fault === 'other key' ? testKey(kindOf(algorithm) ?? 'rsa-2048', 'other') : native
  const signature = signAsHolder(signer, scheme, digest as Digest | undefined, input)
  return {
    name,
    signature: Buffer.from(signature).toString('base64'),
    signatureCrc32c: checksum(signature),
    [isPure ? 'verifiedDataCrc32c' : 'verifiedDigestCrc32c']: stated === checksum(input),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function kindOf(algorithm: string): KeyKind | undefined {
  return Object.entries(algorithms).find(([, value]) => value === algorithm)?.[0] as KeyKind | undefined
}

/** A token that the account signed itself, for just this service. */
function isSignedIn(authorization: string, account: KeyObject): boolean {
  const [head = '', claims = '', signature = ''] = authorization.replace(/^Bearer /, '').split('.')
  const isSigned = verify('sha256', Buffer.from(`${head}.${claims}`), account, Buffer.from(signature, 'base64url'))
  return isSigned && Buffer.from(claims, 'base64url').toString().includes('signer@p.iam.gserviceaccount.com')
}

function refuse(code: number, status: string, message: string): InternetAnswer {
  return { status: code, body: JSON.stringify({ error: { code, message, status } }) }
}

const table = Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value >>> 0
})

/** CRC-32C by table, as a protobuf 64-bit integer in JSON. */
function checksum(bytes: Uint8Array): string {
  return String((bytes.reduce((crc, byte) => (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8), 0xffff_ffff) ^ 0xffff_ffff) >>> 0)
}
