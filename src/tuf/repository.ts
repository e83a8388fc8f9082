/** A TUF repository whose metadata is verified and current. */
import { createHash } from 'node:crypto'
import { env as processEnvironment } from 'node:process'
import { CountersignError, messageOf, TransportError, VerificationError } from '../error.ts'
import { excerpt } from '../encoding/bytes.ts'
import type { Environment } from '../http/environment.ts'
import type { CachedMetadata, RepositoryCache } from './cache.ts'
import { locate } from './location.ts'
import type { LocationOptions } from './location.ts'
import { isOutOfReach, openMirror, withoutCredentials } from './mirror.ts'
import type { FetchFile } from './mirror.ts'
import { fetchTargetsRole, followCachedRoots, refreshFromCache, refreshFromMirror } from './refresh.ts'
import type { Progress } from './refresh.ts'
import { trustRoot } from './trusted-metadata.ts'
import type { TargetDescription, TrustedMetadata } from './trusted-metadata.ts'

export interface RepositoryOptions extends LocationOptions {
  /** Default the process's environment. */
  readonly env?: Environment
  /** The time that expiry is checked against, in epoch milliseconds; default now. */
  readonly now?: number
  /** For each file; default 30 s. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 30_000
const maxTargetBytes = 64 * 1024 * 1024
/** Roles visited in search of a target. */
const maxDelegations = 32
const targetAlgorithms = ['sha256', 'sha384', 'sha512'] as const
const emptyCache: CachedMetadata = { root: undefined, timestamp: undefined, snapshot: undefined, targets: undefined }

/**
 * Opens a repository: the whole client workflow of the TUF specification (section 5), with the mirror asked every time.
 *
 * When the mirror is out of reach (no connection, no answer in time, a status that says "later"), cached metadata is used as
 * long as all of it still verifies and has not expired, and `warnings` says so; a mirror that answers wrongly is an error in
 * any case. Neither a missing nor an unwritable cache is one: what cannot be kept is held in memory.
 * @throws VerificationError TUF_UNVERIFIED for metadata that must not be trusted; TransportError TRUST_ROOT_UNAVAILABLE when
 * neither the mirror nor the cache has what is needed, ABORTED, TOO_LARGE, FILE_UNREADABLE; DecodingError and UsageError for settings
 */
export async function openRepository(options: RepositoryOptions = {}): Promise<Repository> {
  const { env = processEnvironment, now = Date.now(), timeoutMs = defaultTimeoutMs, signal } = options
  const location = await locate(options, env)
  const { cache, root } = location
  const mirror = withoutCredentials(location.mirror)
  const fetchFile = openMirror(location.mirror, { env, timeoutMs, signal })
  const warnings = [...location.warnings]
  const cached = (await cache?.read()) ?? emptyCache
  const progress: Progress = { rootHistory: new Map(), current: undefined }
  let trusted = await trustRoot(root, mirror, now)
  try {
    if (cache !== undefined) await followCachedRoots(trusted, cache, cached, progress)
    await refreshFromMirror(trusted, cached, fetchFile, mirror, progress)
  } catch (error) {
    if (!isOutOfReach(error)) throw error
    trusted = await useCache(trusted, cached, mirror, now, error)
    warnings.push(`the TUF repository ${mirror} is out of reach, so its cached metadata is used, which is still valid: ${messageOf(error)}`)
  } finally {
    // Roots that were verified are kept even when what follows was refused: a revoked key must stay revoked.
    await keep(warnings, cache, () => cache?.publish({ root: trusted.rootBytes, ...progress }, cached, now))
  }
  return new Repository(mirror, trusted, fetchFile, cache, warnings)
}

/** Gives out verified targets. */
export class Repository {
  /** The address of the mirror, without credentials. */
  readonly mirror: string
  readonly #trusted: TrustedMetadata
  readonly #fetchFile: FetchFile
  readonly #cache: RepositoryCache | undefined
  readonly #warnings: string[]

  constructor(mirror: string, trusted: TrustedMetadata, fetchFile: FetchFile, cache: RepositoryCache | undefined, warnings: string[]) {
    this.mirror = mirror
    this.#trusted = trusted
    this.#fetchFile = fetchFile
    this.#cache = cache
    this.#warnings = warnings
  }

  /** What a user should know although nothing failed, so far: sentences. */
  get warnings(): readonly string[] {
    return this.#warnings
  }

  /**
   * A target's contents, of the length and the digests that the trusted metadata says: from the cache, or downloaded.
   * @throws VerificationError TUF_UNVERIFIED when the contents are not those, TransportError TRUST_ROOT_UNAVAILABLE when there is
   * no such target or it is out of reach; otherwise as `openRepository`
   */
  async target(name: string): Promise<Uint8Array> {
    try {
      return await this.#load(name)
    } catch (error) {
      if (!isOutOfReach(error)) throw error
      const message = `the target ${excerpt(name)} is not in the cache, and ${this.mirror} is out of reach: ${messageOf(error)}`
      throw new TransportError('TRUST_ROOT_UNAVAILABLE', message, { cause: error })
    }
  }

