/**
 * Keys behind a program of the user's: `NAME://KEY` where `sigstore-kms-NAME` is on PATH. The protocol is that of sigstore/sigstore,
 * pkg/signature/kms/cliplugin, version v1: one run for each question, which is JSON in an argument, with what is to be signed on
 * standard input and the answer as JSON on standard output. The exit status says nothing.
 */
import { parsePublicKeyPem } from '../crypto/public-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { digestOf } from '../crypto/signature.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import { decodeUtf8, excerpt } from '../encoding/bytes.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { parseJson } from '../encoding/json.ts'
import { CountersignError, DecodingError, messageOf, UsageError } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { algorithmsFor, createHeldKey } from './held-key.ts'
import type { SigningRequest } from './held-key.ts'
import type { KeyStore, KeyStoreOptions } from './key-store.ts'
import { findExecutable, runProgram } from './program-run.ts'

const protocolVersion = 'v1'
/** The numbers of Go's crypto.Hash. */
const hashNumbers = { sha224: 4, sha256: 5, sha384: 6, sha512: 7 } as const
/** A touch of a token or an approval by somebody else may be waited for. */
const timeoutMs = 120_000
const maxAnswerBytes = 1024 * 1024
const noOptions = { keyVersion: '', remoteVerification: false }

export const keyStore: KeyStore = {
  async openKey(reference, options) {
    const plugin = findPlugin(reference, options)
    const publicKey = await fetchKey(plugin)
    return createHeldKey({
      publicKey,
      name: reference,
      // The protocol has no word for PSS.
      algorithms:
        publicKey.kind === 'ed25519' ? ['ed25519', 'ed25519ph'] : algorithmsFor(publicKey).filter((name) => !name.startsWith('rsa-pss')),
      sign: (request) => sign(plugin, request),
    })
  },

  async fetchPublicKey(reference, options) {
    return fetchKey(findPlugin(reference, options))
  },

  async createKey(reference, options) {
    const plugin = findPlugin(reference, options)
    const supported = (await call(plugin, 'supportedAlgorithms', {})).array('supportedAlgorithms', 1000)
    // Names of algorithms are the plugin's own: unless it has one as here, it is to make what it makes by default.
    const algorithm = supported.includes(options.kind)
      ? options.kind
      : (await call(plugin, 'defaultAlgorithm', {})).string('defaultAlgorithm')
    return readKey(plugin, await call(plugin, 'createKey', { algorithm }))
  },
}

interface Plugin {
  /** `sigstore-kms-NAME`. */
  readonly name: string
  readonly file: string
  /** The reference without its scheme. */
  readonly keyResourceId: string
  readonly options: KeyStoreOptions
}

/** Whether there is a plugin for references of this scheme. */
export function hasPlugin(scheme: string, env: Environment): boolean {
  return findExecutable(`sigstore-kms-${scheme}`, env) !== undefined
}

function findPlugin(reference: string, options: KeyStoreOptions): Plugin {
  const [, scheme, keyResourceId = ''] = /^([A-Za-z0-9][A-Za-z0-9._+-]*):\/\/(.*)$/s.exec(reference) ?? []
  if (scheme === undefined)
    throw new UsageError('USAGE', `expected NAME://KEY with a plugin sigstore-kms-NAME, found ${excerpt(reference)}`)
  const name = `sigstore-kms-${scheme}`
  const file = findExecutable(name, options.env)
  if (file === undefined) {
    throw new UsageError('USAGE', `there is no key store for ${scheme}://, and no program ${name} on PATH that would be one`)
  }
  return { name, file, keyResourceId, options }
}

async function fetchKey(plugin: Plugin): Promise<PublicKey> {
  return readKey(plugin, await call(plugin, 'publicKey', { publicKeyOptions: { rpcOptions: noOptions } }))
}

function readKey(plugin: Plugin, answer: JsonFields): PublicKey {
  return usable(plugin, () => parsePublicKeyPem(decodeUtf8(answer.bytes('publicKeyPEM'), 'the public key')))
}

async function sign(plugin: Plugin, { algorithm, input, message }: SigningRequest): Promise<Uint8Array> {
  const digest = digestOf(algorithm)
  const hash = digest === undefined ? undefined : hashNumbers[digest]
  const messageOptions = hash === undefined ? {} : { digest: encodeBase64(input), hashFunc: hash }
  const data = message ?? (digest === undefined ? input : new Uint8Array())
  const answer = await call(plugin, 'signMessage', { signOptions: { rpcOptions: noOptions, messageOptions } }, data, hash)
  return usable(plugin, () => answer.bytes('signature'))
}

/** One question to the plugin. @returns what the answer has under the name of the method */
async function call(
  plugin: Plugin,
  methodName: string,
  parameters: unknown,
  input: Uint8Array = new Uint8Array(),
  hashFunc: number = hashNumbers.sha256,
): Promise<JsonFields> {
  const { name, file, keyResourceId, options } = plugin
  const deadline = new Date(Date.now() + timeoutMs).toISOString()
  const question = {
    initOptions: { ctxDeadline: deadline, protocolVersion, keyResourceID: keyResourceId, hashFunc, rpcOptions: noOptions },
    methodName,
    [methodName]: parameters,
  }
  const argv = [protocolVersion, JSON.stringify(question)]
  const { stdout: output } = await runProgram({ name, file, argv, input, timeoutMs, maxOutputBytes: maxAnswerBytes, ...options })
  return usable(plugin, () => {
    const answer = new JsonFields(parseJson(output, 'the answer', { maxDepth: 20 }), 'answer', 'JSON_INVALID')
    const error = answer.optionalString('errorMessage') ?? ''
    if (error !== '') throw new CountersignError('SERVICE_REFUSED', `the plugin ${name} refused: ${excerpt(error, 300)}`)
    return answer.object(methodName)
  })
}

function usable<T>({ name }: Plugin, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof DecodingError)) throw cause
    throw new DecodingError(cause.code, `the plugin ${name} answered what cannot be used: ${messageOf(cause)}`, { cause })
  }
}
