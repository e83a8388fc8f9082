/** References to places that keep key pairs. A store is loaded when a reference of its scheme is met. */
import { UsageError } from '../error.ts'
import type { SecretPlace, SecretStore, SecretStoreOptions } from './secret-store.ts'

/** The stores by the schemes of their references. */
const secretStores: Readonly<Record<string, () => Promise<{ readonly secretStore: SecretStore }>>> = {
  github: () => import('./secrets/github.ts'),
  gitlab: () => import('./secrets/gitlab.ts'),
  k8s: () => import('./secrets/kubernetes.ts'),
}

/** Finds the place where a new key pair is to be kept. @throws as the store's `open`, UsageError USAGE for an unknown scheme */
export async function openSecretPlace(reference: string, options: SecretStoreOptions): Promise<SecretPlace> {
  const end = reference.indexOf('://')
  if (end < 0) throw new UsageError('USAGE', 'could not parse scheme, use <scheme>://<ref> format')
  const scheme = reference.slice(0, end)
  const load = Object.hasOwn(secretStores, scheme) ? secretStores[scheme] : undefined
  if (load === undefined) {
    const known = Object.keys(secretStores).map((name) => `${name}://`)
    throw new UsageError(
      'USAGE',
      `undefined provider: ${scheme.slice(0, 40)}: key pairs are kept in ${known.join(', ')}; in a key management service with --kms`,
    )
  }
  return (await load()).secretStore.open(reference, options)
}
