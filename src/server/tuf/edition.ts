/**
 * An edition of the repository: four metadata files that belong together. A new one is made from the one before, and is
 * checked as a client would before it is published.
 */
import type { LocalSigner } from '../../crypto/signer.ts'
import { CountersignError } from '../../error.ts'
import type { TopLevelRole } from '../../tuf/metadata-file.ts'
import { maxMetadataBytes } from '../../tuf/metadata-file.ts'
import type { RoleMetadata } from './metadata.ts'
import { createSnapshot, createTimestamp, encodeMetadata, expiryOf, isSignedBy, signMetadata, tufKeyId } from './metadata.ts'
import type { ByRole, PublishedState } from './repository-store.ts'

/** A metadata file as it is published, and what it says. */
export interface SignedFile<Role extends TopLevelRole> {
  readonly metadata: RoleMetadata<Role>
  readonly bytes: Uint8Array
}

export type Edition = { readonly [Role in TopLevelRole]: SignedFile<Role> }

/** The keys at hand. */
export interface RepositorySigners {
  /** Empty when the root keys are offline; during a rotation, the old ones and the new ones. */
  readonly root: readonly LocalSigner[]
  /** Empty when the targets keys are offline. */
  readonly targets: readonly LocalSigner[]
  readonly snapshot: LocalSigner
  readonly timestamp: LocalSigner
}

/** How long metadata is valid from its signature on, and how long before its end it is made anew, in milliseconds. */
export interface Lifetime {
  readonly validMs: number
  readonly renewMs: number
}

export type Lifetimes = Readonly<Record<TopLevelRole, Lifetime>>

const day = 86_400_000

/** The timestamp is renewed daily and is good for a week, so that a server may be down for six days. */
export const defaultLifetimes: Lifetimes = {
  root: { validMs: 365 * day, renewMs: 180 * day },
  targets: { validMs: 365 * day, renewMs: 180 * day },
  snapshot: { validMs: 30 * day, renewMs: 15 * day },
  timestamp: { validMs: 7 * day, renewMs: 6 * day },
}

/** Below all versions that were published. */
export const noVersions: ByRole = mapRoles(() => 0)

/** How an edition is made. */
export interface Terms {
  readonly signers: RepositorySigners
  readonly lifetimes: Lifetimes
  /** Epoch milliseconds. */
  readonly now: number
  /** Versions that were published before, and must be exceeded. */
  readonly floor: ByRole
  /** Makes snapshot and timestamp anew even when they are not due. */
  readonly force: boolean
}

/** The file of metadata that has its signatures. */
export function sealFile<Role extends TopLevelRole>(metadata: RoleMetadata<Role>): SignedFile<Role> {
  return { metadata, bytes: encodeMetadata(metadata) }
}

/** Whether metadata has to be made anew by now. */
export function isDue(expires: number, role: TopLevelRole, { lifetimes, now }: Pick<Terms, 'lifetimes' | 'now'>): boolean {
  return now >= expires - lifetimes[role].renewMs
}

/** Signs with those of the keys that the roots name for the role. */
export function signFor(
  roots: readonly RoleMetadata<'root'>[],
  role: TopLevelRole,
  metadata: RoleMetadata<TopLevelRole>,
  signers: readonly LocalSigner[],
): void {
  for (const signer of signers) {
    const id = tufKeyId(signer.publicKey)
    if (roots.some((root) => root.signed.roles[role]?.keyIDs.includes(id))) signMetadata(metadata, signer)
  }
}

/**
 * The edition with this root and these targets: snapshot and timestamp of before as far as they still fit, otherwise new ones.
 * @param before undefined for the first edition
 */
