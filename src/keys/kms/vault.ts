/** Keys in the transit engine of HashiCorp Vault and OpenBao: `hashivault://KEY`, `openbao://KEY`. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { ask, endpoint, jsonRequest, readAnswer } from '../../clients/service.ts'
import type { ServiceName, ServiceRequest } from '../../clients/service.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKey, parsePublicKeyPem } from '../../crypto/public-key.ts'
import { digestOf } from '../../crypto/signature.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { decodeBase64, encodeBase64 } from '../../encoding/base64.ts'
import { concatBytes, excerpt } from '../../encoding/bytes.ts'
import { decodeHex } from '../../encoding/hex.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { CountersignError, DecodingError, messageOf, TransportError, UsageError, systemCode } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import type { Environment, HttpResponse, TlsSettings } from '../../http/fetch.ts'
import { algorithmsFor, createHeldKey } from '../held-key.ts'
import type { SigningRequest } from '../held-key.ts'
import type { KeyStore, KeyStoreOptions } from '../key-store.ts'

const reference = /^(hashivault|openbao):\/\/([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)$/
const timeoutMs = 30_000
const maxAnswerBytes = 1024 * 1024
const maxFileBytes = 64 * 1024
/** SubjectPublicKeyInfo of Ed25519 up to the 32 bytes of the key (RFC 8410 section 4): Vault gives these alone. */
const ed25519Prefix = decodeHex('302a300506032b6570032100', 'the prefix of Ed25519 keys')

export const keyStore: KeyStore = {
  async openKey(text, options) {
    const session = await openSession(text, options)
    const { publicKey, version } = await readKey(session)
    return createHeldKey({
      publicKey,
      name: text,
      algorithms: publicKey.kind === 'ed25519' ? ['ed25519', 'ed25519ph'] : algorithmsFor(publicKey),
      sign: (request) => sign(session, version, publicKey, request),
    })
  },

  async fetchPublicKey(text, options) {
    return (await readKey(await openSession(text, options))).publicKey
  },

  async createKey(text, options) {
    const session = await openSession(text, options)
    const found = await call(session, `keys/${session.key}`, { timeoutMs, maxBytes: maxAnswerBytes })
    if (found.status === 404) {
      // The names of the kinds are Vault's own.
      const made = await call(session, `keys/${session.key}`, jsonRequest(JSON.stringify({ type: options.kind }), timeoutMs))
      checkStatus(session, made)
    }
    return (await readKey(session)).publicKey
  },
}

interface Session {
  readonly service: ServiceName
  /** Of the engine, without slashes at its ends. */
  readonly mount: string
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly options: KeyStoreOptions & { readonly tls: TlsSettings }
}

async function openSession(text: string, options: KeyStoreOptions): Promise<Session> {
  const [, scheme, key] = reference.exec(text) ?? []
  if (key === undefined) throw new UsageError('USAGE', `expected hashivault://KEY or openbao://KEY, found ${excerpt(text)}`)
  const { env } = options
  // Either program's variables do for both, as in cosign; its own come first.
  const prefixes = scheme === 'openbao' ? ['BAO', 'VAULT'] : ['VAULT', 'BAO']
  const read = (name: string): string | undefined => variableOf(env, ...prefixes.map((prefix) => `${prefix}_${name}`))
  const address = read('ADDR')
  if (address === undefined) throw new UsageError('USAGE', `${text}: ${prefixes[0]}_ADDR is not set, give the address of the server in it`)
  const namespace = read('NAMESPACE')
  const token = read('TOKEN') ?? (await readTokenFile(env, text, prefixes[0] ?? ''))
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('USAGE', `${text}: the token has characters that no token has`)
  return {
    service: { kind: scheme === 'openbao' ? 'OpenBao server' : 'Vault server', url: address },
    mount: (variableOf(env, 'TRANSIT_SECRET_ENGINE_PATH') ?? 'transit').replaceAll(/^\/+|\/+$/g, ''),
    key,
    headers: {
      'x-vault-request': 'true',
      'x-vault-token': token,
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    },
    options: { ...options, tls: await readTlsSettings(read, options.cwd) },
  }
}

/** Where `vault login` leaves the token. */
async function readTokenFile(env: Environment, text: string, prefix: string): Promise<string> {
  const home = variableOf(env, 'HOME', 'USERPROFILE')
  const file = home === undefined ? undefined : path.join(home, '.vault-token')
  const token = file === undefined ? '' : (await readSmallFile(file, true)).trim()
  if (token === '') throw new UsageError('USAGE', `${text}: no token, set ${prefix}_TOKEN or sign in so that ~/.vault-token is there`)
  return token
}

