/** Keys in Google Cloud KMS: `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K`, with `/cryptoKeyVersions/N` for one version. */
import type { KeyManagementServiceClient } from '@google-cloud/kms'
import type { KeyKind } from '../../crypto/private-key.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKeyPem } from '../../crypto/public-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { encodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { pause } from '../../http/deadline.ts'
import { variableOf } from '../../http/environment.ts'
import { createHeldKey } from '../held-key.ts'
import type { SigningRequest } from '../held-key.ts'
import type { KeyStore, KeyStoreOptions } from '../key-store.ts'
import { loadOptionalPackage } from '../optional-package.ts'
import { crc32c } from './crc32c.ts'
import type { SdkConnection } from './sdk-connection.ts'
import { createSdkConnection, ServiceRefusedError, unusableAnswer } from './sdk-connection.ts'

const service = 'Google Cloud KMS'
const form = 'gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY[/cryptoKeyVersions/VERSION]'
const segment = '[A-Za-z0-9_.:-]+'
const reference = new RegExp(
  `^gcpkms://(?<ring>(?<location>projects/${segment}/locations/${segment})/keyRings/(?<ringName>${segment}))/cryptoKeys/(?<key>${segment})` +
    '(?:/(?:cryptoKeyVersions|versions)/(?<version>[0-9]+))?$',
)

/** A version of a key is made for one algorithm. */
const algorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['EC_SIGN_P256_SHA256', 'ecdsa-sha256'],
  ['EC_SIGN_P384_SHA384', 'ecdsa-sha384'],
  ['EC_SIGN_ED25519', 'ed25519'],
  ['RSA_SIGN_PKCS1_2048_SHA256', 'rsa-pkcs1-sha256'],
  ['RSA_SIGN_PKCS1_3072_SHA256', 'rsa-pkcs1-sha256'],
  ['RSA_SIGN_PKCS1_4096_SHA256', 'rsa-pkcs1-sha256'],
  ['RSA_SIGN_PKCS1_4096_SHA512', 'rsa-pkcs1-sha512'],
  ['RSA_SIGN_PSS_2048_SHA256', 'rsa-pss-sha256'],
  ['RSA_SIGN_PSS_3072_SHA256', 'rsa-pss-sha256'],
  ['RSA_SIGN_PSS_4096_SHA256', 'rsa-pss-sha256'],
  ['RSA_SIGN_PSS_4096_SHA512', 'rsa-pss-sha512'],
])

const newKeyAlgorithms = {
  'ecdsa-p256': 'EC_SIGN_P256_SHA256',
  'ecdsa-p384': 'EC_SIGN_P384_SHA384',
  'rsa-2048': 'RSA_SIGN_PKCS1_2048_SHA256',
  'rsa-3072': 'RSA_SIGN_PKCS1_3072_SHA256',
  'rsa-4096': 'RSA_SIGN_PKCS1_4096_SHA256',
  ed25519: 'EC_SIGN_ED25519',
} as const satisfies Partial<Record<KeyKind, string>>

/** What KMS takes of a message that it signs whole, as for Ed25519. */
const maxDataBytes = 64 * 1024
const versionsPerPage = 100
/** A new key is made within seconds; in hardware it may take longer. */
const attemptsForNewKey = 60
const pauseForNewKeyMs = 1000

export const keyStore: KeyStore = {
  async openKey(text, options) {
    const session = await openSession(text, options)
    const version = await versionName(session)
    const { publicKey, algorithm } = await readVersion(session, version)
    return createHeldKey({
      publicKey,
      name: text,
      algorithms: algorithm === undefined ? [] : [algorithm],
      sign: (request) => sign(session, version, request),
    })
  },

  async fetchPublicKey(text, options) {
    const session = await openSession(text, options)
    return (await readVersion(session, await versionName(session))).publicKey
  },

  async createKey(text, options) {
    const { kind } = options
    const algorithm = kind in newKeyAlgorithms ? newKeyAlgorithms[kind as keyof typeof newKeyAlgorithms] : undefined
    if (algorithm === undefined) throw new UsageError('KEY_UNSUPPORTED', `${service} has no keys of the kind ${kind}`)
    const session = await openSession(text, options)
    const { client, connection, names } = session
    if (names.version !== undefined)
      throw new UsageError('USAGE', `expected ${form} without a version for a new key, found ${excerpt(text, 200)}`)
    if (!(await exists(connection, () => client.getCryptoKey({ name: `${names.ring}/cryptoKeys/${names.key}` })))) {
      if (!(await exists(connection, () => client.getKeyRing({ name: names.ring }))))
        await connection.run(() => client.createKeyRing({ parent: names.location, keyRingId: names.ringName }))
      const cryptoKey = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm } } as const
      await connection.run(() => client.createCryptoKey({ parent: names.ring, cryptoKeyId: names.key, cryptoKey }))
    }
    return (await readVersion(session, await newVersionName(session, options.signal))).publicKey
  },
}

interface Names {
  readonly location: string
  readonly ring: string
  readonly ringName: string
  readonly key: string
  readonly version: string | undefined
}

interface Session {
  readonly client: KeyManagementServiceClient
  readonly connection: SdkConnection
  readonly names: Names
}

function parseReference(text: string): Names {
  const groups = reference.exec(text)?.groups
  if (groups === undefined) throw new UsageError('USAGE', `expected ${form}, found ${excerpt(text, 200)}`)
  const { location = '', ring = '', ringName = '', key = '', version } = groups
  return { location, ring, ringName, key, version }
}

