/** Signatures of keys that are kept offline: what waits for them, how they are made elsewhere, and how they come back. */
import type { LocalSigner } from '../../crypto/signer.ts'
import { CountersignError, VerificationError } from '../../error.ts'
import type { TopLevelRole } from '../../tuf/metadata-file.ts'
import { summarizeMetadata } from '../../tuf/metadata-file.ts'
import { mayFollow } from './edition.ts'
import type { RoleMetadata } from './metadata.ts'
import { countSignatures, encodeMetadata, isValidSignature, parseMetadata, signMetadata } from './metadata.ts'
import { readPending, targetsOf } from './proposals.ts'
import { loadPublished } from './published-edition.ts'
import type { OfflineRole, RepositoryStore } from './repository-store.ts'

export interface AwaitedSignatures {
  readonly role: OfflineRole
  readonly version: number
  /** How many of its keys have signed, and how many must. */
  readonly signed: number
  readonly threshold: number
}

/**
 * Signs an exported root.json or targets.json, on a machine that needs nothing else.
 * @returns the file with one more signature
 * @throws VerificationError TUF_UNVERIFIED for another file, CountersignError KEY_UNSUPPORTED
 */
export function signExportedMetadata(bytes: Uint8Array, signer: LocalSigner): Uint8Array {
  const role = roleOfExported(bytes)
  const metadata = parseMetadata(bytes, role, `the exported ${role}.json`)
  signMetadata(metadata, signer)
  return encodeMetadata(metadata)
}

/** What a person is about to sign: lines. Throws as `signExportedMetadata`. */
export function describeExportedMetadata(bytes: Uint8Array): string[] {
  const role = roleOfExported(bytes)
  if (role === 'targets') {
    const targets = parseMetadata(bytes, role, 'the exported targets.json')
    const lines = Object.entries(targetsOf(targets)).map(
      ([name, { length, hashes }]) => `${name}: ${length} bytes, sha256 ${hashes.sha256}`,
    )
    return [headOf(role, targets), ...lines]
  }
  const root = parseMetadata(bytes, role, 'the exported root.json')
  const lines = Object.entries(root.signed.roles).map(
    ([name, { keyIDs, threshold }]) => `${name}: ${threshold} of ${keyIDs.length} keys: ${keyIDs.join(' ')}`,
  )
  return [headOf(role, root), ...lines]
}

/** What waits for signatures. */
export async function awaitedSignatures(store: RepositoryStore, lastRoot: RoleMetadata<'root'> | undefined): Promise<AwaitedSignatures[]> {
  const awaited: AwaitedSignatures[] = []
  const pendingRoot = await readPending(store, 'root')
  if (pendingRoot !== undefined) {
    // Both the keys of the root before and its own have to sign: those are told of which more are missing.
    const [first = countSignatures(pendingRoot, 'root', pendingRoot), second = first] = [lastRoot, pendingRoot]
      .filter((root) => root !== undefined)
      .map((root) => countSignatures(root, 'root', pendingRoot))
    const isFirstBehind = first.threshold - first.signed >= second.threshold - second.signed
    awaited.push({ role: 'root', version: pendingRoot.signed.version, ...(isFirstBehind ? first : second) })
  }
  const pendingTargets = await readPending(store, 'targets')
  const root = pendingRoot ?? lastRoot
  if (pendingTargets !== undefined && root !== undefined) {
    awaited.push({ role: 'targets', version: pendingTargets.signed.version, ...countSignatures(root, 'targets', pendingTargets) })
  }
  return awaited
}

/**
 * Takes metadata with signatures that were made elsewhere: the pending root or targets, or a complete next root.
 * @returns what takes it back
 * @throws VerificationError TUF_UNVERIFIED; CountersignError CONFLICT when something else is pending, SIGNATURE_INVALID when it
 * has no signature that was missing
 */
export async function takeSigned(store: RepositoryStore, bytes: Uint8Array): Promise<() => Promise<void>> {
  const lastRoot = (await loadPublished(store))?.edition.root.metadata
  const role = roleOfExported(bytes)
  const imported = parseMetadata(bytes, role, `the imported ${role}.json`)
  // Anybody's first root follows nothing: only the one that was made here is signed.
  const isNextRoot = role === 'root' && lastRoot !== undefined && mayFollow(lastRoot, parseMetadata(bytes, role, 'the imported root.json'))
  if (isNextRoot) return replacePending(store, role, imported)
  const pending = await readPending(store, role)
  if (pending === undefined || !isSameDocument(pending, imported)) {
    throw new CountersignError(
      'CONFLICT',
      `the imported ${role}.json is neither the one that waits for signatures nor a complete next one; export the pending ${role}.json again and sign that`,
    )
  }
  const roots = [lastRoot, await readPending(store, 'root')].filter((root) => root !== undefined)
  if (addSignatures(pending, imported, roots, role) === 0) {
    throw new CountersignError('SIGNATURE_INVALID', `the imported ${role}.json has no valid signature of a ${role} key that was missing`)
  }
  return replacePending(store, role, pending)
}

async function replacePending(
  store: RepositoryStore,
  role: OfflineRole,
  metadata: RoleMetadata<OfflineRole>,
): Promise<() => Promise<void>> {
  const before = await store.pending(role)
  await store.putPending(role, encodeMetadata(metadata))
  return () => (before === undefined ? store.removePending(role) : store.putPending(role, before))
}

/** @returns how many signatures are new */
function addSignatures(
  pending: RoleMetadata<OfflineRole>,
  imported: RoleMetadata<OfflineRole>,
  roots: readonly RoleMetadata<'root'>[],
  role: OfflineRole,
): number {
  let added = 0
  for (const [keyId, signature] of Object.entries(imported.signatures)) {
    const naming = roots.filter((root) => root.signed.roles[role]?.keyIDs.includes(keyId))
    const isMissing = !naming.some((root) => isValidSignature(root, keyId, pending))
    if (!isMissing || !naming.some((root) => isValidSignature(root, keyId, imported))) continue
    pending.signatures[keyId] = signature
    added++
  }
  return added
}

function isSameDocument(a: RoleMetadata<OfflineRole>, b: RoleMetadata<OfflineRole>): boolean {
  const withoutSignatures = (metadata: RoleMetadata<OfflineRole>): string => JSON.stringify(metadata.signed.toJSON())
  return withoutSignatures(a) === withoutSignatures(b)
}

/** Which of the two a file is, by what it says itself. @throws VerificationError TUF_UNVERIFIED when it is neither */
export function roleOfExported(bytes: Uint8Array): OfflineRole {
  for (const role of ['root', 'targets'] as const) {
    try {
      summarizeMetadata(bytes, role, 'the file')
      return role
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
    }
  }
  throw new VerificationError('TUF_UNVERIFIED', 'the file should be a root.json or targets.json of TUF')
}

function headOf(role: TopLevelRole, { signed, signatures }: RoleMetadata<OfflineRole>): string {
  return `${role}.json, version ${signed.version}, expires ${signed.expires}, signatures: ${Object.keys(signatures).length}`
}
