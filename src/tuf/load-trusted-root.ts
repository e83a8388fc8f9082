/** Trust material, straight from the repository that distributes it. */
import { readFile } from 'node:fs/promises'
import { loadTrustMaterial } from '../trust/trust-material.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import type { RepositoryOptions } from './repository.ts'
import { fetchTrustedRoot } from './trusted-root.ts'

/** Where the trusted root comes from. */
export interface LoadTrustedRootOptions extends RepositoryOptions {
  /** A trusted root file to use instead of fetching one: no connection is opened then. */
  readonly file?: string
  /** Told what a user should know although nothing failed, such as that the mirror is out of reach and the cache was used. */
  readonly onWarning?: (warning: string) => void
}

/**
 * Loads the trusted root: from a file, or through TUF, the public-good instance's unless the options or the environment name
 * another.
 * @throws TransportError TRUST_ROOT_UNAVAILABLE, VerificationError TUF_UNVERIFIED, and whatever else `fetchTrustedRoot` throws;
 * DecodingError TRUSTED_ROOT_INVALID
 */
export async function loadTrustedRoot(options: LoadTrustedRootOptions = {}): Promise<TrustMaterial> {
  if (options.file !== undefined) return loadTrustMaterial(await readFile(options.file))
  const { bytes, warnings } = await fetchTrustedRoot(options)
  if (options.onWarning !== undefined) warnings.forEach(options.onWarning)
  return loadTrustMaterial(bytes)
}
