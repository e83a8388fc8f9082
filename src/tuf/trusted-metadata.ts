/**
 * The set of metadata that is trusted so far. Signatures, thresholds, versions, hashes and expiry are checked by tuf-js's
 * metadata store; its updater, which keeps files in place and takes the time from the clock, is not used.
 */
import type { TrustedMetadataStore } from 'tuf-js/dist/store.js'
import { asBuffer, equalBytes, excerpt } from '../encoding/bytes.ts'
import { messageOf, VerificationError } from '../error.ts'
import { isTopLevelRole, summarizeMetadata } from './metadata-file.ts'
import type { MetadataSummary, TopLevelRole } from './metadata-file.ts'

/** A metadata file as the role above it announces it. */
export interface AnnouncedFile {
  readonly version: number
  /** In bytes, if announced. */
  readonly length: number | undefined
}

/** A target as the trusted targets metadata describes it. */
export interface TargetDescription {
  readonly path: string
  readonly length: number
  /** Hexadecimal digests by algorithm. */
  readonly hashes: Readonly<Record<string, string>>
}

export interface Delegation {
  readonly role: string
  readonly terminating: boolean
}

/**
 * Starts a trusted set from a root that is trusted as it is (TUF specification 5.2).
 * @param origin names the repository in messages
 * @param now the time that expiry is checked against, in epoch milliseconds (5.1)
 * @throws VerificationError TUF_UNVERIFIED when the root is malformed or not signed by its own keys
 */
export async function trustRoot(root: Uint8Array, origin: string, now: number): Promise<TrustedMetadata> {
  const { TrustedMetadataStore: Store } = await loadStore()
  const what = `the TUF root of ${origin}`
  const summary = summarizeMetadata(root, 'root', what)
  let store
  try {
    store = new Store(asBuffer(root))
  } catch (error) {
    throw refused(what, error)
  }
  return new TrustedMetadata(store, root, summary, origin, now)
}

interface StoreModule {
  readonly TrustedMetadataStore: typeof TrustedMetadataStore
}

/** CommonJS, which has nothing but a default where it is a part of the server's ES modules. */
async function loadStore(): Promise<StoreModule> {
  const loaded: StoreModule & { readonly default?: StoreModule } = await import('tuf-js/dist/store.js')
  return loaded.default ?? loaded
}

/** Grows role by role; each method refuses what must not be trusted with a VerificationError TUF_UNVERIFIED. */
export class TrustedMetadata {
  readonly #store: TrustedMetadataStore
  readonly #origin: string
  readonly #now: number
  #rootBytes: Uint8Array
  #root: MetadataSummary
  #timestampBytes: Uint8Array | undefined
  #timestamp: MetadataSummary | undefined

  constructor(store: TrustedMetadataStore, rootBytes: Uint8Array, root: MetadataSummary, origin: string, now: number) {
    // The store takes the time from the clock and has no way to be told another; its checks must use the time of ours.
    if (!(Reflect.get(store, 'referenceTime') instanceof Date))
      throw new TypeError('tuf-js keeps its reference time elsewhere than expected')
    Reflect.set(store, 'referenceTime', new Date(now))
    this.#store = store
    this.#origin = origin
    this.#now = now
    this.#rootBytes = rootBytes
    this.#root = root
  }

  get rootVersion(): number {
    return this.#root.version
  }

  /** The newest trusted root, as received. */
  get rootBytes(): Uint8Array {
    return this.#rootBytes
  }

  /** The trusted timestamp, as received. */
  get timestampBytes(): Uint8Array | undefined {
    return this.#timestampBytes
  }

  get consistentSnapshot(): boolean {
    return this.#store.root.signed.consistentSnapshot
  }

  /** Trusts the next root: signed by the trusted one and by itself, one version newer (5.3.4 to 5.3.7). */
  updateRoot(bytes: Uint8Array): void {
    const { what, summary } = this.#read(bytes, 'root', `${this.#root.version + 1}.root.json`)
    try {
      this.#store.updateRoot(asBuffer(bytes))
    } catch (error) {
      throw refused(what, error)
    }
    this.#rootBytes = bytes
    this.#root = summary
  }