export function makeEdition(before: Edition | undefined, { root, targets }: Pick<Edition, 'root' | 'targets'>, terms: Terms): Edition {
  const { signers, lifetimes, now } = terms
  const keep = <Role extends 'snapshot' | 'timestamp'>(role: Role, file: SignedFile<Role> | undefined): SignedFile<Role> | undefined =>
    file === undefined || terms.force || isDue(expiryOf(file.metadata), role, terms) || !isSignedBy(root.metadata, role, file.metadata)
      ? undefined
      : file
  const nextVersion = (role: TopLevelRole): number => Math.max(before?.[role].metadata.signed.version ?? 0, terms.floor[role]) + 1

  const makeSnapshot = (): SignedFile<'snapshot'> => {
    const described = { version: targets.metadata.signed.version, bytes: targets.bytes }
    const metadata = createSnapshot(nextVersion('snapshot'), now + lifetimes.snapshot.validMs, described)
    signMetadata(metadata, signers.snapshot)
    return sealFile(metadata)
  }
  const snapshot = (targets === before?.targets ? keep('snapshot', before.snapshot) : undefined) ?? makeSnapshot()

  const makeTimestamp = (): SignedFile<'timestamp'> => {
    const described = { version: snapshot.metadata.signed.version, bytes: snapshot.bytes }
    const metadata = createTimestamp(nextVersion('timestamp'), now + lifetimes.timestamp.validMs, described)
    signMetadata(metadata, signers.timestamp)
    return sealFile(metadata)
  }
  const timestamp = (snapshot === before?.snapshot ? keep('timestamp', before.timestamp) : undefined) ?? makeTimestamp()
  return { root, targets, snapshot, timestamp }
}

/** Whether an edition has no file that the one before has not. */
export function isSameEdition(before: Edition | undefined, edition: Edition): boolean {
  return before !== undefined && Object.values(edition).every((file) => Object.values(before).includes(file))
}

/** Whether a root is signed by the one before it and by itself, and may follow it (TUF specification 5.3.4, 5.3.5). */
export function mayFollow(before: RoleMetadata<'root'> | undefined, root: RoleMetadata<'root'>): boolean {
  const isNext = root.signed.version === (before?.signed.version ?? 0) + 1
  return isNext && (before === undefined || isSignedBy(before, 'root', root)) && isSignedBy(root, 'root', root)
}

/**
 * Refuses an edition that a client of the one before would refuse.
 * @throws CountersignError CONFIGURATION_INVALID with the reason
 */
export function checkEdition(before: Edition | undefined, edition: Edition): void {
  const root = edition.root.metadata
  const rootVersion = root.signed.version
  if (edition.root !== before?.root && !mayFollow(before?.root.metadata, root)) {
    throw refused(`${rootVersion}.root.json lacks signatures of the root keys before it or of its own`)
  }
  if (!root.signed.consistentSnapshot) throw refused(`${rootVersion}.root.json does not say that snapshots are consistent`)
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    const { metadata, bytes } = edition[role]
    if (!isSignedBy(root, role, metadata)) {
      throw refused(
        `${role}.json is not signed by the ${role} keys that ${rootVersion}.root.json names; server.yaml may name another key. Put the right one back under tuf, which "countersign server tuf rotate" does where it is in the folder, and change keys with its --new-keys`,
      )
    }
    const isOlder =
      before !== undefined && edition[role] !== before[role] && metadata.signed.version <= before[role].metadata.signed.version
    if (isOlder) throw refused(`version ${metadata.signed.version} of ${role}.json is not newer than the published one`)
    if (bytes.length > maxMetadataBytes[role]) throw refused(`${role}.json has more than ${maxMetadataBytes[role]} bytes`)
  }
}

/** The state that publishes an edition. @param targetFiles digests of the targets by path */
export function stateOf(
  edition: Edition,
  before: PublishedState | undefined,
  digests: ByRoleDigest,
  targetFiles: Readonly<Record<string, string>>,
  now: number,
): PublishedState {
  const versions = mapRoles((role) => edition[role].metadata.signed.version)
  return {
    versions,
    expires: mapRoles((role) => expiryOf(edition[role].metadata)),
    signedAtMs: now,
    files: {
      ...before?.files,
      ...targetFiles,
      [`${versions.root}.root.json`]: digests.root,
      [`${versions.targets}.targets.json`]: digests.targets,
      [`${versions.snapshot}.snapshot.json`]: digests.snapshot,
      'timestamp.json': digests.timestamp,
    },
  }
}

/** Digests of the four files. */
export type ByRoleDigest = Readonly<Record<TopLevelRole, string>>

/** Something for each role. */
export function mapRoles<T>(of: (role: TopLevelRole) => T): Readonly<Record<TopLevelRole, T>> {
  return { root: of('root'), timestamp: of('timestamp'), snapshot: of('snapshot'), targets: of('targets') }
}

function refused(reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `nothing is published to the TUF repository: ${reason}`)
}
