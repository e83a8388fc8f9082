/** Keys in AWS KMS: `awskms://[ENDPOINT]/[ID|alias/NAME|ARN]`. */
import type * as kms from '@aws-sdk/client-kms'
import type { CreateKeyCommandInput, KMSClient, SigningAlgorithmSpec } from '@aws-sdk/client-kms'
import type { KeyKind } from '../../crypto/private-key.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { encodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { HttpResponse } from '../../http/fetch.ts'
import { createHeldKey } from '../held-key.ts'
import type { SigningRequest } from '../held-key.ts'
import type { KeyStore, KeyStoreOptions } from '../key-store.ts'
import { loadOptionalPackage } from '../optional-package.ts'
import type { SdkConnection } from './sdk-connection.ts'
import { createSdkConnection, ServiceRefusedError, unusableAnswer } from './sdk-connection.ts'

const service = 'AWS KMS'

const keyId = '(?:mrk-)?[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}|mrk-[0-9a-f]{32}'
const alias = 'alias/[A-Za-z0-9/_-]+'
const arn = 'arn:aws(?:-[a-z]+)*:kms:(?<region>[a-z0-9-]+):[0-9]{12}:'
const reference = new RegExp(
  `^awskms://(?<endpoint>[^/?#@]*)/(?<key>${keyId}|(?<alias>${alias})|${arn}(?:key/(?:${keyId})|(?<arnAlias>${alias})))$`,
)

const algorithms: Readonly<Partial<Record<SignatureAlgorithm, SigningAlgorithmSpec>>> = {
  'ecdsa-sha256': 'ECDSA_SHA_256',
  'ecdsa-sha384': 'ECDSA_SHA_384',
  'ecdsa-sha512': 'ECDSA_SHA_512',
  'rsa-pkcs1-sha256': 'RSASSA_PKCS1_V1_5_SHA_256',
  'rsa-pkcs1-sha384': 'RSASSA_PKCS1_V1_5_SHA_384',
  'rsa-pkcs1-sha512': 'RSASSA_PKCS1_V1_5_SHA_512',
  'rsa-pss-sha256': 'RSASSA_PSS_SHA_256',
  'rsa-pss-sha384': 'RSASSA_PSS_SHA_384',
  'rsa-pss-sha512': 'RSASSA_PSS_SHA_512',
  ed25519: 'ED25519_SHA_512',
  ed25519ph: 'ED25519_PH_SHA_512',
}

const keySpecs: Readonly<Record<KeyKind, NonNullable<CreateKeyCommandInput['KeySpec']>>> = {
  'ecdsa-p256': 'ECC_NIST_P256',
  'ecdsa-p384': 'ECC_NIST_P384',
  'ecdsa-p521': 'ECC_NIST_P521',
  'rsa-2048': 'RSA_2048',
  'rsa-3072': 'RSA_3072',
  'rsa-4096': 'RSA_4096',
  ed25519: 'ECC_NIST_EDWARDS25519',
}

/** What KMS takes of a message that it hashes itself, as for pure Ed25519. */
const maxRawBytes = 4096

export const keyStore: KeyStore = {
  async openKey(text, options) {
    const session = await openSession(text, options)
    const { publicKey, offered } = await readKey(session)
    return createHeldKey({
      publicKey,
      name: text,
      algorithms: (Object.keys(algorithms) as SignatureAlgorithm[]).filter((name) => offered.includes(algorithms[name] ?? '')),
      sign: (request) => sign(session, request),
    })
  },

  async fetchPublicKey(text, options) {
    return (await readKey(await openSession(text, options))).publicKey
  },

  async createKey(text, options) {
    const session = await openSession(text, options)
    const { sdk, client, connection, names } = session
    if (names.alias === undefined)
      throw new UsageError(
        'USAGE',
        `expected awskms://[ENDPOINT]/alias/NAME for a new key, found ${excerpt(text)}: AWS KMS gives IDs itself`,
      )
    try {
      return (await readKey(session)).publicKey
    } catch (error) {
      if (!(error instanceof ServiceRefusedError) || error.reason !== 'NotFoundException') throw error
    }
    const created = await connection.run(() =>
      client.send(
        new sdk.CreateKeyCommand({ KeySpec: keySpecs[options.kind], KeyUsage: 'SIGN_VERIFY', Description: 'Created by Countersign' }),
      ),
    )
    const id = created.KeyMetadata?.KeyId
    if (id === undefined) throw unusableAnswer(service, 'the ID of the new key is missing')
    await connection.run(() => client.send(new sdk.CreateAliasCommand({ AliasName: names.alias, TargetKeyId: id })))
    return (await readKey(session)).publicKey
  },
}