  /** Trusts a timestamp that is current and no older than a trusted one (5.4.2 to 5.4.4). An equal version changes nothing. */
  updateTimestamp(bytes: Uint8Array): void {
    // 5.3.10: the last root of the chain must be current.
    this.#requireCurrent(this.#root, 'root.json')
    const { what, summary } = this.#read(bytes, 'timestamp', 'timestamp.json')
    const trusted = this.#timestamp
    if (trusted !== undefined && this.#timestampBytes !== undefined && equalBytes(bytes, this.#timestampBytes)) {
      return this.#requireCurrent(trusted, 'timestamp.json')
    }
    try {
      this.#store.updateTimestamp(asBuffer(bytes))
    } catch (error) {
      // The store keeps an expired timestamp, so that a rollback behind it is noticed all the same.
      if (this.#store.timestamp?.signed.version === summary.version && trusted?.version !== summary.version)
        this.#keepTimestamp(bytes, summary)
      if (trusted?.version === summary.version && /equal to current version/.test(messageOf(error))) {
        return this.#requireCurrent(trusted, 'timestamp.json')
      }
      throw this.#refused(what, error, summary, 'timestamp.json')
    }
    this.#keepTimestamp(bytes, summary)
  }

  /** The snapshot that the trusted timestamp announces. */
  get announcedSnapshot(): AnnouncedFile {
    const announced = this.#store.timestamp?.signed.snapshotMeta
    if (announced === undefined) throw new TypeError('the timestamp comes before the snapshot')
    return { version: announced.version, length: announced.length }
  }

  /**
   * Trusts the snapshot that the timestamp announces, which may not take back versions of an older one (5.5.2 to 5.5.6).
   * @param source a `cached` one was checked against its timestamp when it was downloaded, and need not match a newer one's hash
   */
  updateSnapshot(bytes: Uint8Array, source: 'cached' | 'downloaded'): void {
    const { what, summary } = this.#read(bytes, 'snapshot', 'snapshot.json')
    try {
      this.#store.updateSnapshot(asBuffer(bytes), source === 'cached')
    } catch (error) {
      throw this.#refused(what, error, summary, 'snapshot.json')
    }
  }

  /** The file of a targets role that the trusted snapshot announces; undefined when it announces none. */
  announcedTargets(role: string): AnnouncedFile | undefined {
    const announced = ownValue(this.#store.snapshot?.signed.meta, `${role}.json`)
    return announced && { version: announced.version, length: announced.length }
  }

  /** Trusts the metadata of `targets` or of a role it delegates to, in the version the snapshot announces (5.6.2 to 5.6.5). */
  updateTargets(bytes: Uint8Array, role: string, delegator: string): void {
    const { what, summary } = this.#read(bytes, 'targets', `${role}.json`)
    try {
      this.#store.updateDelegatedTargets(asBuffer(bytes), role, delegator)
    } catch (error) {
      throw this.#refused(what, error, summary, `${role}.json`)
    }
  }

  hasTargets(role: string): boolean {
    return this.#store.getRole(role) !== undefined
  }

  /** The description of a target in the trusted metadata of a role. */
  findTarget(role: string, path: string): TargetDescription | undefined {
    return ownValue(this.#store.getRole(role)?.signed.targets, path)
  }

  /** The roles that a role delegates a target to, most trusted first (5.6.7). None may have the name of a top-level role. */
  delegationsFor(role: string, path: string): Delegation[] {
    const delegations = this.#store.getRole(role)?.signed.delegations
    const found = delegations === undefined ? [] : [...delegations.rolesForTarget(path)]
    for (const { role: name } of found) {
      if (!isTopLevelRole(name.toLowerCase())) continue
      throw new VerificationError(
        'TUF_UNVERIFIED',
        `${role}.json of ${this.#origin} delegates to ${excerpt(name)}, the name of a top-level role`,
      )
    }
    return found
  }

  #read(bytes: Uint8Array, role: TopLevelRole, name: string): { readonly what: string; readonly summary: MetadataSummary } {
    const what = `${name} of ${this.#origin}`
    return { what, summary: summarizeMetadata(bytes, role, what) }
  }

  #keepTimestamp(bytes: Uint8Array, summary: MetadataSummary): void {
    this.#timestampBytes = bytes
    this.#timestamp = summary
  }

  #requireCurrent({ expires }: MetadataSummary, name: string): void {
    if (this.#now >= expires) throw this.#expired(expires, name)
  }

  #refused(what: string, error: unknown, { expires }: MetadataSummary, name: string): VerificationError {
    return this.#now >= expires && /expired/.test(messageOf(error)) ? this.#expired(expires, name) : refused(what, error)
  }

  #expired(expires: number, name: string): VerificationError {
    const message = `${name} of ${this.#origin} expired at ${new Date(expires).toISOString()}; its operator must renew it, or this machine's clock is wrong`
    return new VerificationError('TUF_UNVERIFIED', message)
  }
}

function refused(what: string, cause: unknown): VerificationError {
  const reason = messageOf(cause).slice(0, 160)
  return new VerificationError('TUF_UNVERIFIED', `${what} is not trusted: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`, { cause })
}

function ownValue<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}
