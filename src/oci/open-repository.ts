/** A repository by its name, for users of the library: with the credentials that `docker login` has left. */
import { homedir } from 'node:os'
import { dockerCredentials } from './docker-credentials.ts'
import { parseReference } from './reference.ts'
import { openRegistryRepository } from './registry-repository.ts'
import type { RegistryOptions } from './registry-session.ts'
import { RegistrySession } from './registry-session.ts'
import type { Repository } from './repository.ts'

/**
 * Opens the repository of an image; nothing is asked yet.
 * @param reference `ghcr.io/owner/app`, with or without a tag or digest
 * @param options default: credentials of `docker login` and `podman login`, TLS but for this machine, the proxies of the environment
 * @throws UsageError USAGE for what is no reference
 */
export function openRepository(reference: string, options: RegistryOptions = {}): Repository {
  const { registry, repository } = parseReference(reference)
  const { env = process.env, signal } = options
  const credentials = (name: string) => dockerCredentials({ registry, repository: name }, { env, home: homedir(), signal })
  return openRegistryRepository(new RegistrySession(registry, { credentials, ...options }), { registry, repository })
}
