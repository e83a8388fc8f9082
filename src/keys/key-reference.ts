/**
 * Key references, wherever a key is named: `--key`, `createSigner`. A reference is a file, an address, `env://NAME`, or of a scheme whose store
 * is loaded when a reference of it is met.
 */
import type { KeyKind } from '../crypto/private-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { UsageError } from '../error.ts'
import { variableOf } from '../http/environment.ts'
import type { Environment } from '../http/environment.ts'
import { withoutSecrets } from '../http/address.ts'
import { readKeyFile } from './key-file.ts'
import type { KeyStore, KeyStoreOptions, SigningKey, Unlocking } from './key-store.ts'
import { atOnce } from './key-store.ts'
import { decodeKeyText, isPrivateKey, maxKeyBytes, readPrivateKey, readPublicKey } from './key-text.ts'

/** What a public key is fetched with: nothing unlocks it. */
export type PublicKeyOptions = Omit<KeyStoreOptions, keyof Unlocking>

/** The stores by the schemes of their references. */
const keyStores = (): Readonly<Record<string, () => Promise<{ readonly keyStore: KeyStore }>>> => ({
  awskms: () => import('./kms/aws.ts'),
  azurekms: () => import('./kms/azure.ts'),
  gcpkms: () => import('./kms/google.ts'),
  github: () => import('./secrets/github.ts'),
  gitlab: () => import('./secrets/gitlab.ts'),
  hashivault: () => import('./kms/vault.ts'),
  k8s: () => import('./secrets/kubernetes.ts'),
  openbao: () => import('./kms/vault.ts'),
  pkcs11: () => import('./pkcs11.ts'),
})

/**
 * Opens the key to sign with.
 * @throws UsageError USAGE for a reference of an unknown scheme, KEY_INVALID for what is no private key; TransportError FILE_UNREADABLE,
 * TOO_LARGE, NETWORK_FAILED; VerificationError KEY_DECRYPTION_FAILED for a wrong password; what the store throws
 */
export async function openKey(reference: string, options: KeyStoreOptions): Promise<SigningKey> {
  const keyStore = await findStore(reference, options.env)
  if (keyStore !== undefined) return keyStore.openKey(reference, options)
  return readPrivateKey(await readKey(reference, options, 'key'), withoutSecrets(reference), options)
}

/**
 * Fetches the public key that signatures are verified with.
 * @throws as `openKey`, KEY_INVALID also for a private key
 */
export async function fetchPublicKey(reference: string, options: PublicKeyOptions): Promise<PublicKey> {
  const keyStore = await findStore(reference, options.env)
  if (keyStore !== undefined) return keyStore.fetchPublicKey(reference, { ...options, password: noPassword })
  return readPublicKey(await readKey(reference, options, 'public key'), withoutSecrets(reference))
}

/**
 * The public key of a reference that may also name a private key, whose other half is then made of it.
 * @throws as `openKey`
 */
export async function derivePublicKey(reference: string, options: KeyStoreOptions): Promise<PublicKey> {
  const keyStore = await findStore(reference, options.env)
  if (keyStore !== undefined) return keyStore.fetchPublicKey(reference, options)
  const text = await readKey(reference, options, 'key')
  const name = withoutSecrets(reference)
  if (!isPrivateKey(text)) return readPublicKey(text, name)
  return (await readPrivateKey(text, name, options)).publicKey
}

/**
 * Makes a key where the reference says, which keeps it.
 * @returns its public half
 * @throws UsageError USAGE for a place that makes no keys; what the store throws
 */
export async function createKey(reference: string, options: KeyStoreOptions & { readonly kind: KeyKind }): Promise<PublicKey> {
  const keyStore = await findStore(reference, options.env)
  if (keyStore?.createKey !== undefined) return keyStore.createKey(reference, options)
  const found = schemeOf(reference)
  throw new UsageError(
    'USAGE',
    found === undefined
      ? `creating key: expected a reference such as awskms:///alias/name, found ${JSON.stringify(reference.slice(0, 60))}`
      : `creating key: ${found}:// keeps keys that were made elsewhere, and makes none`,
  )
}

/**
 * The text of a private key or of a public one, for whoever wants it as it is.
 * @throws as `openKey`; UsageError USAGE for a reference to a store, which gives no such text
 */
export async function readKey(
  reference: string,
  { env, cwd, signal, whileWaiting = atOnce }: PublicKeyOptions,
  what: string,
): Promise<string> {
  const scheme = schemeOf(reference)
  if (scheme !== undefined && !plainSchemes.has(scheme)) {
    throw new UsageError(
      'USAGE',
      `loading ${what}: expected a file, a URL or env://NAME, found a reference of the kind ${scheme.slice(0, 40)}:`,
    )
  }
  if (reference.startsWith('env://')) {
    const name = reference.slice('env://'.length)
    if (name === '') throw new UsageError('USAGE', `loading ${what}: env:// needs the name of an environment variable: env://NAME`)
    const value = variableOf(env, name)
    if (value === undefined) throw new UsageError('USAGE', `loading ${what}: the environment variable ${name} is not set`)
    return value
  }
  if (/^https?:\/\//.test(reference)) {
    const { fetchBytes } = await import('../http/fetch.ts')
    const body = await fetchBytes(reference, { maxBytes: maxKeyBytes, env, ...(signal === undefined ? {} : { signal }) })
    return decodeKeyText(body, `the ${what}`)
  }
  const contents = whileWaiting(() => readKeyFile(cwd, reference, `the ${what}`))
  return decodeKeyText(contents, `the ${what} ${reference}`)
}

const plainSchemes: ReadonlySet<string> = new Set(['env', 'http', 'https'])

/**
 * The store of a reference; undefined for files, addresses and variables. A scheme of a plugin's is one that nothing here has.
 * @throws UsageError USAGE for an unknown scheme
 */
async function findStore(reference: string, env: Environment): Promise<KeyStore | undefined> {
  const scheme = schemeOf(reference)
  if (scheme === undefined || plainSchemes.has(scheme)) return undefined
  const stores = keyStores()
  const load = Object.hasOwn(stores, scheme) ? stores[scheme] : undefined
  if (load !== undefined) return (await load()).keyStore
  const { hasPlugin, keyStore } = await import('./kms-plugin.ts')
  if (hasPlugin(scheme, env)) return keyStore
  const known = [...plainSchemes, ...Object.keys(stores)].filter((name) => name !== 'github').sort()
  throw new UsageError(
    'USAGE',
    `loading key: there are no key references of the kind ${scheme.slice(0, 40)}://, give a file or one of ${known.map((name) => (name === 'pkcs11' ? 'pkcs11:' : `${name}://`)).join(', ')}, or put the plugin sigstore-kms-${scheme.slice(0, 40)} on PATH`,
  )
}

/** The scheme in front of `://`. PKCS#11 references (RFC 7512) have a colon alone, as a file on a Windows drive has. */
function schemeOf(reference: string): string | undefined {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]+):(\/\/)?/.exec(reference) ?? []
  return scheme !== undefined && (rest !== undefined || Object.hasOwn(keyStores(), scheme)) ? scheme : undefined
}

function noPassword(): Promise<Uint8Array> {
  return Promise.reject(new UsageError('USAGE', 'the store asks for a password, which a public key does not need'))
}