async function readTlsSettings(read: (name: string) => string | undefined, cwd: string): Promise<TlsSettings> {
  const load = async (name: string): Promise<string | undefined> => {
    const file = read(name)
    return file === undefined ? undefined : readSmallFile(path.resolve(cwd, file), false)
  }
  const certificateAuthorities = await load('CACERT')
  const clientCertificate = await load('CLIENT_CERT')
  const clientKey = await load('CLIENT_KEY')
  const serverName = read('TLS_SERVER_NAME')
  return {
    ...(certificateAuthorities === undefined ? {} : { certificateAuthorities }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(/^(?:1|t|true)$/i.test(read('SKIP_VERIFY') ?? '') ? { insecure: true } : {}),
  }
}

/** @returns an empty text for a file that need not be there */
async function readSmallFile(file: string, isOptional: boolean): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > maxFileBytes) throw new TransportError('TOO_LARGE', `${file} is longer than the limit of ${maxFileBytes} bytes`)
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    if (isOptional && systemCode(cause) === 'ENOENT') return ''
    throw new TransportError('FILE_UNREADABLE', `${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

function call({ service, mount, headers, options }: Session, where: string, request: ServiceRequest): Promise<HttpResponse> {
  const address = endpoint(service.url, `/v1/${mount.split('/').map(encodeURIComponent).join('/')}/${where}`)
  const { env, signal, tls } = options
  const withHeaders = { ...request, headers: { ...request.headers, ...headers }, maxBytes: maxAnswerBytes }
  return ask(service, address, withHeaders, { env, tls, ...(signal === undefined ? {} : { signal }) })
}

/** The newest version of the key: signatures are asked for of just this one, also when there is a newer one by then. */
async function readKey(session: Session): Promise<{ publicKey: PublicKey; version: number }> {
  const answer = await call(session, `keys/${session.key}`, { timeoutMs })
  checkStatus(session, answer)
  return readAnswer(session.service, () => {
    const data = dataOf(answer)
    const version = Number(data.int64('latest_version'))
    const newest = data.object('keys').object(String(version))
    if (!newest.has('public_key'))
      throw new DecodingError('KEY_UNSUPPORTED', `the key ${session.key} has no public half, so it is not one for signatures`)
    return { publicKey: parseKey(newest.optionalString('name') ?? '', newest.string('public_key')), version }
  })
}

function parseKey(type: string, text: string): PublicKey {
  if (type !== 'ed25519') return parsePublicKeyPem(text)
  const point = decodeBase64(text, 'the Ed25519 key')
  if (point.length !== 32) throw new DecodingError('KEY_INVALID', `the Ed25519 key has ${point.length} bytes, expected 32`)
  return parsePublicKey(concatBytes(ed25519Prefix, point))
}

async function sign(session: Session, version: number, publicKey: PublicKey, { algorithm, input }: SigningRequest): Promise<Uint8Array> {
  const digest = digestOf(algorithm)
  const body = {
    input: encodeBase64(input),
    key_version: version,
    prehashed: digest !== undefined,
    ...(publicKey.kind === 'ecdsa' ? { marshaling_algorithm: 'asn1' } : {}),
    ...(publicKey.kind === 'rsa' ? rsaParameters(algorithm) : {}),
  }
  const where = `sign/${session.key}${digest === undefined ? '' : `/${digest.replace('sha', 'sha2-')}`}`
  const answer = await call(session, where, jsonRequest(JSON.stringify(body), timeoutMs))
  checkStatus(session, answer)
  return readAnswer(session.service, () => {
    // vault:v1:BASE64
    const [, usedVersion, encoded = ''] = /^[a-z]+:v([0-9]+):([^:]+)$/.exec(dataOf(answer).string('signature')) ?? []
    if (usedVersion !== String(version)) {
      throw new DecodingError(
        'ENCODING_INVALID',
        `expected a signature of version ${version} of the key, found one of ${usedVersion ?? 'none'}`,
      )
    }
    return decodeBase64(encoded, 'the signature')
  })
}

function rsaParameters(algorithm: SignatureAlgorithm): Readonly<Record<string, string>> {
  return algorithm.startsWith('rsa-pss') ? { signature_algorithm: 'pss', salt_length: 'hash' } : { signature_algorithm: 'pkcs1v15' }
}

function dataOf({ body }: HttpResponse): JsonFields {
  return new JsonFields(parseJson(body, 'the answer', { maxDepth: 20 }), 'answer', 'JSON_INVALID').object('data')
}

function checkStatus({ service }: Session, { status, body }: HttpResponse): void {
  if (status >= 200 && status < 300) return
  const said = errorsIn(body)
  const hint =
    status === 404 && said === '' ? ': there is no such key, or the transit engine is mounted elsewhere (TRANSIT_SECRET_ENGINE_PATH)' : ''
  const reason = said === '' ? hint : `: ${excerpt(said, 300)}`
  throw new CountersignError('SERVICE_REFUSED', `the ${service.kind} refused with status ${status}${reason}`)
}

/** `{ "errors": ["1 error occurred: …"] }` */
function errorsIn(body: Uint8Array): string {
  try {
    const value = parseJson(body, 'the error', { maxDepth: 8 })
    const errors = isJsonObject(value) ? value['errors'] : undefined
    return Array.isArray(errors)
      ? errors
          .filter((error) => typeof error === 'string')
          .join('; ')
          .replaceAll(/\s+/g, ' ')
      : ''
  } catch {
    return ''
  }
}