  async #load(name: string): Promise<Uint8Array> {
    const description = await this.#find(name)
    if (description === undefined) {
      throw new TransportError('TRUST_ROOT_UNAVAILABLE', `the TUF repository ${this.mirror} has no target ${excerpt(name)}`)
    }
    if (description.length > maxTargetBytes) {
      throw new TransportError(
        'TOO_LARGE',
        `the target ${excerpt(name)} is ${description.length} bytes long, more than the limit of ${maxTargetBytes}`,
      )
    }
    const cached = await this.#cache?.readTarget(name, description.length)
    if (cached !== undefined && mismatchOf(cached, description) === undefined) return cached
    const path = this.#pathOf(description)
    const bytes = await this.#fetchFile(path, description.length)
    if (bytes === undefined)
      throw new VerificationError('TUF_UNVERIFIED', `${this.mirror} has no ${path}, although its metadata describes it`)
    const mismatch = mismatchOf(bytes, description)
    if (mismatch !== undefined)
      throw new VerificationError('TUF_UNVERIFIED', `the target ${excerpt(name)} of ${this.mirror} is not trusted: ${mismatch}`)
    await keep(this.#warnings, this.#cache, () => this.#cache?.writeTarget(name, bytes))
    return bytes
  }

  /** The pre-order depth-first search of section 5.6.7: the most trusted role that describes the target decides. */
  async #find(name: string): Promise<TargetDescription | undefined> {
    const toVisit = [{ role: 'targets', delegator: 'root' }]
    const visited = new Set<string>()
    while (visited.size <= maxDelegations) {
      const next = toVisit.pop()
      if (next === undefined) return undefined
      if (visited.has(next.role)) continue
      await this.#loadRole(next.role, next.delegator)
      const description = this.#trusted.findTarget(next.role, name)
      if (description !== undefined) return description
      visited.add(next.role)
      const children = []
      for (const { role, terminating } of this.#trusted.delegationsFor(next.role, name)) {
        children.unshift({ role, delegator: next.role })
        if (!terminating) continue
        toVisit.length = 0
        break
      }
      toVisit.push(...children)
    }
    return undefined
  }

  async #loadRole(role: string, delegator: string): Promise<void> {
    if (this.#trusted.hasTargets(role)) return
    const cached = await this.#cache?.readRole(role)
    if (cached !== undefined) {
      try {
        return this.#trusted.updateTargets(cached, role, delegator)
      } catch (error) {
        // Old or damaged: the mirror has the right one.
        if (!(error instanceof VerificationError)) throw error
      }
    }
    const bytes = await fetchTargetsRole(this.#fetchFile, role, this.#trusted, this.mirror)
    this.#trusted.updateTargets(bytes, role, delegator)
    await keep(this.#warnings, this.#cache, () => this.#cache?.writeRole(role, bytes))
  }

  /** Below the mirror; with consistent snapshots, a digest comes before the file's name (5.7.3). */
  #pathOf({ path, hashes }: TargetDescription): string {
    const segments = path.split('/').map(encodeURIComponent)
    const name = segments.pop() ?? ''
    const digest = hashes['sha256'] ?? hashes['sha512'] ?? Object.values(hashes)[0] ?? ''
    return ['targets', ...segments, this.#trusted.consistentSnapshot ? `${digest}.${name}` : name].join('/')
  }
}

/** The trusted set from cached metadata, starting at the newest root known; the reason why not is the failure to reach the mirror. */
async function useCache(
  trusted: TrustedMetadata,
  cached: CachedMetadata,
  mirror: string,
  now: number,
  cause: unknown,
): Promise<TrustedMetadata> {
  const again = await trustRoot(trusted.rootBytes, mirror, now)
  try {
    refreshFromCache(again, cached, mirror)
    return again
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    const message = `the TUF repository ${mirror} is out of reach (${messageOf(cause)}), and there is no valid copy of its metadata: ${error.message}`
    throw new TransportError('TRUST_ROOT_UNAVAILABLE', message, { cause })
  }
}

/** How contents differ from their description; undefined when they do not. At least one digest must be of a kind known here. */
function mismatchOf(bytes: Uint8Array, { length, hashes }: TargetDescription): string | undefined {
  if (bytes.length !== length) return `it should be ${length} bytes long, found ${bytes.length}`
  const algorithms = targetAlgorithms.filter((algorithm) => Object.hasOwn(hashes, algorithm))
  if (algorithms.length === 0) return 'it has no SHA-2 digest'
  for (const algorithm of algorithms) {
    const found = createHash(algorithm).update(bytes).digest('hex')
    if (found !== hashes[algorithm]) return `its ${algorithm} digest should be ${excerpt(hashes[algorithm] ?? '', 128)}, found ${found}`
  }
  return undefined
}

/** A cache that cannot be written is a reason to warn, not to fail. */
async function keep(warnings: string[], cache: RepositoryCache | undefined, write: () => Promise<void> | undefined): Promise<void> {
  if (cache === undefined) return
  try {
    await write()
  } catch (error) {
    const reason = error instanceof CountersignError ? error.message : messageOf(error)
    const warning = `the TUF cache could not be updated: ${reason}; set TUF_ROOT to a folder that can be written`
    if (!warnings.includes(warning)) warnings.push(warning)
  }
}
