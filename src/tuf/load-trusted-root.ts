/** Trust material, straight from the repository that distributes it. */
import { readFile } from 'node:fs/promises'
import { loadTrustMaterial } from '../trust/trust-material.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import type { Members } from '../verify/policy-check.ts'
import { checkMembers, invalidDemand, kindOf } from '../verify/policy-check.ts'
import type { RepositoryOptions } from './repository.ts'
import { fetchTrustedRoot } from './trusted-root.ts'

/** Where the trusted root comes from. */
export interface LoadTrustedRootOptions extends RepositoryOptions {
  /** A trusted root file to use instead of fetching one: no connection is opened then. */
  readonly file?: string
  /** Told what a user should know although nothing failed, such as that the mirror is out of reach and the cache was used. */
  readonly onWarning?: (warning: string) => void
}

const optionMembers: Members<LoadTrustedRootOptions> = {
  file: true,
  onWarning: true,
  instance: true,
  mirror: true,
  cacheDirectory: true,
  initialRoot: true,
  env: true,
  now: true,
  timeoutMs: true,
  signal: true,
}

/**
 * Loads the trusted root: from a file, or through TUF, the public-good instance's unless the options or the environment name
 * another.
 * @throws TransportError TRUST_ROOT_UNAVAILABLE, VerificationError TUF_UNVERIFIED, and whatever else `fetchTrustedRoot` throws;
 * DecodingError TRUSTED_ROOT_INVALID; UsageError POLICY_INVALID for what would be passed over in favour of the public-good instance: options
 * that are not known, and a file, mirror or instance that is undefined
 */
export async function loadTrustedRoot(options: LoadTrustedRootOptions = {}): Promise<TrustMaterial> {
  checkMembers(options, 'the options of loadTrustedRoot', optionMembers)
  for (const name of ['file', 'mirror', 'instance'] as const) {
    if (name in options && typeof options[name] !== 'string')
      throw invalidDemand(`${name} should be a text, or left out for the default, found ${kindOf(options[name])}`)
  }
  if (options.file !== undefined) return loadTrustMaterial(await readFile(options.file))
  const { bytes, warnings } = await fetchTrustedRoot(options)
  if (options.onWarning !== undefined) warnings.forEach(options.onWarning)
  return loadTrustMaterial(bytes)
}
