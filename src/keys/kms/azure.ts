/** Keys in Azure Key Vault and Managed HSM: `azurekms://VAULT.vault.azure.net/KEY[/VERSION]`. */
import { createPublicKey } from 'node:crypto'
import type { TokenCredential } from '@azure/identity'
import type {
  CryptographyClient,
  JsonWebKey,
  KeyClient,
  KeyClientOptions,
  SignatureAlgorithm as AzureAlgorithm,
} from '@azure/keyvault-keys'
import { encodeEcdsaSignature } from '../../crypto/ecdsa-encoding.ts'
import type { KeyKind } from '../../crypto/private-key.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { encodeBase64Url } from '../../encoding/base64.ts'
import { encodeUtf8, excerpt } from '../../encoding/bytes.ts'
import { DecodingError, UsageError } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { Environment, HttpResponse } from '../../http/fetch.ts'
import { algorithmsFor, createHeldKey } from '../held-key.ts'
import type { KeyStore, KeyStoreOptions } from '../key-store.ts'
import { loadOptionalPackage } from '../optional-package.ts'
import type { SdkConnection } from './sdk-connection.ts'
import { createSdkConnection, ServiceRefusedError, unusableAnswer } from './sdk-connection.ts'

const service = 'Azure Key Vault'
const purpose = 'azurekms:// references'
const reference = /^azurekms:\/\/([A-Za-z0-9.-]+(?::[0-9]{1,5})?)\/([A-Za-z0-9-]{1,127})(?:\/([a-z0-9]*))?$/

const algorithms: Readonly<Partial<Record<SignatureAlgorithm, AzureAlgorithm>>> = {
  'ecdsa-sha256': 'ES256',
  'ecdsa-sha384': 'ES384',
  'ecdsa-sha512': 'ES512',
  'rsa-pkcs1-sha256': 'RS256',
  'rsa-pkcs1-sha384': 'RS384',
  'rsa-pkcs1-sha512': 'RS512',
  'rsa-pss-sha256': 'PS256',
  'rsa-pss-sha384': 'PS384',
  'rsa-pss-sha512': 'PS512',
}

/** The clouds of AZURE_ENVIRONMENT, and where one signs in to them. */
const authorities: Readonly<Record<string, string>> = {
  AZUREUSGOVERNMENT: 'https://login.microsoftonline.us',
  AZUREUSGOVERNMENTCLOUD: 'https://login.microsoftonline.us',
  AZURECHINACLOUD: 'https://login.chinacloudapi.cn',
}

export const keyStore: KeyStore = {
  async openKey(text, options) {
    const session = await openSession(text, options)
    const { publicKey, version } = await readKey(session)
    const signer = session.signerOf(version)
    return createHeldKey({
      publicKey,
      name: text,
      algorithms: algorithmsFor(publicKey),
      async sign({ algorithm, input }) {
        const { result } = await session.connection.run(() => signer.sign(algorithms[algorithm] ?? '', input))
        if (!(result instanceof Uint8Array)) throw unusableAnswer(service, 'the signature is missing')
        return publicKey.kind === 'ecdsa' ? encodeEcdsaSignature(publicKey.curve, result) : result
      },
    })
  },

  async fetchPublicKey(text, options) {
    return (await readKey(await openSession(text, options))).publicKey
  },

  async createKey(text, options) {
    const session = await openSession(text, options)
    const { names, client, connection } = session
    if (names.version !== '')
      throw new UsageError('USAGE', `expected azurekms://VAULT/KEY without a version for a new key, found ${excerpt(text)}`)
    try {
      return (await readKey(session)).publicKey
    } catch (error) {
      if (!(error instanceof ServiceRefusedError) || error.status !== 404) throw error
    }
    await connection.run(() => makeKey(client, names.key, options.kind))
    return (await readKey(session)).publicKey
  },
}

interface Names {
  readonly vault: string
  readonly key: string
  /** Empty for the newest. */
  readonly version: string
}

interface Session {
  readonly names: Names
  readonly client: KeyClient
  readonly connection: SdkConnection
  readonly signerOf: (version: string) => CryptographyClient
}

function parseReference(text: string): Names {
  const [, vault, key, version = ''] = reference.exec(text) ?? []
  if (vault === undefined || key === undefined) {
    throw new UsageError('USAGE', `expected azurekms://VAULT.vault.azure.net/KEY[/VERSION], found ${excerpt(text)}`)
  }
  return { vault, key, version }
}

async function openSession(text: string, options: KeyStoreOptions): Promise<Session> {
  const names = parseReference(text)
  const keys = await loadOptionalPackage('@azure/keyvault-keys@^4.10.2', purpose, () => import('@azure/keyvault-keys'))
  const connection = createSdkConnection({ service, isService: ({ host }) => host === names.vault.toLowerCase() }, options)
  const settings: KeyClientOptions = { httpClient: httpClient(connection), retryOptions: { maxRetries: 0 } }
  const credential = await createCredential(options.env, settings)
  return {
    names,
    connection,
    client: new keys.KeyClient(`https://${names.vault}`, credential, settings),
    // By a name of our own making: the identifier in an answer would say where the next request goes.
    signerOf: (version) => new keys.CryptographyClient(`https://${names.vault}/keys/${names.key}/${version}`, credential, settings),
  }
}

