/** Kubernetes secrets: `k8s://namespace/name`. */
import { decodeBase64, encodeBase64 } from '../../encoding/base64.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import type { JsonObject } from '../../encoding/json.ts'
import { isJsonObject, parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { CountersignError, DecodingError, UsageError } from '../../error.ts'
import type { KeyStore } from '../key-store.ts'
import { readPrivateKey, readPublicKey } from '../key-text.ts'
import type { KeyPairSecrets, SecretStore, SecretStoreOptions } from '../secret-store.ts'
import type { ApiServer } from './kubernetes-cluster.ts'
import { connectToCluster } from './kubernetes-cluster.ts'

/** The members of a secret's data. */
const dataNames = { privateKey: 'cosign.key', publicKey: 'cosign.pub', password: 'cosign.password' } as const

export const secretStore: SecretStore = {
  async open(reference, options) {
    const place = parseReference(reference)
    const cluster = await connectToCluster(options)
    const found = await readSecret(cluster, place)
    const { immutable } = await readVersion(cluster)
    if (found?.['immutable'] === true) {
      throw new CountersignError(
        'CONFLICT',
        `the secret ${place.name} in namespace ${place.namespace} is immutable: give another name, or delete it first (kubectl delete secret ${place.name} -n ${place.namespace}), which destroys the key in it`,
      )
    }
    const isKey = found !== undefined && dataOf(found)[dataNames.privateKey] !== undefined
    return {
      existing: isKey ? `Secret ${place.name} in namespace ${place.namespace}` : undefined,
      isForPrograms: false,
      async write(pair, tell) {
        const secret = encodeUtf8(JSON.stringify(secretWith(found, place, pair, immutable)))
        if (found === undefined) await cluster.ask('POST', secretsPath(place), [200, 201, 202], secret)
        else await cluster.ask('PUT', `${secretsPath(place)}/${place.name}`, [200, 201], secret)
        tell(`Successfully created secret ${place.name} in namespace ${place.namespace}`)
      },
    }
  },
}

export const keyStore: KeyStore = {
  async openKey(reference, options) {
    const data = await fetchData(reference, options)
    const stored = data[dataNames.password]
    const password = async (): Promise<Uint8Array> => (stored === undefined ? options.password() : decodeMember(stored, reference))
    return readPrivateKey(readText(data, dataNames.privateKey, reference), reference, { ...options, password })
  },
  async fetchPublicKey(reference, options) {
    return readPublicKey(readText(await fetchData(reference, options), dataNames.publicKey, reference), reference)
  },
}

interface Place {
  readonly namespace: string
  readonly name: string
}

/** Names are DNS labels (RFC 1123); those of secrets may have dots. */
function parseReference(reference: string): Place {
  const [namespace = '', name = '', ...others] = reference.slice('k8s://'.length).split('/')
  const isWellFormed = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace) && /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/.test(name)
  if (isWellFormed && others.length === 0) return { namespace, name }
  throw new UsageError('USAGE', 'kubernetes specification should be in the format k8s://<namespace>/<secret>')
}

function secretsPath({ namespace }: Place): string {
  return `/api/v1/namespaces/${namespace}/secrets`
}

async function fetchData(reference: string, options: SecretStoreOptions): Promise<JsonObject> {
  const place = parseReference(reference)
  const secret = await readSecret(await connectToCluster(options), place)
  if (secret === undefined) {
    throw new CountersignError('NOT_FOUND', `checking if secret exists: there is no secret ${place.name} in namespace ${place.namespace}`)
  }
  return dataOf(secret)
}

async function readSecret(cluster: ApiServer, place: Place): Promise<JsonObject | undefined> {
  const { status, body } = await cluster.ask('GET', `${secretsPath(place)}/${place.name}`, [200, 404])
  return status === 404 ? undefined : readObject(body, 'the secret')
}

/** Secrets can be immutable since 1.21. Some distributions write the minor version as `21+`. */
async function readVersion(cluster: ApiServer): Promise<{ readonly immutable: boolean }> {
  const { body } = await cluster.ask('GET', '/version', [200])
  const version = new JsonFields(readObject(body, 'the version'), 'the version', 'JSON_INVALID')
  const [major, minor] = [Number.parseInt(version.string('major'), 10), Number.parseInt(version.string('minor'), 10)]
  return { immutable: major > 1 || (major === 1 && minor >= 21) }
}

/** The secret to write: what is there, with the key pair in it. */
function secretWith(found: JsonObject | undefined, { namespace, name }: Place, pair: KeyPairSecrets, immutable: boolean): unknown {
  const base64 = (bytes: Uint8Array): string => encodeBase64(bytes)
  return {
    ...(found ?? { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name, namespace } }),
    data: {
      ...(found === undefined ? {} : dataOf(found)),
      [dataNames.privateKey]: base64(encodeUtf8(pair.privateKey)),
      [dataNames.publicKey]: base64(encodeUtf8(pair.publicKey)),
      [dataNames.password]: base64(pair.password),
    },
    ...(immutable ? { immutable: true } : {}),
  }
}

function dataOf(secret: JsonObject): JsonObject {
  const data = secret['data']
  return isJsonObject(data) ? data : {}
}

function readText(data: JsonObject, name: string, reference: string): string {
  const member = data[name]
  if (member === undefined) {
    throw new CountersignError('NOT_FOUND', `the secret ${reference} has no ${name} (generate-key-pair ${reference} makes such secrets)`)
  }
  return decodeUtf8(decodeMember(member, reference), `${name} of ${reference}`)
}

function decodeMember(member: unknown, reference: string): Uint8Array {
  if (typeof member === 'string') return decodeBase64(member, `the data of ${reference}`)
  throw new DecodingError('JSON_INVALID', `the data of ${reference} should be base64 text`)
}

function readObject(body: Uint8Array, what: string): JsonObject {
  const value = parseJson(body, what)
  if (isJsonObject(value)) return value
  throw new DecodingError('JSON_INVALID', `${what} should be an object`)
}