interface Names {
  /** `host` or `host:port`; empty for the region's own. */
  readonly endpoint: string
  readonly key: string
  /** `alias/NAME` where the reference has nothing else. */
  readonly alias: string | undefined
  readonly region: string | undefined
}

interface Session {
  readonly sdk: typeof kms
  readonly client: KMSClient
  readonly connection: SdkConnection
  readonly names: Names
}

function parseReference(text: string): Names {
  const groups = reference.exec(text)?.groups
  if (groups === undefined) {
    throw new UsageError(
      'USAGE',
      `expected awskms://[ENDPOINT]/[ID, alias/NAME or ARN], the endpoint left out where it is AWS's, found ${excerpt(text)}`,
    )
  }
  return { endpoint: groups['endpoint'] ?? '', key: groups['key'] ?? '', alias: groups['alias'], region: groups['region'] }
}

async function openSession(text: string, options: KeyStoreOptions): Promise<Session> {
  const names = parseReference(text)
  // The SDK says on standard error which Node it wants next year: that is no business of who signs.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const sdk = await loadOptionalPackage('@aws-sdk/client-kms@^3.1162.0', 'awskms:// references', () => import('@aws-sdk/client-kms'))
  const { env } = options
  const connection = createSdkConnection(
    { service, advice, ...(env['AWS_TLS_INSECURE_SKIP_VERIFY'] === '1' ? { tls: { insecure: true } } : {}) },
    options,
  )
  const endpoint = names.endpoint === '' ? variableOf(env, 'AWS_ENDPOINT_URL_KMS', 'AWS_ENDPOINT_URL') : `https://${names.endpoint}`
  const region = names.region ?? variableOf(env, 'AWS_REGION', 'AWS_DEFAULT_REGION')
  const accessKeyId = variableOf(env, 'AWS_ACCESS_KEY_ID')
  const secretAccessKey = variableOf(env, 'AWS_SECRET_ACCESS_KEY')
  const sessionToken = variableOf(env, 'AWS_SESSION_TOKEN')
  const client = new sdk.KMSClient({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    // What is not here comes from where all of AWS's tools look: profiles, web identity, the machine.
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
    requestHandler: requestHandler(connection),
  })
  return { sdk, client, connection, names }
}

function advice(said: string): string | undefined {
  if (said !== 'Region is missing') return undefined
  return 'the region is missing: set AWS_REGION, or name the key by its ARN, as in awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID'
}

/** The part of the SDK's HTTP request that KMS uses. */
interface AwsRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

function requestHandler(connection: SdkConnection): { handle(request: AwsRequest): Promise<{ response: never }> } {
  return {
    async handle({ protocol, hostname, port, path, method, headers, body }) {
      const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`
      const answer = await connection.send({ url, method, headers, body: bytesOf(body) })
      return { response: responseOf(answer) as never }
    },
  }
}

function responseOf({ status, headers, body }: HttpResponse): { statusCode: number; headers: Record<string, string>; body: Uint8Array } {
  return { statusCode: status, headers: { ...headers }, body }
}

function bytesOf(body: unknown): Uint8Array | undefined {
  return typeof body === 'string' ? encodeUtf8(body) : body instanceof Uint8Array ? body : undefined
}

async function readKey({ sdk, client, connection, names }: Session): Promise<{ publicKey: PublicKey; offered: readonly string[] }> {
  const answer = await connection.run(() => client.send(new sdk.GetPublicKeyCommand({ KeyId: names.key })))
  if (answer.PublicKey === undefined) throw unusableAnswer(service, 'the public key is missing')
  return { publicKey: parsePublicKey(answer.PublicKey), offered: answer.SigningAlgorithms ?? [] }
}

async function sign({ sdk, client, connection, names }: Session, { algorithm, input }: SigningRequest): Promise<Uint8Array> {
  if (algorithm === 'ed25519' && input.length > maxRawBytes) {
    throw new UsageError('USAGE', `${service} signs at most ${maxRawBytes} bytes with Ed25519, found ${input.length}: use an ECDSA key`)
  }
  const command = new sdk.SignCommand({
    KeyId: names.key,
    Message: input,
    MessageType: algorithm === 'ed25519' ? 'RAW' : 'DIGEST',
    SigningAlgorithm: algorithms[algorithm],
  })
  const { Signature } = await connection.run(() => client.send(command))
  if (Signature === undefined) throw unusableAnswer(service, 'the signature is missing')
  return Signature
}
