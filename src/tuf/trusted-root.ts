/** What Sigstore distributes through TUF. */
import { openRepository } from './repository.ts'
import type { RepositoryOptions } from './repository.ts'

/** A target's contents, verified. */
export interface FetchedTarget {
  readonly bytes: Uint8Array
  /** The address of the repository it is from, without credentials. */
  readonly mirror: string
  /** What a user should know although nothing failed: sentences. */
  readonly warnings: readonly string[]
}

/** The names of the targets that clients use. */
export const targetName = {
  trustedRoot: 'trusted_root.json',
  signingConfig: 'signing_config.v0.2.json',
  signingConfigRekorV2: 'signing_config_rekor_v2.v0.2.json',
} as const

/**
 * Refreshes the repository's metadata and fetches one target. For several targets, `openRepository` refreshes once.
 * @throws as `openRepository` and `Repository.target`
 */
export async function fetchTarget(name: string, options: RepositoryOptions = {}): Promise<FetchedTarget> {
  const repository = await openRepository(options)
  const bytes = await repository.target(name)
  return { bytes, mirror: repository.mirror, warnings: repository.warnings }
}

/** Fetches the JSON of the trusted root, `trusted_root.json`. Throws as `fetchTarget`. */
export function fetchTrustedRoot(options: RepositoryOptions = {}): Promise<FetchedTarget> {
  return fetchTarget(targetName.trustedRoot, options)
}