async function openSession(text: string, options: KeyStoreOptions): Promise<Session> {
  const names = parseReference(text)
  const { KeyManagementServiceClient } = await loadOptionalPackage(
    '@google-cloud/kms@^5.7.0',
    'gcpkms:// references',
    () => import('@google-cloud/kms'),
  )
  const connection = createSdkConnection({ service, isService: ({ hostname }) => hostname.startsWith('cloudkms.') }, options)
  const keyFilename = variableOf(options.env, 'GOOGLE_APPLICATION_CREDENTIALS')
  const client = new KeyManagementServiceClient({
    // HTTP instead of gRPC: gRPC would bring its own connections, proxies and authorities.
    fallback: true,
    clientOptions: { transporterOptions: { fetchImplementation: fetchOver(connection) } },
    ...(keyFilename === undefined ? {} : { keyFilename }),
  })
  return { client, connection, names }
}

function fetchOver(connection: SdkConnection): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const answer = await connection.send({
      url,
      method: init?.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: bytesOf(init?.body),
    })
    const body = answer.status === 204 ? null : Uint8Array.from(answer.body)
    return new Response(body, { status: answer.status, headers: { ...answer.headers } })
  }
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string' || body instanceof URLSearchParams) return encodeUtf8(String(body))
  return body instanceof Uint8Array ? body : undefined
}

/** The version that the reference names, or the newest of those that are enabled. */
async function versionName({ client, connection, names }: Session): Promise<string> {
  const parent = `${names.ring}/cryptoKeys/${names.key}`
  if (names.version !== undefined) return `${parent}/cryptoKeyVersions/${names.version}`
  const request = { parent, filter: 'state=ENABLED', orderBy: 'name desc', pageSize: versionsPerPage }
  const [versions] = await connection.run(() => client.listCryptoKeyVersions(request, { autoPaginate: false }))
  const numbers = versions.flatMap(({ name }) => {
    const digits = name?.startsWith(`${parent}/cryptoKeyVersions/`) === true ? name.slice(`${parent}/cryptoKeyVersions/`.length) : ''
    return /^[1-9][0-9]{0,15}$/.test(digits) ? [BigInt(digits)] : []
  })
  const newest = numbers.sort((a, b) => (a < b ? -1 : 1)).at(-1)
  if (newest === undefined) throw new CountersignError('SERVICE_REFUSED', `${service} has no enabled version of ${parent}`)
  return `${parent}/cryptoKeyVersions/${newest}`
}

async function readVersion(
  { client, connection }: Session,
  name: string,
): Promise<{ publicKey: PublicKey; algorithm: SignatureAlgorithm | undefined }> {
  const [answer] = await connection.run(() => client.getPublicKey({ name }, { retry: null }))
  if (answer.name !== name)
    throw unusableAnswer(service, `expected the public key of ${name}, found that of ${excerpt(answer.name ?? '', 200)}`)
  const pem = answer.pem ?? ''
  checkChecksum(encodeUtf8(pem), answer.pemCrc32c, 'the public key')
  return { publicKey: parsePublicKeyPem(pem), algorithm: algorithms.get(String(answer.algorithm)) }
}

async function sign({ client, connection }: Session, name: string, { algorithm, input }: SigningRequest): Promise<Uint8Array> {
  if (algorithm === 'ed25519' && input.length > maxDataBytes) {
    throw new UsageError('USAGE', `${service} signs at most ${maxDataBytes} bytes with Ed25519, found ${input.length}: use an ECDSA key`)
  }
  const checksum = { value: crc32c(input) }
  const digestAlgorithm = digestOf(algorithm)
  const asked =
    digestAlgorithm === undefined ? { data: input, dataCrc32c: checksum } : { digest: { [digestAlgorithm]: input }, digestCrc32c: checksum }
  const [answer] = await connection.run(() => client.asymmetricSign({ name, ...asked }, { retry: null }))
  if (answer.name !== name)
    throw unusableAnswer(service, `expected a signature of ${name}, found one of ${excerpt(answer.name ?? '', 200)}`)
  if ((digestAlgorithm === undefined ? answer.verifiedDataCrc32c : answer.verifiedDigestCrc32c) !== true)
    throw unusableAnswer(service, 'what it was asked to sign did not arrive whole, try again')
  const signature = answer.signature instanceof Uint8Array ? answer.signature : new Uint8Array()
  checkChecksum(signature, answer.signatureCrc32c, 'the signature')
  return signature
}

/** Both ways have a checksum (https://cloud.google.com/kms/docs/data-integrity-guidelines). One that is missing does not fit either. */
function checkChecksum(bytes: Uint8Array, stated: { value?: unknown } | null | undefined, what: string): void {
  if (String(stated?.value) !== String(crc32c(bytes)))
    throw unusableAnswer(service, `${what} does not have the checksum that was sent with it`)
}

async function exists(connection: SdkConnection, get: () => Promise<unknown>): Promise<boolean> {
  try {
    await connection.run(get)
    return true
  } catch (error) {
    if (error instanceof ServiceRefusedError && error.status === 404) return false
    throw error
  }
}

/** A new key is there at once, its version when it was generated. */
async function newVersionName(session: Session, signal: AbortSignal | undefined): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await versionName(session)
    } catch (error) {
      const isGenerating = error instanceof CountersignError && error.code === 'SERVICE_REFUSED' && !(error instanceof ServiceRefusedError)
      if (!isGenerating || attempt >= attemptsForNewKey || signal?.aborted === true) throw error
      await pause(pauseForNewKeyMs, signal ?? new AbortController().signal)
    }
  }
}