async function createCredential(env: Environment, settings: KeyClientOptions): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential } = await loadOptionalPackage(
    '@azure/identity@^4.13.1',
    purpose,
    () => import('@azure/identity'),
  )
  const authorityHost = variableOf(env, 'AZURE_AUTHORITY_HOST') ?? authorities[env['AZURE_ENVIRONMENT']?.toUpperCase() ?? '']
  const identity = { ...settings, ...(authorityHost === undefined ? {} : { authorityHost }) }
  const tenant = variableOf(env, 'AZURE_TENANT_ID')
  const client = variableOf(env, 'AZURE_CLIENT_ID')
  const secret = variableOf(env, 'AZURE_CLIENT_SECRET')
  return tenant !== undefined && client !== undefined && secret !== undefined
    ? new ClientSecretCredential(tenant, client, secret, identity)
    : new DefaultAzureCredential(identity)
}

type HttpClient = NonNullable<KeyClientOptions['httpClient']>
type PipelineHeaders = Awaited<ReturnType<HttpClient['sendRequest']>>['headers']

function httpClient(connection: SdkConnection): HttpClient {
  return {
    async sendRequest(request) {
      const { url, method, body, timeout } = request
      const bytes = typeof body === 'string' ? encodeUtf8(body) : body instanceof Uint8Array ? body : undefined
      const answer = await connection.send({ url, method, headers: request.headers.toJSON(), body: bytes, timeoutMs: timeout })
      return { request, status: answer.status, headers: headersOf(answer), bodyAsText: Buffer.from(answer.body).toString('utf8') }
    },
  }
}

function headersOf({ headers }: HttpResponse): PipelineHeaders {
  const map = new Map(Object.entries(headers))
  return {
    get: (name) => map.get(name.toLowerCase()),
    has: (name) => map.has(name.toLowerCase()),
    set: (name, value) => void map.set(name.toLowerCase(), String(value)),
    delete: (name) => void map.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(map),
    [Symbol.iterator]: () => map.entries(),
  }
}

async function readKey({ names, client, connection }: Session): Promise<{ publicKey: PublicKey; version: string }> {
  const asked = names.version === '' ? {} : { version: names.version }
  const answer = await connection.run(() => client.getKey(names.key, asked))
  const version = answer.properties.version ?? ''
  if (!/^[a-z0-9]+$/.test(version)) throw unusableAnswer(service, `the version of the key is ${excerpt(version)}`)
  if (answer.key === undefined) throw unusableAnswer(service, 'the public key is missing')
  return { publicKey: parseKey(answer.key), version }
}

/** A JSON Web Key as the SDK gives it, with its numbers as bytes. */
function parseKey({ kty, crv, x, y, n, e }: JsonWebKey): PublicKey {
  const jwk =
    kty === 'EC' || kty === 'EC-HSM'
      ? { kty: 'EC', crv: crv ?? '', x: encodeNumber(x), y: encodeNumber(y) }
      : { kty: 'RSA', n: encodeNumber(n), e: encodeNumber(e) }
  if (jwk.kty === 'EC' && crv !== 'P-256' && crv !== 'P-384' && crv !== 'P-521')
    throw new DecodingError('KEY_UNSUPPORTED', `keys on the curve ${excerpt(crv ?? '')} are not supported, only P-256, P-384 and P-521`)
  if (jwk.kty === 'RSA' && kty !== 'RSA' && kty !== 'RSA-HSM')
    throw new DecodingError('KEY_UNSUPPORTED', `keys of the kind ${excerpt(kty ?? '')} are not supported, only EC and RSA`)
  let spki: Uint8Array
  try {
    spki = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' })
  } catch (cause) {
    throw new DecodingError('KEY_INVALID', `${service} answered with a public key that is none`, { cause })
  }
  return parsePublicKey(spki)
}

function encodeNumber(bytes: Uint8Array | undefined): string {
  return encodeBase64Url(bytes ?? new Uint8Array())
}

async function makeKey(client: KeyClient, name: string, kind: KeyKind): Promise<void> {
  const keyOps = ['sign', 'verify']
  if (kind === 'ed25519') throw new UsageError('KEY_UNSUPPORTED', `${service} has no keys of the kind ${kind}`)
  const size = kind.slice(kind.indexOf('-') + 1)
  if (kind.startsWith('rsa-')) await client.createRsaKey(name, { keySize: Number(size), keyOps })
  else await client.createEcKey(name, { curve: size.replace('p', 'P-'), keyOps })
}
