/**
 * The cache of one TUF repository, in the layout that cosign and sigstore-go use: `<directory>/<mirror>/root.json`,
 * `timestamp.json`, `snapshot.json`, `targets.json`, `targets/<name>` and beside it `<mirror>.json`. Ours alone is
 * `root_history/<N>.root.json`, so that the newest root can be reached from the compiled-in one without a network.
 *
 * Nothing read from here is trusted: whoever reads it verifies it as if it had been downloaded.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { equalBytes } from '../encoding/bytes.ts'
import { isMissing } from '../error.ts'
import { readBoundedFile, replaceFile } from './bounded-file.ts'
import { withLock } from './file-lock.ts'
import { isTopLevelRole, maxMetadataBytes, versionOf } from './metadata-file.ts'

/** Metadata as it was found before a refresh; what is missing or unreadable is undefined. */
export interface CachedMetadata {
  readonly root: Uint8Array | undefined
  readonly timestamp: Uint8Array | undefined
  readonly snapshot: Uint8Array | undefined
  readonly targets: Uint8Array | undefined
}

/** Verified metadata to keep. */
export interface VerifiedMetadata {
  /** The newest root, and every root on the way to it from the trust anchor by its version. */
  readonly root: Uint8Array
  readonly rootHistory: ReadonlyMap<number, Uint8Array>
  /** The three that belong together, if the refresh came that far. */
  readonly current?: { readonly timestamp: Uint8Array; readonly snapshot: Uint8Array; readonly targets: Uint8Array } | undefined
}

/** One repository's files. Methods that write throw Node's own errors, or TransportError FILE_UNREADABLE when the lock is not free. */
export class RepositoryCache {
  readonly #folder: string
  readonly #stateFile: string | undefined
  readonly #isReadOnly: boolean

  /**
   * @param name the folder of the repository, from `cacheName`
   * @param isReadOnly whether nothing is kept: what is there still holds off a mirror that goes back in time
   */
  constructor(directory: string, name: string, isReadOnly = false) {
    this.#folder = path.join(directory, name)
    this.#isReadOnly = isReadOnly
    // The file of a mirror called `remote` would take the place of the one that records which mirror is used.
    this.#stateFile = name === 'remote' ? undefined : path.join(directory, `${name}.json`)
  }

  /** Reads what is there of the top-level roles. */
  async read(): Promise<CachedMetadata> {
    const [root, timestamp, snapshot, targets] = await Promise.all([
      this.readRole('root'),
      this.readRole('timestamp'),
      this.readRole('snapshot'),
      this.readRole('targets'),
    ])
    return { root, timestamp, snapshot, targets }
  }

  /** The metadata of a role; a file that cannot be read or is too large counts as missing. */
  readRole(role: string): Promise<Uint8Array | undefined> {
    return readOrNothing(this.#metadataFile(role), maxMetadataBytes[isTopLevelRole(role) ? role : 'targets'])
  }

  /** A version of the root that was verified before. */
  readRoot(version: number): Promise<Uint8Array | undefined> {
    return readOrNothing(path.join(this.#folder, 'root_history', `${version}.root.json`), maxMetadataBytes.root)
  }

  readTarget(name: string, length: number): Promise<Uint8Array | undefined> {
    return readOrNothing(this.#targetFile(name), length)
  }

  /**
   * Keeps verified metadata. Every file is replaced as a whole, the root first and the timestamp last, under a lock; what
   * another process wrote since `before` was read, and is newer, stays.
   * @param now recorded as the time of the last refresh, in epoch milliseconds
   */
  async publish(verified: VerifiedMetadata, before: CachedMetadata, now: number): Promise<void> {
    if (this.#isReadOnly || (await this.#isPublished(verified, before))) return
    await mkdir(path.join(this.#folder, 'root_history'), { recursive: true, mode: 0o700 })
    await withLock(path.join(this.#folder, '.lock'), {}, async () => {
      for (const [version, bytes] of verified.rootHistory) {
        if (!isSame(await this.readRoot(version), bytes))
          await replaceFile(path.join(this.#folder, 'root_history', `${version}.root.json`), bytes)
      }
      // A private repository's root.json is its trust anchor, and must survive a power cut.
      // A newer one that was there before and is not on the way to ours is wrong, but only the mirror can tell.
      const found = verified.current === undefined ? undefined : before.root
      if (await this.#mayReplace('root', verified.root, found)) await replaceFile(this.#metadataFile('root'), verified.root, true)
      if (verified.current === undefined || !(await this.#mayReplace('timestamp', verified.current.timestamp, before.timestamp))) return
      for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
        const bytes = verified.current[role]
        if (!isSame(await this.readRole(role), bytes)) await replaceFile(this.#metadataFile(role), bytes)
      }
      if (this.#stateFile !== undefined) await replaceFile(this.#stateFile, JSON.stringify({ lastTimestamp: new Date(now).toISOString() }))
    })
  }

  /** Keeps the verified metadata of a delegated role. */
  writeRole(role: string, bytes: Uint8Array): Promise<void> {
    return this.#write(this.#metadataFile(role), bytes)
  }

  /** Keeps a verified target. */
  writeTarget(name: string, bytes: Uint8Array): Promise<void> {
    return this.#write(this.#targetFile(name), bytes)
  }

  async #write(file: string, bytes: Uint8Array): Promise<void> {
    if (this.#isReadOnly) return
    try {
      await replaceFile(file, bytes)
    } catch (error) {
      if (!isMissing(error)) throw error
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
      await replaceFile(file, bytes)
    }
  }

  async #isPublished({ root, rootHistory, current }: VerifiedMetadata, before: CachedMetadata): Promise<boolean> {
    if (!isSame(before.root, root)) return false
    for (const [version, bytes] of rootHistory) if (!isSame(await this.readRoot(version), bytes)) return false
    if (current === undefined) return true
    return (
      isSame(before.timestamp, current.timestamp) && isSame(before.snapshot, current.snapshot) && isSame(before.targets, current.targets)
    )
  }

  /** Whether ours belongs there: it does unless a newer one came since we looked. */
  async #mayReplace(role: 'root' | 'timestamp', ours: Uint8Array, before: Uint8Array | undefined): Promise<boolean> {
    const there = await this.readRole(role)
    if (there === undefined || (before !== undefined && isSame(there, before))) return true
    return (versionOf(there, role) ?? 0) <= (versionOf(ours, role) ?? 0)
  }

  #metadataFile(role: string): string {
    return path.join(this.#folder, `${encodeURIComponent(role)}.json`)
  }

  #targetFile(name: string): string {
    return path.join(this.#folder, 'targets', encodeFileName(name))
  }
}

/**
 * The name of a repository's folder in the cache: its address without the scheme, in lower case, with a dash for each slash
 * and colon.
 */
export function cacheName(mirror: string): string {
  const name = mirror
    .replace(/^https:\/\//, '')
    .replace(/^http:\/\//, '')
    .replaceAll(/[/:]/g, '-')
    .toLowerCase()
  return /^\.{0,2}$/.test(name) ? `-${name}` : name
}

/** `encodeURIComponent` leaves the names of the folder itself and the one above as they are. */
function encodeFileName(name: string): string {
  return /^\.{0,2}$/.test(name) ? `%${name}` : encodeURIComponent(name)
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}

/** What cannot be read is fetched anew, and verified either way. */
async function readOrNothing(file: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await readBoundedFile(file, maxBytes)
  } catch {
    return undefined
  }
}
