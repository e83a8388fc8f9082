/** The client workflow of the TUF specification, from a trusted root to trusted targets metadata (section 5.3 to 5.6). */
import { VerificationError } from '../error.ts'
import type { CachedMetadata, RepositoryCache, VerifiedMetadata } from './cache.ts'
import { maxMetadataBytes, versionOf } from './metadata-file.ts'
import type { FetchFile } from './mirror.ts'
import type { AnnouncedFile, TrustedMetadata } from './trusted-metadata.ts'

/** No chain of roots is followed further than this in one refresh. */
const maxRootRotations = 256

/** What a refresh has verified so far: also of use when it fails half-way. */
export interface Progress {
  readonly rootHistory: Map<number, Uint8Array>
  current: VerifiedMetadata['current']
}

/**
 * Follows the chain of roots kept in the cache, as far as it verifies. A root that does not is left out: the mirror has
 * the right one.
 */
export async function followCachedRoots(
  trusted: TrustedMetadata,
  cache: RepositoryCache,
  cached: CachedMetadata,
  progress: Progress,
): Promise<void> {
  for (let step = 0; step < maxRootRotations; step++) {
    const version = trusted.rootVersion + 1
    const bytes = (await cache.readRoot(version)) ?? (versionOf(cached.root, 'root') === version ? cached.root : undefined)
    if (bytes === undefined) return
    if (!tryUpdate((root) => trusted.updateRoot(root), bytes)) return
    progress.rootHistory.set(version, bytes)
  }
}

/**
 * Brings the trusted set up to date with the mirror.
 * @throws VerificationError TUF_UNVERIFIED for metadata that must not be trusted, or that is missing; TransportError
 */
export async function refreshFromMirror(
  trusted: TrustedMetadata,
  cached: CachedMetadata,
  fetchFile: FetchFile,
  mirror: string,
  progress: Progress,
): Promise<void> {
  // 5.3.3 to 5.3.9: every root up to the newest.
  for (let step = 0; step < maxRootRotations; step++) {
    const version = trusted.rootVersion + 1
    const root = await fetchFile(`${version}.root.json`, maxMetadataBytes.root)
    if (root === undefined) break
    trusted.updateRoot(root)
    progress.rootHistory.set(version, root)
  }

  // 5.4: the cached timestamp, if it still verifies, is what a new one must not be older than.
  if (cached.timestamp !== undefined) tryUpdate((bytes) => trusted.updateTimestamp(bytes), cached.timestamp)
  const received = await fetchFile('timestamp.json', maxMetadataBytes.timestamp)
  if (received === undefined) throw missing('timestamp.json', mirror, 'check the address of the repository')
  trusted.updateTimestamp(received)
  // One of an equal version is discarded (5.4.3).
  const timestamp = trusted.timestampBytes ?? received

  // 5.5 and 5.6: the cache has them unless they changed.
  const snapshot = await load({
    cached: cached.snapshot,
    accept: (bytes, source) => trusted.updateSnapshot(bytes, source),
    fetch: () => fetchAnnounced(fetchFile, 'snapshot', trusted.announcedSnapshot, maxMetadataBytes.snapshot, trusted, mirror),
  })
  const targets = await load({
    cached: cached.targets,
    accept: (bytes) => trusted.updateTargets(bytes, 'targets', 'root'),
    fetch: () => fetchTargetsRole(fetchFile, 'targets', trusted, mirror),
  })
  progress.current = { timestamp, snapshot, targets }
}

/**
 * Builds the trusted set from the cache alone. Everything is verified as if it had just been downloaded, expiry included,
 * so this grants nothing that a mirror which repeats its last answers could not get.
 * @throws VerificationError TUF_UNVERIFIED when the cache is incomplete, expired or damaged
 */
export function refreshFromCache(trusted: TrustedMetadata, cached: CachedMetadata, mirror: string): void {
  const { timestamp, snapshot, targets } = cached
  if (timestamp === undefined || snapshot === undefined || targets === undefined) {
    throw new VerificationError('TUF_UNVERIFIED', `the cache holds no complete metadata of ${mirror}`)
  }
  trusted.updateTimestamp(timestamp)
  trusted.updateSnapshot(snapshot, 'downloaded')
  trusted.updateTargets(targets, 'targets', 'root')
}

/**
 * Downloads the metadata of a targets role in the version that the trusted snapshot announces (5.6.1).
 * @throws VerificationError TUF_UNVERIFIED when it is not announced or not there; TransportError
 */
export function fetchTargetsRole(fetchFile: FetchFile, role: string, trusted: TrustedMetadata, mirror: string): Promise<Uint8Array> {
  const announced = trusted.announcedTargets(role)
  if (announced === undefined) throw new VerificationError('TUF_UNVERIFIED', `the snapshot of ${mirror} announces no ${role}.json`)
  return fetchAnnounced(fetchFile, role, announced, maxMetadataBytes.targets, trusted, mirror)
}

interface Load {
  readonly cached: Uint8Array | undefined
  readonly accept: (bytes: Uint8Array, source: 'cached' | 'downloaded') => void
  readonly fetch: () => Promise<Uint8Array>
}

async function load({ cached, accept, fetch }: Load): Promise<Uint8Array> {
  if (cached !== undefined && tryUpdate((bytes) => accept(bytes, 'cached'), cached)) return cached
  const bytes = await fetch()
  accept(bytes, 'downloaded')
  return bytes
}

/** Whether a cached file was taken. One that was not is no error: it may be old, or damaged. */
function tryUpdate(update: (bytes: Uint8Array) => void, bytes: Uint8Array): boolean {
  try {
    update(bytes)
    return true
  } catch (error) {
    if (error instanceof VerificationError) return false
    throw error
  }
}

async function fetchAnnounced(
  fetchFile: FetchFile,
  role: string,
  announced: AnnouncedFile,
  maxBytes: number,
  trusted: TrustedMetadata,
  mirror: string,
): Promise<Uint8Array> {
  const name = `${encodeURIComponent(role)}.json`
  const file = trusted.consistentSnapshot ? `${announced.version}.${name}` : name
  const bytes = await fetchFile(file, Math.min(announced.length ?? maxBytes, maxBytes))
  if (bytes === undefined) throw missing(file, mirror, 'although the metadata above it announces it')
  return bytes
}

function missing(file: string, mirror: string, hint: string): VerificationError {
  return new VerificationError('TUF_UNVERIFIED', `${mirror} has no ${file}, ${hint}`)
}
