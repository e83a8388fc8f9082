/** New root and targets metadata: signed with the keys at hand, or kept until keys that are offline have signed. */
import type { JsonObject, JsonValue } from '../../encoding/json.ts'
import { canonicalizeJson } from '../../encoding/canonical-json.ts'
import type { LocalSigner } from '../../crypto/signer.ts'
import type { Edition, RepositorySigners, SignedFile, Terms } from './edition.ts'
import { isDue, mayFollow, sealFile, signFor } from './edition.ts'
import type { RoleKeys, RoleMetadata, RootRoles, TargetDescription } from './metadata.ts'
import { createRoot, createTargets, expiryOf, isSignedBy, parseMetadata } from './metadata.ts'
import type { OfflineRole, RepositoryStore } from './repository-store.ts'

/** What an operator or a start of the server asks for. */
export interface Wishes {
  /** The targets by name; undefined leaves them as they are. */
  readonly targets?: Readonly<Record<string, TargetDescription>> | undefined
  /** The keys of a new root; `same` makes a new root with the keys of the last one; undefined makes none before its time. */
  readonly roles?: RootRoles | 'same' | undefined
}

/** A root that names the keys at hand, one signature each. */
export function rolesOfSigners({ root, targets, snapshot, timestamp }: RepositorySigners): RootRoles {
  const rolesOf = (...signers: readonly LocalSigner[]): RoleKeys => ({ keys: signers.map(({ publicKey }) => publicKey), threshold: 1 })
  return { root: rolesOf(...root), targets: rolesOf(...targets), snapshot: rolesOf(snapshot), timestamp: rolesOf(timestamp) }
}

/**
 * The root to publish: the one of before, or a newer one that has all signatures. One that was asked for and lacks some is kept
 * to be signed.
 * @param first whom the very first root names
 */
export async function proposeRoot(
  store: RepositoryStore,
  before: Edition | undefined,
  wishes: Wishes,
  first: RootRoles,
  terms: Terms,
): Promise<SignedFile<'root'> | undefined> {
  const last = before?.root.metadata
  const pending = await readPending(store, 'root')
  if (wishes.roles === undefined && pending !== undefined && mayFollow(last, pending)) return sealFile(pending)
  const expires = terms.now + terms.lifetimes.root.validMs
  const isAskedFor = wishes.roles !== undefined || last === undefined
  if (!isAskedFor && !isDue(expiryOf(last), 'root', terms)) return before?.root
  const roles = wishes.roles === 'same' ? undefined : (wishes.roles ?? (last === undefined ? first : undefined))
  const version = (last?.signed.version ?? 0) + 1
  const fresh = roles === undefined && last !== undefined ? renewRoot(last, version, expires) : createRoot(version, expires, roles ?? first)
  // Signatures that were collected already are not thrown away for a root that says the same.
  const root = pending !== undefined && isSameButExpiry(pending, fresh) && !isDue(expiryOf(pending), 'root', terms) ? pending : fresh
  signFor(last === undefined ? [root] : [last, root], 'root', root, terms.signers.root)
  const file = sealFile(root)
  if (mayFollow(last, root)) return file
  if (isAskedFor) await store.putPending('root', file.bytes)
  return before?.root
}

/**
 * The targets metadata to publish under a root, by the rules of `proposeRoot`.
 * @returns undefined when there is none yet with the signatures that the root asks for
 */
export async function proposeTargets(
  store: RepositoryStore,
  before: Edition | undefined,
  root: RoleMetadata<'root'>,
  wishes: Wishes,
  terms: Terms,
): Promise<SignedFile<'targets'> | undefined> {
  const last = before?.targets.metadata
  const lastVersion = last?.signed.version ?? 0
  const isUsable = last !== undefined && isSignedBy(root, 'targets', last) && lastVersion >= terms.floor.targets
  const pending = await readPending(store, 'targets')
  if (wishes.targets === undefined && pending === undefined && last === undefined) return undefined
  const isComplete = pending !== undefined && isSignedBy(root, 'targets', pending)
  const version = Math.max(lastVersion, terms.floor.targets) + 1
  const wanted = wishes.targets ?? targetsOf(pending ?? last)
  if (isComplete && pending.signed.version >= version && isSameJson(targetsOf(pending), wanted)) return sealFile(pending)
  const isChanged = last === undefined || !isSameJson(targetsOf(last), wanted)
  if (!isChanged && isUsable && !isDue(expiryOf(last), 'targets', terms)) return before?.targets
  const fresh = createTargets(version, terms.now + terms.lifetimes.targets.validMs, wanted)
  const targets = pending !== undefined && isSameButExpiry(pending, fresh) && !isDue(expiryOf(pending), 'targets', terms) ? pending : fresh
  signFor([root], 'targets', targets, terms.signers.targets)
  const file = sealFile(targets)
  if (isSignedBy(root, 'targets', targets)) return file
  if (isChanged || !isUsable) await store.putPending('targets', file.bytes)
  return isUsable ? before?.targets : undefined
}

/** Metadata that waits for signatures. */
export async function readPending<Role extends OfflineRole>(store: RepositoryStore, role: Role): Promise<RoleMetadata<Role> | undefined> {
  const bytes = await store.pending(role)
  return bytes && parseMetadata(bytes, role, `the pending ${role}.json`)
}

/** What targets metadata describes, as JSON. */
export function targetsOf(metadata: RoleMetadata<'targets'> | undefined): Readonly<Record<string, TargetDescription>> {
  return metadata === undefined ? {} : JSON.parse(JSON.stringify(metadata.signed.toJSON()['targets']))
}

function renewRoot(root: RoleMetadata<'root'>, version: number, expires: number): RoleMetadata<'root'> {
  const instant = new Date(expires).toISOString().replace(/\.\d+Z$/, 'Z')
  const json = JSON.stringify({ signed: { ...root.signed.toJSON(), version, expires: instant }, signatures: [] })
  return parseMetadata(new TextEncoder().encode(json), 'root', 'the new root')
}

function isSameButExpiry(a: RoleMetadata<OfflineRole>, b: RoleMetadata<OfflineRole>): boolean {
  const withoutExpiry = ({ signed }: RoleMetadata<OfflineRole>): object => ({ ...signed.toJSON(), expires: '' })
  return isSameJson(withoutExpiry(a), withoutExpiry(b))
}

function isSameJson(a: object, b: object): boolean {
  const canonical = (value: object): string => {
    const json: JsonObject & JsonValue = JSON.parse(JSON.stringify(value))
    return canonicalizeJson(json)
  }
  return canonical(a) === canonical(b)
}
